"""A first look at a file that nobody has described."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lifecycle.feed.cells import text_of
from lifecycle.feed.csv_file import OTHER_DELIMITERS, CsvFile
from lifecycle.feed.decoding import codec_of
from lifecycle.feed.header import Stated, header_names, is_above_table, stated_format
from lifecycle.feed.json_file import JsonFile
from lifecycle.feed.kinds import Kind, kind_of
from lifecycle.feed.misread import doubted
from lifecycle.feed.suggest import suggest_columns
from lifecycle.feed.table import Block, Cell, FileLimits, Spoilt, refuse, shown, too_large
from lifecycle.feed.xlsx_file import Sheet, XlsxFile

ONE_BYTE = ("windows-1252", "mac-roman", "iso-8859-1")
PIECE = 2**20
SAMPLED = 2**18
MOST_SAMPLES = 5
MOST_ROWS = 20
ODD_WORD = re.compile(r"[^\s,;|\t\"]{0,30}[^\x00-\x7f][^\s,;|\t\"]{0,30}")


@dataclass(frozen=True)
class Look:
    """What can be seen in a file without knowing what it means."""

    kind: Kind
    sheets: tuple[Sheet, ...]
    """Of a workbook."""
    sheet: str
    """The one looked at."""
    encoding: str
    """The only one that fits; empty where a person must say, by `samples`."""
    samples: dict[str, tuple[str, ...]]
    """Encoding that might fit to words with accents as they would be read."""
    delimiter: str
    header_line: int
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The first rows as text."""
    stated: Stated | None
    """What the lines above the table say of its days."""
    ascii_only: bool = False
    """Whether every encoding but UTF-16 reads it alike."""
    doubted: frozenset[str] = frozenset()
    """Those of `samples` that seem to misread it."""


def look(
    path: Path, *, sheet: str = "", encoding: str = "", delimiter: str = "", limits: FileLimits | None = None
) -> Look:
    """
    Look at the file at *path*.

    Args:
        path: The file.
        sheet: Of a workbook, as a person has chosen; empty for the first that can be seen, or else the first.
        encoding: Of a CSV file, as a person has chosen; empty for the one that fits.
        delimiter: The same.
        limits: How large it may be.

    Raises:
        Unreadable: It is no table at all.
    """
    limits = limits or FileLimits()
    if path.stat().st_size > limits.largest_bytes:
        raise too_large(path.stat().st_size, limits)
    match kind_of(path):
        case Kind.XLSX:
            return _look_at_workbook(path, sheet, limits)
        case Kind.JSON:
            block = _first(JsonFile(path, optional=(), limits=limits))
            return _described(block, 0, Kind.JSON, encoding="utf-8")
        case Kind.CSV:
            return _look_at_text(path, encoding, delimiter, limits)


def _look_at_workbook(path: Path, sheet: str, limits: FileLimits) -> Look:
    sheets = XlsxFile(path, sheet="", limits=limits).sheets()
    # a person sees, and says, that a sheet that is hidden is the one
    shown = sorted(sheets, key=lambda found: not found.visible)
    chosen = sheet or next((found.name for found in shown), "")
    block = _first(XlsxFile(path, sheet=chosen, limits=limits))
    return _described(block, _header_at(block), Kind.XLSX, sheets=tuple(sheets), sheet=chosen)


def _look_at_text(path: Path, encoding: str, delimiter: str, limits: FileLimits) -> Look:
    fits, samples = _encodings(path)
    read_as = encoding or fits or next(iter(samples), "iso-8859-1")
    delimiter = delimiter or _delimiter(path, read_as)
    block = _first(CsvFile(path, encoding=read_as, delimiter=delimiter, limits=limits))
    at = _header_at(block)
    plain = fits == "utf-8" and _fits(path, "ascii")
    seen = _described(block, at, Kind.CSV, encoding=encoding or fits, samples=samples, delimiter=delimiter)
    odd = _around_odd(path) if len(samples) > 1 else b""
    readings = {name: odd.decode(codec_of(name), errors="ignore") for name in samples}
    return replace(seen, ascii_only=plain, doubted=doubted(readings))


