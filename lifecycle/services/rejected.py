"""Rows that cannot be used as they stand in their file, with why: to be corrected and sent again."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from lifecycle.domain.comparison import Kind
from lifecycle.feed.cells import as_it_stands
from lifecycle.feed.read import Reader, read_roster
from lifecycle.feed.table import Cell, FileLimits, Unreadable
from lifecycle.services.upload_views import Upload
from lifecycle.services.uploads import Uploads
from lifecycle.store import roster_items

BEHIND = ("line", "why", "what to do")
KEPT = ("worker_id", "name", "reference")
"""What is stored of a row, whatever becomes of its file."""
ELSEWHERE = {
    "name": ("first_name", "last_name"), "reference": ("worker_id",), "zone": ("site",),
    "standing": ("status", "worker_type"), "status": ("worker_type",),
    "last_day": ("actual_last_day",), "actual": ("actual_last_day",),
}  # fmt: skip
"""Where a fact comes from that has no column of its own."""
AT_ONCE = 500
AS_IT_CAME = FileLimits(sys.maxsize, sys.maxsize)
"""It was within the limits when it came."""
NO_MORE: tuple[int, Sequence[Cell]] = (sys.maxsize, ())


@dataclass(frozen=True)
class Rejected:
    """The rows of a file that cannot be used, each once, in its order."""

    header: Sequence[str]
    """The file's own, and `BEHIND`."""
    rows: Iterator[list[str]]
    """Cells that a row has beyond the header stand behind all others."""


def rejected(uploads: Uploads, upload: Upload) -> Rejected:
    """Return the rows of an upload that cannot be used; where its file is gone, what is stored of them."""
    columns = upload.layout.columns if upload.layout else {}
    reader = _opened(uploads, upload)
    header = reader.header if reader else list(dict.fromkeys(called(field, columns) for field in KEPT))
    date_format = upload.layout.date_format if upload.layout else ""

    def rows() -> Iterator[list[str]]:
        for items, line in _beside(_lines(reader), _items(uploads, upload.id)):
            cells = [as_it_stands(cell, date_format) for cell in line] if line else _stored(items[0], header, columns)
            cells += [""] * (len(header) - len(cells))
            why = "; ".join(dict.fromkeys(_reason(item, columns) for item in items))
            remedy = " ".join(dict.fromkeys(item.facts["complaint"]["remedy"] for item in items))
            yield [*cells[: len(header)], str(items[0].line), why, remedy, *cells[len(header) :]]

    return Rejected([*header, *BEHIND], rows())


def called(field: str, columns: Mapping[str, str]) -> str:
    """Return the header of the column that a field, or what stands for it, comes from; else the field in words."""
    if field in columns:
        return columns[field]
    others = [columns[other] for other in ELSEWHERE.get(field, ()) if other in columns]
    return " and ".join(others) or field.replace("_", " ")


def _opened(uploads: Uploads, upload: Upload) -> Reader | None:
    if upload.layout is None:
        return None
    profile = uploads.layouts.profile(upload.profile, upload.layout)
    try:
        return read_roster(uploads.files.path(upload.id), profile, upload.repairs, AS_IT_CAME)
    except (Unreadable, OSError):  # deleted after its time, or damaged since
        return None


def _lines(reader: Reader | None) -> Iterator[tuple[int, Sequence[Cell]]]:
    try:
        yield from reader.lines_as_they_stand() if reader else ()
    except (Unreadable, OSError):  # damaged since it was read: of the rest there is what is stored
        return


def _items(uploads: Uploads, upload_id: str) -> Iterator[Any]:
    with uploads.store.read() as unit:
        numbers = roster_items.numbers_by_line(unit, upload_id, Kind.UNUSABLE.value)
    for start in range(0, len(numbers), AT_ONCE):
        with uploads.store.read() as unit:
            items = roster_items.numbered(unit, upload_id, numbers[start : start + AT_ONCE])
        yield from items


def _beside(
    lines: Iterator[tuple[int, Sequence[Cell]]], items: Iterator[Any]
) -> Iterator[tuple[list[Any], Sequence[Cell]]]:
    """Yield what is stored about each line beside its cells, of which there are none where it is not among *lines*."""
    at, cells = -1, NO_MORE[1]
    for line, about in groupby(items, key=attrgetter("line")):
        while at < line:
            at, cells = next(lines, NO_MORE)
        yield list(about), cells if at == line else ()


def _stored(item: Any, header: Sequence[str], columns: Mapping[str, str]) -> list[str]:
    known = {called(field, columns): str(getattr(item, field)) for field in reversed(KEPT)}
    return [known.get(name, "") for name in header]


def _reason(item: Any, columns: Mapping[str, str]) -> str:
    said = item.facts["complaint"]
    column = said["column"]
    # reading names the columns of the file, comparing the fields; only what was compared has a digest
    if column and (item.digest or column not in columns.values()):
        column = called(column, columns)
    found = f"found {said['value']}, " if said["value"] else ""
    return f"{column}: {found}expected {said['expected']}" if column else f"{found}expected {said['expected']}"
