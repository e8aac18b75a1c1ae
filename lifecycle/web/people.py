"""*People*: search, and one person's timeline."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from lifecycle.domain.party import key_of
from lifecycle.services.authorisation import Action, Actor, may
from lifecycle.services.persons import PAGE, Standing
from lifecycle.web import forms
from lifecycle.web.services import about, permitted, services

bp = Blueprint("people", __name__, url_prefix="/people")
OFFERED = (Action.ASK, Action.REVOKE_NOW, Action.END_GRANT, Action.HAND_OVER, Action.ACTIVATE)


@bp.get("")
def index() -> ResponseReturnValue:
    """List people, by part of name, worker id or e-mail address."""
    permitted(Action.SEARCH_PEOPLE)
    words, last_day = forms.query("q"), forms.day("last_day")
    after = (forms.query("after"), forms.query("id"))
    persons = services().persons
    found = persons.leaving(last_day) if last_day else persons.search(words, after, PAGE + 1)
    more = found[PAGE - 1].identity if len(found) > PAGE else None
    return render_template(
        "it/people.html", nav="people", words=words, found=found[:PAGE], more=more, first=not after[1]
    )


@bp.get("/<identity_id>")
def show(identity_id: str) -> ResponseReturnValue:
    """Show what one person holds, why, and what changes when."""
    subject = about(identity_id)
    actor = permitted(Action.SEE_PERSON, subject)
    portrait = services().persons.portrait(identity_id)
    team = services().team
    return render_template(
        "it/person.html",
        nav="people" if may(actor, Action.SEARCH_PEOPLE) else "team",
        p=portrait,
        s=portrait.standing,
        records=services().trail.about(portrait.objects),
        grants=team.grants(portrait.standing),
        openable=_openable(actor, portrait.standing),
        waiting=team.waiting_of(identity_id),
        handover=team.handover_of(portrait.standing),
        why_not_ask=team.why_not_ask(portrait.standing),
        lapses=services().resumptions.lapses(actor, [portrait.standing]),
        can={action.value: may(actor, action, subject) for action in OFFERED},
    )


def _openable(actor: Actor, standing: Standing) -> set[str]:
    """Choose the grants whose request the reader may open: all, or those of contracts under their name."""
    everything = may(actor, Action.SEE_REQUEST)
    return {
        grant.id
        for contract in standing.contracts
        for grant in contract.grants
        if grant.request and (everything or key_of(contract.engagement.sponsor) in actor.keys)
    }
