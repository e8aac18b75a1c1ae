"""What reading one file needs: where its columns are, and who knows what their words mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lifecycle.domain.party import key_of
from lifecycle.domain.roster import Repairs
from lifecycle.feed.days import DayReader
from lifecycle.feed.profile import Profile
from lifecycle.feed.standings import StandingReader
from lifecycle.feed.zones import ZoneReader


class Meaning:
    """One profile and what a person has said about one file, applied to that file's header."""

    def __init__(self, profile: Profile, repairs: Repairs, header: Sequence[str]) -> None:
        self.profile = profile
        self.repairs = repairs
        self.width = len(header)
        self.header = list(header)
        self.positions: Mapping[str, int] = {
            field: header.index(column) for field, column in profile.columns.items() if column in header
        }
        self.days = DayReader(profile, repairs)
        self.standings = StandingReader(profile, repairs)
        self.zones = ZoneReader(profile, repairs)
        self._sponsors = {key_of(spelling): meant for spelling, meant in profile.sponsors.items()}
        self._sponsors |= {key_of(spelling): meant for spelling, meant in repairs.sponsors.items()}

    def has(self, field: str) -> bool:
        """Say whether the file has a column for *field*."""
        return field in self.positions

    def sponsor(self, text: str) -> str:
        """Return the sponsor meant by *text*."""
        return self._sponsors.get(key_of(text), text) if self._sponsors else text

    @property
    def needs_first_day(self) -> bool:
        """Whether a running row must state it."""
        return not self.profile.partial and self.has("first_day")

    @property
    def needs_last_day(self) -> bool:
        """Whether a running row must state it, in either column."""
        return not self.profile.partial or self.profile.is_closing

    @property
    def needs_name(self) -> bool:
        """Whether a row must name its worker."""
        return not self.profile.partial
