"""The one idea: what a person should hold is a pure function of facts, policy and an instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lifecycle.domain.engagement import Engagement
from lifecycle.domain.entitlement import Catalogue, Entitlement, Tier
from lifecycle.domain.grant import Grant
from lifecycle.domain.roster import Standing
from lifecycle.domain.timeline import Timeline

MOST_FOLLOWING = 100
"""So many contracts to come, the next ones, are looked at for what they keep; nobody has nearly as many."""


@dataclass(frozen=True, slots=True)
class Contract:
    """One engagement with everything that follows from it: its timeline, its baseline and its grants."""

    engagement: Engagement
    timeline: Timeline
    baseline: Mapping[str, str]
    """Entitlement key to the name of the rule that gives it."""
    grants: tuple[Grant, ...] = ()

    @property
    def gives_nothing(self) -> bool:
        """Say whether it gives nothing whatever its days say: withdrawn, or extended after its access had ended."""
        return self.engagement.standing is Standing.WITHDRAWN or self.engagement.has_lapsed

    def live_at(self, now: datetime) -> bool:
        """Say whether it gives anything at *now* (aware): it runs, is wanted, and nobody has cut its holder off."""
        return not self.gives_nothing and self.timeline.live_at(now) and not self.engagement.measures.cut_off(now)

    def over_at(self, now: datetime) -> bool:
        """Say whether nothing is to be expected of it from *now* (aware) on: it has come to its end, or has none."""
        return self.gives_nothing or self.timeline.ends_at <= now or self.engagement.measures.cut_off(now)

    def has_lapsed_at(self, now: datetime) -> bool:
        """Say whether it gives nothing at *now* (aware) only because it was extended after access had ended."""
        e = self.engagement
        lapsed = e.has_lapsed and e.standing is not Standing.WITHDRAWN
        return lapsed and self.timeline.live_at(now) and not e.measures.cut_off(now)

    def has_ended_at(self, now: datetime) -> bool:
        """Say whether it is over by *now* (aware) and not only because it never began."""
        return self.over_at(now) and (not self.gives_nothing or self._has_begun(now))

    def _has_begun(self, now: datetime) -> bool:
        return self.timeline.starts_at <= now or self.engagement.measures.cut_off(now)

    def ceiling_at(self, now: datetime) -> Tier:
        """Return the highest tier that its stage, and what was decided about it, leave at *now* (aware)."""
        ceiling = self.timeline.ceiling_at(now)
        return min(ceiling, Tier.ELEVATED) if self.engagement.measures.god_ended(now) else ceiling

    @property
    def god_ends_at(self) -> datetime:
        """The first instant (UTC) from which its stage, or what was decided, leaves no room for god mode."""
        decided = self.engagement.measures.god_ends_at
        by_stage = self.timeline.falls_below(Tier.GOD, self.timeline.starts_at)
        return by_stage if decided is None else min(by_stage, decided)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one entitlement should be held: which contract, which rule or grant, and until when."""

    entitlement: Entitlement
    given: str
    """Key that the rule or grant names; differs from ``entitlement.key`` while narrowed."""
    engagement: Engagement
    rule: str | None
    grant: Grant | None
    until: datetime
    """Next instant at which this reason gives something else or nothing, exclusive."""

    @property
    def narrowed(self) -> bool:
        """Whether the ceiling has replaced what was given by something lesser."""
        return self.given != self.entitlement.key


@dataclass(frozen=True, slots=True)
class DesiredAccess:
    """What one identity should hold at one instant."""

    reasons: tuple[Reason, ...]
    live: bool
    """Whether any engagement runs."""
    has_ended: bool
    """Whether an engagement has run before and none runs now: accounts are disabled, unless they are kept."""
    ends_at: datetime | None
    """End of the unbroken run of contracts that covers the instant, exclusive; None when none is live."""
    accounts_kept: bool = False
    """Whether the person has become an employee: the accounts are the employee's, no contract's end closes them."""

    @property
    def entitlements(self) -> frozenset[Entitlement]:
        """What should be held, each once however many reasons it has."""
        return frozenset(reason.entitlement for reason in self.reasons)


def desired_access(contracts: Sequence[Contract], catalogue: Catalogue, now: datetime) -> DesiredAccess:
    """
    Compute what one identity should hold at *now*.

    Where another contract follows without a gap and gives the same, the window narrows that no further than to the
    elevated tier: its holder is not leaving.

    Args:
        contracts: All engagements of the identity, past and future ones too.
        catalogue: Entitlements and what they narrow to.
        now: Any aware instant, past or future.
    """
    live = [c for c in contracts if c.live_at(now)]
    followers = _Followers(contracts, now)
    reasons = [reason for c in live for reason in _reasons(c, catalogue, now, followers)]
    return DesiredAccess(
        reasons=tuple(sorted(reasons, key=lambda r: (-r.entitlement.tier, r.entitlement.key, r.engagement.id))),
        live=bool(live),
        has_ended=not live and any(c.has_ended_at(now) for c in contracts),
        ends_at=_unbroken_until([c.timeline for c in contracts if not c.over_at(now)], now) if live else None,
        accounts_kept=_is_employee(contracts, now),
    )


def _is_employee(contracts: Sequence[Contract], now: datetime) -> bool:
    """Say whether the owner became an employee, was not cut off, and has not come back on a contract since."""
    measures = [c.engagement.measures for c in contracts]
    since = max((m.employee_since for m in measures if m.employee_since is not None), default=None)
    if since is None or now < since or any(m.cut_off(now) for m in measures):
        return False
    return not any(since < c.timeline.starts_at <= now and not c.gives_nothing for c in contracts)