def _described(
    block: Block,
    at: int,
    kind: Kind,
    *,
    sheets: tuple[Sheet, ...] = (),
    sheet: str = "",
    encoding: str = "",
    samples: dict[str, tuple[str, ...]] | None = None,
    delimiter: str = "",
) -> Look:
    stated = [found for cells in block.lines[:at] if (found := stated_format(cells)) is not None]
    header, rows = _without_empty(
        header_names(block.lines[at]), [tuple(map(_shown, cells)) for cells in block.lines[at + 1 :]]
    )
    return Look(
        kind=kind,
        sheets=sheets,
        sheet=sheet,
        encoding=encoding,
        samples=samples or {},
        delimiter=delimiter,
        header_line=block.numbers[at],
        header=header,
        rows=tuple(row for row in rows if any(row))[:MOST_ROWS],
        stated=stated[0] if stated else None,
    )


def _without_empty(
    header: tuple[str, ...], rows: list[tuple[str, ...]]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Leave out columns with neither a heading nor anything below it: spreadsheets write such beside a table."""
    filled = {place for row in rows for place, cell in enumerate(row) if cell.strip()}
    empty = {place for place, name in enumerate(header) if not name} - filled
    kept = tuple(name for place, name in enumerate(header) if place not in empty)
    return kept, [tuple(cell for place, cell in enumerate(row) if place not in empty) for row in rows]


def _first(file: CsvFile | XlsxFile | JsonFile) -> Block:
    blocks = file.blocks()
    try:
        block = next(blocks, None)
    finally:
        blocks.close()
    if block is None or not any(any(map(_shown, cells)) for cells in block.lines):
        raise refuse(0, "", "a header line and at least one row", "The file is empty; ask the vendor to send it again.")
    return block


def _shown(cell: Cell) -> str:
    return shown(cell.found if isinstance(cell, Spoilt) else text_of(cell))


def _header_at(block: Block) -> int:
    """Return the index of the line that names most known columns; of the first that may be a header where none does."""
    known = [len(suggest_columns(header_names(cells))) for cells in block.lines]
    if max(known) >= 2:
        return known.index(max(known))
    may_be = (at for at, cells in enumerate(block.lines) if not is_above_table(cells))
    return next(may_be, 0)


def _encodings(path: Path) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Return the encoding that fits, or an empty one and words as those that may fit would read them."""
    with path.open("rb") as file:
        beginning = file.read(SAMPLED)
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", {}
    if beginning.count(b"\0") > len(beginning) // 4:
        return "", {"utf-16": _words(beginning, "utf-16")}
    if _fits(path, "utf-8"):
        return "utf-8", {}
    odd = _around_odd(path)
    return "", {name: _words(odd, name) for name in ONE_BYTE if _fits(path, name)}


def _fits(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec_of(encoding))("strict")
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _around_odd(path: Path) -> bytes:
    """Return a part of the file in which there is something else than ASCII."""
    with path.open("rb") as file:
        while piece := file.read(SAMPLED):
            if not piece.isascii():
                return piece
    return b""


def _words(octets: bytes, encoding: str) -> tuple[str, ...]:
    text = octets.decode(codec_of(encoding, octets), errors="ignore")
    return tuple(dict.fromkeys(map(shown, ODD_WORD.findall(text))))[:MOST_SAMPLES]


def _delimiter(path: Path, encoding: str) -> str:
    """Return what separates the columns: what cuts most of the first lines into the same number of fields."""
    with path.open("rb") as file:
        octets = file.read(PIECE // 16)
    text = octets.decode(codec_of(encoding, octets), errors="replace")
    lines = text.splitlines()[:50]
    scores = {delimiter: _score(lines, delimiter) for delimiter in OTHER_DELIMITERS}
    return max(scores, key=lambda delimiter: scores[delimiter])


def _score(lines: Sequence[str], delimiter: str) -> tuple[int, int]:
    try:
        widths = Counter(len(cells) for cells in csv.reader(lines, delimiter=delimiter) if len(cells) > 1)
    except csv.Error:
        return 0, 0
    if not widths:
        return 0, 0
    width, count = max(widths.items(), key=lambda found: (found[1] * (found[0] - 1), found[0]))
    return count * (width - 1), width
