"""JSON: a list of workers, such a list under one key, or one worker a line; read worker by worker."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, Never

from lifecycle.feed.decoding import TextStream
from lifecycle.feed.table import Block, Cell, FileLimits, Spoilt, Unreadable, refuse, shown

FIRST_RECORDS = 50
BLOCK_RECORDS = 5_000
BLOCK_OCTETS = 4 * 2**20
LONGEST_RECORD = 2**20
"""Characters of one worker."""
MOST_KEYS = 1_000
LISTS = ("Report_Entry", "Resources", "records", "workers", "value", "data", "items", "results", "entries")
"""Keys under which a list of workers stands: Workday's, SCIM's, and the usual ones."""
ENVELOPE = re.compile(
    r'\{\s*(?:"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[-+.0-9eE]+|true|false|null|\[\s*+(?:"[^"\\]*"\s*+(?:,\s*+)?)*+\])\s*,\s*)*?'
    rf'"(?:{"|".join(LISTS)})"\s*:\s*\['
)
ANOTHER = re.compile(rf'\s*,\s*"(?:{"|".join(LISTS)})"\s*:\s*\[\s*[^\]\s]')
"""A second such list right behind the first."""
NO_TEXT = "Ask whoever writes the file to put text there, or match the column that holds it."
A_LIST = Spoilt("a list", NO_TEXT)
AN_OBJECT = Spoilt("an object", NO_TEXT)
SPACE = re.compile(r"[ \t\r\n]*")


class _Ambiguous(ValueError):
    """A key stands twice in one object."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Ambiguous("a key that stands twice")
    return found


def _no_number(name: str) -> Never:
    raise _Ambiguous(name)


DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=str, parse_float=str, parse_constant=_no_number)


class JsonFile:
    """One JSON file as a table: keys are the header, and a worker's place in the list is its line."""

    typed = True

    def __init__(
        self,
        path: Path,
        *,
        optional: Sequence[str],
        limits: FileLimits,
        texts: Collection[str] = (),
        words: Collection[str] = (),
    ) -> None:
        self._path = path
        self._texts = frozenset(texts)
        """Columns in which a truth value, a list or an object is no text, and is not to be believed."""
        self._words = frozenset(words)
        """Columns in which a truth value is a word, but a list or an object is nothing."""
        self._optional = optional
        """Columns that the header has even when no worker at the beginning of the file has them: many programs leave
        out what is empty."""
        self._limits = limits

    def blocks(self) -> Generator[Block, None, None]:
        """
        Read from the start; line 0 is the header.

        Raises:
            Unreadable: No JSON, broken, or no list of objects.
        """
        with self._path.open("rb") as file:
            stream = TextStream(file, "utf-8", self._limits)
            records = self._records(stream)
            first = [record for _, record in zip(range(FIRST_RECORDS), records, strict=False)]
            if not first:
                return
            header = list(dict.fromkeys(key for record in first for key in record))
            header += [column for column in self._optional if column not in header]
            yield Block(range(len(first) + 1), [header, *(_line(record, header) for record in first)], stream.octets)
            number, lines, enough = len(first), [], stream.octets + BLOCK_OCTETS
            for record in records:
                number += 1
                lines.append(_line(record, header))
                if len(lines) == BLOCK_RECORDS or stream.octets >= enough:
                    yield Block(range(number - len(lines) + 1, number + 1), lines, stream.octets)
                    lines, enough = [], stream.octets + BLOCK_OCTETS
            if lines:
                yield Block(range(number - len(lines) + 1, number + 1), lines, stream.octets)

    def _records(self, stream: TextStream) -> Iterator[dict[str, Cell]]:
        window = _Window(stream)
        opened = window.open()
        number = 0
        while window.has_more(opened, first=number == 0):
            number += 1
            yield self._flat(window.value(number), number)

    def _flat(self, value: Any, number: int) -> dict[str, Cell]:
        if not isinstance(value, dict):
            remedy = "Send a list of objects, one for each contract."
            raise refuse(number, shown(str(value)), "an object", remedy)
        found: dict[str, Cell] = {}
        waiting: list[tuple[str, dict[str, Any]]] = [("", value)]
        while waiting:
            prefix, members = waiting.pop(0)
            for key, member in members.items():
                name = f"{prefix}{key.strip()}"
                if isinstance(member, dict):
                    waiting.append((f"{name}.", member))
                if isinstance(member, dict | list):
                    if name not in self._texts and name not in self._words:
                        continue
                    cell: Cell = A_LIST if isinstance(member, list) else AN_OBJECT
                else:
                    cell = self._cell(member, name)
                if name in found or len(found) >= MOST_KEYS:
                    remedy = "Ask whoever writes the file to export it again."
                    raise refuse(number, shown(name), f"each key once, and at most {MOST_KEYS:,}", remedy)
                found[name] = cell
        return found

    def _cell(self, value: str | bool | None, name: str) -> Cell:
        if isinstance(value, str):
            return value
        if value is None:
            return ""
        word = str(value).lower()
        return Spoilt(f"{word} (a truth value)", NO_TEXT) if name in self._texts else word


