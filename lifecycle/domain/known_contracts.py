"""What is stored of a worker's contracts, and which of them a row of a roster speaks of."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from lifecycle.domain.engagement import Engagement, EngagementId
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.domain.party import key_of
from lifecycle.domain.roster import RosterRow, Standing

AGAIN = "\u2063"
"""Stands between a number and what tells its contracts apart: a sign that nobody sees, and that no cell may hold."""


@dataclass(frozen=True, slots=True)
class StoredContract:
    """What is confirmed already about one engagement, and about the person it belongs to."""

    engagement: Engagement
    identity: Identity
    missing_since: datetime | None = None
    """When a full roster first lacked it; None while it is in all of them."""
    digest: str = ""
    """Of the row that last spoke of it, see `digest_of`."""


class KnownContracts:
    """What is stored, by the keys a row can be matched on."""

    def __init__(self, stored: Iterable[StoredContract], rows: Collection[RosterRow]) -> None:
        self.contracts = tuple(stored)
        numbers = {key_of(row.reference) for row in rows if row.reference}
        starts = {row.first_day for row in rows if not row.reference}
        self.spoken_of = frozenset(
            s.engagement.id
            for s in self.contracts
            if key_of(number_of(s.engagement.reference)) in numbers or s.engagement.first_day in starts
        )
        """Contracts that a row names by number or first day: no row with neither speaks of them."""
        begun = {s.engagement.first_day for s in self.contracts}
        self._unmatched = [row for row in rows if not row.reference and row.first_day not in begun]
        self._nearest: dict[EngagementId, date | None] = {}
        self.by_number: dict[str, list[StoredContract]] = defaultdict(list)
        """By the number that it came with, which contracts before it may have had too."""
        self.by_worker: dict[str, list[StoredContract]] = defaultdict(list)
        for s in self.contracts:
            self.by_number[number_of(s.engagement.reference)].append(s)
            self.by_worker[s.identity.worker_id].append(s)

    def contract_of(self, row: RosterRow, is_over: Callable[[Engagement], bool]) -> StoredContract | None:
        """
        Return the contract that a row speaks of; None where it would be a new one, or another person's.

        Args:
            row: Of one worker.
            is_over: Whether a contract has ended at the instant of the comparison.
        """
        if row.reference:
            return self._numbered(row, is_over)
        of_worker = self.by_worker.get(row.worker_id or "", [])
        same_start = [s for s in of_worker if s.engagement.first_day == row.first_day]
        found = same_start or [s for s in of_worker if self._may_be(row, s)]
        if not found:
            return None
        match = _meant(row, found, is_over)
        return match if same_start or not self._is_somebody_else(row, match, is_over) else None

    def _may_be(self, row: RosterRow, known: StoredContract) -> bool:
        """Say whether a row without a number, and with another first day, speaks of a contract."""
        if row.first_day is None:
            return True
        id_ = known.engagement.id
        if id_ in self.spoken_of or not _fits(row, known):
            return False
        if id_ not in self._nearest:
            self._nearest[id_] = _nearest(self._unmatched, known)
        return self._nearest[id_] == row.first_day

    def _numbered(self, row: RosterRow, is_over: Callable[[Engagement], bool]) -> StoredContract | None:
        """Return the contract with the row's number: of several that had it, whose name it has, else the last one."""
        numbered = self.by_number.get(row.reference or "") or self._numbered_in_other_case(row)
        found = [s for s in numbered if row.worker_id in {s.identity.worker_id, None, ""}]
        if not found:
            return None
        match = max(found, key=lambda s: (row.name is not None and is_called(s, row), s.engagement.first_day))
        return None if self._is_somebody_else(row, match, is_over) else match

    def _numbered_in_other_case(self, row: RosterRow) -> list[StoredContract]:
        number = key_of(row.reference or "")
        of_worker = self.by_worker.get(row.worker_id or "", [])
        return [s for s in of_worker if key_of(number_of(s.engagement.reference)) == number]

    @staticmethod
    def _is_somebody_else(row: RosterRow, known: StoredContract, is_over: Callable[[Engagement], bool]) -> bool:
        """Say whether the keys of a contract that is over have come back for another person."""
        other_start = row.first_day is not None and row.first_day != known.engagement.first_day
        return other_start and row.name is not None and not is_called(known, row) and is_over(known.engagement)

    def free_reference(self, row: RosterRow) -> str:
        """Name a new contract; a number that somebody else's contract had before gets one of its own behind it."""
        name = new_reference(row)
        taken = [_turn_of(s.engagement.reference) for s in self.by_number.get(name, ())]
        return f"{name}{AGAIN}({max(taken) + 1})" if taken else name

    def taken_by(self, row: RosterRow) -> StoredContract | None:
        """Return the contract of another worker that has this row's number."""
        theirs = self.by_number.get(row.reference or "", ()) if row.worker_id else ()
        return next((s for s in theirs if s.identity.worker_id != row.worker_id), None)

    def person_of(self, row: RosterRow) -> IdentityId | None:
        """Return whoever had this worker id under this very name."""
        of_worker = self.by_worker.get(row.worker_id or "", [])
        return next((s.identity.id for s in of_worker if is_called(s, row)), None)

    def holder_of(self, row: RosterRow, is_over: Callable[[Engagement], bool]) -> StoredContract | None:
        """Return a contract of somebody else who has this worker id now, or one that differs from it in case only."""
        key = key_of(row.worker_id or "")
        for s in self.contracts:
            alike = key_of(s.identity.worker_id) == key
            same = s.identity.worker_id == row.worker_id and (is_called(s, row) or is_over(s.engagement))
            if alike and not same:
                return s
        return None


