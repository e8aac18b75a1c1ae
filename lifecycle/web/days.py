"""Ways to write days, shown with what they make of the days in a file, so that nobody has to know ``%d/%m/%Y``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lifecycle.feed.matching import suggest_date_format
from lifecycle.feed.suggest import FORMATS

MONTHS = 12
EXAMPLE = datetime(2026, 3, 31, 17, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Way:
    """One way to write days."""

    value: str
    """As ``strptime`` takes it."""
    words: str
    example: str
    """What it makes of a day in the file; empty where it does not read it."""


@dataclass(frozen=True)
class Choices:
    """All ways, those first that read every day among the first rows."""

    fitting: tuple[Way, ...]
    others: tuple[Way, ...]


def choices(samples: Sequence[str]) -> Choices:
    """
    Sort the ways to write days by whether they read all of *samples*.

    Args:
        samples: Days as the file writes them; what is no day in any way, such as "Still in office", counts for none.
    """
    fitting = suggest_date_format(samples)
    ways = {value: Way(value, _words(value), _example(samples, value, value in fitting)) for value in FORMATS}
    return Choices(tuple(ways[v] for v in fitting), tuple(way for v, way in ways.items() if v not in fitting))


def _words(value: str) -> str:
    order = {"%d": ", day first", "%m": ", month first"}.get(value[:2], "") if "%m" in value else ""
    return f"{EXAMPLE:{value}}{order}"


def _example(samples: Sequence[str], value: str, fits: bool) -> str:
    """Return what a day of the file becomes, one that tells the order of day and month where there is one."""
    read = [(sample, day) for sample in samples if fits and (day := _read(sample, value))]
    telling = [pair for pair in read if pair[1].day > MONTHS] or read
    return f"{telling[0][0]} is {telling[0][1]:%-d %B %Y}" if telling else ""


def _read(sample: str, value: str) -> datetime | None:
    try:
        return datetime.strptime(sample, value)  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None
