"""In which time zone the days of a row are meant."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

from lifecycle.domain.party import key_of
from lifecycle.domain.roster import Repairs
from lifecycle.feed.profile import Profile

NO_PLACES = frozenset({"Factory", "localtime", "posixrules"})


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones()) - NO_PLACES


def is_zone(name: str) -> bool:
    """Say whether *name* is an IANA time zone."""
    return name in _known()


class ZoneReader:
    """Knows the sites and zones of one file."""

    def __init__(self, profile: Profile, repairs: Repairs) -> None:
        self._said = {key_of(site): zone for site, zone in repairs.zones.items() if is_zone(zone)}
        self._sites = {key_of(site): zone for site, zone in profile.site_zones.items()}
        self._otherwise = profile.zone
        self._may_be_unsaid = profile.partial

    def read(self, zone: str, site: str) -> str | bool | None:
        """
        Resolve what a row says.

        Args:
            zone: As written in the row; empty where it names none.
            site: The same.

        Returns:
            An IANA zone; None where the row need not name one and does not; False where it cannot be told.
        """
        if zone:
            return zone if is_zone(zone) else self._said.get(key_of(zone), False)
        key = key_of(site)
        found = self._said.get(key) or self._sites.get(key) or self._otherwise
        if found:
            return found
        return None if self._may_be_unsaid and not site else False
