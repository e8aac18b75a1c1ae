"""*Revoke now*: what would end, the typed confirmation, every account until the last is proven gone, and undo."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lifecycle.domain.errors import LifecycleError, NotFound
from lifecycle.web import errors, forms
from lifecycle.web.services import services, signed_in

bp = Blueprint("cutoff", __name__, url_prefix="/people/<identity_id>/revoke")


@bp.get("")
def show(identity_id: str) -> ResponseReturnValue:
    """Show what would end, or how far it is."""
    return _page(identity_id)


def _page(identity_id: str, error: str = "", status: int = 200) -> ResponseReturnValue:
    actor, version = signed_in(), services().overview.version()
    view = services().cut_offs.view(actor, identity_id)
    typed = {name: forms.plain(request.form.get(name, "")) for name in ("reason", "typed")}
    return render_template(
        "people/revoke.html", nav="people", view=view, revision=version, error=error, typed=typed
    ), status


@bp.get("/live")
def live(identity_id: str) -> ResponseReturnValue:
    """Answer 204 while nothing looks different from version ``v``, else how far it is."""
    actor = signed_in()
    version = services().overview.version()
    view = services().cut_offs.view(actor, identity_id)
    if forms.query("v") == version:
        return "", 204
    return render_template("people/_accounts.html", view=view, revision=version)


@bp.post("")
def end_now(identity_id: str) -> ResponseReturnValue:
    """End it."""
    try:
        held = services().cut_offs.end_now(
            signed_in(), identity_id, typed=forms.optional("typed"), reason=forms.long_text("reason")
        )
    except LifecycleError as exc:
        return _page(identity_id, str(exc), errors.status_here(exc))
    if held:
        flash(f"You have ended so many people's access just now that {held} waits for a second person.")
        return redirect(url_for("requests.show", request_id=held), 303)
    flash("Access is being ended in every system; this page follows it.")
    return redirect(url_for("cutoff.show", identity_id=identity_id), 303)


@bp.post("/undo")
def undo(identity_id: str) -> ResponseReturnValue:
    """Give back what was held, god mode excepted."""
    try:
        services().cut_offs.undo(signed_in(), identity_id, forms.long_text("reason"))
    except NotFound as exc:  # given back by somebody else meanwhile
        return _page(identity_id, str(exc), 409)
    except LifecycleError as exc:
        return _page(identity_id, str(exc), errors.status_here(exc))
    flash("What was held is being given back; god mode needs its two people again.")
    return redirect(url_for("cutoff.show", identity_id=identity_id), 303)
