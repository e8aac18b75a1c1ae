"""*Held*: a roster that the guard has stopped, as two other people see it before they let it go or reject it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lifecycle.domain.approval import Verdict
from lifecycle.domain.errors import LifecycleError
from lifecycle.services.authorisation import Action, Actor
from lifecycle.services.numbers import whole
from lifecycle.services.upload_views import State
from lifecycle.web import errors, forms, roster_words
from lifecycle.web.roster_review import page_of, told
from lifecycle.web.services import permitted, services

bp = Blueprint("held", __name__, url_prefix="/rosters/<upload_id>/held")


@bp.get("")
def show(upload_id: str) -> ResponseReturnValue:
    """Show who would lose what, and why it is held."""
    return _page(permitted(Action.SEE_ROSTERS), upload_id)


def _page(actor: Actor, upload_id: str, error: str = "", status: int = 200) -> ResponseReturnValue:
    upload = services().uploads.find(upload_id)
    if upload.state is not State.HELD:
        if error:
            flash(error)
        return redirect(url_for("rosters.show", upload_id=upload_id), 303)
    return render_template(
        "rosters/held.html",
        nav="rosters",
        upload=upload,
        names=roster_words.called({upload.actor}),
        standing=services().batches.standing(upload_id, actor),
        page=page_of(upload, "sooner"),
        error=error,
        typed=request.form,
        now=services().clock.now(),
        **told(),
    ), status


@bp.post("")
def review(upload_id: str) -> ResponseReturnValue:
    """Let it go, or reject it; the second person who agrees has it applied."""
    actor = permitted(Action.RELEASE_ROSTER)
    forms.fresh(actor)
    verdict = Verdict.APPROVE if forms.optional("verdict") == Verdict.APPROVE.value else Verdict.DENY
    typed = forms.optional("number").strip().replace(",", "")
    number = whole(typed)
    use_cases = services()
    try:
        upload = use_cases.confirmations.review(
            upload_id, actor=actor, verdict=verdict, digest=forms.optional("digest"),
            note=forms.long_text("note").strip(), typed=number,
        )  # fmt: skip
    except LifecycleError as exc:
        return _page(actor, upload_id, str(exc), errors.status_here(exc))
    flash(_outcome(verdict, released=upload.state is not State.HELD))
    return redirect(url_for("rosters.show", upload_id=upload_id), 303)


@bp.post("/back")
def take_back(upload_id: str) -> ResponseReturnValue:
    """Have nothing come of it, as whoever sent it."""
    actor = permitted(Action.UPLOAD_ROSTER)
    try:
        services().batches.take_back(upload_id, actor)
    except LifecycleError as exc:
        return _page(actor, upload_id, str(exc), errors.status_here(exc))
    flash("It is taken back; nothing more comes of it.")
    return redirect(url_for("rosters.index"), 303)


def _outcome(verdict: Verdict, *, released: bool) -> str:
    if verdict is Verdict.DENY:
        return "It is rejected, nothing was changed, and its source is frozen until somebody thaws it."
    if released:
        return "Two people have agreed; it is applied."
    return "Your word is kept; one more person must agree before anything changes."
