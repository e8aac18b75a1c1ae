"""One contract: who, for whom, from which day to which, and where its midnights fall."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NewType

from lifecycle.domain.calendar import start_of_day
from lifecycle.domain.errors import InvalidEngagement
from lifecycle.domain.identity import IdentityId
from lifecycle.domain.roster import Standing

EngagementId = NewType("EngagementId", str)


@dataclass(frozen=True, slots=True)
class Measures:
    """What people here have decided about somebody, beside what the roster states."""

    cut_off_at: datetime | None = None
    """From this instant on nothing is held, whatever the dates say; aware UTC, inclusive. Of the whole person."""
    god_withheld: bool = False
    """The baseline gives no god mode any more; grants that two people approve do. Of the whole person."""
    bridged_day: date | None = None
    """The last day that a bridge was approved for; with another last day the bridge means nothing."""
    bridge_until: date | None = None
    """Last day (inclusive) up to which the bridge keeps what was held on the last working day."""
    lapsed_at: datetime | None = None
    """When a roster extended it after its access had ended; until somebody else gives it back, a term that had begun
    by then gives nothing."""
    god_ends_at: datetime | None = None
    """From this instant on (inclusive) it gives no god mode, not even by grants; its sponsor can agree to its days."""
    employee_since: datetime | None = None
    """When HR confirmed that the person had become an employee. Of the whole person."""

    def cut_off(self, now: datetime) -> bool:
        """Say whether somebody has ended everything by *now* (aware)."""
        return self.cut_off_at is not None and self.cut_off_at <= now

    def god_ended(self, now: datetime) -> bool:
        """Say whether the contract gives no god mode at *now* (aware), whatever its days say."""
        return self.god_ends_at is not None and self.god_ends_at <= now


@dataclass(frozen=True, slots=True)
class Engagement:
    """One contract as the confirmed roster states it. Both days are inclusive and local to ``zone``."""

    id: EngagementId
    identity_id: IdentityId
    source: str
    reference: str
    """The contract's own number in the feed; unique within ``source``."""
    first_day: date
    last_day: date
    zone: str
    """IANA name."""
    vendor: str
    sponsor: str = ""
    role: str = ""
    site: str = ""
    import_id: str = ""
    """The confirmed roster these facts come from."""
    line: int = 0
    """Line of that roster, counted from 1 as editors and spreadsheets do."""
    standing: Standing = Standing.RUNNING
    actual: bool = False
    """Whether ``last_day`` is the day on which it did end: an expected end never moves it later again."""
    measures: Measures = field(default=Measures())
    """What was decided here; no roster changes it."""

    def __post_init__(self) -> None:
        """
        Refuse a contract that ends before it begins.

        Raises:
            InvalidEngagement: If the last day is before the first.
        """
        if self.last_day < self.first_day:
            raise InvalidEngagement(
                f"{self.reference}: the last day {self.last_day} is before the first day {self.first_day}"
            )

    @property
    def access_until(self) -> date:
        """The last day (inclusive) of any access: the contract's, or that of a bridge approved for this very day."""
        measures = self.measures
        if measures.bridge_until is None or measures.bridged_day != self.last_day:
            return self.last_day
        return max(self.last_day, measures.bridge_until)

    @property
    def has_lapsed(self) -> bool:
        """Say whether it was extended after its access had ended; a term that began later is as good as a new one."""
        lapsed_at = self.measures.lapsed_at
        return lapsed_at is not None and start_of_day(self.first_day, self.zone) <= lapsed_at
