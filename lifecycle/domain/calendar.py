"""Days and instants: which days are worked at a site, and when a local day begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SATURDAY, SUNDAY = 5, 6
MIDNIGHT = time(0)
LOOK_BACK = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """
    Weekend and public holidays of one site.

    A site without a known calendar gets the default: weekends count, holidays do not. Where that is wrong it
    is wrong on the later side only by public holidays, and the dashboard names the sites without one.
    """

    holidays: frozenset[date] = frozenset()
    weekend: frozenset[int] = frozenset({SATURDAY, SUNDAY})
    """Weekdays not worked, Monday is 0."""

    def is_worked(self, day: date) -> bool:
        """Say whether people at this site work on *day*."""
        return day.weekday() not in self.weekend and day not in self.holidays

    def last_working_day(self, last_day: date) -> date:
        """
        Return the last day worked on or before *last_day*.

        When nothing was worked in the 30 days before (a calendar cannot be that empty), the earliest of them:
        the side on which power ends sooner.
        """
        day = last_day
        while not self.is_worked(day) and last_day - day < LOOK_BACK:
            day -= timedelta(days=1)
        return day


@lru_cache(maxsize=65_536)
def instant_of(day: date, at: time, zone: str) -> datetime:
    """
    Return the instant at which clocks in *zone* show *at* on *day*, in UTC.

    A wall-clock time that does not exist (spring forward) becomes the instant at which the clocks jumped or as
    far after it; one that exists twice becomes the first of the two, which is the earlier and safer end.

    Args:
        day: Local calendar day.
        at: Local wall-clock time.
        zone: IANA name, known to be valid.
    """
    return datetime.combine(day, at, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def start_of_day(day: date, zone: str) -> datetime:
    """Return the first instant of *day* in *zone*, in UTC."""
    return instant_of(day, MIDNIGHT, zone)


def end_of_day(day: date, zone: str, cutoff: time | None = None) -> datetime:
    """Return the instant after *day* in *zone* (exclusive, UTC), or the local *cutoff* on that day."""
    if cutoff is not None:
        return instant_of(day, cutoff, zone)
    return start_of_day(day + timedelta(days=1), zone)