def _meant(row: RosterRow, found: Sequence[StoredContract], is_over: Callable[[Engagement], bool]) -> StoredContract:
    """Return which of several contracts a row speaks of: one that runs, and an end without a first day the first."""
    alive = [s for s in found if s.engagement.standing is Standing.RUNNING and not is_over(s.engagement)] or found
    if row.first_day is None and row.standing in {Standing.ENDED, Standing.CONVERTED}:
        return min(alive, key=lambda s: s.engagement.first_day)
    return max(alive, key=lambda s: s.engagement.last_day)


def _nearest(rows: Iterable[RosterRow], known: StoredContract) -> date | None:
    """Return the first day nearest to that of a contract among rows that fit it: two of them are two contracts."""
    begins = known.engagement.first_day
    fitting = {row.first_day for row in rows if row.first_day and _fits(row, known)}
    return min(fitting, key=lambda day: (abs(day - begins), day), default=None)


def _fits(row: RosterRow, known: StoredContract) -> bool:
    """Say whether a row without a number can speak of a contract: of the same vendor, on days that overlap."""
    e = known.engagement
    if row.vendor and e.vendor and key_of(row.vendor) != key_of(e.vendor):
        return False
    if row.first_day is None or row.first_day > e.last_day:
        return False
    return row.last_day is None or row.last_day >= e.first_day


def number_of(reference: str) -> str:
    """Return the number that a contract came with, see `KnownContracts.free_reference`."""
    return reference.partition(AGAIN)[0]


def _turn_of(reference: str) -> int:
    """Say as which contract to have its number it came, from 1."""
    turn = reference.partition(AGAIN)[2].strip("()")
    return int(turn) if turn else 1


def is_called(stored: StoredContract, row: RosterRow) -> bool:
    """Say whether the owner of a contract has the row's name, in whatever case."""
    return key_of(stored.identity.name) == key_of(row.name or "")


def is_another(row: RosterRow, identity: Identity) -> bool:
    """Say whether a row has another person's name, not one word of which is known, and no address that is known."""
    if row.name is None or (row.email and key_of(row.email) == key_of(identity.email)):
        return False
    said, known = _words(row.name), _words(identity.name)
    return bool(said and known) and not said & known


def _words(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", key_of(name)))


def new_reference(row: RosterRow) -> str:
    """Name a new contract: its own number, or worker id and first day where the feed has no numbers."""
    return row.reference or f"{row.worker_id}/{row.first_day}"
