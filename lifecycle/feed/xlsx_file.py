"""XLSX: one named sheet, days as typed days, and nothing inflated that is out of proportion."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from lifecycle.feed.table import Cell, Table, refuse

LARGEST_BYTES = 512 * 2**20
LARGEST_RATIO = 200
MOST_PARTS = 1_000


def read_xlsx(content: bytes, *, sheet: str) -> Table:
    """
    Read one sheet of *content*.

    Args:
        content: The whole file.
        sheet: Its name; empty when the workbook has only one.

    Raises:
        Unreadable: No workbook, out of proportion, no such sheet, empty.
    """
    _check_proportions(content)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = workbook.sheet_names
        name = _choose(names, sheet)
        rows = iter(workbook.get_sheet_by_name(name).to_python(skip_empty_area=False))
    except CalamineError as exc:
        raise refuse(0, str(exc), "an XLSX workbook", "Save the file again as .xlsx, or send CSV.") from exc
    lines = _lines(rows)
    first = next(lines, None)
    if first is None:
        raise refuse(0, name, "a header line and at least one row", "The sheet is empty.")
    line, header = first
    return Table([str(cell).strip() for cell in header], line, lines)


def _check_proportions(content: bytes) -> None:
    try:
        parts = zipfile.ZipFile(io.BytesIO(content)).infolist()
    except zipfile.BadZipFile as exc:
        raise refuse(0, "", "an XLSX workbook", "The file is damaged; save it again.") from exc
    size = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS or size > LARGEST_BYTES or size > LARGEST_RATIO * max(len(content), 10_000):
        raise refuse(
            0,
            f"{len(parts)} parts, {size:,} bytes unpacked from {len(content):,}",
            "a workbook in proportion",
            "This is not how a spreadsheet looks inside; save it again or send CSV.",
        )


def _choose(names: Sequence[str], sheet: str) -> str:
    if sheet in names:
        return sheet
    if not sheet and len(names) == 1:
        return names[0]
    raise refuse(
        0,
        ", ".join(names),
        f"a sheet called {sheet!r}" if sheet else "a single sheet",
        "Name the sheet that holds the roster in the profile (sheet = …).",
    )


def _lines(rows: Iterator[Sequence[Any]]) -> Iterator[tuple[int, Sequence[Cell]]]:
    for number, row in enumerate(rows, start=1):
        cells = [_cell(value) for value in row]
        if any(cell != "" for cell in cells):
            yield number, cells


def _cell(value: Any) -> Cell:
    match value:
        case datetime():
            return value.date() if value.time() == time(0) else value.isoformat(" ")
        case date():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return float(value)
        case _:
            return str(value)
