"""The one place where a clock is read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from lifecycle.domain.clock import TimeReading, first_reading, next_reading
from lifecycle.domain.errors import InvalidSettings, LifecycleError
from lifecycle.store import people, state
from lifecycle.store.unit import Store


class ClockGoesBack(LifecycleError):
    """A manual clock was asked to go back; what it has seen end stays ended."""

    code = "clock-goes-back"


class Clock(Protocol):
    """Tells the time, in UTC."""

    def now(self) -> datetime:
        """Return the instant that everything in one use case is computed for."""
        ...


def wall_clock() -> datetime:
    """Return what the system's clock shows."""
    return datetime.now(UTC)


def elapsed_seconds() -> float:
    """Return seconds on a clock that nobody can set, counting on while the machine sleeps where the system can."""
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)


class TrustedClock:
    """
    The system's clock, followed only as far as elapsed time bears it out (`lifecycle.domain.clock`).

    Safe to use from several threads.
    """

    def __init__(
        self,
        largest_jump: timedelta,
        watermark: datetime | None = None,
        *,
        wall: Callable[[], datetime] = wall_clock,
        elapsed: Callable[[], float] = elapsed_seconds,
    ) -> None:
        self._largest_jump, self._wall, self._elapsed = largest_jump, wall, elapsed
        self._lock = threading.Lock()
        self._reading = first_reading(wall=wall(), elapsed=elapsed(), watermark=watermark)

    def read(self) -> TimeReading:
        """Read the clocks."""
        with self._lock:
            self._reading = next_reading(
                self._reading, wall=self._wall(), elapsed=self._elapsed(), largest_jump=self._largest_jump
            )
            return self._reading

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self.read().now


class ManualClock:
    """A clock that people move forward, for demonstrations; between moves it runs. Kept in the store."""

    def __init__(self, store: Store, *, wall: Callable[[], datetime] = wall_clock) -> None:
        self._store, self._wall = store, wall

    def now(self) -> datetime:
        """See `Clock.now`."""
        with self._store.read() as unit:
            ahead = state.get(unit, state.MANUAL_CLOCK)
        return self._wall() + timedelta(microseconds=ahead or 0)

    def move_to(self, instant: datetime, actor: str) -> datetime:
        """
        Let it be *instant* (aware).

        The first move may also go back, to where a story is to begin; everybody's access is then computed anew.

        Raises:
            ClockGoesBack: If a later move would.
        """
        wall = self._wall()
        with self._store.write() as unit:
            before = state.get(unit, state.MANUAL_CLOCK)
            now = wall + timedelta(microseconds=before or 0)
            if before is not None and instant < now:
                raise ClockGoesBack(f"it is {now.isoformat(timespec='seconds')} already; the clock only moves forward")
            state.put(unit, state.MANUAL_CLOCK, (instant - wall) // timedelta(microseconds=1))
            if instant < now:
                people.make_due(unit, instant)
            unit.audit(
                at=instant,
                actor=actor,
                action="clock-moved",
                object_="clock",
                before={"now": now.isoformat()},
                after={"now": instant.isoformat()},
            )
        return instant


def manual(clock: Clock) -> ManualClock:
    """
    Return *clock* where it may be moved.

    Raises:
        InvalidSettings: If the configuration does not allow it.
    """
    if not isinstance(clock, ManualClock):
        raise InvalidSettings('only a manual clock can be moved: set mode = "manual" under [clock] in config.toml')
    return clock
