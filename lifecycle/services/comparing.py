"""Comparing staged rows with what is stored, worker by worker, with what each row does to access."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from lifecycle.domain.access import Contract
from lifecycle.domain.comparison import Change, Comparing, Kind, compare_absent, compare_worker, renamed
from lifecycle.domain.consequence import Consequence
from lifecycle.domain.engagement import Engagement, EngagementId, Measures
from lifecycle.domain.extension import god_ends_sooner, narrowed_to
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.domain.known_contracts import StoredContract
from lifecycle.domain.merging import merge
from lifecycle.domain.party import key_of
from lifecycle.domain.roster import RosterRow
from lifecycle.services.claims import Claim
from lifecycle.services.following import Following
from lifecycle.services.known import Known
from lifecycle.services.reading import ITEM, complained
from lifecycle.services.rulebook import Rulebook
from lifecycle.services.staging import ROWS_AT_ONCE, StagedRows
from lifecycle.services.tally import Tally
from lifecycle.services.weighing import Changes, Held, Weighing
from lifecycle.store import people, roster_contracts, roster_items
from lifecycle.store.roster_items import Staged
from lifecycle.store.searching import search_text
from lifecycle.store.unit import Store, Unit

PATIENCE = timedelta(hours=24)
"""How long a contract must have been missing before its second absence ends it."""
Contracts = Mapping[IdentityId, Sequence[Contract]]
Engagements = Mapping[IdentityId, Sequence[Engagement]]


@dataclass
class Comparer:
    """Compares one upload at one instant."""

    store: Store
    rulebook: Rulebook
    upload_id: str
    comparing: Comparing
    now: datetime
    known: Known | None
    """What is stored, and which lines state it; None when this was worked out before."""
    tally: Tally
    claim: Claim
    lacks: Callable[[StoredContract], bool] = lambda _: False
    """Whether it means something that no row speaks of a stored contract, see `lifecycle.services.absence`."""
    sponsors: set[str] = field(default_factory=set)
    """Those that new and changed rows name."""

    @cached_property
    def weighing(self) -> Weighing:
        """What changes do to access at this instant."""
        return Weighing(self.rulebook, self.now)

    def run(self, rows: StagedRows) -> None:
        """Compare what a file says anew, and store what becomes of each row."""
        for page in rows.pages():
            with self.store.read() as unit:
                items = [self._item(one, values) for one, values in self._settle(unit, page)]
            with self.store.write() as unit:
                self.claim.keep(unit)
                roster_items.add_items(unit, items)

    def run_anew(self) -> None:
        """Compare rows that were compared before; for most all is as it was, and nothing is stored."""
        after = ("", -1)
        while page := self._next(after):
            after = (page[-1].worker_id, page[-1].n)
            with self.store.read() as unit:
                # of two rows about one contract, one may be new and count
                beside = roster_items.new_beside(unit, self.upload_id, {one.worker_id for one in page})
                page = sorted([*page, *beside], key=lambda one: (one.worker_id, one.n))
                changed = [{"n": one.n, **v} for one, v in self._settle(unit, page) if one.found != v]
            with self.store.write() as unit:
                self.claim.keep(unit)
                roster_items.settle_items(unit, self.upload_id, changed)

    def _next(self, after: tuple[str, int]) -> list[Staged]:
        """Load some rows, with all rows of the last worker among them."""
        with self.store.read() as unit:
            rows = roster_items.touched(unit, self.upload_id, after, ROWS_AT_ONCE)
            if len(rows) == ROWS_AT_ONCE:
                after, own = (rows[-1].worker_id, rows[-1].n), rows[-1].worker_id
                rows += roster_items.touched(unit, self.upload_id, after, None, own)
        return rows

    def _settle(self, unit: Unit, staged: Sequence[Staged]) -> Iterator[tuple[Staged, dict[str, Any]]]:
        """Yield each row with the columns that comparing decides."""
        worker_ids = {s.worker_id for s in staged}
        references = {s.row.reference or "" for s in staged}
        stored = roster_contracts.contracts_about(unit, self.comparing.source, worker_ids, references)
        by_line = {s.row.line: s for s in staged}
        changes: list[Change] = []
        ends: list[Change] = []
        for own, theirs in _by_worker(staged, stored):
            found = list(self._compare(own, theirs))
            changes += found
            ends += self._ended_beside(own[0].seen, theirs, found)
        settled = {c.row.line for c in changes if c.row}
        changes += [Change(Kind.SAME, s.row) for s in staged if s.row.line not in settled]  # another row counts
        for change, values in self._judge(unit, changes, _of_persons(stored, worker_ids), _by_person(ends)):
            one = by_line[change.row.line if change.row else 0]
            if change.kind is not Kind.NEW or not one.alone:  # what is new and stands alone is not compared again
                values["facts"] |= {"row": roster_items.facts_of(one.row), "seen": one.seen}
            yield one, values

    def _item(self, one: Staged, values: Mapping[str, Any]) -> dict[str, Any]:
        reference, line = one.row.reference or "", one.row.line
        search = search_text(one.row.name or "", one.row.worker_id or "", reference, line)
        return {
            "upload_id": self.upload_id, "n": one.n, "line": line, "worker_id": one.worker_id, "reference": reference,
            "search": search, "digest": one.digest, **values,
        }  # fmt: skip

    def _compare(self, own: Sequence[Staged], stored: Sequence[StoredContract]) -> Iterator[Change]:
        if self.known is None:
            seen = {EngagementId(key): line for one in own for key, line in one.seen.items()}
        else:
            seen = {s.engagement.id: line for s in stored if s.digest and (line := self.known.line_of(s.digest))}
        for one in own:
            one.alone, one.seen = len(own) == 1 and not seen, {}
        own[0].seen = dict(seen)  # once for the worker, who may have very many rows
        yield from compare_worker([one.row for one in own], stored, seen, self.comparing)

    def _ended_beside(
        self, seen: Collection[str], theirs: Sequence[StoredContract], found: Sequence[Change]
    ) -> Iterator[Change]:
        """Yield the other contracts of a worker that end by this roster, for no row of it speaks of them."""
        if any(change.kind is Kind.UNUSABLE for change in found):
            return
        spoken_of = {change.stored.engagement.id for change in found if change.stored} | set(seen)
        for stored in theirs:
            if stored.engagement.id not in spoken_of and self.lacks(stored):
                change = compare_absent(stored, self.comparing, self.now, PATIENCE)
                if change is not None and change.kind is Kind.GONE:
                    yield change

    def absent(self, unit: Unit, stored: Sequence[StoredContract]) -> Iterator[dict[str, Any]]:
        """Yield the items, without a number, of contracts that a full roster lacks."""
        found = [change for s in stored if (change := compare_absent(s, self.comparing, self.now, PATIENCE))]
        ending = {c.identity_id for c in found if c.identity_id and c.kind is Kind.GONE}
        beside = _by_person(self._said_by_rows(unit, ending))
        for change, values in self._judge(unit, found, {}, beside):
            assert change.stored is not None  # noqa: S101 - an absence is always that of a stored contract
            person, reference = change.stored.identity, change.stored.engagement.reference
            who = {"worker_id": person.worker_id, "reference": reference, "name": person.name}
            search = search_text(person.name, person.worker_id, reference)
            yield {**ITEM, "upload_id": self.upload_id, **who, "search": search, **values}

    def _said_by_rows(self, unit: Unit, identity_ids: Collection[str]) -> Iterator[Change]:
        """Yield what rows of this roster, which were compared before, make of the contracts of some people."""
        for item in roster_items.changes_of(unit, self.upload_id, identity_ids) if identity_ids else ():
            owner, id_ = IdentityId(item.identity_id), item.engagement_id
            after = roster_items.engagement_of(
                item.facts["after"], id_=id_, identity_id=owner, source=self.comparing.source, import_id=""
            )
            known = StoredContract(after, Identity(owner, "", "", "", "")) if id_ else None
            yield Change(Kind(item.kind), stored=known, after=after, identity_id=owner)

    def _judge(
        self, unit: Unit, changes: Sequence[Change], known: Engagements, beside: Mapping[IdentityId, Changes]
    ) -> Iterator[tuple[Change, dict[str, Any]]]:
        """
        Work out what changes do to access, count them, and yield each with the columns that say so.

        Args:
            unit: To read in.
            changes: Which.
            known: Contracts of people whose contracts are all loaded.
            beside: What else this roster makes of contracts of theirs.
        """
        touched = [c for c in changes if c.stored is not None and c.kind not in {Kind.SAME, Kind.UNUSABLE}]
        doubtful = [c for c in changes if c.stored is not None and c.kind is Kind.UNUSABLE]
        owners = {c.stored.identity.id for c in (*touched, *doubtful) if c.stored}
        contracts = self._contracts(unit, owners | beside.keys(), known)
        following = Following.load(unit, self.rulebook, touched, self.now)
        decided = {
            id(c): following.decide(c, _before(c, contracts), contracts[c.stored.identity.id])
            for c in touched
            if c.stored
        }
        persons = _by_person([decided.get(id(c), c) for c in changes])
        for identity_id, more in beside.items():
            persons[identity_id].add(more)
        held = Held(self.weighing, contracts, persons)
        self._note_losses(persons, contracts)
        self._note_god_ends(decided.values(), contracts)
        self._note_doubts(doubtful, contracts)
        for change in changes:
            found = decided.get(id(change), change)
            consequence = self._consequence(found, contracts, held)
            if found.kind is Kind.SOONER and found.stored and found.after:
                before = found.stored.engagement
                if not self.comparing.is_over(before):
                    self.tally.cut_short(before, found.after)
            self.tally.also.update(consequence.also if consequence else ())
            values = _columns(found, consequence)
            if found.after is not None and found.row is not None and found.kind is not Kind.SAME:
                self.sponsors.add(found.after.sponsor)
            self.tally.add(found, f"{found.row}|{values['kind']}|{values['weight']}|{found.changes}|{_bound(found)}\n")
            yield change, values

    def _contracts(self, unit: Unit, identity_ids: Collection[IdentityId], known: Engagements) -> Contracts:
        grants = people.grants_of(unit, identity_ids)
        found = people.engagements_of(unit, [i for i in identity_ids if i not in known])
        return {
            identity_id: [self.rulebook.contract(e, grants.get(e.id, ())) for e in engagements]
            for identity_id, engagements in (found | {i: known[i] for i in identity_ids if i in known}).items()
        }

    def _note_losses(self, persons: Mapping[IdentityId, Changes], contracts: Contracts) -> None:
        for identity_id, changes in persons.items():
            lost = self.weighing.lost(contracts[identity_id], changes) if changes.known else frozenset()
            if lost:  # the vendor as it is now: a roster must not hide its own people under new names
                vendors = {c.engagement.vendor for c in contracts[identity_id] if c.engagement.id in changes.known}
                self.tally.lose(identity_id, min(vendors), lost)

    def _note_god_ends(self, changes: Collection[Change], contracts: Contracts) -> None:
        for change in changes:
            if change.kind is Kind.SOONER and change.after is not None:  # an absence is nobody's word
                at = self._god_ends(change, change.after, contracts)
                if at is not None:
                    self.tally.god_ends[change.after.id] = at

    def _note_doubts(self, changes: Collection[Change], contracts: Contracts) -> None:
        """Of rows that contradict each other none counts, but for god mode, which ends by the soonest."""
        comparing, ends = self.comparing, self.tally.god_in_doubt
        for change in changes:
            assert change.row is not None and change.stored is not None  # noqa: S101 - the caller has looked
            known = change.stored.engagement
            after = merge(change.row, known, comparing.today, comparing.says_standing)
            at = self._god_ends(change, after, contracts)
            if at is not None:
                ends[known.id] = min(at, ends.get(known.id, at))

    def _god_ends(self, change: Change, after: Engagement, contracts: Contracts) -> datetime | None:
        before = _before(change, contracts)
        contract = self.rulebook.contract(after, before.grants)
        at = god_ends_sooner(before, contract, self.rulebook.catalogue, self.now)
        if at is not None:
            self.tally.narrowed |= narrowed_to(before, self.rulebook.catalogue)
        return at

    def _consequence(self, change: Change, contracts: Contracts, held: Held) -> Consequence | None:
        if change.after is None or change.kind in {Kind.SAME, Kind.MISSING, Kind.UNUSABLE}:
            return None
        if change.stored is None:
            return self.weighing.consequence(None, change.after)
        before = _before(change, contracts)
        elsewhere = held.elsewhere(change.stored.identity.id, change.after, before)
        return self.weighing.consequence(before, change.after, elsewhere)


def _by_person(changes: Iterable[Change]) -> dict[IdentityId, Changes]:
    """Gather what becomes of the contracts of people who are known; an absence that is noted changes nothing."""
    found: dict[IdentityId, Changes] = defaultdict(Changes)
    for change in changes:
        if change.after is None or change.kind in {Kind.MISSING, Kind.SAME, Kind.UNUSABLE}:
            continue
        if change.stored is not None:
            found[change.stored.identity.id].known[change.after.id] = change.after
        elif change.identity_id is not None:
            found[change.identity_id].new.append(change.after)
    return found


def _of_persons(stored: Sequence[StoredContract], worker_ids: Collection[str]) -> dict[IdentityId, list[Engagement]]:
    """Return all contracts of those people who were loaded by their worker ids, and so with all their contracts."""
    found: dict[IdentityId, list[Engagement]] = defaultdict(list)
    for s in stored:
        if s.identity.worker_id in worker_ids:
            found[s.identity.id].append(s.engagement)
    return found


def _by_worker(
    staged: Sequence[Staged], stored: Sequence[StoredContract]
) -> Iterator[tuple[list[Staged], list[StoredContract]]]:
    """Yield the rows about each worker with the worker's contracts, and those whose numbers the rows name."""
    by_reference = {s.engagement.reference: s for s in stored}
    rows: dict[str, list[Staged]] = defaultdict(list)
    for one in staged:
        named = by_reference.get(one.row.reference or "")
        rows[one.row.worker_id or (named.identity.worker_id if named else "")].append(one)
    contracts: dict[str, dict[str, StoredContract]] = defaultdict(dict)
    for s in stored:
        contracts[key_of(s.identity.worker_id)][s.engagement.id] = s
    for worker_id, own in rows.items():
        named_ones = (by_reference[o.row.reference] for o in own if o.row.reference in by_reference)
        theirs = contracts[key_of(worker_id)] | {s.engagement.id: s for s in named_ones}
        yield own, list(theirs.values())


