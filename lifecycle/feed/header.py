"""Where the table of a file begins, and what stands above it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from lifecycle.feed.csv_file import check_delimiter
from lifecycle.feed.profile import Profile
from lifecycle.feed.table import Block, Cell, Unreadable, complaint_about_file, refuse

BLOCK_KEYS = frozenset(("type", "transaction", "language", "number format", "date format", "comments"))
"""What SAP Fieldglass writes above its tables."""
STATED = re.compile(r"(y{4}|m{1,4}|d{1,2})([./ -]?)(y{4}|m{1,4}|d{1,2})\2(y{4}|m{1,4}|d{1,2})", re.IGNORECASE)
CODES = {"yyyy": "%Y", "m": "%m", "mm": "%m", "mmm": "%b", "mmmm": "%B", "d": "%d", "dd": "%d"}


class Header(NamedTuple):
    """The header of one file."""

    at: int
    """Index of its line in the first block."""
    line: int
    cells: tuple[str, ...]


def find_header(block: Block, profile: Profile) -> Header:
    """
    Find the first line of *block* that holds every column of *profile*.

    Raises:
        Unreadable: There is none, a column stands there twice, or the lines above contradict the profile.
    """
    wanted = set(profile.columns.values())
    best, most = 0, -1
    for at, cells in enumerate(block.lines):
        names = header_names(cells)
        known = len(wanted.intersection(names))
        if known > most and any(names):
            best, most = at, known
        if known == len(wanted):
            break
    header = Header(best, block.numbers[best], header_names(block.lines[best]))
    check_delimiter(header.line, header.cells, profile.delimiter)
    _check_columns(header, profile)
    _check_stated_format(block, header, profile)
    return header


def header_names(cells: Sequence[Cell]) -> tuple[str, ...]:
    """Return the cells of a header line as the names that profiles use."""
    return tuple(str(cell).strip() for cell in cells)


def _check_columns(header: Header, profile: Profile) -> None:
    complaints = []
    for column in profile.columns.values():
        count = header.cells.count(column)
        if count == 0:
            found = ", ".join(map(repr, header.cells))[:300]
            remedy = f"The header has {found}. Match its columns again, or correct the file."
            complaints.append(complaint_about_file(header.line, "", f"a column {column!r}", remedy, column))
        elif count > 1:
            remedy = "Delete the column that is not meant; which one to believe cannot be guessed."
            expected = f"one column {column!r}"
            complaints.append(complaint_about_file(header.line, f"{count} columns", expected, remedy, column))
    if complaints:
        raise Unreadable(*complaints)


def _check_stated_format(block: Block, header: Header, profile: Profile) -> None:
    for line, cells in zip(block.numbers[: header.at], block.lines[: header.at], strict=True):
        stated = stated_format(cells)
        if stated and stated.format and stated.format != profile.date_format:
            remedy = "The file says how its days are written; correct the date format of the layout."
            raise refuse(line, stated.words, f"days as {profile.readable_format}", remedy, "Date Format")


class Stated(NamedTuple):
    """A date format that a file states above its table."""

    words: str
    format: str
    """As ``strptime`` takes it; empty where the words are not understood."""


def stated_format(cells: Sequence[Cell]) -> Stated | None:
    """Return the date format that a line above the table states; None when it states none."""
    names = header_names(cells)
    if len(names) < 2 or names[0].rstrip(":").casefold() != "date format":
        return None
    words = next((name for name in names[1:] if name), "")
    return Stated(words, format_from_words(words))


def format_from_words(words: str) -> str:
    """Turn ``MM/DD/YYYY`` into ``%m/%d/%Y``; empty when that cannot be done without doubt."""
    found = STATED.fullmatch(words.strip())
    if not found:
        return ""
    codes = [CODES[found[part].casefold()] for part in (1, 3, 4)]
    kinds = {code[1].casefold() if code != "%b" and code != "%B" else "m" for code in codes}
    return found[2].join(codes) if kinds == {"y", "m", "d"} else ""


def is_above_table(cells: Sequence[Cell]) -> bool:
    """Say whether a line is one of those that stand above a table and not its header."""
    names = header_names(cells)
    return not any(names) or (names[0].rstrip(":").casefold() in BLOCK_KEYS and sum(map(bool, names)) <= 2)
