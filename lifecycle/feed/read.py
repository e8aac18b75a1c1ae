"""Reading a roster file: rows as they come, and complaints about what cannot be used."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import chain
from operator import attrgetter
from pathlib import Path

from lifecycle.domain.roster import Choice, Complaint, Repairs, RosterRow
from lifecycle.feed.careful import CarefulReader, Left
from lifecycle.feed.csv_file import CsvFile
from lifecycle.feed.header import Header, find_header
from lifecycle.feed.kinds import source_of
from lifecycle.feed.meaning import Meaning
from lifecycle.feed.profile import Profile
from lifecycle.feed.quick import QuickReader
from lifecycle.feed.table import (
    Block,
    Cell,
    FileLimits,
    Recalled,
    Source,
    Unreadable,
    refuse,
    too_large,
    too_many_rows,
)

__all__ = ["Batch", "FileLimits", "Reader", "Unreadable", "read_roster"]


@dataclass
class Batch:
    """What some lines of a file hold."""

    rows: list[RosterRow]
    complaints: list[Complaint]
    lines: int
    """Lines with something in them read so far, the header not counted."""
    octets: int
    """Bytes read so far."""
    aside: int
    """Rows left aside so far: not yet approved, or of people whom no contract binds."""
    keys: Mapping[int, bytes] = field(default_factory=dict)
    """Number of a line to its key, for lines that can be recalled when they come again."""
    recalled: Recalled = field(default_factory=Recalled)
    """Lines that were not read, because they are known."""


def read_roster(
    path: Path,
    profile: Profile,
    repairs: Repairs = Repairs(),  # noqa: B008 - frozen
    limits: FileLimits = FileLimits(),  # noqa: B008 - frozen
) -> Reader:
    """
    Open a roster file; CSV, XLSX or JSON by its content.

    Args:
        path: The file, which must not change while it is read.
        profile: How it is laid out.
        repairs: What a person has said about rows that could not be used.
        limits: How much is read before the file is refused.

    Raises:
        Unreadable: It is no roster of this layout.
    """
    size = path.stat().st_size
    if size > limits.largest_bytes:
        raise too_large(size, limits)
    source = source_of(path, profile, limits)
    blocks = source.blocks()
    first = next(blocks, None)
    if first is None or not any(map(_says_something, first.lines)):
        raise refuse(0, "", "a header line and at least one row", "The file is empty; ask the vendor to send it again.")
    header = find_header(first, profile)
    return Reader(source, chain([first], blocks), header, profile, repairs, limits)


class Reader:
    """One file, read from its start whenever `batches` is called."""

    def __init__(
        self,
        source: Source,
        begun: Iterator[Block],
        header: Header,
        profile: Profile,
        repairs: Repairs,
        limits: FileLimits,
    ) -> None:
        self.header = list(header.cells)
        self.header_line = header.line
        self.lines = 0
        self.aside = 0
        self.complained = 0
        """Rows with complaints."""
        self._source = source
        self._begun: Iterator[Block] | None = begun
        """What was opened to find the header: a workbook takes long to look through, and once is enough."""
        self._begins = header.at + 1
        self._limits = limits
        self._said = (
            profile,
            replace(
                repairs, choice=Choice.UNSAID, holder=Choice.UNSAID, lines={}, same_people=False, converted=frozenset()
            ),
            self.header,
        )
        self._meaning = Meaning(profile, repairs, header.cells)
        self._quick = QuickReader(self._meaning, typed=source.typed)
        self._careful = CarefulReader(self._meaning)

    @property
    def interpretation(self) -> str:
        """
        Name all that decides what a line means: layout, repairs, header and this code.

        Where two readers have one name for it, the same line is the same row to both.
        """
        return blake2b(repr((*self._said, _CODE)).encode(), digest_size=16).hexdigest()

    @property
    def is_ended(self) -> bool | None:
        """Whether the last line of what was read has an end; None where the file is not made of lines."""
        return self._source.is_ended if isinstance(self._source, CsvFile) else None

    def batches(self, known: Mapping[bytes, int] | None = None) -> Iterator[Batch]:
        """
        Read the rows, some thousands at a time.

        Args:
            known: Key of a line to a token, for lines that `interpretation` has made a row of before: where they come
                again they are recalled, not read. None: every line is read.

        Raises:
            Unreadable: The file breaks, is too large, or has no rows; nothing of what was read before counts.
        """
        self.lines = self.aside = self.complained = blank = 0
        begins = self._begins
        for block in self._blocks(known):
            lines = block.lines[begins:]
            batch = self._batch(block.numbers[begins:], lines, block)
            begins = 0
            blank += len(lines) + len(block.recalled.numbers) - batch.lines
            self.lines += batch.lines
            self.aside += batch.aside
            if max(self.lines, blank) > self._limits.most_rows:
                raise too_many_rows(self._limits)
            batch.lines, batch.aside = self.lines, self.aside
            yield batch
        if not self.lines:
            remedy = "There is only a header. An empty roster is never taken to mean that everybody has left."
            raise refuse(0, "no rows", "at least one row", remedy)

    def lines_as_they_stand(self) -> Iterator[tuple[int, Sequence[Cell]]]:
        """
        Yield number and cells of each line below the header, blank ones included.

        Raises:
            Unreadable: Where the file breaks.
        """
        begins = self._begins
        for block in self._blocks(None):
            yield from zip(block.numbers[begins:], block.lines[begins:], strict=True)
            begins = 0

    def _blocks(self, known: Mapping[bytes, int] | None) -> Iterator[Block]:
        if known is not None and isinstance(self._source, CsvFile):
            return self._source.blocks(known)
        begun, self._begun = self._begun, None
        return begun or self._source.blocks()

    def _batch(self, numbers: Sequence[int], lines: Sequence[Sequence[Cell]], block: Block) -> Batch:
        taken = self._quick.read(numbers, lines)
        count = len(lines) + len(block.recalled.numbers)
        batch = Batch(taken.rows, [], count, block.octets, taken.aside, block.keys, block.recalled)
        before = len(batch.rows)
        for index in taken.odd:
            found = self._careful.read(numbers[index], lines[index])
            if found is Left.BLANK:
                batch.lines -= 1
            elif found is Left.ASIDE:
                batch.aside += 1
            elif isinstance(found, RosterRow):
                batch.rows.append(found)
            else:
                batch.complaints += found
                self.complained += 1
        if len(batch.rows) > before:
            batch.rows.sort(key=attrgetter("line"))
        return batch


def _code() -> str:
    """Return a digest of the code that reads: after an update, what lines meant before is no longer known."""
    digest = blake2b(sys.version.encode(), digest_size=16)
    here = Path(__file__).parent
    for path in sorted([*here.glob("*.py"), *(here.parent / "domain").glob("*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


_CODE = _code()
"""As it was when it was imported: an update that lies beside a process that runs is not what reads in it."""


def _says_something(cells: Sequence[Cell]) -> bool:
    return any(cell.strip() if isinstance(cell, str) else True for cell in cells)
