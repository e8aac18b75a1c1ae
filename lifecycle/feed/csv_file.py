"""CSV: strict about encoding, quotes and NUL, because Python's reader alone is not."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from io import StringIO
from itertools import accumulate, compress
from pathlib import Path
from typing import Any

from lifecycle.feed.decoding import TextStream, breaks
from lifecycle.feed.table import Block, FileLimits, Recalled, Unreadable, refuse

OTHER_DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
FIRST_LINES = 50
BLOCK_LINES = 5_000
BLOCK_OCTETS = 4 * 2**20
"""A block ends with fewer lines where lines are long, so that memory is bounded."""
KEY_OCTETS = 16


def keys_of(lines: Sequence[str]) -> list[bytes]:
    """Return a key for each line of text, its end included; two lines with one key are the same line."""
    return [blake2b(line.encode("utf-8", "surrogatepass"), digest_size=KEY_OCTETS).digest() for line in lines]


class CsvFile:
    """One CSV file."""

    typed = False

    def __init__(self, path: Path, *, encoding: str, delimiter: str, limits: FileLimits) -> None:
        self._path = path
        self._encoding = encoding
        self._delimiter = delimiter
        self._limits = limits
        self.is_ended = False
        """Whether the last line has an end; known once everything was read."""

    def blocks(self, known: Mapping[bytes, int] | None = None) -> Generator[Block, None, None]:
        """
        Read from the start.

        Args:
            known: Key of a line to a token. After the first block such a line is recalled instead of read, where it
                is a whole record by itself, and all others get keys. None: all lines are read, and none gets a key.

        Raises:
            Unreadable: Wrong encoding, NUL, broken quotes, too large; after the block with the lines before it.
        """
        with self._path.open("rb") as file:
            stream = TextStream(file, self._encoding, self._limits)
            lines = _Lines(stream.pieces())
            reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
            block = _Block()
            block.take(reader, lines, stream, FIRST_LINES)
            while block.failure is None and not block.is_empty:
                yield block.of(stream)
                block = _Block()
                if known is None:
                    block.take(reader, lines, stream, BLOCK_LINES)
                else:
                    block.sift(reader, lines, stream, known)
            if not block.is_empty:
                yield block.of(stream)
            if block.failure is not None:
                raise block.failure
            self.is_ended = stream.is_ended


class _Lines:
    """The lines of text of a file, for a reader that may leave some out."""

    def __init__(self, pieces: Iterator[StringIO]) -> None:
        self._pieces = pieces
        self.before = 0
        """Lines before those of this piece."""
        self.piece: list[str] = []
        self.at = 0
        """Index of the line in this piece that comes next."""

    def more(self) -> bool:
        """Go to the next piece, if there is one."""
        following = next(self._pieces, None)
        if following is None:
            return False
        self.before += len(self.piece)
        self.piece, self.at = list(following), 0
        return True

    @property
    def passed(self) -> int:
        """How many lines were handed out or left out so far."""
        return self.before + self.at

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self.at == len(self.piece) and not self.more():
            raise StopIteration
        self.at += 1
        return self.piece[self.at - 1]


@dataclass
class _Block:
    """A block while it is read, and what went wrong after its last line."""

    numbers: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    keys: dict[int, bytes] = field(default_factory=dict)
    recalled: list[int] = field(default_factory=list)
    tokens: list[Any] = field(default_factory=list)
    failure: Unreadable | None = None

    @property
    def is_empty(self) -> bool:
        return not self.rows and not self.tokens

    def of(self, stream: TextStream) -> Block:
        """Return it as others see it."""
        return Block(self.numbers, self.rows, stream.octets, self.keys, Recalled(self.recalled, self.tokens))

    def take(self, reader: Any, lines: _Lines, stream: TextStream, most: int) -> None:
        """Read every line, up to *most*."""
        enough = stream.octets + BLOCK_OCTETS
        began, rows = lines.passed, self.rows
        try:
            for cells in reader:
                rows.append(cells)
                if len(rows) >= most or stream.octets >= enough:
                    break
        except csv.Error as exc:
            self.failure = _broken(began + 1 + sum(map(_height, rows)), str(exc))
        except Unreadable as exc:
            self.failure = exc
        self.numbers = _numbers(rows, began, lines.passed)

    def sift(self, reader: Any, lines: _Lines, stream: TextStream, known: Mapping[bytes, int]) -> None:
        """Read lines that are not known, some pieces of the file at a time."""
        enough = stream.octets + BLOCK_OCTETS
        try:
            while len(self.rows) < BLOCK_LINES and stream.octets < enough:
                if lines.at == len(lines.piece) and not lines.more():
                    return
                self._sift(reader, lines, known)
        except Unreadable as exc:
            self.failure = exc

    def _sift(self, reader: Any, lines: _Lines, known: Mapping[bytes, int]) -> None:
        """Read what is not known of the rest of one piece, and as much of the next as its last record reaches into."""
        piece, start, first = lines.piece, lines.at, lines.passed + 1
        keys = keys_of(piece[start:])
        tokens = list(map(known.get, keys))
        is_recalled = bytearray(b"\1") * len(tokens)
        for index in [index for index, token in enumerate(tokens) if token is None]:
            is_recalled[index] = False
            if lines.piece is not piece or start + index < lines.at:
                continue
            lines.at = start + index
            self._read_record(reader, first + index)
            ended = lines.at - start if lines.piece is piece else len(tokens) + 1
            if ended == index + 1:
                self.keys[first + index] = keys[index]
            else:  # what looks like a known line is the inside of a cell
                is_recalled[index:ended] = bytes(min(ended, len(tokens)) - index)
        if lines.piece is piece:
            lines.at = len(piece)
        self.recalled += compress(range(first, first + len(tokens)), is_recalled)
        self.tokens += compress(tokens, is_recalled)

    def _read_record(self, reader: Any, number: int) -> None:
        try:
            self.rows.append(next(reader))
        except csv.Error as exc:
            raise _broken(number, str(exc)) from exc
        self.numbers.append(number)


def _broken(line: int, why: str) -> Unreadable:
    if "field larger" in why:
        remedy = "Shorten it; or look for a quotation mark before it that is not closed."
        return refuse(line, why, f"fields of at most {csv.field_size_limit():,} characters", remedy)
    remedy = "Look for a quotation mark that is not closed or not doubled, from this line on."
    return refuse(line, why, "fields whose quotation marks are closed", remedy)


def _numbers(lines: Sequence[Sequence[str]], before: int, after: int) -> list[int]:
    if after - before == len(lines):
        return list(range(before + 1, after + 1))
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
