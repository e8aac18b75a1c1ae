"""What a change of dates or facts means for access, in words and in order of weight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lifecycle.domain.access import Contract, desired_access
from lifecycle.domain.entitlement import Catalogue, Tier


class Weight(StrEnum):
    """How much a consequence matters, heaviest first."""

    REMOVED_NOW = "access removed at once"
    GOD_SOONER = "god mode ends sooner"
    GOD_LATER = "god mode ends later"
    ENDS_SOONER = "access ends sooner"
    ENDS_LATER = "access ends later"
    GIVEN_NOW = "access given at once"
    GIVEN_LATER = "access begins later"
    CHANGES = "access changes"
    NEVER_GIVEN = "over already, nothing is given"
    NOTHING = "no effect on access"


@dataclass(frozen=True, slots=True)
class Consequence:
    """What one roster row does to access."""

    weight: Weight
    words: str


def consequence_of(before: Contract | None, after: Contract, catalogue: Catalogue, now: datetime) -> Consequence:
    """
    Say what replacing *before* by *after* does to what this one contract gives.

    Args:
        before: The contract as confirmed; None for a new one.
        after: As the roster has it.
        catalogue: Entitlements and what they narrow to.
        now: The instant at which it would be confirmed, aware.
    """
    had = _keys(before, catalogue, now)
    has = _keys(after, catalogue, now)
    if before is None:
        return _of_joiner(after, has, now)
    if had - has:
        return Consequence(Weight.REMOVED_NOW, f"loses {_named(had - has)} at once")
    if has - had:
        return Consequence(Weight.GIVEN_NOW, f"gets {_named(has - had)} at once")
    old, new = before.timeline, after.timeline
    if new.final_day_at != old.final_day_at and _can_be_god(after, catalogue):
        weight = Weight.GOD_SOONER if new.final_day_at < old.final_day_at else Weight.GOD_LATER
        return Consequence(weight, f"god mode ends {_stamp(new.final_day_at)} instead of {_stamp(old.final_day_at)}")
    if new.ends_at != old.ends_at:
        if max(new.ends_at, old.ends_at) <= now:
            return Consequence(Weight.NOTHING, "over before and after")
        weight = Weight.ENDS_SOONER if new.ends_at < old.ends_at else Weight.ENDS_LATER
        return Consequence(weight, f"access ends {_stamp(new.ends_at)} instead of {_stamp(old.ends_at)}")
    if before.baseline != after.baseline or new.transitions != old.transitions:
        return Consequence(Weight.CHANGES, "what is held later changes")
    return Consequence(Weight.NOTHING, "no effect on access")


def _of_joiner(after: Contract, has: frozenset[str], now: datetime) -> Consequence:
    timeline = after.timeline
    if timeline.ends_at <= now:
        return Consequence(Weight.NEVER_GIVEN, f"ended {_stamp(timeline.ends_at)}; nothing is given")
    if not after.baseline:
        return Consequence(Weight.NOTHING, "no baseline access for this role, vendor and site")
    if timeline.starts_at > now:
        return Consequence(Weight.GIVEN_LATER, f"gets access {_stamp(timeline.starts_at)}")
    return Consequence(Weight.GIVEN_NOW, f"gets {_named(has) or 'nothing in this stage'} at once")


def _keys(contract: Contract | None, catalogue: Catalogue, now: datetime) -> frozenset[str]:
    if contract is None:
        return frozenset()
    return frozenset(e.key for e in desired_access([contract], catalogue, now).entitlements)


def _can_be_god(contract: Contract, catalogue: Catalogue) -> bool:
    keys = [*contract.baseline, *(grant.entitlement for grant in contract.grants)]
    found = (catalogue.entitlements.get(key) for key in keys)
    return any(entitlement is not None and entitlement.tier is Tier.GOD for entitlement in found)


def _named(keys: frozenset[str]) -> str:
    return ", ".join(sorted(keys))


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")
