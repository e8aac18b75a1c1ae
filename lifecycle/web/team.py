"""*My team*: a sponsor's own contractors, and what they are to hand over."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lifecycle.services.authorisation import Action
from lifecycle.web import forms
from lifecycle.web.services import permitted, services, signed_in

bp = Blueprint("team", __name__)
PAGE = 50


@bp.get("/team")
def index() -> ResponseReturnValue:
    """List the reader's own contractors."""
    actor = permitted(Action.SEE_TEAM)
    after = (forms.query("after"), forms.query("id"))
    found = services().team.page(actor, after, PAGE + 1)
    more = found[PAGE - 1].identity if len(found) > PAGE else None
    return render_template(
        "team/index.html",
        nav="team",
        found=found[:PAGE],
        why_not_ask=services().team.why_not_ask,
        lapses=services().resumptions.lapses(actor, found[:PAGE]),
        more=more,
        first=not after[1],
        questions=services().renewals.count(actor),
        waiting=len(services().inbox.waiting(actor)),
    )


@bp.post("/people/<identity_id>/handover")
def add_handover(identity_id: str) -> ResponseReturnValue:
    """Write down what is to be handed over."""
    services().team.add_handover(signed_in(), identity_id, forms.long_text("task"), forms.optional("receiver"))
    flash("Noted.")
    return redirect(_back(), 303)


@bp.post("/handover/<int(max=9007199254740991):handover_id>/done")
def finish_handover(handover_id: int) -> ResponseReturnValue:
    """Note that something was handed over."""
    services().team.finish_handover(signed_in(), handover_id)
    flash("Handed over.")
    return redirect(_back(), 303)


@bp.post("/people/<identity_id>/resume")
def resume(identity_id: str) -> ResponseReturnValue:
    """Ask for the access back that a contract gave before it was extended, too late."""
    contract, reason = forms.optional("engagement"), forms.long_text("reason")
    asked = services().resumptions.ask(signed_in(), identity_id, contract, reason)
    flash(f"{asked} asks for the access back. One other person must approve it.")
    return redirect(url_for("requests.show", request_id=asked), 303)


def _back() -> str:
    return forms.local_path(request.form.get("back", "/"))