def _line(record: dict[str, Cell], header: Sequence[str]) -> list[Cell]:
    return [record.get(key, "") for key in header]


class _Window:
    """The part of the text that has been read and not yet understood."""

    def __init__(self, stream: TextStream) -> None:
        self._texts = stream.texts()
        self._envelope = ""
        """What stands around the list, up to its first worker."""
        self._text = ""
        self._at = 0

    def _more(self) -> bool:
        piece = next(self._texts, None)
        if piece is None:
            return False
        self._text, self._at = self._text[self._at :] + piece, 0
        return True

    def _peek(self) -> str:
        """Return the next character that is no blank; empty at the end."""
        while True:
            blank = SPACE.match(self._text, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def open(self) -> str:
        """Go to the first worker; return what closes the list, empty for one worker a line."""
        sign = self._peek()
        if sign == "[":
            self._at += 1
            return "]"
        while len(self._text) - self._at < LONGEST_RECORD and self._more():
            pass
        envelope = ENVELOPE.match(self._text, self._at)
        if envelope is None:
            return ""
        self._envelope, self._at = envelope[0], envelope.end()
        return "]}"

    def has_more(self, closing: str, *, first: bool) -> bool:
        """Go to the next worker."""
        sign = self._peek()
        if not closing:
            return sign != ""
        if sign == "]":
            self._close(closing)
            return False
        if not first:
            if sign != ",":
                raise _broken("a list that ends")
            self._at += 1
            self._peek()
        return True

    def _close(self, closing: str) -> None:
        """Make sure that the file ends as it should: one that does not has been cut off."""
        self._at += 1
        while len(self._text) - self._at < LONGEST_RECORD and self._more():
            pass
        rest = self._text[self._at :]
        if closing == "]":
            if rest.strip(" \t\r\n"):
                raise _broken("nothing after the list")
        elif ANOTHER.match(rest):  # it may be longer than what is read here
            raise _ambiguous("two lists of workers", expected="one list of workers")
        else:
            self._check_envelope(rest)

    def _check_envelope(self, rest: str) -> None:
        """Refuse what would say more than the one list of workers, and an object that does not end."""
        try:
            around = json.loads(f"{self._envelope}]{rest}", object_pairs_hook=_pairs)
        except _Ambiguous as exc:
            raise _ambiguous(str(exc)) from exc
        except (ValueError, RecursionError) as exc:
            raise _broken("an object that ends") from exc
        if any(isinstance(around.get(key), list) and around[key] for key in LISTS):
            raise _ambiguous("two lists of workers", expected="one list of workers")

    def value(self, number: int) -> Any:
        """Read one worker."""
        while True:
            try:
                value, at = DECODER.raw_decode(self._text, self._at)
            except _Ambiguous as exc:
                raise _ambiguous(str(exc), number) from exc
            except RecursionError as exc:
                raise _broken("an object that is not nested a thousand times", number) from exc
            except ValueError as exc:
                if len(self._text) - self._at > LONGEST_RECORD or not self._more():
                    raise _broken("whole objects", number) from exc
                continue
            if at == len(self._text) and not isinstance(value, dict) and self._more():
                continue
            self._at = at
            return value


def _broken(expected: str, number: int = 0) -> Unreadable:
    remedy = "The file is damaged or cut off; ask the vendor to export it again."
    return refuse(number, "broken JSON", expected, remedy)


def _ambiguous(
    found: str, number: int = 0, *, expected: str = "an object whose keys and numbers are plain"
) -> Unreadable:
    return refuse(number, found, expected, "Ask whoever writes the file to export it again.")
