"""The one idea: what a person should hold is a pure function of facts, policy and an instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lifecycle.domain.engagement import Engagement
from lifecycle.domain.entitlement import Catalogue, Entitlement, Tier
from lifecycle.domain.grant import Grant
from lifecycle.domain.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Contract:
    """One engagement with everything that follows from it: its timeline, its baseline and its grants."""

    engagement: Engagement
    timeline: Timeline
    baseline: Mapping[str, str]
    """Entitlement key to the name of the rule that gives it."""
    grants: tuple[Grant, ...] = ()

    def live_at(self, now: datetime) -> bool:
        """Say whether it gives anything at *now* (aware): the contract runs and nobody has cut its holder off."""
        return self.timeline.live_at(now) and not self.engagement.measures.cut_off(now)

    def over_at(self, now: datetime) -> bool:
        """Say whether it has come to its end, or was brought to it, by *now* (aware)."""
        return self.timeline.ends_at <= now or self.engagement.measures.cut_off(now)


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
    """Whether an engagement has run before and none runs now: accounts are disabled."""
    ends_at: datetime | None
    """End of the unbroken run of contracts that covers the instant, exclusive; None when none is live."""

    @property
    def entitlements(self) -> frozenset[Entitlement]:
        """What should be held, each once however many reasons it has."""
        return frozenset(reason.entitlement for reason in self.reasons)


def desired_access(contracts: Sequence[Contract], catalogue: Catalogue, now: datetime) -> DesiredAccess:
    """
    Compute what one identity should hold at *now*.

    Args:
        contracts: All engagements of the identity, past and future ones too.
        catalogue: Entitlements and what they narrow to.
        now: Any aware instant, past or future.
    """
    live = [c for c in contracts if c.live_at(now)]
    reasons = [reason for c in live for reason in _reasons(c, catalogue, now)]
    return DesiredAccess(
        reasons=tuple(sorted(reasons, key=lambda r: (-r.entitlement.tier, r.entitlement.key, r.engagement.id))),
        live=bool(live),
        has_ended=not live and any(c.over_at(now) for c in contracts),
        ends_at=_unbroken_until([c.timeline for c in contracts if not c.over_at(now)], now) if live else None,
    )


def _reasons(contract: Contract, catalogue: Catalogue, now: datetime) -> Iterable[Reason]:
    sources: list[tuple[str, str | None, Grant | None]] = [
        *((key, rule, None) for key, rule in contract.baseline.items()),
        *((grant.entitlement, None, grant) for grant in contract.grants if grant.active_at(now)),
    ]
    for given, rule, grant in sources:
        entitlement = catalogue.fit(given, _ceiling(contract, contract.timeline.ceiling_at(now), grant, now))
        if entitlement is not None:
            until = _changes_at(contract, given, grant, entitlement, catalogue, now)
            yield Reason(entitlement, given, contract.engagement, rule, grant, until)


def _ceiling(contract: Contract, ceiling: Tier, grant: Grant | None, at: datetime) -> Tier:
    """Return what one source may give at *at* under the stage's *ceiling*."""
    if grant is None:
        return min(ceiling, Tier.ELEVATED) if contract.engagement.measures.god_withheld else ceiling
    return Tier.GOD if grant.exception and at < contract.timeline.final_day_at else ceiling


def _changes_at(
    contract: Contract,
    given: str,
    grant: Grant | None,
    held: Entitlement,
    catalogue: Catalogue,
    now: datetime,
) -> datetime:
    timeline = contract.timeline
    changes = (
        t.at
        for t in timeline.transitions
        if t.at > now and catalogue.fit(given, _ceiling(contract, t.ceiling, grant, t.at)) != held
    )
    at = next(changes, timeline.ends_at)
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
    instants = [t.at for t in contract.timeline.transitions]
    instants += [at for grant in contract.grants for at in (grant.starts_at, grant.ends_at)]
    if contract.engagement.measures.cut_off_at is not None:
        instants.append(contract.engagement.measures.cut_off_at)
    return min((at for at in instants if at > now), default=None)
