"""Policy, catalogue, baseline and calendars of the configuration, applied to engagements."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache

import holidays

from lifecycle.domain.access import Contract, DesiredAccess, desired_access
from lifecycle.domain.baseline import BaselineRule, baseline_of
from lifecycle.domain.calendar import WorkCalendar
from lifecycle.domain.engagement import Engagement
from lifecycle.domain.entitlement import Catalogue, Entitlement
from lifecycle.domain.errors import InvalidSettings
from lifecycle.domain.grant import Grant
from lifecycle.domain.policy import OffboardingPolicy
from lifecycle.domain.timeline import Timeline, plan_timeline
from lifecycle.settings import Settings, SiteSettings

MOST_TIMELINES = 50_000


class Rulebook:
    """Answers what an engagement means under the configuration. Holds no state but caches."""

    def __init__(self, settings: Settings) -> None:
        """
        Take the rules from *settings*.

        Raises:
            InvalidSettings: If a site names a country whose holidays are not known.
        """
        self.policy: OffboardingPolicy = settings.offboarding
        self.catalogue: Catalogue = settings.catalogue
        self.rules: tuple[BaselineRule, ...] = settings.rules
        self._sites: Mapping[str, SiteSettings] = settings.sites
        for name, site in settings.sites.items():
            _check_country(name, site)
        rules = settings.model_dump(mode="json", include={"policy", "sites", "entitlements", "baseline", "targets"})
        self.fingerprint = hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()
        """Changes when anything changes that access is computed from."""
        self._timelines: dict[tuple[date, date, date, str, str], Timeline] = {}
        self._baselines: dict[tuple[str, str, str], dict[str, str]] = {}

    def calendar(self, site: str, day: date) -> WorkCalendar:
        """Return the days worked at *site* around *day*; weekends only where no country is configured."""
        found = self._sites.get(site)
        if found is None:
            return WorkCalendar()
        return _calendar(found.country, found.subdivision, found.weekend_days, day.year)

    def timeline(self, engagement: Engagement) -> Timeline:
        """Place the policy in time for *engagement*; contracts with the same days at the same place share it."""
        key = (
            engagement.first_day,
            engagement.last_day,
            engagement.access_until,
            engagement.zone,
            engagement.site,
        )
        timeline = self._timelines.get(key)
        if timeline is None:
            if len(self._timelines) >= MOST_TIMELINES:
                self._timelines.clear()
            calendar = self.calendar(engagement.site, engagement.last_day)
            timeline = self._timelines[key] = plan_timeline(engagement, self.policy, calendar)
        return timeline

    def contract(self, engagement: Engagement, grants: Iterable[Grant] = ()) -> Contract:
        """Gather everything that follows from *engagement*."""
        key = (engagement.role, engagement.vendor, engagement.site)
        baseline = self._baselines.get(key)
        if baseline is None:
            baseline = self._baselines[key] = baseline_of(engagement, self.rules)
        return Contract(engagement, self.timeline(engagement), baseline, tuple(grants))

    def desired(self, contracts: Sequence[Contract], now: datetime) -> DesiredAccess:
        """Compute what the owner of *contracts* should hold at *now*."""
        return desired_access(contracts, self.catalogue, now)

    def entitlement(self, key: str) -> Entitlement | None:
        """Look an entitlement up."""
        return self.catalogue.entitlements.get(key)


@lru_cache(maxsize=1024)
def _calendar(country: str, subdivision: str, weekend: frozenset[int], year: int) -> WorkCalendar:
    if not country:
        return WorkCalendar(weekend=weekend)
    days = holidays.country_holidays(country, subdiv=subdivision or None, years=(year - 1, year))
    return WorkCalendar(frozenset(days), weekend)


def _check_country(name: str, site: SiteSettings) -> None:
    if not site.country:
        return
    try:
        holidays.country_holidays(site.country, subdiv=site.subdivision or None)
    except NotImplementedError as exc:
        place = f"{site.country} {site.subdivision}".strip()
        raise InvalidSettings(f"sites.{name}: the public holidays of {place!r} are not known") from exc
