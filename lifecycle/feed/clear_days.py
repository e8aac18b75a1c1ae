"""Days that can be read in one way only, whatever format is declared: the year first, or the month by its name."""

from __future__ import annotations

import re
from datetime import date

NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
MONTHS = {name: n for n, whole in enumerate(NAMES, start=1) for name in (whole, whole[:3])}
"""English names, whole or three letters, to numbers; what the locale of a server says is of no account."""
LONGEST = 64
ISO = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})")
DAY_MONTH = re.compile(r"(?P<day>[0-9]{1,2})(?:\. |[ ./-])(?P<month>[A-Za-z]{3,9})(?:[.,] |[ ./-])(?P<year>[0-9]{4})")
MONTH_DAY = re.compile(r"(?P<month>[A-Za-z]{3,9})(?:\. |[ ./-])(?P<day>[0-9]{1,2})(?:, ?|[ ./-])(?P<year>[0-9]{4})")
ZONE = r" ?(?:[Zz]|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])"
TIME = re.compile(
    r"(?:[Tt ]|, )(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?(?: ?[AaPp][Mm])?"
    rf"(?:{ZONE})?\Z"
)


def without_time(text: str) -> str:
    """Return *text* without the time of day, and its zone, that stands behind a day."""
    return TIME.sub("", text).rstrip() if len(text) <= LONGEST else text


def clear_day(text: str) -> date | None:
    """Return the day that *text* names beyond doubt; None where it names none."""
    found = ISO.fullmatch(text) or DAY_MONTH.fullmatch(text) or MONTH_DAY.fullmatch(text)
    if found is None:
        return None
    named = found["month"]
    month = int(named) if named.isdigit() else MONTHS.get(named.casefold(), 0)
    return day_of(int(found["year"]), month, int(found["day"]))


def day_of(year: int, month: int, day: int) -> date | None:
    """Return the day of these numbers; None where the calendar has none."""
    try:
        return date(year, month, day)
    except ValueError:
        return None
