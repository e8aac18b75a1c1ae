"""*Sources*: where rosters come from, how fresh they are, and stopping one that sends nonsense."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lifecycle.domain.errors import LifecycleError, RosterRefused
from lifecycle.services.authorisation import Action, may
from lifecycle.web import errors, forms, roster_words
from lifecycle.web.services import permitted, services

bp = Blueprint("sources", __name__, url_prefix="/sources")


@bp.get("")
def index() -> ResponseReturnValue:
    """List every source."""
    permitted(Action.SEE_SOURCES)
    use_cases = services()
    return render_template(
        "sources/index.html", nav="rosters", sources=use_cases.sources.listed(),
        now=use_cases.clock.now(), words=roster_words,
    )  # fmt: skip


@bp.get("/<name>")
def show(name: str) -> ResponseReturnValue:
    """Show one source with its files."""
    return _page(name)


def _page(name: str, error: str = "", status: int = 200) -> ResponseReturnValue:
    actor, use_cases = permitted(Action.SEE_SOURCES), services()
    source = use_cases.sources.find(name)
    imports, uploads = use_cases.sources.history(name), use_cases.uploads.listed(source=name)
    actors = {*(i.actor for i in imports), *(u.actor for u in uploads), source.row.frozen_by}
    return render_template(
        "sources/show.html",
        nav="rosters",
        source=source,
        imports=imports,
        uploads=[upload for upload in uploads if not upload.import_id],
        names=roster_words.called(actors - {""}),
        address_of=lambda upload: roster_words.address_of(upload, actor),
        can_stop=may(actor, Action.RELEASE_ROSTER),
        error=error,
        typed=request.form,
        now=use_cases.clock.now(),
        words=roster_words,
    ), status


@bp.post("/<name>/freeze")
def freeze(name: str) -> ResponseReturnValue:
    """Take nothing more from a source."""
    actor = permitted(Action.RELEASE_ROSTER)
    services().sources.find(name)
    try:
        services().sources.freeze(name, actor=actor.trail_name, why=forms.long_text("why"))
    except LifecycleError as exc:
        return _page(name, str(exc), 422 if isinstance(exc, RosterRefused) else errors.status_here(exc))
    flash("Frozen: nothing of this source is applied until somebody thaws it.")
    return redirect(url_for("sources.show", name=name), 303)


@bp.post("/<name>/thaw")
def thaw(name: str) -> ResponseReturnValue:
    """Take files of a source again."""
    actor = permitted(Action.RELEASE_ROSTER)
    forms.fresh(actor)
    services().sources.find(name)
    try:
        services().sources.thaw(name, actor=actor.trail_name, member_id=actor.id, why=forms.long_text("why"))
    except LifecycleError as exc:
        return _page(name, str(exc), 422 if isinstance(exc, RosterRefused) else errors.status_here(exc))
    flash("Thawed: the next file of this source is taken in again.")
    return redirect(url_for("sources.show", name=name), 303)
