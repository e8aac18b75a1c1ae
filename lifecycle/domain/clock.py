"""Trusted time: the wall clock is followed only as far as elapsed time bears it out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class TimeReading:
    """
    One reading of the clocks, and what is believed after it.

    ``now`` never falls. While ``distrusted_by`` is not zero, the wall clock has jumped and time is counted on from
    before the jump instead: nothing happens early because somebody set a clock, and nothing stops either.
    """

    now: datetime
    """Believed instant, aware UTC."""
    elapsed: float
    """Seconds on the monotonic clock at this reading."""
    distrusted_by: timedelta = timedelta(0)
    """How far the wall clock is from the believed instant, positive when it is ahead; zero while it is trusted."""


def next_reading(before: TimeReading, *, wall: datetime, elapsed: float, largest_jump: timedelta) -> TimeReading:
    """
    Say what time it is.

    Args:
        before: The reading before this one.
        wall: What the wall clock shows now, aware.
        elapsed: Seconds on the monotonic clock, from the same start as in *before*.
        largest_jump: How far the wall clock may move against the monotonic one and still be followed.
    """
    expected = before.now + timedelta(seconds=max(0.0, elapsed - before.elapsed))
    offset = wall - expected
    if abs(offset) > largest_jump:
        return TimeReading(expected, elapsed, offset)
    return TimeReading(max(before.now, wall), elapsed)


def first_reading(*, wall: datetime, elapsed: float, watermark: datetime | None) -> TimeReading:
    """
    Start believing: the wall clock, unless time was already later than it shows.

    Args:
        wall: What the wall clock shows now, aware.
        elapsed: Seconds on the monotonic clock.
        watermark: Latest instant that was ever believed, from the store.
    """
    if watermark is not None and watermark > wall:
        return TimeReading(watermark, elapsed, wall - watermark)
    return TimeReading(wall, elapsed)
