"""Writing one confirmed roster: people, contracts, flags, the import and the trail, within one transaction."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lifecycle.domain.comparison import WEIGHED, Kind
from lifecycle.domain.engagement import Engagement
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.domain.roster import Standing
from lifecycle.services.admission import Linking
from lifecycle.services.ids import Ids
from lifecycle.services.intake import Worked
from lifecycle.services.tally import SOONER_BY_FAR
from lifecycle.services.upload_views import Upload
from lifecycle.store import people, roster_contracts, roster_imports, roster_items
from lifecycle.store.tables import RosterImportRow
from lifecycle.store.unit import Record, Unit

PERSONAL = frozenset({"name", "email"})
"""Facts of the person: the trail says that a contract's person changed, never the name itself."""
ITEMS_AT_ONCE = 2_000
Item = Any
"""A row of the items, see `lifecycle.store.roster_tables.RosterItemRow`."""


@dataclass
class Application:
    """Writes one roster within one unit."""

    unit: Unit
    upload: Upload
    worked: Worked
    actor: str
    note: str
    now: datetime
    import_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    lapsed: list[str] = field(default_factory=list)
    """Contracts that were extended after their access had ended."""
    unagreed: list[str] = field(default_factory=list)
    """Contracts that were extended without their sponsor's word."""
    _persons: dict[str, IdentityId] = field(default_factory=dict)
    _person_ids: Ids = field(init=False)
    _contract_ids: Ids = field(init=False)

    def __post_init__(self) -> None:
        self._person_ids, self._contract_ids = Ids(self.now), Ids(self.now)

    def run(self, linking: Linking) -> None:
        """Write people, contracts, flags, the import and the trail; recognise members who came before the roster."""
        for items in self._chunks(Kind.NEW):
            self._add(items, linking)
        linking.link()
        for kind in (Kind.SOONER, Kind.LATER, Kind.CHANGED, Kind.GONE):
            for items in self._chunks(kind):
                self._change(items)
        for items in self._chunks(Kind.SAME):
            roster_contracts.flag_rows(self.unit, {i.engagement_id: i.digest for i in items if i.engagement_id})
        for items in self._chunks(Kind.MISSING):
            people.flag_missing(self.unit, [i.engagement_id for i in items], self.now)
        self._note_losses()
        self._add_import()
        self.unit.audit_all(self._records)

    def _chunks(self, kind: Kind) -> Iterator[list[Item]]:
        after = -1
        while items := roster_items.items(
            self.unit, self.upload.id, kinds=(kind.value,), after=after, limit=ITEMS_AT_ONCE
        ):
            yield items
            after = items[-1].n

    def _add(self, items: Sequence[Item], linking: Linking) -> None:
        """Add people and contracts; several new contracts of one new worker share the person."""
        persons, contracts, digests = [], [], {}
        for item in items:
            owner = IdentityId(item.identity_id) if item.identity_id else self._persons.get(item.worker_id)
            if owner is None:
                owner = self._persons[item.worker_id] = IdentityId(self._person_ids.of(item.n))
                name, email, _ = item.facts["person"]
                persons.append(Identity(owner, name, item.worker_id, self.upload.source, email))
            id_ = self._contract_ids.of(item.n)
            contracts.append(self._engagement(item, id_, owner))
            digests[id_] = item.digest
        people.add_identities(self.unit, persons, self.now)
        linking.consider(persons)
        people.add_engagements(self.unit, contracts, self.now, digests)

    def _engagement(self, item: Item, id_: str, identity_id: str) -> Engagement:
        return roster_items.engagement_of(
            item.facts["after"], id_=id_, identity_id=identity_id, source=self.upload.source, import_id=self.import_id
        )

    def _change(self, items: Sequence[Item]) -> None:
        contracts = [self._engagement(item, item.engagement_id, item.identity_id) for item in items]
        # what ended by absence is compared fact by fact when it comes back
        digests = {i.engagement_id: i.digest for i in items}
        self._rename([item for item in items if _changes(item, *PERSONAL)])
        people.update_engagements(self.unit, contracts, self.now, digests)
        people.withhold_god(self.unit, {c.identity_id for c in contracts if c.measures.god_withheld})
        self._decide([c for item, c in zip(items, contracts, strict=True) if item.facts["decided"]])
        newly = [c for item, c in zip(items, contracts, strict=True) if _changes(item, "standing")]
        converted = {c.identity_id for c in newly if c.standing is Standing.CONVERTED}
        people.become_employee(self.unit, converted, self.now)

    def _decide(self, contracts: Sequence[Engagement]) -> None:
        """Store what our own rules have decided; what people decide meanwhile about other contracts stays."""
        by_instant: dict[datetime | None, list[str]] = defaultdict(list)
        lapsed = []
        for contract in contracts:
            if contract.measures.lapsed_at == self.worked.now:
                lapsed.append(contract.id)
            if contract.id in lapsed and contract.has_lapsed:
                self.lapsed.append(contract.id)
            elif contract.measures.god_ends_at is not None:
                self.unagreed.append(contract.id)
            by_instant[contract.measures.god_ends_at].append(contract.id)
        people.set_lapsed(self.unit, lapsed, self.worked.now)
        for at, ids in by_instant.items():
            people.set_god_ends(self.unit, ids, at)

    def _rename(self, items: Sequence[Item]) -> None:
        changed = []
        for item in items:
            name, email, worker_id = item.facts["person"]
            person = IdentityId(item.identity_id)
            changed.append(Identity(person, name, worker_id, self.upload.source, email))
        people.update_identities(self.unit, changed)
        roster_contracts.forget_rows(self.unit, {person.id for person in changed})

    def _note_losses(self) -> None:
        tally = self.worked.tally
        losses = [*tally.losses.items(), *((self._persons[w], loss) for w, loss in tally.losses_of_new.items())]
        rows = [
            {
                "import_id": self.import_id, "identity_id": id_, "vendor": loss.vendor, "lost": sorted(loss.lost),
                "at": self.now,
            }
            for id_, loss in losses
        ]  # fmt: skip
        roster_imports.add_surprises(self.unit, rows)

    def _add_import(self) -> None:
        upload = self.upload
        assert upload.layout is not None  # noqa: S101 - what is applied was read by a layout
        self.unit.session.add(
            RosterImportRow(
                id=self.import_id,
                number=roster_imports.next_import_number(self.unit),
                profile=upload.profile,
                source=upload.source,
                upload_id=upload.id,
                scope=upload.layout.scope.value,
                file_name=upload.file_name,
                as_of=upload.as_of,
                sha256=upload.sha256,
                rows=upload.rows,
                counts={**upload.counts, SOONER_BY_FAR: len(self.worked.tally.sooner)},
                actor=self.actor,
                confirmed_at=self.now,
            )
        )
        self.unit.session.flush()

    # --- the trail ------------------------------------------------------------------------------------------------

    def _records(self) -> Iterator[Record]:
        for kind in (*WEIGHED, Kind.MISSING):  # one after the other: each is found in its own order without sorting
            for items in self._chunks(kind):
                yield from (self._record_of(item) for item in items if not item.facts.get("again"))
        after = {"file": self.upload.file_name, "sha256": self.upload.sha256, **self.upload.counts}
        if self.note:
            after["note"] = self.note
        yield self._record("roster-confirmed", f"profile:{self.upload.profile}", {}, after)

    def _record_of(self, item: Item) -> Record:
        if item.kind == Kind.NEW:
            kept = item.facts["after"]
            said = {name: kept[name] for name in ("reference", "first_day", "last_day")}
            owner = item.identity_id or self._persons[item.worker_id]
            after = {**said, "identity": owner, "line": item.line}
            return self._record("engagement-added", f"engagement:{self._contract_ids.of(item.n)}", {}, after)
        about, reference = f"engagement:{item.engagement_id}", {"reference": item.reference}
        if item.kind == Kind.MISSING:
            return self._record("engagement-vanished", about, {}, reference)
        changes = [c for c in item.facts["changes"] if c[0] not in PERSONAL]
        before, after = {c[0]: c[1] for c in changes}, {c[0]: c[2] for c in changes}
        measures = {name: item.facts["after"][name] for name in ("lapsed_at", "god_ends_at", "god_withheld")}
        decided = {name: at for name, at in measures.items() if at}
        source = {"line": item.line} if item.line else {"missing_again": True}
        return self._record("engagement-changed", about, before, {**reference, **source, **decided, **after})

    def _record(self, action: str, object_: str, before: dict[str, Any], after: dict[str, Any]) -> Record:
        return Record(self.now, self.actor, action, object_, before, after, f"import:{self.import_id}")


def _changes(item: Item, *names: str) -> bool:
    return any(change[0] in names for change in item.facts["changes"])
