"""Rosters: shown first with everything they would do, then confirmed in one transaction or not at all."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lifecycle.domain.consequence import Consequence, Weight, consequence_of
from lifecycle.domain.engagement import Engagement, EngagementId
from lifecycle.domain.errors import NotFound, RosterRefused
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.domain.roster import (
    Joiner,
    Mover,
    RosterDiff,
    RosterRow,
    compare,
    find_taken,
    new_reference,
)
from lifecycle.feed.profile import Profile
from lifecycle.feed.read import Reading, read_roster
from lifecycle.services.admission import link_to_roster
from lifecycle.services.clock import Clock
from lifecycle.services.rulebook import Rulebook
from lifecycle.settings import Settings, SignInSettings
from lifecycle.store import people, state
from lifecycle.store.tables import RosterImportRow
from lifecycle.store.unit import Store, Unit

PERSONAL = frozenset({"name", "email"})
"""Facts of the person: the trail says that a contract's person changed, never the name itself."""


@dataclass(frozen=True)
class Preview:
    """What a roster would do. ``digest`` binds a confirmation to exactly this."""

    profile: str
    file_name: str
    reading: Reading
    diff: RosterDiff
    consequences: dict[int, Consequence]
    """Line to what it does to access, for joiners, movers and leavers."""
    scope: str
    """``full`` or ``delta``."""
    shown_at: datetime
    digest: str
    same_as: datetime | None = None
    """When this very file was confirmed already."""

    @property
    def usable(self) -> bool:
        """Whether it may be confirmed."""
        return not self.reading.complaints

    def totals(self) -> dict[Weight, int]:
        """Count rows by what they do to access, heaviest first."""
        counts = Counter(consequence.weight for consequence in self.consequences.values())
        return {weight: counts[weight] for weight in Weight if counts[weight]}

    def counts(self) -> dict[str, int]:
        """Count rows by what they are."""
        diff = self.diff
        return {
            "joiners": len(diff.joiners),
            "movers": len(diff.movers),
            "leavers": len(diff.leavers),
            "vanished": len(diff.vanished),
            "unchanged": diff.unchanged,
            "complaints": len(self.reading.complaints),
        }


