"""What a person says about rows that cannot be used: from the form of one cause to `Repairs`, and back to words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from zoneinfo import available_timezones

from flask import request
from werkzeug.exceptions import BadRequest

from lifecycle.domain.errors import RosterRefused
from lifecycle.domain.roster import Cause, Choice, DateOrder, Repairs
from lifecycle.services.upload_views import Item
from lifecycle.web import forms
from lifecycle.web.services import services

Repair = Callable[[Repairs], Repairs]
MOST = 200
"""Values that are asked about at once."""
ONE_BY_ONE = 20
"""Up to so many contracts are asked about one by one."""
MEANINGS = {
    "running": "It runs",
    "ended": "It has ended",
    "withdrawn": "It never began",
    "converted": "Has become an employee",
    "aside": "Leave such rows aside",
}
"""What a word in a status column can mean."""
CHOICES = {
    Choice.FIRST_ROW: "The first row",
    Choice.LAST_ROW: "The last row",
    Choice.SOONER_END: "The sooner end",
    Choice.LATER_END: "The later end",
}
SHORT = re.compile(r"[0-9]{2}[./-][0-9]{1,2}[./-][0-9]{2}")
OTHER_LINE = re.compile(r"\bline ([0-9]{1,9})\b")


def may_begin_with_year(values: Iterable[str]) -> bool:
    """Say whether one of the days found has three numbers of two digits: 26/10/01 may be in 2026."""
    return any(SHORT.fullmatch(value) for value in values)


def may_be_clear(values: Iterable[str]) -> bool:
    """Say whether one of the days found may be read as it is written; a bare number never is."""
    return not all(value.replace(".", "", 1).isdigit() for value in values)


@dataclass(frozen=True)
class Group:
    """Rows among which a person chooses the one that counts."""

    key: str
    words: str
    rows: Sequence[Item]
    others: Sequence[int]
    """Lines that could count as well and say what is confirmed already."""


def groups(rows: Sequence[Item]) -> list[Group]:
    """Gather the rows of one contract, or one worker; nothing where they are too many to go through one by one."""
    found: dict[str, list[Item]] = defaultdict(list)
    for row in rows:
        found[row.complaint["about"]].append(row)
    if len(found) > ONE_BY_ONE:
        return []
    return [Group(key, key.partition(":")[2], own, _others(own)) for key, own in found.items()]


def _others(rows: Sequence[Item]) -> list[int]:
    """Return the lines that *rows* contradict and that are not among them: those say what is stored."""
    named = {int(line) for row in rows for line in OTHER_LINE.findall(str(row.complaint.get("expected", "")))}
    return sorted(named - {row.line for row in rows})


def repair_of(cause: Cause) -> Repair:
    """
    Read what the form of *cause* says.

    Raises:
        BadRequest: If there is no repair for it.
        RosterRefused: If something was left out.
    """
    reader = _READERS.get(cause)
    if reader is None:
        raise BadRequest("Rows of that cause are repaired in the file.")
    return reader()


def _date_order() -> Repair:
    try:
        order = DateOrder(forms.text("order"))
    except ValueError as exc:
        raise BadRequest("Either the day comes first, or the month, or the year.") from exc
    return lambda repairs: replace(repairs, date_order=order)


def _short_years() -> Repair:
    return lambda repairs: replace(repairs, short_years=True)


def _same_people() -> Repair:
    return lambda repairs: replace(repairs, same_people=True)


def _clear_days() -> Repair:
    return lambda repairs: replace(repairs, clear_days=True)


def _last_day() -> Repair:
    if not forms.optional("last_day"):
        raise RosterRefused("Give the day on which those contracts end.")
    day = forms.required_day("last_day")
    return lambda repairs: replace(repairs, last_day=day)


def _zones() -> Repair:
    said = _pairs()
    unknown = next((zone for zone in said.values() if zone not in available_timezones()), None)
    if unknown:
        raise RosterRefused(f"{unknown} is no time zone; choose one such as Europe/Dublin.")
    return lambda repairs: replace(repairs, zones={**repairs.zones, **said})


def _statuses() -> Repair:
    said = _pairs()
    if not set(said.values()) <= MEANINGS.keys():
        raise BadRequest("A status means one of: " + ", ".join(MEANINGS))
    return lambda repairs: replace(repairs, statuses={**repairs.statuses, **said})


def _sponsors() -> Repair:
    said = _pairs()
    unknown = next((meant for meant in said.values() if not services().intake.sponsors.known(meant)), None)
    if unknown:
        raise RosterRefused(f"Nobody here is known by {unknown}; give an e-mail address, a number or a sign-in name.")
    return lambda repairs: replace(repairs, sponsors={**repairs.sponsors, **said})


def _rows(for_all: Callable[[Repairs, Choice], Repairs]) -> Repair:
    if forms.optional("choice"):
        try:
            choice = Choice(forms.optional("choice"))
        except ValueError as exc:
            raise BadRequest("That is no way to choose a row.") from exc
        return lambda repairs: for_all(repairs, choice)
    lines = {key: int(line) for key, line in _pairs().items() if line.isascii() and line.isdigit() and len(line) < 9}
    if not lines:
        raise RosterRefused("Choose a row first.")
    return lambda repairs: replace(repairs, lines={**repairs.lines, **lines})


def _converted() -> Repair:
    said = frozenset(forms.several("worker", MOST))
    if not said:
        raise RosterRefused("Choose those who have become employees; the others stay as they are.")
    return lambda repairs: replace(repairs, converted=repairs.converted | said)


def _pairs() -> dict[str, str]:
    """
    Return what was said about each value: ``value-1`` and ``meant-1``, ``value-2`` and so on.

    Raises:
        RosterRefused: If nothing was said about any of them.
    """
    said = {
        value: request.form.get(f"meant-{name.removeprefix('value-')}", "").strip()[: forms.LONGEST_FIELD]
        for name, value in request.form.items()
        if name.startswith("value-")
    }
    said = {value: meant for value, meant in said.items() if meant}
    if not said:
        raise RosterRefused("Say what at least one of them means.")
    return said


_READERS: Mapping[Cause, Callable[[], Repair]] = {
    Cause.DATE_ORDER: _date_order,
    Cause.SHORT_YEAR: _short_years,
    Cause.DATE_FORMAT: _clear_days,
    Cause.NO_LAST_DAY: _last_day,
    Cause.UNKNOWN_ZONE: _zones,
    Cause.UNKNOWN_STATUS: _statuses,
    Cause.SPONSOR: _sponsors,
    Cause.DUPLICATE: partial(_rows, lambda repairs, choice: replace(repairs, choice=choice)),
    Cause.SHARED_ID: partial(_rows, lambda repairs, choice: replace(repairs, holder=choice)),
    Cause.RENAMED: _same_people,
    Cause.CONVERSION: _converted,
}


@dataclass(frozen=True)
class Said:
    """One thing that was said, so that it can be taken back."""

    field: str
    words: str


def said(repairs: Repairs) -> list[Said]:
    """List what was said about the rows of a file so far."""
    several = {
        "zones": [f"{site} lies in {zone}" for site, zone in repairs.zones.items()],
        "statuses": [f"“{word}” means: {MEANINGS.get(m, m).lower()}" for word, m in repairs.statuses.items()],
        "sponsors": [f"“{spelling}” is {meant}" for spelling, meant in repairs.sponsors.items()],
        "lines": [f"row {line} counts for {key.partition(':')[2]}" for key, line in repairs.lines.items()],
        "converted": [f"{worker} has become an employee" for worker in sorted(repairs.converted)],
    }
    single = {
        "date_order": repairs.date_order.value.replace("-", " ") if repairs.date_order else "",
        "same_people": "whoever has another name is the same person" if repairs.same_people else "",
        "short_years": "years 00 to 68 are 2000 to 2068, and 69 to 99 are 1969 to 1999" if repairs.short_years else "",
        "clear_days": "days that can be read in one way only are read as they are written"
        if repairs.clear_days
        else "",
        "last_day": f"rows without a last day end on {repairs.last_day:%-d %b %Y}" if repairs.last_day else "",
        "choice": f"of rows about one contract, {CHOICES[repairs.choice].lower()} counts" if repairs.choice else "",
        "holder": f"of rows with one worker id, {CHOICES[repairs.holder].lower()} counts" if repairs.holder else "",
    }
    found = [Said(field, words) for field, words in single.items() if words]
    return found + [Said(field, _joined(words)) for field, words in several.items() if words]


def _joined(words: Sequence[str]) -> str:
    first = "; ".join(words[:4])
    return f"{first}; and {len(words) - 4} more" if len(words) > 4 else first


def without(field: str) -> Repair:
    """Return the repair that takes back what was said about one field of `Repairs`."""
    nothing = Repairs()
    if field not in {f.name for f in fields(nothing)}:
        raise BadRequest("Nothing of that name was said.")
    return lambda repairs: replace(repairs, **{field: getattr(nothing, field)})
