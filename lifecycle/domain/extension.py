"""What follows when a roster moves the end of a contract: base access does, god mode at once when it is sooner."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from lifecycle.domain.access import Contract, gives_god
from lifecycle.domain.entitlement import Catalogue, Tier

LONGEST_UNPROPOSED_DAYS = 30
"""An extension by more days than this, that the sponsor has not proposed, leaves the end of god mode where it was."""


@dataclass(frozen=True, slots=True)
class Extension:
    """What an extension does not give back by itself."""

    lapsed_at: datetime | None
    """Access had ended before (UTC): a term that had begun by then gives nothing until somebody else agrees."""
    god_withheld: bool
    """The offboarding window had taken god mode already: the baseline gives none any more, grants do."""


def after_extension(before: Contract, after: Contract, now: datetime) -> Extension:
    """
    Say what is not given back when a roster turns *before* into *after*.

    A contract whose days were moved into the future as a whole has not begun again yet: it begins like a new one,
    save for god mode, unless its first day is moved back again. Whoever was cut off stays so whatever this says.

    Args:
        before: The contract as it is stored.
        after: As the roster has it, with what was decided about *before*.
        now: When it is applied, aware.
    """
    timeline, lapsed_at = before.timeline, before.engagement.measures.lapsed_at
    if after.timeline.ends_at <= now or timeline.starts_at > now:
        return Extension(lapsed_at=lapsed_at, god_withheld=False)
    had_ended = before.gives_nothing or timeline.ends_at <= now
    had_narrowed = before.ceiling_at(now) < Tier.GOD
    known = lapsed_at is not None and after.timeline.starts_at <= lapsed_at
    return Extension(
        lapsed_at=now if had_ended and not known else lapsed_at,
        god_withheld=had_narrowed and after.timeline.ceiling_at(max(now, after.timeline.starts_at)) is Tier.GOD,
    )


def given_back(contract: Contract) -> Contract:
    """Return a lapsed *contract* as it would be once it is given back: without god mode and without old grants."""
    measures = replace(contract.engagement.measures, lapsed_at=None, god_withheld=True)
    return replace(contract, engagement=replace(contract.engagement, measures=measures), grants=())


def god_keeps_its_end(
    before: Contract, after: Contract, proposed: date | None, catalogue: Catalogue, now: datetime
) -> datetime | None:
    """
    Return the instant (UTC) at which god mode still ends where the sponsor has not agreed to the new days.

    Base access follows the roster. God mode follows an extension only if it is short and nobody's who can hold god
    mode, or if the sponsor has proposed it. Inside the window an exception that two people granted may still stand,
    so there it ends with the last working day as it was.

    Args:
        before: The contract as it is stored.
        after: As the roster has it.
        proposed: The last day (inclusive) to which the sponsor has proposed to extend *before*; None for none.
        catalogue: Entitlements.
        now: When it is applied, aware.

    Returns:
        What `Measures.god_ends_at` is to be; None where the contract's own days decide.
    """
    old, new = before.engagement.last_day, after.engagement.last_day
    known = before.engagement.measures.god_ends_at
    if known is not None and after.timeline.falls_below(Tier.GOD, after.timeline.starts_at) <= known:
        known = None  # its days end god mode by then anyway
    if new <= old:
        return known
    if proposed is not None and new <= proposed:
        return None
    long = (new - old).days > LONGEST_UNPROPOSED_DAYS
    if known is None and not long and not gives_god(before, catalogue) and not gives_god(after, catalogue):
        return None
    ends_at = before.god_ends_at if now < before.god_ends_at else before.timeline.final_day_at
    return ends_at if known is None else min(ends_at, known)


def god_ends_sooner(before: Contract, after: Contract, catalogue: Catalogue, now: datetime) -> datetime | None:
    """
    Return the instant (UTC) at which god mode ends by a roster's word and not by what was known before.

    A roster that two people must release holds everything back but this: in doubt nobody has god mode.

    Args:
        before: The contract as it is stored.
        after: As the roster has it.
        catalogue: Entitlements.
        now: Aware; what should have ended before ends now.

    Returns:
        None where it gives no god mode from *now* on anyway, or not sooner.
    """
    if before.gives_nothing or not gives_god(before, catalogue):
        return None
    at = now if after.gives_nothing else max(now, after.god_ends_at)
    return at if at < before.god_ends_at else None


def narrowed_to(contract: Contract, catalogue: Catalogue) -> frozenset[str]:
    """Return the keys of what is held in the place of a contract's god mode once that has ended."""
    given = [*contract.baseline, *(grant.entitlement for grant in contract.grants)]
    found = (catalogue.fit(key, Tier.ELEVATED) for key in given)
    return frozenset(lesser.key for key, lesser in zip(given, found, strict=True) if lesser and lesser.key != key)
