"""Reading a file into staged rows: what says exactly what is stored is dropped on the way, by its digest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lifecycle.domain.comparison import Kind, digests_of
from lifecycle.domain.roster import Cause, Complaint, RosterRow
from lifecycle.feed.read import Batch, Reader
from lifecycle.feed.table import refuse
from lifecycle.store import rosters
from lifecycle.store.unit import Store

ITEM: dict[str, Any] = {
    "kind": rosters.STAGED, "cause": "", "line": 0, "worker_id": "", "reference": "", "name": "", "search": "",
    "identity_id": "", "engagement_id": "", "weight": "", "said": "", "facts": {}, "digest": "",
}  # fmt: skip
"""An item with nothing in it."""


GARBLED = frozenset({Cause.WIDTH, Cause.SPOILT_ID, Cause.UNSAFE_TEXT})
"""Causes for which a row may concern somebody else than it seems to."""


@dataclass
class Stager:
    """Stages the rows of one file, batch by batch."""

    store: Store
    upload_id: str
    carried: str
    """The fields that the file has columns for."""
    seen: dict[str, int]
    """Digests of what is stored; to 0 until the file states it, then to the line that does."""
    advance: Callable[[int, int], None]
    """Told lines and octets read so far; raises when somebody else reads this file now."""
    canary: str = ""
    """Worker id that must be in the file."""
    n: int = 0
    known: int = 0
    """Rows that say exactly what is stored."""
    unreadable: int = 0
    """Rows that cannot be used and do not even say whom they concern."""
    counts: Counter[str] = field(default_factory=Counter)
    _sung: bool = False
    _new: set[str] = field(default_factory=set)

    def run(self, reader: Reader) -> None:
        """
        Stage everything that says something new, and every complaint.

        Raises:
            Unreadable: Where the file breaks.
        """
        batch = Batch([], [], 0, 0, 0)
        for batch in reader.batches():
            items = [*self._rows(batch.rows), *map(self._complaint, batch.complaints)]
            if items:
                with self.store.write() as unit:
                    rosters.add_items(unit, items)
            self.advance(batch.lines, batch.octets)
        if self.canary and not self._sung:
            remedy = "Ask for the whole report; this one is cut, or is about something else."
            raise refuse(0, "", f"the worker {self.canary} in every file", remedy)
        self.counts["aside"] = batch.aside
        self.counts["lines"] = batch.lines

    @property
    def stated(self) -> set[str]:
        """Digests of what is stored and stands in the file exactly so."""
        return {digest for digest, line in self.seen.items() if line}

    def _rows(self, rows: Sequence[RosterRow]) -> list[dict[str, Any]]:
        staged, seen, new = [], self.seen, self._new
        if self.canary and not self._sung:
            self._sung = any(row.worker_id == self.canary for row in rows)
        for row, digest in zip(rows, digests_of(rows, self.carried), strict=True):
            line = seen.get(digest)
            if line == 0:
                seen[digest] = row.line
                self.known += 1
            elif line is not None or digest in new:
                self.counts["repeated"] += 1
            else:
                new.add(digest)
                staged.append(self._staged(row, digest))
        return staged

    def _staged(self, row: RosterRow, digest: str) -> dict[str, Any]:
        self.n += 1
        worker_id, name = row.worker_id or "", row.name or ""
        return {
            **ITEM, "upload_id": self.upload_id, "n": self.n, "line": row.line, "worker_id": worker_id, "name": name,
            "reference": row.reference or "", "facts": {"row": rosters.facts_of(row)}, "digest": digest,
            "search": f"{name} {worker_id} {row.reference or ''} {row.line}".casefold(),
        }  # fmt: skip

    def _complaint(self, complaint: Complaint) -> dict[str, Any]:
        self.n += 1
        if complaint.cause in GARBLED or not (complaint.worker_id or complaint.reference):
            self.unreadable += 1
        return {**ITEM, "upload_id": self.upload_id, "n": self.n, **complained(complaint)}


def complained(complaint: Complaint, kind: Kind = Kind.UNUSABLE) -> dict[str, Any]:
    """Return the columns of an item that says why a row cannot be used, or should be looked at."""
    return {
        "kind": kind.value,
        "cause": (complaint.cause or Cause.OTHER).value,
        "line": complaint.line,
        "worker_id": complaint.worker_id,
        "reference": complaint.reference,
        "name": complaint.name,
        "search": f"{complaint.name} {complaint.worker_id} {complaint.reference} {complaint.line}".casefold(),
        "weight": complaint.value[:200],
        "said": f"Expected {complaint.expected}. {complaint.remedy}",
        "facts": {"complaint": _document(complaint)},
    }


def _document(complaint: Complaint) -> Mapping[str, str]:
    names = ("column", "value", "expected", "remedy")
    return {name: getattr(complaint, name)[:1000] for name in names}
