"""CSV: strict about encoding, quotes and NUL, because Python's reader alone is not."""

from __future__ import annotations

import csv
from collections.abc import Generator, Sequence
from itertools import accumulate, chain
from pathlib import Path
from typing import Any

from lifecycle.feed.decoding import TextStream, breaks
from lifecycle.feed.table import Block, FileLimits, Unreadable, refuse

OTHER_DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
FIRST_LINES = 50
BLOCK_LINES = 5_000
BLOCK_OCTETS = 4 * 2**20
"""A block ends with fewer lines where lines are long, so that memory is bounded."""


class CsvFile:
    """One CSV file."""

    typed = False

    def __init__(self, path: Path, *, encoding: str, delimiter: str, limits: FileLimits) -> None:
        self._path = path
        self._encoding = encoding
        self._delimiter = delimiter
        self._limits = limits

    def blocks(self) -> Generator[Block, None, None]:
        """
        Read from the start.

        Raises:
            Unreadable: Wrong encoding, NUL, broken quotes, too large; after the block with the lines before it.
        """
        with self._path.open("rb") as file:
            stream = TextStream(file, self._encoding, self._limits)
            reader = csv.reader(chain.from_iterable(stream.pieces()), delimiter=self._delimiter, strict=True)
            most = FIRST_LINES
            failure: Unreadable | None = None
            while failure is None:
                before = reader.line_num
                lines, failure = self._take(reader, stream, most)
                if lines:
                    yield Block(_numbers(lines, before, reader.line_num), lines, stream.octets)
                elif failure is None:
                    return
                most = BLOCK_LINES
            raise failure

    def _take(self, reader: Any, stream: TextStream, most: int) -> tuple[list[list[str]], Unreadable | None]:
        lines: list[list[str]] = []
        enough = stream.octets + BLOCK_OCTETS
        began = reader.line_num
        try:
            for cells in reader:
                lines.append(cells)
                if len(lines) >= most or stream.octets >= enough:
                    break
        except csv.Error as exc:
            line = began + 1 + sum(map(_height, lines))
            return lines, _broken(line, str(exc))
        except Unreadable as exc:
            return lines, exc
        return lines, None


def _broken(line: int, why: str) -> Unreadable:
    if "field larger" in why:
        remedy = "Shorten it; or look for a quotation mark before it that is not closed."
        return refuse(line, why, f"fields of at most {csv.field_size_limit():,} characters", remedy)
    remedy = "Look for a quotation mark that is not closed or not doubled, from this line on."
    return refuse(line, why, "fields whose quotation marks are closed", remedy)


def _numbers(lines: Sequence[Sequence[str]], before: int, after: int) -> Sequence[int]:
    if after - before == len(lines):
        return range(before + 1, after + 1)
    return list(accumulate(map(_height, lines), initial=before + 1))[:-1]


def _height(cells: Sequence[str]) -> int:
    return 1 + sum(breaks(cell) for cell in cells)


def check_delimiter(line: int, cells: Sequence[str], delimiter: str) -> None:
    """
    Notice a header that is one cell because the file separates its columns by something else.

    Raises:
        Unreadable: It is so.
    """
    if len(cells) > 1 or not cells:
        return
    other = next((d for d in OTHER_DELIMITERS if d != delimiter and d in cells[0]), None)
    if other:
        expected = f"columns separated by {NAMES.get(delimiter, delimiter)}"
        raise refuse(line, cells[0][:60], expected, f"The file seems to use {NAMES[other]}; set it in the layout.")
