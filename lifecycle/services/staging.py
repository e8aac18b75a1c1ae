"""Rows between reading and comparing: kept packed, for there may be a million, and handed out worker by worker."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from lifecycle.domain.comparison import contested
from lifecycle.domain.roster import RosterRow
from lifecycle.store.roster_items import Staged, facts_of, row_of

ROWS_AT_ONCE = 2_000
BETWEEN = "\x1f"
"""No id that can be read has it in it, and it sorts before everything that has."""
_pack = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class StagedRows:
    """The rows of one file that say something new."""

    def __init__(self) -> None:
        self._rows: list[str] = []
        """Worker, number and all the rest: in one text a row takes half the memory, and texts sort as rows do."""
        self._references = array("q")
        """Hashes; 0 where there is none. A few that meet by chance cost time and no truth."""
        self._nameless: dict[int, str] = {}
        """Index of a row that names no worker to the contract that it names."""

    def add(self, n: int, row: RosterRow, digest: str) -> None:
        """Stage a row under a number of its own."""
        worker_id, reference = row.worker_id or "", row.reference or ""
        if reference and not worker_id:
            self._nameless[len(self._rows)] = reference
        self._references.append(hash(reference) if reference else 0)
        rest = _pack([row.line, digest, *facts_of(row)])
        self._rows.append(f"{worker_id}{BETWEEN}{n:08x}{BETWEEN}{rest}")

    @property
    def references(self) -> Iterable[str]:
        """The contracts that rows name which name no worker."""
        return self._nameless.values()

    def name_workers(self, owners: Mapping[str, str]) -> None:
        """Put rows that name no worker to those of whoever has the contract that they name."""
        for index, reference in self._nameless.items():
            self._rows[index] = owners.get(reference, "") + self._rows[index]

    def contested(self) -> frozenset[str]:
        """Return the contract numbers that several workers have."""
        hashes = sorted(self._references)
        twice = {one for one, other in pairwise(hashes) if one == other} - {0}
        if not twice:
            return frozenset()
        rows = (_staged(self._rows[index]) for index, one in enumerate(self._references) if one in twice)
        return contested((one.row.reference or "", one.worker_id) for one in rows if one.worker_id)

    def pages(self) -> Iterator[list[Staged]]:
        """Yield the rows, some thousands at a time, those of one worker together and as they come in the file; once."""
        rows, self._rows = self._rows, []
        rows.sort(reverse=True)
        page: list[Staged] = []
        while rows:
            one = _staged(rows.pop())
            if len(page) >= ROWS_AT_ONCE and page[-1].worker_id != one.worker_id:
                yield page
                page = []
            page.append(one)
        if page:
            yield page


def _staged(row: str) -> Staged:
    worker_id, n, rest = row.split(BETWEEN, 2)
    line, digest, *facts = json.loads(rest)
    return Staged(int(n, 16), worker_id, row_of(facts, line), digest)