@dataclass
class Rosters:
    """Reads, compares and confirms rosters."""

    store: Store
    settings: Settings
    rulebook: Rulebook
    clock: Clock

    def profile(self, name: str) -> Profile:
        """
        Return a feed's profile.

        Raises:
            NotFound: If it is not configured.
        """
        found = self.settings.profiles.get(name)
        if found is None:
            known = ", ".join(self.settings.profiles) or "none"
            raise NotFound(f"there is no profile {name!r} in config.toml; there are {known}")
        sites = {site: settings.zone for site, settings in self.settings.sites.items()}
        return Profile(name, site_zones=sites, **found.model_dump())

    def preview(
        self,
        content: bytes,
        *,
        profile: str,
        file_name: str = "",
        progress: Callable[[int], None] = lambda _: None,
    ) -> Preview:
        """
        Say what a roster would do, and change nothing.

        Raises:
            NotFound: If there is no such profile.
        """
        reading = read_roster(content, self.profile(profile), progress)
        now = self.clock.now()
        with self.store.read() as unit:
            return self._compare(unit, reading, profile, file_name, now)

    def _compare(self, unit: Unit, reading: Reading, profile: str, file_name: str, now: datetime) -> Preview:
        scope = self.settings.profiles[profile].scope
        if reading.complaints:
            diff = RosterDiff()
        else:
            stored = list(people.contracts_from(unit, profile))
            diff = compare(reading.rows, stored, scope=scope, is_over=lambda e: self._is_over(e, now))
            taken = tuple(find_taken(diff, stored))
            if taken:
                reading, diff = replace(reading, rows=(), complaints=taken), RosterDiff()
        last = state.last_imports(unit).get(profile)
        same = last.confirmed_at if last is not None and last.sha256 == reading.sha256 else None
        consequences = self._consequences(unit, diff, profile, now)
        digest = _digest([profile, scope.value, self.rulebook.fingerprint], reading, diff, consequences)
        return Preview(profile, file_name, reading, diff, consequences, scope.value, now, digest, same)

    def _is_over(self, engagement: Engagement, now: datetime) -> bool:
        return self.rulebook.timeline(engagement).ends_at <= now

    def _consequences(self, unit: Unit, diff: RosterDiff, profile: str, now: datetime) -> dict[int, Consequence]:
        changed = [*diff.movers, *diff.leavers]
        grants = people.grants_of(unit, {m.stored.identity.id for m in changed})
        catalogue = self.rulebook.catalogue
        found: dict[int, Consequence] = {}
        alike: dict[tuple[object, ...], Consequence] = {}
        for joiner in diff.joiners:
            row = joiner.row
            key = (row.first_day, row.last_day, row.zone, row.site, row.vendor, row.role)
            if key not in alike:  # all that a new contract's access depends on
                contract = self.rulebook.contract(_engagement(row, profile, IdentityId(""), "", ""))
                alike[key] = consequence_of(None, contract, catalogue, now)
            found[row.line] = alike[key]
        for mover in changed:
            old = mover.stored.engagement
            own = grants.get(old.id, ())
            before = self.rulebook.contract(old, own)
            after = self.rulebook.contract(_moved(mover, ""), own)
            found[mover.row.line] = consequence_of(before, after, catalogue, now)
        return found

    def confirm(
        self,
        content: bytes,
        *,
        profile: str,
        actor: str,
        digest: str,
        file_name: str = "",
        progress: Callable[[int], None] = lambda _: None,
    ) -> Preview:
        """
        Apply a roster in one transaction.

        Args:
            digest: That of the preview which was shown to whoever confirms.
            actor: Who confirms.

        Returns:
            What was applied. The same file again changes nothing and says when it was applied.

        Raises:
            NotFound: If there is no such profile.
            RosterRefused: If the file cannot be used, or what it would do is no longer what was shown.
        """
        reading = read_roster(content, self.profile(profile), progress)
        if reading.complaints:
            raise RosterRefused(f"{len(reading.complaints)} complaints; the first: {reading.complaints[0]}")
        now = self.clock.now()
        with self.store.write() as unit:
            preview = self._compare(unit, reading, profile, file_name, now)
            if not preview.usable:
                raise RosterRefused(str(preview.reading.complaints[0]))
            if preview.same_as is not None and preview.diff.changes_nothing:
                return preview
            if preview.digest != digest:
                raise RosterRefused("this is not what was shown: the file or the stored contracts have changed since")
            _Confirmation(unit, preview, actor, now).apply(self.settings.sign_in)
        return preview


def _digest(rules: list[str], reading: Reading, diff: RosterDiff, consequences: dict[int, Consequence]) -> str:
    """Bind together what was read, how, against what, and what it does: anything else is something else."""
    parts = [*rules, reading.sha256]
    parts += map(repr, reading.rows)
    parts += [f"={line}:{consequence.weight}" for line, consequence in consequences.items()]
    parts += [f"+{j.row.line}:{j.identity_id or 'new'}" for j in diff.joiners]
    parts += [f"~{m.row.line}:{m.stored.engagement.id}:{m.changes}" for m in (*diff.movers, *diff.leavers)]
    parts += [f"?{s.engagement.id}" for s in diff.vanished]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _engagement(row: RosterRow, source: str, owner: IdentityId, id_: str, import_id: str) -> Engagement:
    return Engagement(
        id=EngagementId(id_),
        identity_id=owner,
        source=source,
        reference=new_reference(row),
        first_day=row.first_day,
        last_day=row.last_day,
        zone=row.zone,
        vendor=row.vendor,
        sponsor=row.sponsor,
        role=row.role,
        site=row.site,
        import_id=import_id,
        line=row.line,
    )