def _before(change: Change, contracts: Contracts) -> Contract:
    assert change.stored is not None  # noqa: S101 - asked of stored contracts only
    stored = change.stored
    return next(c for c in contracts[stored.identity.id] if c.engagement.id == stored.engagement.id)


def _columns(change: Change, consequence: Consequence | None) -> dict[str, Any]:
    """Return the columns of an item that comparing decides."""
    values: dict[str, Any] = {
        "kind": change.kind.value,
        "cause": "",
        "identity_id": change.identity_id or "",
        "engagement_id": change.stored.engagement.id if change.stored else "",
        "weight": consequence.weight.value if consequence else "",
        "said": consequence.words if consequence else "",
        "name": (change.row.name if change.row else "") or "",
    }
    if change.complaint is not None:
        why = complained(change.complaint)
        return values | {name: why[name] for name in ("cause", "weight", "said", "facts")}
    facts: dict[str, Any] = {"changes": [[c.field, c.old, c.new] for c in change.changes]}
    if change.kind is Kind.MISSING and change.stored is not None and change.stored.missing_since is not None:
        facts["again"] = True
    if change.after is not None and change.kind is not Kind.SAME:
        facts["after"] = roster_items.kept(change.after)
        known = change.stored.engagement.measures if change.stored else None
        facts["decided"] = known is not None and _decided(known, change.after.measures)
        person = renamed(change)
        values["name"] = person.name if person else change.stored.identity.name if change.stored else values["name"]
        facts["person"] = [person.name, person.email, person.worker_id] if person else _of_new(change.row)
    return {**values, "facts": facts}


def _bound(change: Change) -> str:
    """Return what a confirmation is bound to of a contract; that it lapses now is the same thing a minute later."""
    if change.after is None:
        return ""
    lapses = change.after.measures.lapsed_at is not None
    return f"{change.identity_id}{roster_items.kept(change.after) | {'lapsed_at': lapses}}"


def _decided(before: Measures, after: Measures) -> bool:
    """Say whether our own rules have decided something about a contract because of this roster."""
    return (before.lapsed_at, before.god_ends_at) != (after.lapsed_at, after.god_ends_at)


def _of_new(row: RosterRow | None) -> list[str]:
    return [row.name or "", row.email or "", row.worker_id or ""] if row is not None else []
