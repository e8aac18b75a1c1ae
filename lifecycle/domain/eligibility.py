"""Who may be given what for how long: the shortest of all limits, and the words for what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lifecycle.domain.access import Contract
from lifecycle.domain.engagement import Measures
from lifecycle.domain.entitlement import Catalogue, Entitlement, Tier
from lifecycle.domain.errors import LifecycleError
from lifecycle.domain.grant import Grant, NothingLeftToGrant
from lifecycle.domain.roster import Standing
from lifecycle.domain.timeline import Timeline

LAST_PART = 4
"""More time can be asked for in the last quarter of a grant."""
LAST_PART_AT_LEAST = timedelta(minutes=10)
"""A quarter of a short grant is too little to be reviewed in."""

ENDED_BY_A_PERSON = "Their access was ended by a person; that must be undone first."
LAPSED = "The contract was extended after access had ended; ask for that access back first."
WITHDRAWN = "The contract was withdrawn."
NOT_RUNNING = "The contract does not run now."
NONE_RUNS = "No contract of theirs runs now."
UNAGREED = "The sponsor has not agreed to the contract's days, so god mode ends sooner"


class NotEligible(LifecycleError):
    """This right cannot be asked for, or not now, or not for this person."""

    code = "not-eligible"


@dataclass(frozen=True, slots=True)
class Limit:
    """How long something may be held: at most ``longest``, and never beyond ``until`` (UTC, exclusive)."""

    longest: timedelta
    until: datetime
    why_until: str
    """What ends it, in words."""
    exception: bool
    """Whether it is above the ceiling of the stage, so that two people must want it."""

    def ends_at(self, asked: timedelta, starts_at: datetime) -> datetime:
        """
        Return when a grant from *starts_at* on ends: the shortest limit wins.

        Raises:
            NothingLeftToGrant: If nothing is left.
        """
        ends_at = min(starts_at + min(asked, self.longest), self.until)
        if ends_at <= starts_at:
            raise NothingLeftToGrant(f"Nothing is left: {self.why_until}.")
        return ends_at


def longest_of(entitlement: Entitlement, tier_longest: timedelta) -> timedelta:
    """Return the most that *entitlement* may be held at a time: its own longest, and never more than its tier's."""
    return min(tier_longest, entitlement.longest or tier_longest)


def limit_of(
    contract: Contract,
    entitlement: Entitlement,
    tier_longest: timedelta,
    now: datetime,
    *,
    held: Sequence[Grant] = (),
    asked_at: datetime | None = None,
) -> Limit:
    """
    Say how long *entitlement* may be held through *contract* if it were given at *now* (aware).

    Inside the offboarding window a right above the stage's ceiling is an exception, which ends before the last
    working day begins; on that day there is none. God mode that is held already counts: approvals that overlap do not
    add up to more than the longest time, only an extension in the last part does.

    Args:
        contract: Through which.
        entitlement: What.
        tier_longest: The longest that anything of its tier may be held.
        now: When, aware.
        held: Grants of the same person, on whatever contract; none for an extension.
        asked_at: When it was asked for: what was held then and has ended since counts too. None for now.

    Raises:
        NotEligible: If it cannot be asked for, or the contract does not run.
    """
    if not entitlement.requestable:
        raise NotEligible(f"{entitlement.title} cannot be asked for here.")
    if not contract.live_at(now):
        raise NotEligible(_why_not_live(contract, now))
    longest = longest_of(entitlement, tier_longest)
    limit = _limit(contract.timeline, entitlement, longest, now)
    if is_god(entitlement):
        limit = _until_decided(limit, contract.engagement.measures, now)
    since = _held_since(held, entitlement, asked_at or now, now) if is_god(entitlement) else None
    if since is not None and since + longest < limit.until:
        words = f"they have had it since {since:%-d %b, %H:%M} UTC, and that is the longest at a time"
        return replace(limit, until=since + longest, why_until=words)
    return limit


def _limit(timeline: Timeline, entitlement: Entitlement, longest: timedelta, now: datetime) -> Limit:
    if entitlement.tier <= timeline.ceiling_at(now):
        # God mode ends where the policy ends it; anything less narrows by itself and dies with the contract.
        until = timeline.falls_below(Tier.GOD, now) if is_god(entitlement) else timeline.ends_at
        why = (
            "the contract ends then"
            if until >= timeline.ends_at
            else f"the stage '{timeline.stage_at(until)}' begins then"
        )
        return Limit(longest, until, why, exception=False)
    if now >= timeline.final_day_at:
        raise NotEligible("On the last working day no exception is possible.")
    return Limit(longest, timeline.final_day_at, "the last working day begins then", exception=True)


