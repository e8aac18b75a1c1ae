"""When to try again: exponential, capped, with full jitter, and never giving up."""

from __future__ import annotations

from datetime import timedelta

EXPONENT_LIMIT = 32
"""Beyond this the cap has long been reached; keeps the arithmetic small after years of attempts."""


def delay_before(attempt: int, *, base: timedelta, cap: timedelta, chance: float) -> timedelta:
    """
    Return how long to wait before trying again.

    Args:
        attempt: Attempts made so far, from 1.
        base: Longest wait after the first attempt.
        cap: Longest wait ever.
        chance: A uniform random number in [0, 1); half of every wait is jitter, so that a target that comes back
            is not met by everything at once, and no wait is ever zero.
    """
    longest: timedelta = min(cap, base * (1 << min(attempt - 1, EXPONENT_LIMIT)))
    return longest * (0.5 + chance / 2)
