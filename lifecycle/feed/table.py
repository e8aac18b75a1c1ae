"""A file as lines of cells, before anybody asks what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from lifecycle.domain.roster import Complaint

Cell = str | date | float
"""Text; a typed day from a spreadsheet; or a number that a spreadsheet typed as one."""


class Unreadable(Exception):
    """The file is no table at all; carries the one complaint that says why."""

    def __init__(self, complaint: Complaint) -> None:
        super().__init__(str(complaint))
        self.complaint = complaint


@dataclass
class Table:
    """Header and lines. ``lines`` may raise `Unreadable` when it comes to a place where the file breaks."""

    header: Sequence[str]
    header_line: int
    lines: Iterator[tuple[int, Sequence[Cell]]]
    """Line number as editors count (from 1) and cells; lines with nothing in them are left out."""
    notes: list[Complaint] = field(default_factory=list)


def refuse(line: int, value: str, expected: str, remedy: str, column: str = "") -> Unreadable:
    """Make the error for a file that cannot be read from *line* on (0: at all)."""
    return Unreadable(Complaint(line, column, value, expected, remedy))