def _until_decided(limit: Limit, measures: Measures, now: datetime) -> Limit:
    """Cut *limit* where god mode ends whatever the contract's days say; nobody makes an exception from that."""
    if measures.god_ended(now):
        raise NotEligible(f"{UNAGREED}.")
    if measures.god_ends_at is None or limit.until <= measures.god_ends_at:
        return limit
    return replace(limit, until=measures.god_ends_at, why_until=UNAGREED[0].lower() + UNAGREED[1:])


def _held_since(held: Sequence[Grant], entitlement: Entitlement, first: datetime, last: datetime) -> datetime | None:
    """Return since when grants without a gap had given it that was held from *first* to *last*; None for never."""
    own = [grant for grant in held if grant.entitlement == entitlement.key]
    since = min((grant.starts_at for grant in own if grant.starts_at <= last and first < grant.ends_at), default=None)
    while since is not None:
        earlier = [grant.starts_at for grant in own if grant.starts_at < since <= grant.ends_at]
        if not earlier:
            break
        since = min(earlier)
    return since


def why_none_runs(contracts: Sequence[Contract], now: datetime) -> str:
    """Say why none of one person's *contracts* gives anything at *now* (aware): ended by a person, or by its dates."""
    reasons = {_why_not_live(c, now) for c in contracts if c.timeline.live_at(now)}
    return next((why for why in (ENDED_BY_A_PERSON, LAPSED, WITHDRAWN) if why in reasons), NONE_RUNS)


def _why_not_live(contract: Contract, now: datetime) -> str:
    measures = contract.engagement.measures
    if measures.cut_off(now):
        return ENDED_BY_A_PERSON
    if contract.engagement.standing is Standing.WITHDRAWN:
        return WITHDRAWN
    return LAPSED if contract.engagement.has_lapsed and contract.timeline.live_at(now) else NOT_RUNNING


def narrowing_of(
    entitlement: Entitlement, catalogue: Catalogue, contract: Contract, starts_at: datetime, ends_at: datetime
) -> tuple[tuple[datetime, Entitlement | None], ...]:
    """
    List what stages of the policy make of *entitlement* while it is held.

    Returns:
        Instants inside the interval (UTC) with what is held from then on; None where nothing of it fits.
    """
    steps: list[tuple[datetime, Entitlement | None]] = []
    held: Entitlement | None = entitlement
    for transition in contract.timeline.transitions:
        if starts_at < transition.at < ends_at:
            fits = catalogue.fit(entitlement.key, transition.ceiling)
            if fits != held:
                steps.append((transition.at, fits))
                held = fits
    return tuple(steps)


def approvals_for(entitlement: Entitlement, limit: Limit) -> int:
    """Say how many people must approve: two for god mode, for what is marked dual, and for any exception."""
    return 2 if limit.exception else entitlement.approvals_needed


def extension_opens_at(grant: Grant) -> datetime:
    """Return the instant from which more time for *grant* can be asked for: its last quarter, or ten minutes."""
    length = grant.ends_at - grant.starts_at
    return grant.ends_at - max(length / LAST_PART, min(LAST_PART_AT_LEAST, length))


def check_extension(grant: Grant, now: datetime) -> None:
    """
    Refuse to extend what has not begun its last part, or has ended.

    Raises:
        NotEligible: Naming when it can be extended, or that it can only be renewed.
    """
    if now >= grant.ends_at:
        raise NotEligible("It has ended; renew it instead.")
    opens_at = extension_opens_at(grant)
    if now < opens_at:
        raise NotEligible(f"More time can be asked for from {opens_at:%-d %b, %H:%M} UTC on.")


def check_renewal(grant: Grant, now: datetime) -> None:
    """
    Refuse to renew what still runs.

    Raises:
        NotEligible: If it has not ended.
    """
    if now < grant.ends_at:
        raise NotEligible("It has not ended; extend it instead.")


def is_god(entitlement: Entitlement) -> bool:
    """Say whether the strictest rules apply."""
    return entitlement.tier is Tier.GOD
