"""How many calls each caller may make: a bucket that fills steadily and holds one second's worth."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from lifecycle.domain.errors import LifecycleError
from lifecycle.services.clock import elapsed_seconds

MOST_CALLERS = 1000
"""Buckets that are kept; beyond, those that are full again are forgotten."""


class TooManyCalls(LifecycleError):
    """Come back later."""

    code = "too-many-calls"

    def __init__(self, seconds: float) -> None:
        super().__init__("This is more than is taken at once. Come back later.")
        self.seconds = seconds


@dataclass
class Allowance:
    """Counts the calls of this process."""

    per_second: int
    elapsed: Callable[[], float] = elapsed_seconds
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Caller to what was left, and when that was counted."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, caller: str) -> None:
        """
        Count one call.

        Raises:
            TooManyCalls: If there have been too many; it says after how many seconds there is room again.
        """
        with self._lock:
            now = self.elapsed()
            if len(self._buckets) > MOST_CALLERS:
                self._buckets = {c: b for c, b in self._buckets.items() if now - b[1] < 1}
            left, counted_at = self._buckets.get(caller, (float(self.per_second), now))
            left = min(float(self.per_second), left + (now - counted_at) * self.per_second)
            if left < 1:
                self._buckets[caller] = (left, now)
                raise TooManyCalls((1 - left) / self.per_second)
            self._buckets[caller] = (left - 1, now)
