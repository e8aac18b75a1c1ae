"""Access that comes with the contract itself: rules over role, vendor and site."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from lifecycle.domain.engagement import Engagement
from lifecycle.domain.entitlement import Catalogue
from lifecycle.domain.errors import InvalidCatalogue


@dataclass(frozen=True, slots=True)
class BaselineRule:
    """
    Entitlements for every engagement that matches.

    Each of ``roles``, ``vendors``, ``sites`` lists alternatives, compared without regard to case; ``*`` stands
    for any run of characters; an empty one matches everything.
    """

    name: str
    entitlements: tuple[str, ...]
    roles: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()

    def matches(self, engagement: Engagement) -> bool:
        """Say whether the rule speaks of *engagement*."""
        return (
            _any_of(self.roles, engagement.role)
            and _any_of(self.vendors, engagement.vendor)
            and _any_of(self.sites, engagement.site)
        )


def _any_of(patterns: tuple[str, ...], text: str) -> bool:
    return not patterns or any(fnmatchcase(text.casefold(), p.casefold()) for p in patterns)


def check_rules(rules: Iterable[BaselineRule], catalogue: Catalogue) -> None:
    """
    Refuse rules that give what is not in the catalogue.

    Raises:
        InvalidCatalogue: Naming the rule and the entitlement.
    """
    for rule in rules:
        for key in rule.entitlements:
            if key not in catalogue.entitlements:
                raise InvalidCatalogue(f"baseline rule {rule.name} gives {key}, which is not in [entitlements]")


def baseline_of(engagement: Engagement, rules: Iterable[BaselineRule]) -> dict[str, str]:
    """Map each entitlement key that *engagement* brings with it to the name of the first rule that gives it."""
    given: dict[str, str] = {}
    for rule in rules:
        if rule.matches(engagement):
            for key in rule.entitlements:
                given.setdefault(key, rule.name)
    return given
