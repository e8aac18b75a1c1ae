"""The XML inside a workbook, looked through before a spreadsheet reader sees it."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from xml.parsers import expat

from lifecycle.feed.table import Spoilt, Unreadable, refuse
from lifecycle.feed.xlsx_archive import damaged

DEEPEST = 100
REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
MOST_ROWS = 100_000
MOST_COLUMNS = 1_000
MOST_CELLS = 5_000_000
MOST_SPOILT = 100_000
MOST_MERGED = 100_000
LONGEST_INDEX = 9
"""Digits of the number of a shared text; a workbook has room for fewer than a billion."""
ZEROS = re.compile(r"0{2,64}")
VOLATILE = re.compile(r"(?i)\b(?:TODAY|NOW|RAND|RANDBETWEEN|OFFSET|INDIRECT)\s*\(")
NO_RESULT = Spoilt("a formula without a result", "Open it in the spreadsheet program, save it, send it again.")
CHANGING = Spoilt("a formula that changes by itself", "Replace it by its value: a day in a contract does not move.")
MERGED = Spoilt("part of a merged cell", "Unmerge the cells and fill in every row.")


def error_cell(found: str) -> Spoilt:
    """Make what stands for a cell with an error in it."""
    return Spoilt(found or "an error", "Correct the formula, or write the value itself.")


class XmlPart:
    """One part, read piece by piece and never kept."""

    def __init__(self) -> None:
        self._depth = 0
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._finish

    def look(self, piece: bytes) -> None:
        """Read on; empty *piece* at the end. Raises `Unreadable`."""
        try:
            self._parser.Parse(piece, not piece)
        except (expat.ExpatError, LookupError, ValueError) as exc:
            raise damaged(str(exc)) from exc

    def _begin(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - what expat calls
        self._depth += 1
        if self._depth > DEEPEST:
            raise damaged(f"more than {DEEPEST} elements inside one another")

    def _finish(self, name: str) -> None:  # noqa: ARG002 - what expat calls
        self._depth -= 1


def _refuse_doctype(*_: Any) -> None:
    remedy = "No spreadsheet program writes one; the file is not what it seems. Save it again as .xlsx, or send CSV."
    raise refuse(0, "a document type declaration", "a workbook without entities", remedy)


class Styles(XmlPart):
    """Which styles show a number with zeros before it: 12345 in the file is 012345 to whoever reads the sheet."""

    def __init__(self) -> None:
        super().__init__()
        self.digits: dict[str, int] = {}
        """Style, as cells name it, to how many digits it shows at least."""
        self._formats: dict[str, int] = {}
        self._styles: int | None = None

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        super()._begin(name, attributes)
        name = name.rpartition(":")[2]
        if name == "numFmt" and ZEROS.fullmatch(code := attributes.get("formatCode", "")):
            self._formats[attributes.get("numFmtId", "")] = len(code)
        elif name == "cellXfs":
            self._styles = 0
        elif name == "xf" and self._styles is not None:
            digits = self._formats.get(attributes.get("numFmtId", ""))
            if digits is not None:
                self.digits[str(self._styles)] = digits
            self._styles += 1

    def _finish(self, name: str) -> None:
        super()._finish(name)
        if name.rpartition(":")[2] == "cellXfs":
            self._styles = None


class Padded:
    """Numbers that are shown with zeros before them, as they lie in the sheet: nine octets each, there may be many."""

    def __init__(self) -> None:
        self._places, self._digits = array("Q"), array("B")
        self._next = 0

    def add(self, row: int, column: int, digits: int) -> None:
        """Note a cell, row and column from 0, that lies behind all before."""
        self._places.append(row << 32 | column)
        self._digits.append(digits)

    def of(self, row: int) -> Iterator[tuple[int, int]]:
        """Yield column and digits of one row after another."""
        while self._next < len(self._places) and self._places[self._next] >> 32 <= row:
            place, digits = self._places[self._next], self._digits[self._next]
            self._next += 1
            if place >> 32 == row:
                yield place & 0xFFFFFFFF, digits


class SheetMap(XmlPart):
    """Where the cells of one sheet lie, which of them cannot be believed, and which are shown with zeros before."""

    def __init__(self, digits: Mapping[str, int]) -> None:
        """*digits* are those of `Styles`."""
        super().__init__()
        self._digits = digits
        self._shown = 0
        self.padded = Padded()
        self.rows = 0
        self.columns = 0
        self.spoilt: dict[tuple[int, int], Spoilt] = {}
        """Row and column, from 0, to what is wrong with the cell."""
        self.merged: list[tuple[int, int, int, int]] = []
        """First row, first column, last row, last column, from 0 and inclusive."""
        self._at = (-1, -1)
        self._before = (-1, -1)
        self._type = ""
        self._formula: str | None = None
        self._value = ""
        self._text: list[str] | None = None
        self._begun = 0
        """Where the tag of the value begins, in octets."""
        self._filled = False

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        super()._begin(name, attributes)
        if ":" in name:
            name = name.rpartition(":")[2]
        if name == "v" or name == "is":
            if self._filled:  # which of them counts, readers do not agree on
                raise damaged(f"two values in one cell of row {self._at[0] + 1}")
            self._filled = True
            if self._formula is not None or self._type == "e" or self._type == "s":
                self._begun = self._parser.CurrentByteIndex
                self._listen()
        elif name == "c":
            said = attributes.get("r")
            self._at = (self._at[0], self._at[1] + 1) if said is None else _place(said)
            self._type = attributes.get("t", "")
            self._formula, self._value, self._filled = None, "", False
            self._shown = self._digits.get(attributes.get("s", ""), 0) if self._digits and not self._type else 0
        elif name == "row":
            self._at = (self._row(attributes), -1)
        elif name == "f":
            self._formula = ""
            self._listen()
        elif name == "mergeCell":
            self._merge(attributes.get("ref", ""))

    def _finish(self, name: str) -> None:
        self._depth -= 1
        tag = name
        if ":" in name:
            name = name.rpartition(":")[2]
        if name == "c":
            if self._filled or self._formula is not None:
                self._end_cell()
        elif self._text is not None and name in {"f", "v", "is"}:
            text = "".join(self._text)
            self._parser.CharacterDataHandler = None
            self._text = None
            if name == "f":
                self._formula = text
            else:
                self._value = text
                if self._type == "s" and name == "v":
                    self._check_index(text, self._parser.CurrentByteIndex - self._begun - len(tag) - 2)

    def _listen(self) -> None:
        self._text = []
        self._parser.CharacterDataHandler = self._text.append

    def _check_index(self, text: str, octets: int) -> None:
        """
        Refuse what is no plain number of a shared text: calamine takes the first text for it, the header's, or none.

        *octets* lie between the tags; a reference or a CDATA section, which calamine passes over, takes more of them.
        """
        if octets != len(text) or not text.isascii() or not text.isdigit() or len(text) > LONGEST_INDEX:
            remedy = "The file is damaged; save it again as .xlsx, or send CSV."
            column, row = self._at[1] + 1, self._at[0] + 1
            raise refuse(row, f"text {text!r} in column {column}", "the number of a text in the workbook", remedy)

    def _row(self, attributes: dict[str, str]) -> int:
        said = attributes.get("r")
        if said is None:
            return self._at[0] + 1
        if not said.isascii() or not said.isdigit() or not 0 < int(said[:9]) < 10**8:
            raise damaged(f"row {said[:20]!r}")
        return int(said) - 1

    def _end_cell(self) -> None:
        row, column = self._at
        if self._at <= self._before or row < 0:
            raise damaged("cells out of order")
        self._before = self._at
        if row >= self.rows or column >= self.columns:
            self._grow(row, column)
        if self._shown:
            self.padded.add(row, column, self._shown)
        if self._type != "e" and self._formula is None:
            return
        wrong = self._wrong()
        if wrong is not None:
            self.spoilt[self._at] = wrong
            if len(self.spoilt) > MOST_SPOILT:
                raise refuse(row + 1, wrong.found, "a sheet of values", wrong.remedy)

    def _grow(self, row: int, column: int) -> None:
        self.rows = max(self.rows, row + 1)
        self.columns = max(self.columns, column + 1)
        if self.rows > MOST_ROWS or self.columns > MOST_COLUMNS or self.rows * self.columns > MOST_CELLS:
            raise _too_wide(row, column)

    def _wrong(self) -> Spoilt | None:
        if self._type == "e":
            return error_cell(self._value.strip())
        if self._formula is None:
            return None
        if not self._value.strip() and self._type != "str":
            return NO_RESULT
        return CHANGING if VOLATILE.search(self._formula) else None

    def _merge(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        (top, left), (bottom, right) = _place(first), _place(last or first)
        if bottom < top or right < left or len(self.merged) >= MOST_MERGED:
            raise damaged("merged cells")
        self.merged.append((top, left, bottom, right))


class Spoilage:
    """Says of each row, asked from the first to the last, which cells cannot be believed."""

    def __init__(self, sheet: SheetMap) -> None:
        self._cells: dict[int, dict[int, Spoilt]] = {}
        for (row, column), wrong in sheet.spoilt.items():
            self._cells.setdefault(row, {})[column] = wrong
        self._merged = sorted(m for m in sheet.merged if m[0] < sheet.rows and m[1] < sheet.columns)
        self._next = 0
        self._open: list[tuple[int, int, int, int]] = []
        self._columns = sheet.columns

    def of(self, row: int) -> dict[int, Spoilt]:
        """Return column to what is wrong, both from 0."""
        while self._next < len(self._merged) and self._merged[self._next][0] <= row:
            self._open.append(self._merged[self._next])
            self._next += 1
            if len(self._open) > 2 * self._columns:
                self._open = [m for m in self._open if m[2] >= row]
                if len(self._open) > self._columns:
                    raise damaged("merged cells over one another")
        self._open = [m for m in self._open if m[2] >= row]
        found = dict(self._cells.get(row, ()))
        for top, left, _, right in self._open:
            for column in range(left, min(right + 1, self._columns)):
                if (row, column) != (top, left):
                    found[column] = MERGED
        return found


def _place(reference: str) -> tuple[int, int]:
    """Return row and column of ``B7``, from 0."""
    found = REFERENCE.fullmatch(reference)
    if not found:
        raise damaged(f"cell {reference[:20]!r}")
    return int(found[2]) - 1, _column(found[1])


@lru_cache(maxsize=MOST_COLUMNS)
def _column(letters: str) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column - 1


def _too_wide(row: int, column: int) -> Unreadable:
    remedy = "Delete what stands far below or beside the table, or send CSV."
    expected = f"at most {MOST_ROWS:,} rows, {MOST_COLUMNS:,} columns and {MOST_CELLS:,} cells"
    return refuse(row + 1, f"a cell in row {row + 1:,}, column {column + 1:,}", expected, remedy)
