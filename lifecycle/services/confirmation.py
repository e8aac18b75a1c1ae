"""Confirming a roster: exactly what was shown, in one transaction, or not at all."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from lifecycle.domain.approval import Verdict
from lifecycle.domain.comparison import Kind
from lifecycle.domain.engagement import Engagement, EngagementId
from lifecycle.domain.errors import RosterRefused
from lifecycle.domain.guard import Finding
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.domain.roster import Standing
from lifecycle.services.admission import Linking
from lifecycle.services.age import why_too_old
from lifecycle.services.authorisation import Actor
from lifecycle.services.batches import Batches
from lifecycle.services.claims import Claim
from lifecycle.services.extensions import Extensions
from lifecycle.services.guarding import scopes
from lifecycle.services.ids import Ids
from lifecycle.services.intake import Intake, Worked, note_accepted, shown
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.services.tally import NEWCOMER
from lifecycle.services.upload_views import WEIGHED, State, Upload
from lifecycle.services.uploads import UploadClosed
from lifecycle.settings import SignInSettings
from lifecycle.store import people, roster_contracts, roster_imports, roster_items, roster_uploads, state
from lifecycle.store.roster_tables import RosterSourceRow
from lifecycle.store.tables import RosterImportRow
from lifecycle.store.unit import Record, Store, Unit

PERSONAL = frozenset({"name", "email"})
"""Facts of the person: the trail says that a contract's person changed, never the name itself."""
ITEMS_AT_ONCE = 2_000
MANY = 10_000
"""New contracts, after which the database's own idea of its tables no longer fits."""
GodEnds = Mapping[EngagementId, datetime]
Item = Any
"""A row of the items, see `lifecycle.store.roster_tables.RosterItemRow`."""


