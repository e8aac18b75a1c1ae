"""Reading a file: what says exactly what is stored is dropped by its digest, what says anything new is staged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lifecycle.domain.comparison import Kind
from lifecycle.domain.roster import Cause, Complaint, RosterRow
from lifecycle.domain.row_digest import digests_of
from lifecycle.feed.read import Batch, Reader
from lifecycle.feed.table import refuse
from lifecycle.services.claims import Claim
from lifecycle.services.known import Known
from lifecycle.services.staging import StagedRows
from lifecycle.store import roster_items
from lifecycle.store.searching import search_text
from lifecycle.store.unit import Store

ITEM: dict[str, Any] = {
    "kind": "", "cause": "", "line": 0, "worker_id": "", "reference": "", "name": "", "search": "",
    "identity_id": "", "engagement_id": "", "weight": "", "said": "", "facts": {}, "digest": "",
}  # fmt: skip
"""An item with nothing in it."""


GARBLED = frozenset({Cause.WIDTH, Cause.SHIFTED, Cause.SPOILT_ID, Cause.UNSAFE_TEXT})
"""Causes for which a row may concern somebody else than it seems to."""


@dataclass
class Stager:
    """Stages the rows of one file, batch by batch."""

    store: Store
    claim: Claim
    upload_id: str
    base: str
    """Id of the last import of its source when what is stored was loaded."""
    carried: str
    """The fields that the file has columns for."""
    known: Known
    """What is stored, and of it what the file states."""
    canary: str = ""
    """Worker id that must be in the file."""
    canary_digests: Collection[str] = ()
    """Of the rows that last spoke of that worker."""
    n: int = 0
    untouched: int = 0
    """Rows that say exactly what is stored."""
    unreadable: int = 0
    """Rows that cannot be used and do not even say whom they concern."""
    counts: Counter[str] = field(default_factory=Counter)
    rows: StagedRows = field(default_factory=StagedRows)
    """What says something new."""
    is_ended: bool | None = None
    """Whether the last line of the file has an end, see `Reader.is_ended`."""
    _sung: bool = False
    _new: set[bytes] = field(default_factory=set)

    def run(self, reader: Reader, recalled: Mapping[bytes, int]) -> None:
        """
        Stage every row that says something new, and store every complaint.

        Args:
            reader: Of the file.
            recalled: Lines that state something that is stored, see `Known.recall`.

        Raises:
            Unreadable: Where the file breaks.
        """
        batch = Batch([], [], 0, 0, 0)
        for batch in reader.batches(recalled):
            self._state(batch.recalled.tokens, batch.recalled.numbers)
            self._stage(batch.rows, batch.keys)
            if batch.complaints:
                with self.store.write() as unit:
                    self.claim.keep(unit)
                    roster_items.add_items(unit, list(map(self._complaint, batch.complaints)))
            self.claim.beat_now_and_then(lines=batch.lines, octets=batch.octets)
        if self.canary and not self._sung and not any(map(self.known.line_of, self.canary_digests)):
            remedy = "Ask for the whole report; this one is cut, or is about something else."
            raise refuse(0, "", f"the worker {self.canary} in every file", remedy)
        self._new.clear()
        self.is_ended = reader.is_ended
        self.counts["aside"] = batch.aside
        self.counts["lines"] = batch.lines

    def _state(self, places: Sequence[int], lines: Sequence[int]) -> None:
        first = self.known.state(places, lines)
        self.untouched += first
        if first < len(places):
            self.counts["repeated"] += len(places) - first

    def _stage(self, rows: Sequence[RosterRow], keys: Mapping[int, bytes]) -> None:
        known, new = self.known, self._new
        if self.canary and not self._sung:
            self._sung = any(row.worker_id == self.canary for row in rows)
        for row, digest in zip(rows, digests_of(rows, self.carried), strict=True):
            if key := keys.get(row.line):
                known.learn(key, digest)
            place = known.place_of(digest)
            if place is not None:
                self._state([place], [row.line])
            elif (short := bytes.fromhex(digest)) in new:
                self.counts["repeated"] += 1
            else:
                new.add(short)
                self.n += 1
                self.rows.add(self.n, row, digest)

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
        "search": search_text(complaint.name, complaint.worker_id, complaint.reference, complaint.line),
        "weight": complaint.value[:200],
        "said": f"Expected {complaint.expected}. {complaint.remedy}",
        "facts": {"complaint": _document(complaint)},
    }


def _document(complaint: Complaint) -> Mapping[str, str]:
    names = ("column", "value", "expected", "remedy", "about")
    return {name: getattr(complaint, name)[:1000] for name in names}
