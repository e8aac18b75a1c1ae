"""Input from browsers, read with bounds; anything else is a 400."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import urlsplit

from flask import current_app, request
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.routing import RequestRedirect

from lifecycle.services.authorisation import Actor, check_fresh
from lifecycle.web.services import services

LONGEST_FIELD = 512
LONGEST_TEXT = 2_000
LONGEST_BODY = 16_384
LONGEST_HOURS = 24 * 366
STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


def text(name: str) -> str:
    """Return a required form field."""
    value = request.form.get(name, "")
    if not value or len(value) > LONGEST_FIELD or "\0" in value:
        raise BadRequest(f"The field {name} is missing or too long.")
    return value


def optional(name: str) -> str:
    """Return a form field that may be missing."""
    return request.form.get(name, "")[:LONGEST_FIELD]


def query(name: str) -> str:
    """Return part of the address that may be missing."""
    return request.args.get(name, "")[:LONGEST_FIELD].replace("\0", "")


def day(name: str) -> date | None:
    """Return a day from the address, if there is one."""
    value = query(name)
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as exc:
        raise BadRequest(f"{name} is not a day such as 2026-03-31.") from exc


def body() -> str:
    """Return the JSON text of a request, bounded."""
    return request.get_data(as_text=True)[:LONGEST_BODY]


def hours(name: str) -> timedelta:
    """Return a duration given in hours."""
    try:
        value = float(text(name))
    except ValueError as exc:
        raise BadRequest("That is no number of hours.") from exc
    if not 0 < value <= LONGEST_HOURS:
        raise BadRequest("Ask for more than nothing, and for a year at the most.")
    return timedelta(hours=value)


def required_day(name: str) -> date:
    """Return a day from the form."""
    try:
        return date.fromisoformat(text(name))
    except ValueError as exc:
        raise BadRequest(f"{name} is not a day such as 2026-03-31.") from exc


def optional_day(name: str) -> date | None:
    """Return a day from the form, if there is one."""
    return required_day(name) if optional(name) else None


def several(name: str, most: int = 200) -> list[str]:
    """Return all values of one field, bounded in number and length."""
    values = request.form.getlist(name) or request.args.getlist(name)
    if len(values) > most:
        raise BadRequest(f"At most {most} at once.")
    return [value[:LONGEST_FIELD] for value in values]


def long_text(name: str) -> str:
    """Return words, possibly none."""
    return plain(request.form.get(name, ""))


def plain(value: str) -> str:
    """Return words as they were typed: browsers send two characters for the end of a line."""
    return value.replace("\0", "").replace("\r\n", "\n")[:LONGEST_TEXT]


def fresh(actor: Actor) -> None:
    """
    Refuse what needs a fresh confirmation.

    Raises:
        StepUpNeeded: If the last one is older than five minutes.
    """
    check_fresh(actor, services().sessions.wall())


def clock_step() -> str:
    """Return how far the clock is to move: a key of `STEPS`, or ``next``."""
    step = text("step")
    if step != "next" and step not in STEPS:
        raise BadRequest("The clock moves by an hour, a day, a week, or to the next change.")
    return step


def here() -> str:
    """Return the path of this page, or of the one before where this one only answers a form."""
    return request.path if _is_page(request.path) else came_from() or "/"


def came_from() -> str:
    """Return the path of the page that the browser came from; empty if it is none of ours."""
    try:
        before = urlsplit(request.referrer or "")
    except ValueError:  # a program can write anything
        return ""
    if before.netloc != request.host or not _is_page(before.path):
        return ""
    return local_path(before.path + (f"?{before.query}" if before.query else ""))


def _is_page(path: str) -> bool:
    try:
        current_app.url_map.bind("").match(path, method="GET")
    except (HTTPException, RequestRedirect):
        return False
    return True


def local_path(value: str) -> str:
    """Return *value* if it is a path on this site, else the start page: nobody is sent elsewhere."""
    if not value.startswith("/") or value.startswith("//") or "\\" in value or any(ord(c) < 32 for c in value):
        return "/"
    return value
