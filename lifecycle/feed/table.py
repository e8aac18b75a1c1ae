"""A file as blocks of lines of cells, before anybody asks what they mean."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol

from lifecycle.domain.roster import Cause, Complaint

SHOWN = 120
"""Characters of a value that a complaint repeats."""


@dataclass(frozen=True)
class FileLimits:
    """How much of a file is read before it is refused."""

    largest_bytes: int = 256 * 2**20
    most_rows: int = 1_000_000


class Spoilt(NamedTuple):
    """A cell whose value cannot be trusted: a formula without a result, an error, or part of a merged one."""

    found: str
    remedy: str


Cell = str | date | float | Spoilt
"""Text; a typed day from a spreadsheet; a number that a spreadsheet typed as one; or nothing to be believed."""


class Recalled(NamedTuple):
    """Lines of text that were known by their keys and therefore not read."""

    numbers: Sequence[int] = ()
    tokens: Sequence[int] = ()
    """What each was known as."""


class Block(NamedTuple):
    """Some lines of a file, blank ones included."""

    numbers: Sequence[int]
    """Number of each line, counted from 1 as editors do; of a record over several lines, the first."""
    lines: Sequence[Sequence[Cell]]
    octets: int
    """How many bytes of the file have been read so far."""
    keys: Mapping[int, bytes] = {}
    """Number to key of those that are one line of text, where keys were asked for."""
    recalled: Recalled = Recalled()
    """Lines that are not among the others."""


class Source(Protocol):
    """One file in one format."""

    @property
    def typed(self) -> bool:
        """Whether cells may be something else than text."""

    def blocks(self) -> Generator[Block, None, None]:
        """
        Read from the start; the first block is a short one and holds the header.

        Raises:
            Unreadable: At the place where the file breaks.
        """


class Unreadable(Exception):
    """The file is no roster at all; carries what says why, the first complaint being the one that matters."""

    def __init__(self, complaint: Complaint, *others: Complaint) -> None:
        super().__init__(str(complaint))
        self.complaint = complaint
        self.complaints = (complaint, *others)


def complaint_about_file(line: int, value: str, expected: str, remedy: str, column: str = "") -> Complaint:
    """Say why the file as a whole cannot be read; *line* 0 where no line is to blame."""
    return Complaint(line, column, shown(value), expected, remedy, Cause.FILE)


def refuse(line: int, value: str, expected: str, remedy: str, column: str = "") -> Unreadable:
    """Make the error for a file that cannot be read from *line* on (0: at all)."""
    return Unreadable(complaint_about_file(line, value, expected, remedy, column))


def shown(value: str) -> str:
    """Return *value* as a complaint may repeat it: short, and with nothing in it that cannot be seen."""
    text = value if len(value) <= SHOWN else value[: SHOWN - 1] + "…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def too_many_rows(limits: FileLimits) -> Unreadable:
    """Make the error for a file with more rows than are read."""
    remedy = "Split the file, or raise rosters.most_rows in config.toml."
    return refuse(0, f"more than {limits.most_rows:,} rows", f"at most {limits.most_rows:,} rows", remedy)


def too_large(octets: int, limits: FileLimits) -> Unreadable:
    """Make the error for a file with more bytes than are read."""
    remedy = "Split the file by staffing company, or raise rosters.largest_mib in config.toml."
    return refuse(0, f"{octets:,} bytes", f"at most {limits.largest_bytes:,} bytes", remedy)
