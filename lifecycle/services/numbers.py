"""Whole numbers that strangers write: never larger than what every database and every JSON reader holds."""

from __future__ import annotations

MOST = 2**53 - 1
"""The largest whole number that JSON readers keep exactly; a column of either database has room for it."""


def whole(text: str, most: int = MOST) -> int | None:
    """Read *text* as a whole number from 0 to *most*, in ASCII digits; None for anything else."""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(most)):
        return None
    number = int(text)
    return number if number <= most else None
