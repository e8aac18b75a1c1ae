"""*Trail*: everything that happened, newest first, searched in people's own words and taken along as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from lifecycle.services.authorisation import Action
from lifecycle.services.numbers import whole
from lifecycle.services.trail_search import Question
from lifecycle.web import forms
from lifecycle.web.services import permitted, services

bp = Blueprint("trail", __name__, url_prefix="/trail")
PAGE = 50
LINES_AT_ONCE = 200


@bp.get("")
def index() -> ResponseReturnValue:
    """List records: who did what, to whom, for which request, on which days."""
    actor = permitted(Action.SEE_TRAIL)
    question, search = _question(), services().trail_search
    found = search.page(actor, question, before=whole(forms.query("before")), limit=PAGE)
    return render_template(
        "trail/index.html", nav="trail", question=question, found=found, actions=search.actions(),
        first=not forms.query("before"),
    )  # fmt: skip


@bp.post("/export")
def export() -> ResponseReturnValue:
    """Send everything that fits as CSV; that somebody took it along is recorded first."""
    lines = services().trail_search.export(permitted(Action.SEE_TRAIL), _question())
    name = f"trail-{services().clock.now():%Y%m%d-%H%M%S}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(_written(lines), mimetype="text/csv", headers=headers)


def _question() -> Question:
    words = {name: _word(name) for name in ("actor", "action", "object", "request")}
    return Question(**words, since=_day("since"), until=_day("until"))


def _word(name: str) -> str:
    return request.values.get(name, "")[: forms.LONGEST_FIELD].strip()


def _day(name: str) -> date | None:
    value = _word(name)
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as exc:
        raise BadRequest(f"{name} is not a day such as 2026-03-31.") from exc


def _written(lines: Iterator[list[str]]) -> Iterator[str]:
    """Write CSV (RFC 4180) as it is sent: any number of records need no more memory than a few."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for number, line in enumerate(lines, 1):
        writer.writerow(line)
        if number % LINES_AT_ONCE == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()
