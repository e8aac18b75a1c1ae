"""What a change of dates or facts means for access, in words and in order of weight."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from lifecycle.domain.access import Contract, desired_access, gives_god
from lifecycle.domain.entitlement import Catalogue, Tier
from lifecycle.domain.roster import Standing

TODAY = timedelta(hours=24)


class Weight(StrEnum):
    """How much a consequence matters, heaviest first."""

    REMOVED_NOW = "access removed at once"
    GOD_SOONER = "god mode ends sooner"
    GOD_LATER = "god mode ends later"
    NARROWS_TODAY = "narrowing starts today"
    """Within a day, and not before this roster."""
    ENDS_SOONER = "access ends sooner"
    ENDS_LATER = "access ends later"
    GIVEN_NOW = "access given at once"
    GIVEN_LATER = "access begins later"
    CHANGES = "access changes"
    NEVER_GIVEN = "over already, nothing is given"
    NOT_GIVEN_BACK = "extended too late, nothing is given back"
    NOTHING = "no effect on access"


@dataclass(frozen=True, slots=True)
class Consequence:
    """What one roster row does to access."""

    weight: Weight
    words: str
    also: frozenset[Weight] = frozenset()
    """What it means besides: that god mode ends sooner, or narrowing starts today, with something heavier."""


def consequence_of(
    before: Contract | None,
    after: Contract,
    catalogue: Catalogue,
    now: datetime,
    elsewhere: frozenset[str] = frozenset(),
) -> Consequence:
    """
    Say what replacing *before* by *after* does to access.

    Args:
        before: The contract as confirmed; None for a new one.
        after: As the roster has it.
        catalogue: Entitlements and what they narrow to.
        now: The instant at which it would be confirmed, aware.
        elsewhere: Keys of what the person's other contracts give then: that is not lost.
    """
    found = _heaviest(before, after, catalogue, now, elsewhere)
    if before is None or before.gives_nothing:
        return found
    god_goes_on = any(e.tier is Tier.GOD for key in elsewhere if (e := catalogue.entitlements.get(key)))
    means = {
        Weight.GOD_SOONER: _ends_god(before, after, catalogue, now) and not god_goes_on,
        Weight.NARROWS_TODAY: _narrows(before, after, now),
    }
    return replace(found, also=frozenset(weight for weight, holds in means.items() if holds) - {found.weight})


def _ends_god(before: Contract, after: Contract, catalogue: Catalogue, now: datetime) -> bool:
    if not gives_god(before, catalogue) or before.god_ends_at <= now:
        return False
    return after.gives_nothing or not gives_god(after, catalogue) or after.god_ends_at < before.god_ends_at


def _narrows(before: Contract, after: Contract, now: datetime) -> bool:
    """Say whether the offboarding window begins within a day, and would not have."""
    old, new = before.timeline, after.timeline
    if after.gives_nothing or new.ends_at <= now:
        return False
    return new.falls_below(Tier.GOD, new.starts_at) <= now + TODAY < old.falls_below(Tier.GOD, old.starts_at)


def _heaviest(
    before: Contract | None, after: Contract, catalogue: Catalogue, now: datetime, elsewhere: frozenset[str]
) -> Consequence:
    has = _keys(after, catalogue, now)
    if before is None:
        return _of_joiner(after, has, now)
    had = _keys(before, catalogue, now)
    gained = has - had
    lost = {key for key in had - has if not any(catalogue.narrows(more, key) for more in gained)}
    if lost and lost <= elsewhere:
        return Consequence(Weight.CHANGES, "what it gave goes on with another contract")
    lost -= elsewhere
    if lost:
        return Consequence(Weight.REMOVED_NOW, f"loses {_named(lost)} at once{_why(before, after)}")
    if gained:
        kept = _of_kept_god(before, after, catalogue)
        return Consequence(Weight.GIVEN_NOW, f"gets {_named(gained)} at once{kept}")
    if after.gives_nothing:
        return _of_nothing(before, after, now)
    return _of_days(before, after, catalogue, now)


def _of_nothing(before: Contract, after: Contract, now: datetime) -> Consequence:
    if after.engagement.standing is Standing.WITHDRAWN:
        if before.over_at(now):
            return Consequence(Weight.NOTHING, "over before and after")
        return Consequence(Weight.ENDS_SOONER, "withdrawn: no access begins")
    if before.engagement.has_lapsed:
        return Consequence(Weight.NOTHING, "gives nothing until its sponsor asks for the access back")
    return Consequence(Weight.NOT_GIVEN_BACK, "extended after access had ended: nothing is given back by itself")


def _of_days(before: Contract, after: Contract, catalogue: Catalogue, now: datetime) -> Consequence:
    old, new = before.timeline, after.timeline
    god = _of_god(before, after, catalogue)
    if god is not None:
        return god
    if _narrows(before, after, now):
        narrows_at = new.falls_below(Tier.GOD, new.starts_at)
        words = f"narrowing starts {_stamp(max(narrows_at, now))}; access ends {_stamp(new.ends_at)}"
        return Consequence(Weight.NARROWS_TODAY, f"{words} instead of {_stamp(old.ends_at)}")
    if new.ends_at != old.ends_at:
        if max(new.ends_at, old.ends_at) <= now:
            return Consequence(Weight.NOTHING, "over before and after")
        weight = Weight.ENDS_SOONER if new.ends_at < old.ends_at else Weight.ENDS_LATER
        words = f"access ends {_stamp(new.ends_at)} instead of {_stamp(old.ends_at)}"
        return Consequence(weight, f"{words}{_of_kept_god(before, after, catalogue)}")
    if _is_employed(before, after):
        return Consequence(Weight.CHANGES, f"access ends {_stamp(new.ends_at)} all the same{_why(before, after)}")
    if before.baseline != after.baseline or new.transitions != old.transitions:
        return Consequence(Weight.CHANGES, "what is held later changes")
    return Consequence(Weight.NOTHING, "no effect on access")


def _of_god(before: Contract, after: Contract, catalogue: Catalogue) -> Consequence | None:
    if after.god_ends_at == before.god_ends_at or not gives_god(after, catalogue):
        return None
    sooner = after.god_ends_at < before.god_ends_at
    if not sooner and _withheld(before, after):
        return None
    words = f"god mode ends {_stamp(after.god_ends_at)} instead of {_stamp(before.god_ends_at)}"
    return Consequence(Weight.GOD_SOONER if sooner else Weight.GOD_LATER, words)


def _of_kept_god(before: Contract, after: Contract, catalogue: Catalogue) -> str:
    """Say what an extension does not bring: god mode that its sponsor must agree to, or that was taken already."""
    if not gives_god(after, catalogue):
        return ""
    if _withheld(before, after):
        return "; god mode is not given back by itself"
    decided = after.engagement.measures.god_ends_at
    if decided is None or after.timeline.falls_below(Tier.GOD, after.timeline.starts_at) <= decided:
        return ""
    return f"; god mode still ends {_stamp(decided)} unless the sponsor agrees"


def _withheld(before: Contract, after: Contract) -> bool:
    return after.engagement.measures.god_withheld and not before.engagement.measures.god_withheld


def _is_employed(before: Contract, after: Contract) -> bool:
    return after.engagement.measures.employee_since is not None and before.engagement.measures.employee_since is None


def _why(before: Contract, after: Contract) -> str:
    if after.engagement.standing is Standing.WITHDRAWN:
        return ": the contract is withdrawn"
    return "; the account stays, the person has become an employee" if _is_employed(before, after) else ""


def _of_joiner(after: Contract, has: frozenset[str], now: datetime) -> Consequence:
    timeline = after.timeline
    if after.engagement.standing is Standing.WITHDRAWN:
        return Consequence(Weight.NEVER_GIVEN, "withdrawn; nothing is given")
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


def _named(keys: Collection[str]) -> str:
    return ", ".join(sorted(keys))


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")
