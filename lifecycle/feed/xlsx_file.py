"""XLSX: one visible sheet, days as typed days, and no cell believed whose value is not there."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

from python_calamine import CalamineError, CalamineWorkbook

from lifecycle.feed.table import Block, Cell, FileLimits, Spoilt, Unreadable, refuse, too_many_rows
from lifecycle.feed.xlsx_archive import copy_parts, damaged, parts_of
from lifecycle.feed.xlsx_parts import MOST_ROWS, SheetMap, Spoilage, Styles, XmlPart

FIRST_LINES = 50
BLOCK_LINES = 5_000
LARGEST_INDEX = 2**22
"""Bytes of the list of sheets."""
WORKBOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
STYLES = "xl/styles.xml"
PLACES = ("xl/worksheets/",)
MOST_EXACT = 2.0**53
"""Numbers from here on have lost digits already."""


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook."""

    name: str
    part: str
    visible: bool


class XlsxFile:
    """One workbook, of which one sheet is read."""

    typed = True

    def __init__(self, path: Path, *, sheet: str, limits: FileLimits) -> None:
        self._path = path
        self._sheet = sheet
        self._limits = limits

    def sheets(self) -> list[Sheet]:
        """List the sheets, hidden ones included. Raises `Unreadable`."""
        with tempfile.TemporaryDirectory(prefix="roster-") as folder:
            return _Workbook(self._path, Path(folder), self._limits).sheets

    def blocks(self) -> Generator[Block, None, None]:
        """
        Read the sheet from its first row.

        Raises:
            Unreadable: No workbook, out of proportion, protected, no such sheet.
        """
        octets = self._path.stat().st_size
        with tempfile.TemporaryDirectory(prefix="roster-") as folder:
            workbook = _Workbook(self._path, Path(folder), self._limits)
            sheet = _choose(workbook.sheets, self._sheet)
            lines: list[Sequence[Cell]] = []
            number = 0
            most = FIRST_LINES
            for number, cells in enumerate(workbook.rows(sheet), start=1):
                lines.append(cells)
                if len(lines) == most:
                    yield Block(range(number - len(lines) + 1, number + 1), lines, octets)
                    lines, most = [], BLOCK_LINES
            if lines:
                yield Block(range(number - len(lines) + 1, number + 1), lines, octets)


class _Workbook:
    """A copy of a workbook with nothing in it but what was looked through."""

    def __init__(self, path: Path, folder: Path, limits: FileLimits) -> None:
        self._copy = folder / "inspected.xlsx"
        self._limits = limits
        self._maps: dict[str, SheetMap] = {}
        self._looking: dict[str, XmlPart] = {}
        self._digits: Mapping[str, int] = {}
        copy_parts(path, parts_of(path), self._copy, self._look)
        self.sheets = self._list()

    def _look(self, name: str, piece: bytes) -> None:
        part = self._looking.get(name)
        if part is None:
            part = self._looking[name] = self._part(name.casefold())
        part.look(piece)
        if not piece:
            del self._looking[name]
            if isinstance(part, SheetMap):
                self._maps[name] = part
            elif isinstance(part, Styles):
                self._digits = part.digits

    def _part(self, name: str) -> XmlPart:
        if name == STYLES:
            return Styles()
        return SheetMap(self._digits) if name.startswith(PLACES) else XmlPart()

    def _list(self) -> list[Sheet]:
        targets = {
            relation.get("Id", ""): _target(relation.get("Target", ""))
            for relation in self._elements(RELATIONS)
            if relation.get("Type", "").endswith("/worksheet")
        }
        sheets = []
        for element in self._elements(WORKBOOK):
            if _local(element.tag) != "sheet":
                continue
            relation = next((value for key, value in element.items() if key.endswith("}id")), "")
            part = targets.get(relation, "")
            if part in self._maps:
                visible = element.get("state", "visible") == "visible"
                sheets.append(Sheet(element.get("name", ""), part, visible))
        names = [sheet.name for sheet in sheets]
        if len(set(names)) != len(names):
            raise damaged("two sheets of one name")
        return sheets

    def _elements(self, part: str) -> Iterator[ElementTree.Element]:
        try:
            with ZipFile(self._copy) as copy, copy.open(part) as file:
                content = file.read(LARGEST_INDEX + 1)
            if len(content) > LARGEST_INDEX:
                raise damaged(part)
            # without a document type, which was refused above, there is nothing to expand
            yield from ElementTree.fromstring(content).iter()  # noqa: S314
        except (KeyError, ElementTree.ParseError) as exc:
            raise damaged(part) from exc

    def rows(self, sheet: Sheet) -> Iterator[Sequence[Cell]]:
        """Read the rows of *sheet* from its first on."""
        found = self._maps[sheet.part]
        if found.rows > min(MOST_ROWS, self._limits.most_rows + FIRST_LINES):
            raise too_many_rows(self._limits)
        spoilage = Spoilage(found)
        try:
            with CalamineWorkbook.from_path(str(self._copy)) as workbook:
                page = workbook.get_sheet_by_name(sheet.name)
                left = page.start[1] if page.start else 0
                for number, row in enumerate(page.iter_rows()):
                    cells = [_cell(value) for value in row]
                    for column, digits in found.padded.of(number):
                        if 0 <= column - left < len(cells):
                            cells[column - left] = _padded(cells[column - left], digits)
                    for column, wrong in spoilage.of(number).items():
                        if 0 <= column - left < len(cells):
                            cells[column - left] = wrong
                    yield cells
        except CalamineError as exc:
            raise damaged(str(exc)) from exc
        except BaseException as exc:
            if type(exc).__name__ == "PanicException":  # what Rust raises derives from nothing better
                raise damaged() from exc
            raise


def _choose(sheets: Sequence[Sheet], name: str) -> Sheet:
    """Choose the sheet called *name*, or the only one that can be seen."""
    visible = [sheet for sheet in sheets if sheet.visible]
    chosen = [sheet for sheet in sheets if sheet.name == name] if name else visible
    if len(chosen) == 1:
        return chosen[0]
    remedy = "Name the sheet that holds the roster in the layout."
    if not sheets:
        raise refuse(0, "no sheets", "a sheet with rows", "The workbook is damaged or empty; save it again.")
    found = ", ".join(sheet.name if sheet.visible else f"{sheet.name} (hidden)" for sheet in sheets)
    raise refuse(0, found, f"a sheet called {name!r}" if name else "a single sheet", remedy)


def _target(path: str) -> str:
    """Return the part that a relation of the workbook points to."""
    return path.lstrip("/") if path.startswith("/") else str(PurePosixPath("xl") / path)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _padded(cell: Cell, digits: int) -> Cell:
    """Return a number as the sheet shows it."""
    if not isinstance(cell, float) or not cell.is_integer() or not 0 <= cell < MOST_EXACT:
        return cell
    return f"{int(cell):0{digits}d}"


def _cell(value: Any) -> Cell:
    if isinstance(value, str | date):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return float(value)
    return str(value)


__all__ = ["Sheet", "Spoilt", "Unreadable", "XlsxFile"]
