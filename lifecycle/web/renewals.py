"""*Renewals*: does a contract go on? The sponsor answers; HR sees what is proposed."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from lifecycle.domain.errors import LifecycleError
from lifecycle.domain.renewal import Answer, AnswerInvalid
from lifecycle.services.authorisation import Action
from lifecycle.web import errors, forms
from lifecycle.web.services import permitted, services, signed_in

bp = Blueprint("renewals", __name__)


@bp.get("/renewals")
def index() -> ResponseReturnValue:
    """List the questions to the reader."""
    return _page()


def _page(refused_id: int = 0, error: str = "", status: int = 200) -> ResponseReturnValue:
    actor = permitted(Action.SEE_TEAM)
    return render_template(
        "team/renewals.html",
        nav="renewals",
        questions=services().renewals.questions(actor),
        unagreed=services().extensions.unagreed(actor),
        now=services().clock.now(),
        days=timedelta,
        bridge_days=services().settings.requests.bridge_days,
        refused_id=refused_id,
        error=error,
        typed={name: forms.plain(request.form.get(name, "")) for name in ("proposed_day", "bridge_until", "note")},
    ), status


@bp.post("/renewals/<int(max=9007199254740991):renewal_id>")
def answer(renewal_id: int) -> ResponseReturnValue:
    """Take an answer."""
    actor = signed_in()
    try:
        chosen = Answer(forms.text("answer"))
    except ValueError as exc:
        raise BadRequest("The answer is extend, convert or lapse.") from exc
    try:
        bridge = services().renewals.answer(
            actor,
            renewal_id,
            chosen,
            proposed_day=forms.optional_day("proposed_day"),
            bridge_until=forms.optional_day("bridge_until"),
            note=forms.long_text("note"),
        )
    except BadRequest as exc:
        return _page(renewal_id, exc.description or "", 422)
    except LifecycleError as exc:
        return _page(renewal_id, str(exc), errors.status_here(exc))
    told = {"extend": "HR has your proposal.", "convert": "HR has it.", "lapse": "It lapses on its last day."}
    flash(told[chosen.value] + (f" {bridge} asks two people for the bridge." if bridge else ""))
    return redirect(url_for("renewals.index"), 303)


@bp.post("/renewals/extended/<engagement_id>")
def agree(engagement_id: str) -> ResponseReturnValue:
    """Agree to an extension that a roster has brought."""
    try:
        services().extensions.agree(signed_in(), engagement_id)
    except AnswerInvalid as exc:
        return _page(error=str(exc), status=errors.status_here(exc))
    flash("Agreed. It stands in the trail.")
    return redirect(url_for("renewals.index"), 303)


@bp.get("/proposals")
def proposals() -> ResponseReturnValue:
    """List what sponsors propose to HR."""
    actor = permitted(Action.SEE_PROPOSALS)
    return render_template(
        "hr/proposals.html", nav="proposals", proposals=services().renewals.proposals(actor),
        today=services().clock.now().date(),
    )  # fmt: skip


@bp.post("/proposals/<int(max=9007199254740991):renewal_id>/handled")
def handle(renewal_id: int) -> ResponseReturnValue:
    """Note that HR has taken a proposal up."""
    services().renewals.handle(signed_in(), renewal_id)
    flash("Taken up. Access changes with the roster that carries it.")
    return redirect(url_for("renewals.proposals"), 303)
