"""One contract: who, for whom, from which day to which, and where its midnights fall."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NewType

from lifecycle.domain.errors import InvalidEngagement
from lifecycle.domain.identity import IdentityId

EngagementId = NewType("EngagementId", str)


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