def _moved(mover: Mover, import_id: str) -> Engagement:
    old = mover.stored.engagement
    new = _engagement(mover.row, old.source, old.identity_id, old.id, import_id)
    return replace(new, reference=old.reference, measures=old.measures)


@dataclass
class _Confirmation:
    """Writes one preview within one unit."""

    unit: Unit
    preview: Preview
    actor: str
    now: datetime

    def apply(self, sign_in: SignInSettings) -> None:
        """Write people, contracts, flags, the import and the audit; recognise members who came before the roster."""
        preview, diff = self.preview, self.preview.diff
        import_id = str(uuid.uuid4())
        persons, contracts = self._joined(diff.joiners, import_id)
        people.add_identities(self.unit, persons, self.now)
        link_to_roster(self.unit, persons, sign_in, self.now)
        people.add_engagements(self.unit, contracts, self.now)
        changed = [*diff.movers, *diff.leavers]
        people.update_engagements(self.unit, [_moved(m, import_id) for m in changed], self.now)
        people.update_identities(self.unit, [_renamed(m) for m in changed if _renames(m)])
        people.flag_missing(self.unit, [s.engagement.id for s in diff.vanished], self.now)
        self.unit.session.add(
            RosterImportRow(
                id=import_id,
                profile=preview.profile,
                scope=preview.scope,
                file_name=preview.file_name,
                sha256=preview.reading.sha256,
                rows=preview.reading.lines,
                counts=preview.counts(),
                actor=self.actor,
                confirmed_at=self.now,
            )
        )
        self._audit(import_id, contracts, changed)

    def _joined(self, joiners: Iterable[Joiner], import_id: str) -> tuple[list[Identity], list[Engagement]]:
        """Make people and contracts; several new contracts of one new worker share the person."""
        persons: dict[str, Identity] = {}
        contracts = []
        for joiner in joiners:
            row, owner = joiner.row, joiner.identity_id
            if owner is None:
                person = persons.get(row.worker_id)
                if person is None:
                    new_id = IdentityId(str(uuid.uuid4()))
                    person = Identity(new_id, row.name, row.worker_id, self.preview.profile, row.email)
                    persons[row.worker_id] = person
                owner = person.id
            contracts.append(_engagement(row, self.preview.profile, owner, str(uuid.uuid4()), import_id))
        return list(persons.values()), contracts

    def _audit(self, import_id: str, contracts: list[Engagement], changed: list[Mover]) -> None:
        def record(action: str, engagement: Engagement, before: dict[str, Any], after: dict[str, Any]) -> None:
            self.unit.audit(
                at=self.now,
                actor=self.actor,
                action=action,
                object_=f"engagement:{engagement.id}",
                before=before,
                after={"reference": engagement.reference, **after},
                request=f"import:{import_id}",
            )

        for e in contracts:
            days = {"first_day": e.first_day.isoformat(), "last_day": e.last_day.isoformat()}
            record("engagement-added", e, {}, {"identity": e.identity_id, "line": e.line, **days})
        for m in changed:
            old = {change.field: change.old for change in m.changes if change.field not in PERSONAL}
            new = {change.field: change.new for change in m.changes if change.field not in PERSONAL}
            record("engagement-changed", m.stored.engagement, old, {"line": m.row.line, **new})
        for s in self.preview.diff.vanished:
            record("engagement-vanished", s.engagement, {}, {})
        self.unit.audit(
            at=self.now,
            actor=self.actor,
            action="roster-confirmed",
            object_=f"profile:{self.preview.profile}",
            after={"file": self.preview.file_name, "sha256": self.preview.reading.sha256, **self.preview.counts()},
            request=f"import:{import_id}",
        )


def _renames(mover: Mover) -> bool:
    return any(change.field in PERSONAL for change in mover.changes)


def _renamed(mover: Mover) -> Identity:
    return replace(mover.stored.identity, name=mover.row.name, email=mover.row.email)
