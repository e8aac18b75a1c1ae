"""What is stored of a source, by the digests of the rows that last spoke of it, and which of it a file states again."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from lifecycle.feed.csv_file import KEY_OCTETS

_log = logging.getLogger(__name__)
DIGEST_OCTETS = 16
"""Of what `lifecycle.domain.comparison.digests_of` returns as hexadecimal digits."""


class Known:
    """The contracts of one source; a million of them fit."""

    def __init__(self, parts: Iterable[Sequence[tuple[Any, ...]]]) -> None:
        """
        Args:
            parts: As `lifecycle.store.roster_contracts.stated` streams them.
        """
        self._places: dict[bytes, int] = {}
        self._ids: list[str] = []
        self._twins: list[tuple[bytes, str]] = []
        self._unsaid: list[str] = []
        """Contracts that no row of a file can state: missing ones, and those that no row has spoken of."""
        for rows in parts:
            self._add(rows)
        self._lines = array("l", bytes(array("l").itemsize * len(self._ids)))
        self._recalled: dict[bytes, int] = {}
        self._learned = bytearray()
        self._meant = bytearray()

    def _add(self, rows: Sequence[tuple[Any, ...]]) -> None:
        said = [row for row in rows if row[0] and not row[2]]
        if len(said) < len(rows):
            self._unsaid += (id_ for digest, id_, is_missing in rows if is_missing or not digest)
        digests = _sliced(bytes.fromhex("".join(row[0] for row in said)), DIGEST_OCTETS)
        ids, places = self._ids, self._places
        if len(set(digests)) == len(digests) and places.keys().isdisjoint(digests):
            places.update(zip(digests, range(len(ids), len(ids) + len(digests)), strict=True))
            ids += (row[1] for row in said)
            return
        for digest, row in zip(digests, said, strict=True):
            if digest in places:
                self._twins.append((digest, row[1]))
            else:
                places[digest] = len(ids)
                ids.append(row[1])

    def place_of(self, digest: str) -> int | None:
        """Return by what place the contract of a row is known; None if no contract is exactly so."""
        return self._places.get(bytes.fromhex(digest))

    def state(self, places: Iterable[int], numbers: Iterable[int]) -> int:
        """Note that some lines state the contracts of some places; return how many are the first that do."""
        lines, first = self._lines, 0
        for place, number in zip(places, numbers, strict=True):
            if not lines[place]:
                lines[place] = number
                first += 1
        return first

    def line_of(self, digest: str) -> int:
        """Return the first line that states the contract of this digest; 0 if there is none."""
        place = self.place_of(digest)
        return 0 if place is None else self._lines[place]

    def unstated(self) -> Iterator[str]:
        """Yield the ids of those running contracts that the file does not state."""
        yield from filter(None, self._unsaid)
        yield from (id_ for id_, line in zip(self._ids, self._lines, strict=True) if id_ and not line)
        yield from (id_ for digest, id_ in self._twins if id_ and not self._lines[self._places[digest]])

    # --- lines ----------------------------------------------------------------------------------------------------

    def recall(self, path: Path, interpretation: str) -> Mapping[bytes, int]:
        """
        Load which lines of an earlier file state contracts that are still the same.

        Args:
            path: Where `remember` has kept that file's lines; it need not exist.
            interpretation: Of the file to be read; lines that meant something under another one are not loaded.

        Returns:
            Key of a line to the place of its contract.
        """
        try:
            keys, digests = _load(path, interpretation)
        except (OSError, ValueError):  # it costs time, and no truth
            return self._recalled
        places = self._places
        self._recalled = {key: places[digest] for key, digest in zip(keys, digests, strict=True) if digest in places}
        return self._recalled

    def learn(self, key: bytes, digest: str) -> None:
        """Note what a line that was read states."""
        self._learned += key
        self._meant += bytes.fromhex(digest)

    def remember(self, path: Path, interpretation: str) -> None:
        """Keep what the lines of this file state, for the next one: those learned, and those recalled and stated."""
        digests, lines = list(self._places), self._lines
        again = [key for key, place in self._recalled.items() if lines[place]]
        meant = b"".join(digests[self._recalled[key]] for key in again)
        parts: list[bytes | bytearray] = [interpretation.encode(), b"".join(again), self._learned, meant, self._meant]
        arriving = path.with_name(f"{path.name}.arriving")
        try:
            arriving.touch(mode=0o600)
            with arriving.open("wb") as file:
                file.write(_check_of(parts))
                file.writelines(parts)
            arriving.replace(path)
        except OSError as exc:  # a full disk costs the next roster time, and this one nothing
            _log.warning("what the lines of %s state is not kept: %s", path.stem, exc)
            arriving.unlink(missing_ok=True)


def _check_of(parts: Iterable[bytes | bytearray | memoryview]) -> bytes:
    check = blake2b()
    for part in parts:
        check.update(part)
    return check.digest()


def _load(path: Path, interpretation: str) -> tuple[Iterator[bytes], Iterator[bytes]]:
    """
    Return keys and digests, one by one: a million lists of both take more memory than what becomes of them.

    Raises:
        ValueError: The file is damaged, or of another interpretation.
    """
    content = path.read_bytes()
    begins = blake2b().digest_size
    if _check_of([memoryview(content)[begins:]]) != content[:begins]:
        raise ValueError(f"{path} is damaged")
    ends = begins + len(interpretation)
    if content[begins:ends] != interpretation.encode():
        raise ValueError(f"{path} is of another interpretation")
    middle = ends + (len(content) - ends) // (KEY_OCTETS + DIGEST_OCTETS) * KEY_OCTETS
    keys = (content[at : at + KEY_OCTETS] for at in range(ends, middle, KEY_OCTETS))
    return keys, (content[at : at + DIGEST_OCTETS] for at in range(middle, len(content), DIGEST_OCTETS))


def _sliced(content: bytes, octets: int) -> list[bytes]:
    return [content[at : at + octets] for at in range(0, len(content), octets)]
