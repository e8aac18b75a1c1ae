"""Profiles: those of the configuration, those that people have matched, and which one a header belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lifecycle.domain.errors import NotFound, RosterRefused
from lifecycle.domain.roster import Repairs
from lifecycle.feed.look import Look
from lifecycle.feed.matching import headers_match
from lifecycle.feed.profile import Profile
from lifecycle.services.recognising import Recognised, recognise
from lifecycle.settings import Settings
from lifecycle.settings.rosters import ProfileSettings
from lifecycle.store import roster_imports
from lifecycle.store.roster_tables import RosterProfileRow
from lifecycle.store.unit import Unit


@dataclass
class Layouts:
    """Finds, recognises and saves profiles."""

    settings: Settings

    def all(self, unit: Unit) -> dict[str, ProfileSettings]:
        """Return every profile by name; what the configuration says cannot be changed in a browser."""
        saved = {row.name: ProfileSettings.model_validate(row.document) for row in roster_imports.profiles(unit)}
        return saved | dict(self.settings.profiles)

    def find(self, unit: Unit, name: str) -> ProfileSettings:
        """
        Return a profile.

        Raises:
            NotFound: If there is none of that name.
        """
        known = self.all(unit) | dict(self.settings.push.profiles)
        if name not in known:
            raise NotFound(f"there is no profile {name!r}; there are {', '.join(known) or 'none'}")
        return known[name]

    @staticmethod
    def source_of(name: str, layout: ProfileSettings) -> str:
        """Return whose numbering a profile uses."""
        return layout.source or name

    def recognise(self, unit: Unit, seen: Look) -> Recognised:
        """Say which profile a file belongs to, or why a person must say."""
        known = self.all(unit)
        alike = [name for name, layout in known.items() if headers_match(self.profile(name, layout), seen.header)]
        return recognise(known, alike, seen)

    def save(self, unit: Unit, name: str, layout: ProfileSettings, actor: str, now: datetime) -> None:
        """
        Keep a profile for the files to come.

        Raises:
            RosterRefused: If it has no name, or that of one in the configuration.
        """
        if not name.strip():
            raise RosterRefused("Give the profile a name.")
        if name in self.settings.profiles:
            raise RosterRefused(f"The profile {name} belongs to config.toml; save this one under another name.")
        document = layout.model_dump(mode="json")
        row = unit.session.get(RosterProfileRow, name)
        before = dict(row.document) if row else {}
        if row is None:
            unit.session.add(RosterProfileRow(name=name, document=document, saved_by=actor, saved_at=now))
        else:
            row.document, row.saved_by, row.saved_at = document, actor, now
            unit.session.add(row)
        unit.audit(
            at=now, actor=actor, action="profile-saved", object_=f"profile:{name}", before=before, after=document
        )

    def remember(self, unit: Unit, name: str, repairs: Repairs, actor: str, now: datetime) -> None:
        """Keep with a saved profile what a person has said of spellings, so that next week nobody is asked again."""
        row = unit.session.get(RosterProfileRow, name)
        if row is None:
            return
        known = ProfileSettings.model_validate(row.document)
        said = {
            "site_zones": {**known.site_zones, **repairs.zones},
            "sponsors": {**known.sponsors, **repairs.sponsors},
            "statuses": {**known.statuses, **repairs.statuses},
        }
        layout = ProfileSettings.model_validate({**known.model_dump(), **said})
        if layout != known:
            self.save(unit, name, layout, actor, now)

    def profile(self, name: str, layout: ProfileSettings) -> Profile:
        """Return a profile as the feed takes it."""
        sites = {site: settings.zone for site, settings in self.settings.sites.items()}
        return Profile(
            name=name,
            columns=layout.columns,
            scope=layout.scope,
            partial=layout.partial,
            date_format=layout.date_format,
            encoding=layout.encoding,
            delimiter=layout.delimiter,
            sheet=layout.sheet,
            vendor=layout.vendor,
            zone=layout.zone,
            longest_days=layout.longest_days,
            statuses=layout.statuses,
            worker_types=layout.worker_types,
            site_zones={**sites, **layout.site_zones},
            sponsors=layout.sponsors,
            header=layout.header,
        )
