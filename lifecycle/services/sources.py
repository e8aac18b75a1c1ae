"""How sources of rosters stand: what they delivered last, whether they are fresh, and whether they are stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from lifecycle.domain.errors import NotFound, RosterRefused
from lifecycle.services.absence import ends_what_lacks_again
from lifecycle.services.clock import Clock
from lifecycle.services.layouts import Layouts
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.settings import Settings
from lifecycle.settings.rosters import ProfileSettings
from lifecycle.store import roster_imports, roster_uploads
from lifecycle.store.roster_tables import RosterSourceRow
from lifecycle.store.tables import RosterImportRow
from lifecycle.store.unit import Store, Unit

HISTORY = 50


class Freshness(StrEnum):
    """How a source stands."""

    FRESH = "fresh"
    STALE = "stale"
    """Nothing new for so long that somebody should ask."""
    REFUSING = "refusing"
    """Nothing new for so long that nobody is granted anything on its contracts."""
    FAILING = "failing"
    """It cannot be looked at."""
    FROZEN = "frozen"
    """Somebody has rejected a roster of it; nothing of it is taken until somebody lets it go on."""
    NONE = "none"
    """Nothing is expected of it at any time."""


@dataclass(frozen=True)
class Delivery:
    """One place that files of a source come from by themselves."""

    name: str
    way: str
    profile: str
    every_minutes: int
    row: RosterSourceRow


@dataclass(frozen=True)
class SourceView:
    """A source as it is shown."""

    name: str
    title: str
    profiles: Mapping[str, ProfileSettings]
    deliveries: Sequence[Delivery]
    state: Freshness
    row: RosterSourceRow
    last: RosterImportRow | None
    """The last confirmed roster."""
    warn_hours: int | None
    refuse_hours: int | None

    @property
    def error(self) -> str:
        """What is wrong with the first place that cannot be looked at; empty when all can."""
        return next((d.row.error for d in self.deliveries if d.row.error), "")


@dataclass
class Sources:
    """Shows sources, notes how they stand, and stops them."""

    store: Store
    settings: Settings
    layouts: Layouts
    notices: Notices
    clock: Clock

    def listed(self) -> list[SourceView]:
        """List every source that a profile belongs to, or that a roster came from."""
        with self.store.read() as unit:
            profiles = self.layouts.all(unit)
            names = {self.layouts.source_of(name, layout) for name, layout in profiles.items()}
            return [self._view(unit, name, profiles) for name in sorted(names | roster_imports.sources(unit))]

    def find(self, name: str) -> SourceView:
        """
        Return a source.

        Raises:
            NotFound: If no profile belongs to it and no roster ever came from it.
        """
        found = next((source for source in self.listed() if source.name == name), None)
        if found is None:
            raise NotFound(f"There is no source {name!r}.")
        return found

    def history(self, name: str) -> list[RosterImportRow]:
        """List the rosters that were confirmed from a source, newest first."""
        with self.store.read() as unit:
            return roster_imports.imports_of(unit, name, HISTORY)

    def _view(self, unit: Unit, name: str, profiles: Mapping[str, ProfileSettings]) -> SourceView:
        own = {p: layout for p, layout in profiles.items() if self.layouts.source_of(p, layout) == name}
        deliveries = [
            Delivery(d, s.location.way, s.profile, s.every_minutes, _row(unit, d))
            for d, s in self.settings.sources.items()
            if s.profile in own
        ]
        warn, refuse = self._hours(own)
        row, last = _row(unit, name), roster_imports.last_import(unit, name)
        title = next((layout.title for layout in own.values() if layout.title), name)
        frozen = row.frozen_at is not None or any(d.row.frozen_at is not None for d in deliveries)
        state = Freshness.FROZEN if frozen else self._freshness(deliveries, row, last, warn, refuse)
        return SourceView(name, title, own, deliveries, state, row, last, warn, refuse)

    def _hours(self, profiles: Mapping[str, ProfileSettings]) -> tuple[int | None, int | None]:
        """Return after how many hours without a file a source is stale, and refuses; None for never."""
        scheduled = [s for s in self.settings.sources.values() if s.profile in profiles]
        warn = [p.warn_hours for p in profiles.values() if p.warn_hours] + [s.warn_hours for s in scheduled]
        refuse = [p.refuse_hours for p in profiles.values() if p.refuse_hours] + [s.refuse_hours for s in scheduled]
        return min(warn, default=None), min(refuse, default=None)

    def _freshness(
        self,
        deliveries: Sequence[Delivery],
        row: RosterSourceRow,
        last: RosterImportRow | None,
        warn: int | None,
        refuse: int | None,
    ) -> Freshness:
        since = row.accepted_at or (last.confirmed_at if last else None)
        age = self.clock.now() - since if since else None
        if refuse is not None and age is not None and age >= timedelta(hours=refuse):
            return Freshness.REFUSING
        if any(d.row.failing_since is not None for d in deliveries):
            return Freshness.FAILING
        if warn is None:
            return Freshness.NONE
        return Freshness.STALE if age is None or age >= timedelta(hours=warn) else Freshness.FRESH

    def why_refused(self, unit: Unit, source: str, god: bool, now: datetime) -> str:
        """
        Say why nothing may be granted on contracts of a source; empty when something may.

        Args:
            unit: To read in.
            source: Of the contract.
            god: Whether it is god mode, which is refused as soon as the source is stale.
            now: Aware.
        """
        profiles = {p: layout for p, layout in self.layouts.all(unit).items() if _is_of(p, layout, source)}
        warn, refuse = self._hours(profiles)
        limit = min(filter(None, (warn if god else None, refuse)), default=None)
        if limit is None:
            return ""
        row, last = _row(unit, source), roster_imports.last_import(unit, source)
        since = row.accepted_at or (last.confirmed_at if last else None)
        if since is not None and now - since < timedelta(hours=limit):
            return ""
        when = f"since {since:%-d %B %Y, %H:%M} UTC" if since else "yet"
        what = "god mode" if god else "nothing new"
        return f"The source {source} has delivered no roster {when}; {what} is granted on its contracts until it does."

    # --- what ways in note ----------------------------------------------------------------------------------------

    def note_checked(self, name: str, now: datetime) -> None:
        """Note that a source is looked at."""
        with self.store.write() as unit:
            _keep(unit, _row(unit, name), checked_at=now)

    def note_answered(self, name: str, now: datetime) -> None:
        """Note that it could be looked at, and that nothing has failed."""
        with self.store.write() as unit:
            row = _row(unit, name)
            if row.failing_since is not None:
                before = {"since": row.failing_since.isoformat(), "error": row.error}
                unit.audit(at=now, actor="scheduler", action="source-answers", object_=f"source:{name}", before=before)
            _keep(unit, row, answered_at=now, error="", failing_since=None)

    def note_failed(self, name: str, now: datetime, error: str) -> None:
        """Note that it could not, and what a person can do about it; HR and IT are told when it begins."""
        with self.store.write() as unit:
            row = _row(unit, name)
            if row.failing_since is None:
                unit.audit(
                    at=now, actor="scheduler", action="source-failed", object_=f"source:{name}",
                    after={"error": error},
                )  # fmt: skip
                notice = Notice(
                    Topic.SOURCE, f"The roster source {name} fails", error, "/sources", f"source:{name}",
                    dedupe=f"source:{name}:{now.isoformat()}",
                )  # fmt: skip
                self.notices.tell(unit, notice, [*self.notices.settings.it, *self.notices.settings.hr], now)
            _keep(unit, row, error=error, failing_since=row.failing_since or now)

    def note_unchanged(self, name: str, now: datetime, upload_id: str) -> None:
        """Note that its report still is what was delivered as *upload_id*: if that was applied, it is fresh again."""
        with self.store.write() as unit:
            upload = roster_uploads.upload(unit, upload_id) if upload_id else None
            if upload is not None and upload.state == "applied":
                _keep(unit, _row(unit, upload.source), accepted_at=now)
            _keep(unit, _row(unit, name), answered_at=now)

    def says_more_from(self, profile: str) -> datetime | None:
        """Say when a file of a profile must have been made to end what it lacks again; None where it ends nothing."""
        layout = self.settings.profiles[profile]
        with self.store.read() as unit:
            source = self.layouts.source_of(profile, layout)
            return ends_what_lacks_again(unit, source, layout, self.clock.now().date())

    def frozen(self, name: str) -> str:
        """Say why nothing is taken from it; empty when it is not stopped."""
        with self.store.read() as unit:
            row = _row(unit, name)
            return row.frozen_because or "stopped" if row.frozen_at is not None else ""

    def seen(self, name: str) -> Mapping[str, Any]:
        """Return what was remembered last."""
        with self.store.read() as unit:
            return dict(_row(unit, name).seen)

    def remember(self, name: str, seen: Mapping[str, Any]) -> None:
        """Keep JSON for the next look."""
        with self.store.write() as unit:
            _keep(unit, _row(unit, name), seen=dict(seen))

    # --- stopping -------------------------------------------------------------------------------------------------

    def freeze(self, name: str, *, actor: str, why: str) -> None:
        """
        Take nothing from a source until somebody lets it go on.

        Raises:
            RosterRefused: Without a reason.
        """
        if not why.strip():
            raise RosterRefused("Please say why; the reason goes into the trail.")
        with self.store.write() as unit:
            freeze(unit, name, actor, why.strip(), self.clock.now())

    def thaw(self, name: str, *, actor: str, member_id: str = "", why: str) -> None:
        """
        Let a source go on.

        Raises:
            RosterRefused: Without a reason, where it is not stopped, or for whoever sent what it was stopped for.
        """
        if not why.strip():
            raise RosterRefused("Please say why; the reason goes into the trail.")
        with self.store.write() as unit:
            row = _row(unit, name)
            if row.frozen_at is None:
                raise RosterRefused("It is not stopped.")
            if member_id and member_id in roster_uploads.senders_refused_since(unit, name, row.frozen_at):
                raise RosterRefused("It was stopped for a roster that you sent; somebody else must let it go on.")
            unit.audit(
                at=self.clock.now(), actor=actor, action="source-thawed", object_=f"source:{name}",
                before={"because": row.frozen_because, "by": row.frozen_by}, after={"why": why.strip()},
            )  # fmt: skip
            _keep(unit, row, frozen_at=None, frozen_by="", frozen_because="")


def freeze(unit: Unit, name: str, actor: str, why: str, now: datetime) -> None:
    """Stop a source in the unit of what it is stopped for."""
    _keep(unit, _row(unit, name), frozen_at=now, frozen_by=actor, frozen_because=why)
    unit.audit(at=now, actor=actor, action="source-frozen", object_=f"source:{name}", after={"why": why})


def _is_of(profile: str, layout: ProfileSettings, source: str) -> bool:
    return Layouts.source_of(profile, layout) == source


def _row(unit: Unit, name: str) -> RosterSourceRow:
    return unit.session.get(RosterSourceRow, name) or RosterSourceRow(name=name, headers={}, seen={})


def _keep(unit: Unit, row: RosterSourceRow, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    unit.session.add(row)
    unit.session.flush()
    unit.shows()