def _reasons(contract: Contract, catalogue: Catalogue, now: datetime, followers: _Followers) -> Iterable[Reason]:
    sources: list[tuple[str, str | None, Grant | None]] = [
        *((key, rule, None) for key, rule in contract.baseline.items()),
        *((grant.entitlement, None, grant) for grant in contract.grants if grant.active_at(now)),
    ]
    for given, rule, grant in sources:
        kept, begins_at = followers.keep(contract, given) if grant is None else (Tier.NONE, None)
        entitlement = catalogue.fit(given, _ceiling(contract, grant, now, kept))
        if entitlement is not None:
            until = _changes_at(contract, given, grant, kept, entitlement, catalogue, now)
            until = until if begins_at is None else min(until, begins_at)
            yield Reason(entitlement, given, contract.engagement, rule, grant, until)


class _Followers:
    """Contracts still to begin at one instant, and how far they keep what those before them give."""

    def __init__(self, contracts: Sequence[Contract], now: datetime) -> None:
        to_come = [c for c in contracts if now < c.timeline.starts_at and not c.over_at(now)]
        self._to_come = sorted(to_come, key=lambda c: c.timeline.starts_at)[:MOST_FOLLOWING]
        self._kept: dict[str, list[tuple[datetime, datetime, Tier]]] = {}
        """By entitlement, latest first: when each begins and ends, and the tier that it and those after it keep."""

    def keep(self, contract: Contract, given: str) -> tuple[Tier, datetime | None]:
        """
        Return the tier to which contracts that follow without a gap keep a right, and when the first one begins.

        It is never that of god mode, which hangs on its own contract.
        """
        if not self._to_come:
            return Tier.NONE, None
        if given not in self._kept:
            self._kept[given] = self._chain(given)
        return _follow(self._kept[given], contract.timeline.ends_at)

    def _chain(self, given: str) -> list[tuple[datetime, datetime, Tier]]:
        found: list[tuple[datetime, datetime, Tier]] = []
        for other in reversed(self._to_come):
            if given in other.baseline:
                starts_at, ends_at = other.timeline.starts_at, other.timeline.ends_at
                beyond, _ = _follow(found, ends_at)
                found.append((starts_at, ends_at, min(max(other.ceiling_at(starts_at), beyond), Tier.ELEVATED)))
        return found


def _follow(found: Sequence[tuple[datetime, datetime, Tier]], ends_at: datetime) -> tuple[Tier, datetime | None]:
    """Return the most that contracts keep which begin by *ends_at* and go on beyond it, and when the first begins."""
    follow = [(tier, begins_at) for begins_at, until, tier in found if begins_at <= ends_at < until]
    return max((t for t, _ in follow), default=Tier.NONE), min((at for _, at in follow), default=None)


def _ceiling(contract: Contract, grant: Grant | None, at: datetime, kept: Tier = Tier.NONE) -> Tier:
    """Return what one source may give at *at*: an exception stands above its stage, never above what was decided."""
    measures = contract.engagement.measures
    if grant is None:
        ceiling = max(contract.ceiling_at(at), kept)
        return min(ceiling, Tier.ELEVATED) if measures.god_withheld else ceiling
    if grant.exception and at < contract.timeline.final_day_at:
        return Tier.ELEVATED if measures.god_ended(at) else Tier.GOD
    return contract.ceiling_at(at)


def _changes_at(
    contract: Contract,
    given: str,
    grant: Grant | None,
    kept: Tier,
    held: Entitlement,
    catalogue: Catalogue,
    now: datetime,
) -> datetime:
    timeline, decided = contract.timeline, contract.engagement.measures.god_ends_at
    instants = [t.at for t in timeline.transitions if t.at > now]
    if decided is not None and decided > now:
        instants = sorted([*instants, decided])
    changes = (at for at in instants if catalogue.fit(given, _ceiling(contract, grant, at, kept)) != held)
    at = min(next(changes, timeline.ends_at), timeline.ends_at)
    return min(at, grant.ends_at) if grant else at


def _unbroken_until(timelines: Sequence[Timeline], now: datetime) -> datetime:
    until = now
    for timeline in sorted(timelines, key=lambda t: t.starts_at):
        if timeline.starts_at <= until < timeline.ends_at:
            until = timeline.ends_at
    return until


def next_change_at(contract: Contract, now: datetime) -> datetime | None:
    """
    Return the next instant after *now* at which desired access could differ; None when it never will again.

    It may be earlier than the first real difference, never later. The instant is aware UTC.
    """
    measures = contract.engagement.measures
    instants = [measures.cut_off_at, measures.employee_since]
    if contract.gives_nothing:
        instants.append(contract.timeline.starts_at)  # from here on its account is one of a contract that has ended
    else:
        instants += [t.at for t in contract.timeline.transitions]
        instants += [at for grant in contract.grants for at in (grant.starts_at, grant.ends_at)]
        instants.append(measures.god_ends_at)
    return min((at for at in instants if at is not None and at > now), default=None)


def gives_god(contract: Contract, catalogue: Catalogue) -> bool:
    """Say whether its baseline or a grant on it is of the highest tier, whatever its stage leaves of that."""
    keys = [*contract.baseline, *(grant.entitlement for grant in contract.grants)]
    found = (catalogue.entitlements.get(key) for key in keys)
    return any(entitlement is not None and entitlement.tier is Tier.GOD for entitlement in found)
