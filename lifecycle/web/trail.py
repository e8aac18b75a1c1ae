"""*Trail*: everything that happened, newest first."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from lifecycle.services.authorisation import Action
from lifecycle.web import forms
from lifecycle.web.services import permitted, services

bp = Blueprint("trail", __name__)
PAGE = 50


@bp.get("/trail")
def index() -> ResponseReturnValue:
    """List records, by actor, action, object and request."""
    actor = permitted(Action.SEE_TRAIL)
    wanted = {name: forms.query(name) for name in ("actor", "action", "object", "request")}
    before = forms.query("before")
    records = services().trail.search(
        hidden=services().reviews.hidden_from(actor),
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None,
        limit=PAGE + 1,
        **wanted,
    )
    more = records[PAGE - 1].seq if len(records) > PAGE else None
    return render_template("trail/index.html", nav="trail", records=records[:PAGE], more=more, wanted=wanted)
