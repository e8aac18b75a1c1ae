"""What the rows of a roster would change in what is stored, worker by worker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from lifecycle.domain.contradiction import one_contract, one_person
from lifecycle.domain.engagement import Engagement, EngagementId
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.domain.known_contracts import KnownContracts, StoredContract, is_another, number_of
from lifecycle.domain.merging import ended_by_absence, facts_of, merge
from lifecycle.domain.party import key_of
from lifecycle.domain.roster import (
    Cause,
    Complaint,
    Repairs,
    RosterRow,
    Standing,
    complaint_about,
)


class Kind(StrEnum):
    """What one row does."""

    NEW = "new"
    SOONER = "sooner"
    """The last day comes sooner."""
    LATER = "later"
    CHANGED = "changed"
    SAME = "same"
    """Everything is stored already."""
    MISSING = "missing"
    """Stored, not over, and for the first time not in a full roster. Nobody loses access by that."""
    GONE = "gone"
    """Missing from a second full roster a day or more after the first: the contract ends."""
    UNUSABLE = "unusable"
    NOTE = "note"
    """Used as it stands, though somebody should look."""


WEIGHED = (Kind.NEW, Kind.SOONER, Kind.LATER, Kind.CHANGED, Kind.GONE)
"""Kinds of rows that change a contract."""
SPEAKS_OF_KNOWN = (Kind.SOONER, Kind.LATER, Kind.CHANGED, Kind.SAME)
"""Kinds of rows about contracts that are stored; an absence is no row."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One fact that differs: as it is stored, and as the roster has it."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """What one row of a roster, or the absence of one, would do."""

    kind: Kind
    row: RosterRow | None = None
    """None where the roster has none."""
    stored: StoredContract | None = None
    """None for a new contract, and where it is not certain which one an unusable row is about."""
    after: Engagement | None = None
    """The contract as it would be; ids of a new one are empty. None where nothing becomes of it."""
    identity_id: IdentityId | None = None
    """Of the person, when known already."""
    changes: tuple[FieldChange, ...] = ()
    complaint: Complaint | None = None


@dataclass(frozen=True)
class Comparing:
    """What holds for every row of one roster."""

    source: str
    today: Callable[[str], date]
    """The day it is now in a zone (IANA name)."""
    is_over: Callable[[Engagement], bool]
    """Whether a contract has ended at the instant of the comparison."""
    partial: bool = False
    """Whether its rows only change contracts that are known."""
    says_standing: bool = False
    """Whether it has a column that says whether a contract runs."""
    repairs: Repairs = field(default=Repairs())
    zeros: Mapping[str, str] = field(default_factory=dict)
    """Worker ids that are known and begin with zeros, by what is left when a spreadsheet has eaten them."""
    contested: frozenset[str] = frozenset()
    """Contract numbers that several workers of this roster have."""
    overtaken: frozenset[str] = frozenset()
    """Ids of contracts that a file made later has spoken of already."""


def compare_worker(
    rows: Sequence[RosterRow],
    stored: Sequence[StoredContract],
    seen: Mapping[EngagementId, int],
    comparing: Comparing,
) -> Iterator[Change]:
    """
    Say what the rows about one worker would change.

    A row is matched by the contract's number; where the feed has none, by the first day, else by the days of a contract
    with the same vendor that no other row speaks of. One that begins and ends later than such a contract, which has
    begun, carries it on; one whose days lie outside is a new contract of the same person. A worker id that comes back
    under another name and with another first day after its contracts are over is another person, whatever the
    contract's number.

    Args:
        rows: All rows about one worker that say anything new.
        stored: All contracts of this worker, and those whose numbers the rows name.
        seen: Stored contracts that another row of the same roster states exactly as they are, with its line.
        comparing: What holds for the whole roster.
    """
    repeated = [_as_stored(s, seen[s.engagement.id]) for s in stored if s.engagement.id in seen]
    known = KnownContracts(stored, (*rows, *repeated))
    mine = {row.line for row in rows}
    present = [row for row in (*rows, *repeated) if not _is_history(row, known, comparing)]
    history = [row for row in (*rows, *repeated) if _is_history(row, known, comparing)]
    counted = one_person(present, comparing.repairs)
    if isinstance(counted, dict):
        about = {row.line: known.contract_of(row, comparing.is_over) for row in present}
        yield from (_unusable(row, counted[row.line], about[row.line]) for row in present if row.line in mine)
        counted = []
    counted += history
    for group in _by_contract(counted, known, comparing).values():
        chosen = one_contract(group, comparing.repairs)
        if isinstance(chosen, dict):
            match = known.contract_of(group[0], comparing.is_over)
            yield from (_unusable(row, chosen[row.line], match) for row in group if row.line in mine)
        elif chosen.line in mine:
            yield _compare(chosen, known, comparing)


