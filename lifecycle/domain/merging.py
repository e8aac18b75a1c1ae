"""What a contract becomes when a roster row speaks of it: facts that the row does not state stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from lifecycle.domain.engagement import Engagement
from lifecycle.domain.roster import RosterRow, Standing

TEXTS = ("zone", "vendor", "sponsor", "role", "site")


def facts_of(engagement: Engagement) -> dict[str, str]:
    """Return what rosters decide about a contract, as text to compare and to show."""
    e = engagement
    return {
        "first_day": e.first_day.isoformat(),
        "last_day": e.last_day.isoformat(),
        "zone": e.zone,
        "vendor": e.vendor,
        "sponsor": e.sponsor,
        "role": e.role,
        "site": e.site,
        "standing": e.standing.value,
        "actual": "yes" if e.actual else "no",
    }


def merge(row: RosterRow, before: Engagement, today: Callable[[str], date], says_standing: bool) -> Engagement:
    """
    Return *before* as *row* would have it.

    Args:
        row: About this very contract.
        before: As confirmed.
        today: The day it is now in a zone.
        says_standing: Whether the roster says of each contract whether it runs; one that does not reopens nothing.
    """
    texts = {name: getattr(row, name) for name in TEXTS if getattr(row, name) is not None}
    first_day = before.first_day if row.first_day is None else row.first_day
    missed = before.standing is Standing.WITHDRAWN and not before.actual  # only because no roster had it any more
    standing = row.standing if says_standing or missed else before.standing
    last_day, actual = _last_day(row, before, standing)
    if standing in {Standing.ENDED, Standing.CONVERTED}:
        last_day, actual = _closed(row, before, standing, today, last_day), True
    if standing is Standing.WITHDRAWN:
        actual = True
    if last_day < first_day:  # it ended before it began: nothing ever came of it
        last_day, standing = max(before.last_day, first_day), Standing.WITHDRAWN
    return replace(
        before, **texts, first_day=first_day, last_day=last_day, standing=standing, actual=actual, line=row.line
    )


def ended_by_absence(before: Engagement, today: Callable[[str], date]) -> Engagement:
    """
    Return a contract that full rosters lack again and again: it ended yesterday at the latest.

    It is not marked as closed, for nobody has said so: a roster that has it again says the opposite.
    """
    last_day = min(before.last_day, today(before.zone) - timedelta(days=1))
    if last_day < before.first_day:
        return replace(before, standing=Standing.WITHDRAWN)
    return replace(before, last_day=last_day)


def _last_day(row: RosterRow, before: Engagement, standing: Standing) -> tuple[date, bool]:
    """Return the last day and whether it is the actual one. An expected end never moves an actual one."""
    reopened = before.standing is not Standing.RUNNING and standing is Standing.RUNNING
    if row.last_day is None or (before.actual and not row.actual and not reopened):
        return before.last_day, before.actual
    return row.last_day, row.actual


def _closed(row: RosterRow, before: Engagement, standing: Standing, today: Callable[[str], date], last: date) -> date:
    """
    Return the last day of a contract that is closed: not later than yesterday, so that access ends now.

    What was closed before stays closed on the day it was, or a later roster would move it on day by day.
    """
    if before.standing is standing:
        return min(last, before.last_day)
    return min(last, today(row.zone or before.zone) - timedelta(days=1))
