"""*People*: search, and one person's timeline."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from lifecycle.services.authorisation import Action
from lifecycle.services.persons import PAGE
from lifecycle.web import forms
from lifecycle.web.services import permitted, services

bp = Blueprint("people", __name__, url_prefix="/people")


@bp.get("")
def index() -> ResponseReturnValue:
    """List people, by part of name, worker id or e-mail address."""
    permitted(Action.SEE_PEOPLE)
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
    permitted(Action.SEE_PEOPLE, f"identity:{identity_id}")
    portrait = services().persons.portrait(identity_id)
    records = services().trail.about(portrait.objects)
    return render_template("it/person.html", nav="people", p=portrait, s=portrait.standing, records=records)