def compare_absent(stored: StoredContract, comparing: Comparing, now: datetime, patience: timedelta) -> Change | None:
    """
    Say what it means that a full roster lacks a stored contract; None when it means nothing (any more).

    Within *patience* of the first absence another one says nothing new: it is shown, and the first one counts.

    Args:
        stored: Of the roster's source and scope.
        comparing: What holds for the whole roster.
        now: Aware.
        patience: How long a contract must have been missing before a second absence ends it.
    """
    engagement = stored.engagement
    if comparing.is_over(engagement) or engagement.standing is not Standing.RUNNING:
        return None
    if stored.missing_since is None:
        return Change(Kind.MISSING, stored=stored, after=engagement, identity_id=stored.identity.id)
    if now - stored.missing_since < patience:
        return Change(Kind.MISSING, stored=stored, after=engagement, identity_id=stored.identity.id)
    after = ended_by_absence(engagement, comparing.today)
    change = FieldChange("last_day", engagement.last_day.isoformat(), after.last_day.isoformat())
    return Change(Kind.GONE, stored=stored, after=after, identity_id=stored.identity.id, changes=(change,))


def _is_history(row: RosterRow, known: KnownContracts, comparing: Comparing) -> bool:
    """Say whether a row is about a contract that is over: whoever had the worker id then need not have it now."""
    match = known.contract_of(row, comparing.is_over)
    if match is not None:
        return comparing.is_over(match.engagement)
    return row.last_day is not None and row.last_day < comparing.today(row.zone or "UTC") - timedelta(days=1)


def _by_contract(rows: Iterable[RosterRow], known: KnownContracts, comparing: Comparing) -> dict[str, list[RosterRow]]:
    """Gather the rows about one contract: those with its number, and without numbers those with one first day."""
    groups: dict[str, list[RosterRow]] = defaultdict(list)
    begun: dict[date | None, str] = {}
    for row in sorted(rows, key=lambda row: row.line):
        match = known.contract_of(row, comparing.is_over)
        key = match.engagement.id if match else key_of(row.reference or "") or f"/{row.first_day}"
        if not row.reference:
            key = begun.setdefault(row.first_day, key)
        groups[key].append(row)
    return groups


def _compare(row: RosterRow, known: KnownContracts, comparing: Comparing) -> Change:
    match = known.contract_of(row, comparing.is_over)
    if match is not None:
        return _changed(_carried_on(row, match.engagement, comparing), match, comparing)
    taken = known.taken_by(row)
    if taken is not None or (row.reference or "") in comparing.contested:
        whose = (
            f"of worker {taken.identity.worker_id}, confirmed before" if taken else "of several workers in this file"
        )
        expected = f"a number of its own, but {row.reference} is that {whose}"
        remedy = "Ask the vendor which contract this is, and correct the number or the worker id."
        return _unusable(row, complaint_about(row, Cause.TAKEN, "reference", row.reference or "", expected, remedy))
    if comparing.partial:
        remedy = "Send the file that adds contracts first, or correct the number."
        value = row.reference or row.worker_id or ""
        return _unusable(
            row, complaint_about(row, Cause.NOT_KNOWN, "reference", value, "a contract that is known", remedy)
        )
    whole = comparing.zeros.get(row.worker_id or "")
    if whole:
        remedy = "Format the column as text in the spreadsheet and enter the ids again."
        expected = f"an id of its own; {whole} is known, and this is what is left without its zeros"
        return _unusable(row, complaint_about(row, Cause.SPOILT_ID, "worker_id", row.worker_id or "", expected, remedy))
    return _joins(row, known, comparing)


def _carried_on(row: RosterRow, before: Engagement, comparing: Comparing) -> RosterRow:
    """Return the row; where it carries on a contract that has begun, with the first day that this one has."""
    if row.reference or row.first_day is None or row.last_day is None:
        return row
    has_begun = before.first_day <= comparing.today(before.zone or "UTC")
    goes_on = has_begun and row.first_day > before.first_day and row.last_day > before.last_day
    return row._replace(first_day=before.first_day) if goes_on else row


def _joins(row: RosterRow, known: KnownContracts, comparing: Comparing) -> Change:
    nothing = Change(Kind.SAME, row)
    if row.standing in {Standing.WITHDRAWN, Standing.CONVERTED} or row.first_day is None or row.last_day is None:
        return nothing  # nothing ever came of it, or nothing here ever will
    last_day = row.last_day
    if row.standing is Standing.ENDED:
        last_day = min(last_day, comparing.today(row.zone or "UTC") - timedelta(days=1))
        if last_day < row.first_day:
            return nothing
    holder = known.holder_of(row, comparing.is_over)
    if holder is not None and last_day >= comparing.today(row.zone or "UTC"):
        return _unusable(row, _about_holder(row, holder))
    person = known.person_of(row)
    after = Engagement(
        id=EngagementId(""),
        identity_id=person or IdentityId(""),
        source=comparing.source,
        reference=known.free_reference(row),
        first_day=row.first_day,
        last_day=last_day,
        zone=row.zone or "",
        vendor=row.vendor or "",
        sponsor=row.sponsor or "",
        role=row.role or "",
        site=row.site or "",
        line=row.line,
        standing=row.standing,
        actual=row.actual or row.standing is Standing.ENDED,
    )
    return Change(Kind.NEW, row, after=after, identity_id=person)