@dataclass
class Confirmations:
    """Confirms rosters."""

    store: Store
    intake: Intake
    batches: Batches
    extensions: Extensions
    notices: Notices
    sign_in: SignInSettings

    def confirm(
        self, upload_id: str, *, actor: str, digest: str, leave_out: bool = False, note: str = "", member_id: str = ""
    ) -> Upload:
        """
        Apply a roster, or hold it where the guard wants two more people.

        Args:
            upload_id: Which.
            actor: Who confirms, as the trail names them.
            digest: That of what was shown to them.
            leave_out: Whether rows that cannot be used are left out; otherwise such a file is not used at all.
            note: For the trail.
            member_id: Of whoever confirms, where that is a member.

        Returns:
            The upload, applied or held.

        Raises:
            RosterRefused: If the file cannot be used, or what it would do is no longer what was shown.
            UploadClosed: If it is not ready, or somebody else was faster.
        """
        upload = self.intake.uploads.find(upload_id)
        if upload.state is State.APPLIED:
            return upload
        self._check(upload, digest, leave_out)
        with self.intake.claims.work(upload_id, State.READY, State.APPLYING) as claim:
            worked = self.intake.work_out_anew(upload_id, claim)
            if worked.digest != digest:
                self.intake.show_anew(upload_id, claim, worked)
                raise RosterRefused("What it does has changed since it was shown. Please look again.")
            if worked.guard:
                self._hold(upload, claim, worked, actor, note, member_id)
            else:
                self._apply(upload, claim, worked, actor, note)
        return self.intake.uploads.find(upload_id)

    def review(
        self, upload_id: str, *, actor: Actor, verdict: Verdict, digest: str, note: str, typed: int | None = None
    ) -> Upload:
        """
        Count one person's verdict on a held roster, and apply it once two have released it.

        Arguments and errors are those of `Batches.review` and `release`.
        """
        said = self.batches.review(upload_id, actor=actor, verdict=verdict, digest=digest, note=note, typed=typed)
        return self.release(upload_id, actor=actor.trail_name) if said else self.intake.uploads.find(upload_id)

    def release(self, upload_id: str, *, actor: str) -> Upload:
        """
        Apply a held roster that two people have released, unless it would do anything else by now.

        Raises:
            RosterRefused: If it would; it is held anew, and what was said about it counts no more.
            ReviewRefused: If those who released it could not any more.
            UploadClosed: If it is not held, or somebody else was faster.
        """
        upload = self.intake.uploads.find(upload_id)
        with self.intake.claims.work(upload_id, State.HELD, State.APPLYING) as claim:
            worked = self.intake.work_out_anew(upload_id, claim)
            if worked.digest != upload.digest or scopes(worked.guard) - scopes(upload.guard):
                self._hold(upload, claim, worked, upload.actor, upload.note)
                raise RosterRefused("It would do something else by now; two people have to look at it again.")
            self._apply(upload, claim, worked, actor, upload.note, released=True)
        return self.intake.uploads.find(upload_id)

    def _hold(
        self, upload: Upload, claim: Claim, worked: Worked, actor: str, note: str, member_id: str | None = None
    ) -> None:
        """Hold it back, but for god mode, which ends as it says; the rest is what two people are to release."""
        if ends := {**worked.tally.god_ends, **worked.tally.god_in_doubt}:
            self._end_god_of_held(upload, claim, ends, actor)
            again, known = self.intake.work_out_anew(upload.id, claim), scopes(worked.guard)
            new = [finding for finding in again.guard if not scopes([finding]) <= known]
            rest = "whoever holds {} in its place loses that with the rest"
            told = [asdict(Finding("group", rest.format(key), group=key)) for key in sorted(worked.tally.narrowed)]
            worked = replace(again, guard=[*worked.guard, *new, *told])
        self.batches.hold(upload, claim, worked, actor, note, member_id)

    def _end_god_of_held(self, upload: Upload, claim: Claim, ends: GodEnds, actor: str) -> None:
        said = {str(id_): at.isoformat() for id_, at in ends.items()}
        with self.store.write() as unit:
            values = {"god_ends": {**self.intake.uploads.row(unit, upload.id).god_ends, **said}}
            if not roster_uploads.change_upload(unit, upload.id, (State.APPLYING,), worker_is=claim.worker, **values):
                raise UploadClosed("Somebody else was faster.")
            self._end_god(unit, upload, ends, actor)
            state.nudge(unit)

    def _end_god(self, unit: Unit, upload: Upload, ends: GodEnds, actor: str) -> None:
        """End god mode by a roster's word alone, and tell the sponsors, who can agree to the days that stand."""
        now = self.intake.clock.now()
        people.end_god(unit, ends, now)
        for id_, at in ends.items():
            unit.audit(
                at=now, actor=actor, action="god-ends", object_=f"engagement:{id_}", after={"at": at.isoformat()},
                request=f"upload:{upload.id}",
            )  # fmt: skip
        self.extensions.tell_god_ends(unit, list(ends), now)

    def _check(self, upload: Upload, digest: str, leave_out: bool) -> None:
        if upload.state is not State.READY:
            raise UploadClosed(f"This roster is {upload.state.value}; it cannot be confirmed.")
        if upload.digest != digest:
            raise RosterRefused("This is not what was shown: it was worked out anew since. Please look again.")
        if upload.unusable and not leave_out:
            words = f"{upload.unusable:,} rows cannot be used. Repair them, or say that they are left out."
            raise RosterRefused(words)
        with self.store.read() as unit:
            _check_stopped(unit, upload)

    def _apply(
        self, upload: Upload, claim: Claim, worked: Worked, actor: str, note: str, *, released: bool = False
    ) -> None:
        now = self.intake.clock.now()
        with self.store.write() as unit:
            state.put(unit, state.ROSTERS, upload.id)  # one roster at a time, of whatever source: surprise adds up
            roster_uploads.locked_upload(unit, upload.id)
            if released:
                self.batches.releasers.check_released(unit, self.intake.uploads.row(unit, upload.id))
            self._check_again(unit, upload, worked)
            application = _Application(unit, upload, worked, actor, note, now)
            application.run(Linking.load(unit, self.sign_in, now))
            if worked.tally.god_in_doubt:
                self._end_god(unit, upload, worked.tally.god_in_doubt, actor)
            values = {**shown(unit, upload.id, worked, now), "import_id": application.import_id, "note": note}
            values |= {"state": State.APPLIED.value, "worker": "", "held": 0}
            if not roster_uploads.change_upload(unit, upload.id, (State.APPLYING,), worker_is=claim.worker, **values):
                raise UploadClosed("Somebody else was faster.")
            note_accepted(unit, upload, now, application.import_id)
            self.batches.give_up_overtaken(unit, upload.source, actor, now)
            self.intake.layouts.remember(unit, upload.profile, upload.repairs, actor, now)
            self._tell(unit, upload, now)
            self.extensions.tell_lapsed(unit, application.lapsed, now)
            self.extensions.tell_unagreed(unit, application.unagreed, now)
            state.nudge(unit)
        if upload.counts.get(Kind.NEW, 0) >= MANY:
            with self.store.write() as unit:
                roster_contracts.look_over(unit)

    def _check_again(self, unit: Unit, upload: Upload, worked: Worked) -> None:
        """Refuse what another roster, or somebody who stopped the source, has overtaken, now that no other can."""
        last = roster_imports.last_import(unit, upload.source)
        if (last.id if last else "") != worked.base:
            raise RosterRefused("Another roster of this source was confirmed meanwhile. Please look again.")
        _check_stopped(unit, upload)
        if too_old := why_too_old(unit, upload):
            raise RosterRefused(f"{too_old} It is not applied.")
        found = self.intake.guard.findings(unit, upload, worked.tally, worked.now, worked.counts)
        if scopes(found) - scopes(worked.guard):
            raise RosterRefused("With another roster that was confirmed meanwhile it is too much. Please look again.")

    def _tell(self, unit: Unit, upload: Upload, now: datetime) -> None:
        changing = f"{upload.changing:,} contracts change" if upload.changing else "no contract changes"
        notice = Notice(
            Topic.ROSTER, f"A roster of {upload.source} was applied", f"{upload.file_name}: {changing}.",
            f"/rosters/{upload.id}", f"upload:{upload.id}",
        )  # fmt: skip
        self.notices.tell(unit, notice, self.notices.settings.hr, now)


@dataclass
class _Application:
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
        roster_imports.add_surprises(
            self.unit,
            [
                {
                    "import_id": self.import_id,
                    "identity_id": self._persons.get(identity_id.removeprefix(NEWCOMER), identity_id),
                    "vendor": loss.vendor,
                    "lost": sorted(loss.lost),
                    "at": self.now,
                }
                for identity_id, loss in self.worked.tally.losses.items()
            ],
        )

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
                counts=upload.counts,
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


def _check_stopped(unit: Unit, upload: Upload) -> None:
    source = unit.session.get(RosterSourceRow, upload.source)
    if source is not None and source.frozen_at is not None:
        raise RosterRefused(f"Rosters of {upload.source} are stopped: {source.frozen_because}")


def _changes(item: Item, *names: str) -> bool:
    return any(change[0] in names for change in item.facts["changes"])
