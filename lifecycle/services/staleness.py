"""New access is given on fresh facts only: while a roster stays away, what is known ends and nothing begins."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from lifecycle.domain.errors import LifecycleError
from lifecycle.store.unit import Unit


class FeedStale(LifecycleError):
    """The roster that a contract comes from is so old that nothing new is given on it; known ends go on."""

    code = "feed-stale"


class Staleness(Protocol):
    """Knows how old the facts of each source are."""

    def why_refused(self, unit: Unit, source: str, god: bool, now: datetime) -> str:
        """
        Say why nothing new may be given on contracts of one source.

        Args:
            unit: To read in.
            source: `Engagement.source`.
            god: Whether it is about god mode, for which facts must be fresher.
            now: Aware.

        Returns:
            A sentence that names the source and since when; the same one for as long as the same file is the newest.
            Empty where the facts are fresh, or the source has no schedule.
        """
        ...


class AlwaysFresh:
    """For rosters that come when somebody brings them."""

    def why_refused(self, unit: Unit, source: str, god: bool, now: datetime) -> str:
        """See `Staleness.why_refused`."""
        del unit, source, god, now
        return ""