def _about_holder(row: RosterRow, holder: StoredContract) -> Complaint:
    whose, id_ = f"{holder.identity.worker_id} is that of {holder.identity.name}", row.worker_id or ""
    remedy = "Ask the vendor who holds this id; a new name belongs into the row of the contract that runs, too."
    if id_ != holder.identity.worker_id:
        whose, remedy = f"{whose}, and differs in case only", "Write the id in the file as it is known."
    return complaint_about(row, Cause.HELD_ID, "worker_id", id_, f"an id of one person, but {whose}", remedy)


def _changed(row: RosterRow, stored: StoredContract, comparing: Comparing) -> Change:
    before = stored.engagement
    worker_id = stored.identity.worker_id
    if before.id in comparing.overtaken:
        remedy = "What that file says stands; send what is still to change anew."
        expected = "nothing more of this contract, for a file that was made later has spoken of it"
        return _unusable(row, complaint_about(row, Cause.OVERTAKEN, "", before.reference, expected, remedy))
    newly_converted = row.standing is Standing.CONVERTED and before.standing is not Standing.CONVERTED
    if newly_converted and worker_id not in comparing.repairs.converted:
        remedy = "Say that it is so: the contract's access ends, and the accounts become the employee's."
        expected = "HR's word that this worker has become an employee"
        return _unusable(row, complaint_about(row, Cause.CONVERSION, "status", worker_id, expected, remedy))
    after = merge(row, before, comparing.today, comparing.says_standing)
    matters = not (comparing.is_over(before) and comparing.is_over(after))
    if matters and not comparing.repairs.same_people and is_another(row, stored.identity):
        remedy = "Say that it is the same person under another name, or ask the vendor whose contract this is."
        expected = f"{stored.identity.name}, who has this contract"
        return _unusable(row, complaint_about(row, Cause.RENAMED, "name", row.name or "", expected, remedy), stored)
    changes = _differences(stored.identity, before, after, row)
    identity_id = stored.identity.id
    if after.last_day < before.last_day or (after.standing is not before.standing and _ends(after.standing)):
        kind = Kind.SOONER
    elif after.last_day > before.last_day or (_ends(before.standing) and after.standing is Standing.RUNNING):
        kind = Kind.LATER
    elif changes or stored.missing_since is not None:
        kind = Kind.CHANGED
    else:
        kind = Kind.SAME
    return Change(kind, row, stored, after, identity_id, changes)


def _ends(standing: Standing) -> bool:
    return standing is not Standing.RUNNING


def _differences(identity: Identity, before: Engagement, after: Engagement, row: RosterRow) -> tuple[FieldChange, ...]:
    old, new = facts_of(before), facts_of(after)
    found = [FieldChange(name, old[name], new[name]) for name in old if old[name] != new[name]]
    for name, said in (("name", row.name), ("email", row.email)):
        kept = getattr(identity, name)
        if said is not None and said != kept:
            found.append(FieldChange(name, kept, said))
    return tuple(found)


def renamed(change: Change) -> Identity | None:
    """Return the person as the roster calls them; None where it says nothing new."""
    if change.stored is None or change.row is None:
        return None
    identity, row = change.stored.identity, change.row
    name = identity.name if row.name is None else row.name
    email = identity.email if row.email is None else row.email
    return None if (name, email) == (identity.name, identity.email) else replace(identity, name=name, email=email)


def contested(pairs: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the contract numbers among *pairs* of number and worker id that several workers have."""
    owners: dict[str, str] = {}
    found: set[str] = set()
    for reference, worker_id in pairs:
        if reference and owners.setdefault(reference, worker_id) != worker_id:
            found.add(reference)
    return frozenset(found)


def _as_stored(stored: StoredContract, line: int) -> RosterRow:
    """Return the row that says of a contract exactly what is stored."""
    e, i = stored.engagement, stored.identity
    return RosterRow(
        line, i.worker_id, number_of(e.reference), i.name, i.email, e.vendor, e.sponsor, e.role, e.site, e.zone,
        e.first_day, e.last_day, e.standing, e.actual,
    )  # fmt: skip


def _unusable(row: RosterRow, complaint: Complaint, about: StoredContract | None = None) -> Change:
    return Change(Kind.UNUSABLE, row, about, complaint=complaint)
