"""An entitlement given for an interval, bound to the engagement that justifies it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lifecycle.domain.engagement import EngagementId
from lifecycle.domain.errors import LifecycleError


class NothingLeftToGrant(LifecycleError):
    """The interval asked for is empty, or lies outside the engagement."""

    code = "nothing-left-to-grant"


@dataclass(frozen=True, slots=True)
class Grant:
    """One approved interval: ``starts_at`` inclusive, ``ends_at`` exclusive, both aware UTC."""

    id: str
    engagement_id: EngagementId
    entitlement: str
    """Key in the catalogue."""
    starts_at: datetime
    ends_at: datetime
    reason: str = ""
    request: str = ""
    approved_by: tuple[str, ...] = ()
    exception: bool = False
    """Two people let it stand above the ceiling inside the offboarding window, never on the last working day."""

    def __post_init__(self) -> None:
        """
        Refuse an empty interval.

        Raises:
            NothingLeftToGrant: If it ends at or before its start.
        """
        if self.ends_at <= self.starts_at:
            raise NothingLeftToGrant(f"the grant of {self.entitlement} would end before it starts")

    def active_at(self, now: datetime) -> bool:
        """Say whether it counts at *now* (aware)."""
        return self.starts_at <= now < self.ends_at
