"""*Review*: why rows cannot be used, what the others would change, and the confirmation that is bound to both."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from lifecycle.domain.comparison import Kind
from lifecycle.domain.consequence import Weight
from lifecycle.domain.errors import LifecycleError, RosterRefused
from lifecycle.domain.roster import Cause
from lifecycle.services.authorisation import Action, Actor, may
from lifecycle.services.numbers import whole
from lifecycle.services.rejected import Rejected, rejected
from lifecycle.services.trail_search import harmless
from lifecycle.services.upload_views import Item, Problem, State, Upload
from lifecycle.services.uploads import PAGE
from lifecycle.web import errors, forms, repairs, roster_words
from lifecycle.web.roster_words import TABS, Tab
from lifecycle.web.rosters import go_on
from lifecycle.web.services import permitted, services

bp = Blueprint("roster_review", __name__, url_prefix="/rosters/<upload_id>")
IN_ONE_GO = 500
MOST_LINES = 999_999_999
GONE_THROUGH = (Cause.DUPLICATE, Cause.SHARED_ID, Cause.RENAMED, Cause.CONVERSION, Cause.SPONSOR)
"""Causes whose rows are looked at one by one."""
UNPLAIN = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Trouble:
    """One cause with what its repair needs to be shown."""

    problem: Problem
    rows: list[Item]
    """Those that are looked at one by one; empty for the other causes."""
    groups: list[repairs.Group]


@dataclass(frozen=True)
class Rows:
    """One page of rows."""

    tab: Tab
    words: str
    items: list[Item]
    first: int
    """Number of the first row among those of the tab, from 1; 0 while searching."""
    more: int | None
    """Where the next page begins, see `Uploads.items`."""
    number: int
    """Of all rows of the tab."""


@bp.get("/review")
def show(upload_id: str) -> ResponseReturnValue:
    """Show everything that confirming would do."""
    return _page(permitted(Action.SEE_ROSTERS), upload_id)


def _page(actor: Actor, upload_id: str, error: str = "", status: int = 200, cause: str = "") -> ResponseReturnValue:
    upload = services().uploads.find(upload_id)
    if upload.state is not State.READY:
        if error:
            flash(error)
        return redirect(url_for("rosters.show", upload_id=upload_id), 303)
    troubles = [_trouble(upload_id, problem) for problem in services().uploads.problems(upload_id)]
    can_confirm = may(actor, Action.CONFIRM_ROSTER)
    return render_template(
        "rosters/review.html",
        nav="rosters",
        upload=upload,
        names=roster_words.called({upload.actor}),
        troubles=troubles,
        said=repairs.said(upload.repairs),
        repairs=repairs,
        zones=sorted(available_timezones()) if any(t.problem.cause is Cause.UNKNOWN_ZONE for t in troubles) else (),
        page=page_of(upload),
        can_confirm=can_confirm,
        stopped=services().sources.frozen(upload.source),
        can_upload=may(actor, Action.UPLOAD_ROSTER),
        candidates=services().batches.standing(upload_id, actor).candidates if upload.guard else (),
        error=error,
        wrong=cause,
        typed=request.form,
        now=services().clock.now(),
        **told(),
    ), status


def told() -> dict[str, Any]:
    """Return what every page that shows rows needs in its template."""
    return {"words": roster_words, "Weight": Weight, "Cause": Cause, "Kind": Kind, "tabs": TABS}


def _trouble(upload_id: str, problem: Problem) -> Trouble:
    if problem.cause not in GONE_THROUGH:
        return Trouble(problem, [], [])
    kinds = (Kind.UNUSABLE,) if problem.blocks else (Kind.NOTE,)
    rows = services().uploads.items(upload_id, kinds=kinds, cause=problem.cause, limit=repairs.MOST)
    grouped = problem.cause in {Cause.DUPLICATE, Cause.SHARED_ID} and problem.rows <= repairs.MOST
    return Trouble(problem, rows, repairs.groups(rows) if grouped else [])


def page_of(upload: Upload, first_tab: str = "all") -> Rows:
    """Return the rows that the address asks for: ``show`` a tab, ``q`` words, ``after`` the last row before."""
    tab = next((tab for tab in TABS if tab.id == forms.query("show")), None)
    tab = tab or next(tab for tab in TABS if tab.id == first_tab)
    words, after = forms.query("q").strip(), _number("after", -1)
    items = services().uploads.items(upload.id, kinds=tab.kinds, words=words, after=after, limit=PAGE + 1)
    more = items[PAGE - 1].n if len(items) > PAGE else None
    return Rows(tab, words, items[:PAGE], 0 if words else _number("from", 1), more, roster_words.rows_of(tab, upload))


def _number(name: str, otherwise: int) -> int:
    number = whole(forms.query(name), MOST_LINES)
    return otherwise if number is None else number


@bp.post("/repair")
def repair(upload_id: str) -> ResponseReturnValue:
    """Say something about all rows of one cause, or take it back; the file is read anew."""
    actor = permitted(Action.UPLOAD_ROSTER)
    name = forms.optional("cause")
    try:
        change = repairs.without(forms.text("take_back")) if forms.optional("take_back") else _repair_of(name)
        upload = services().uploads.repair(upload_id, change, actor=actor.trail_name, member_id=actor.id)
    except LifecycleError as exc:
        status = 422 if isinstance(exc, RosterRefused) else errors.status_here(exc)
        return _page(actor, upload_id, str(exc), status, cause=name)
    return go_on(upload, {key: value for key in ("show", "q") if (value := forms.query(key))})


def _repair_of(name: str) -> repairs.Repair:
    try:
        return repairs.repair_of(Cause(name))
    except ValueError as exc:
        raise BadRequest("There is no such cause.") from exc


@bp.get("/repair")
@bp.get("/apply")
def again(upload_id: str) -> ResponseReturnValue:
    """Show the review to whoever asks for the address that a form was sent to."""
    permitted(Action.SEE_ROSTERS)
    return redirect(url_for("rosters.show", upload_id=upload_id), 303)


@bp.post("/apply")
def apply(upload_id: str) -> ResponseReturnValue:
    """Confirm exactly what was shown; the guard may hold it."""
    actor = permitted(Action.CONFIRM_ROSTER)
    forms.fresh(actor)
    try:
        upload = services().confirmations.confirm(
            upload_id,
            actor=actor.trail_name,
            digest=forms.optional("digest"),
            leave_out=bool(forms.optional("leave_out")),
            note=forms.long_text("note"),
            member_id=actor.id,
        )
    except LifecycleError as exc:
        return _page(actor, upload_id, str(exc), errors.status_here(exc))
    if upload.state is State.HELD:
        flash("It is held: two other people must agree." + (" God mode ends all the same." if upload.god_ends else ""))
    return redirect(url_for("rosters.show", upload_id=upload.id), 303)


@bp.get("/unusable.csv")
def unusable(upload_id: str) -> ResponseReturnValue:
    """Send the rows that cannot be used as they stand in the file, with why, for whoever corrects them."""
    permitted(Action.UPLOAD_ROSTER)
    upload = services().uploads.find(upload_id)
    stem = "".join(
        c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in upload.file_name.rpartition(".")[0]
    )
    headers = {"Content-Disposition": f'attachment; filename="{stem or "roster"}-not-usable.csv"'}
    return Response(_written(rejected(services().uploads, upload)), mimetype="text/csv", headers=headers)


def _written(table: Rejected) -> Iterator[bytes]:
    """Write CSV (RFC 4180) piece by piece, with a mark by which spreadsheets know that it is UTF-8."""
    yield b"\xef\xbb\xbf" + _lines([table.header])
    while rows := list(islice(table.rows, IN_ONE_GO)):
        yield _lines(rows)


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([*map(harmless, row)] for row in rows)
    return text.getvalue().encode(errors="backslashreplace")  # JSON can hold halves of characters
