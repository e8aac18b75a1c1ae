"""Rights that can be held in one target, how powerful they are, and what each narrows to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum

from lifecycle.domain.errors import InvalidCatalogue


class Tier(IntEnum):
    """How much harm a right can do. ``NONE`` is only ever a ceiling."""

    NONE = 0
    READ_ONLY = 1
    STANDARD = 2
    ELEVATED = 3
    GOD = 4

    @property
    def label(self) -> str:
        """The tier as it is written in ``config.toml`` and on pages."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def parse(cls, label: str) -> Tier:
        """
        Read a tier from its label.

        Raises:
            InvalidCatalogue: If there is no such tier.
        """
        for tier in cls:
            if tier.label == label:
                return tier
        raise InvalidCatalogue(f"{label!r} is no tier; use one of {', '.join(t.label for t in cls)}")


@dataclass(frozen=True, slots=True)
class Entitlement:
    """One right in one target."""

    key: str
    """Name used in ``config.toml`` and in the trail; unique over all targets."""
    target: str
    locator: str
    """How the target's own administrators name it; for LDAP a DN."""
    tier: Tier
    narrows_to: str | None = None
    """Key of the lesser entitlement in the same target that replaces it above the ceiling."""
    title: str = ""
    owners: tuple[str, ...] = ()
    """Who reviews requests for it: e-mail addresses or sign-in names, in any case."""
    dual: bool = False
    """Whether two people must approve it though it is no god mode."""
    longest: timedelta | None = None
    """No single grant of it is longer; None: what its tier allows."""
    requestable: bool = True
    """Whether it can be asked for."""

    @property
    def approvals_needed(self) -> int:
        """How many different people must approve a grant of it."""
        return 2 if self.dual or self.tier is Tier.GOD else 1


@dataclass(frozen=True)
class Catalogue:
    """Every entitlement this product manages, by key. What is not listed here is never touched."""

    entitlements: Mapping[str, Entitlement] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """
        Refuse a catalogue in which narrowing could widen or never end.

        Raises:
            InvalidCatalogue: Unknown, foreign, equal or higher ``narrows_to``; one right listed twice.
        """
        seen: dict[tuple[str, str], str] = {}
        for entitlement in self.entitlements.values():
            self._check_narrowing(entitlement)
            place = (entitlement.target, entitlement.locator)
            if place in seen:
                raise InvalidCatalogue(f"{entitlement.key} and {seen[place]} are the same right {place}")
            seen[place] = entitlement.key

    def _check_narrowing(self, entitlement: Entitlement) -> None:
        if entitlement.tier is Tier.NONE:
            raise InvalidCatalogue(f"{entitlement.key}: tier none is a ceiling, not a tier of an entitlement")
        if entitlement.narrows_to is None:
            return
        lesser = self.entitlements.get(entitlement.narrows_to)
        if lesser is None:
            raise InvalidCatalogue(f"{entitlement.key} narrows to {entitlement.narrows_to}, which is not listed")
        if lesser.target != entitlement.target:
            raise InvalidCatalogue(f"{entitlement.key} narrows to {lesser.key}, which is in another target")
        if lesser.tier >= entitlement.tier:
            raise InvalidCatalogue(f"{entitlement.key} narrows to {lesser.key}, whose tier is not lower")

    def fit(self, key: str, ceiling: Tier) -> Entitlement | None:
        """
        Return the entitlement *key* or what it narrows to at or under *ceiling*; None if nothing fits.

        A key that is no longer listed fits nothing: in doubt nobody gets anything.
        """
        entitlement = self.entitlements.get(key)
        while entitlement is not None and entitlement.tier > ceiling:
            entitlement = self.entitlements.get(entitlement.narrows_to or "")
        return entitlement

    def narrows(self, key: str, lesser: str) -> bool:
        """Say whether *lesser* is what is left of *key* while a stage narrows it, at once or step by step."""
        entitlement = self.entitlements.get(key)
        while entitlement is not None and entitlement.narrows_to:
            if entitlement.narrows_to == lesser:
                return True
            entitlement = self.entitlements.get(entitlement.narrows_to)
        return False

    def in_target(self, target: str) -> tuple[Entitlement, ...]:
        """List the entitlements of one target, most powerful first."""
        found = (e for e in self.entitlements.values() if e.target == target)
        return tuple(sorted(found, key=lambda e: (-e.tier, e.key)))
