"""Every coming change of one person's access: when, why, and what becomes what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lifecycle.domain.access import Contract, desired_access, next_change_at
from lifecycle.domain.entitlement import Catalogue, Entitlement

MOST_STEPS = 200
"""No timeline has nearly as many instants; a bound for what is shown."""


@dataclass(frozen=True, slots=True)
class Move:
    """One right becomes another, goes (``after`` None) or comes (``before`` None)."""

    before: Entitlement | None
    after: Entitlement | None

    @property
    def target(self) -> str:
        """Where it happens."""
        entitlement = self.before or self.after
        return entitlement.target if entitlement else ""


@dataclass(frozen=True, slots=True)
class Step:
    """What changes at one instant. Without moves a stage begins that changes nothing this person should hold."""

    at: datetime
    cause: str
    moves: tuple[Move, ...]
    ends: bool
    """Whether no contract runs from here on: accounts are disabled and sessions end."""


def forecast(
    contracts: Sequence[Contract], catalogue: Catalogue, now: datetime, until: datetime | None = None
) -> list[Step]:
    """
    List what will change after *now* and before *until* (both aware, exclusive; None: for ever).

    Stages that change nothing are listed too: the person passes through them.
    """
    steps: list[Step] = []
    before = desired_access(contracts, catalogue, now)
    at: datetime | None = now
    while at is not None and len(steps) < MOST_STEPS:
        instants = (next_change_at(contract, at) for contract in contracts)
        following = min((i for i in instants if i is not None), default=None)
        if following is None or (until is not None and following >= until):
            break
        after = desired_access(contracts, catalogue, following)
        moves = _moves(before.entitlements, after.entitlements, catalogue)
        steps.append(Step(following, _cause(contracts, following), moves, before.live and not after.live))
        before, at = after, following
    return steps


def _moves(before: frozenset[Entitlement], after: frozenset[Entitlement], catalogue: Catalogue) -> tuple[Move, ...]:
    coming: set[Entitlement | None] = set(after - before)
    moves = []
    for lost in sorted(before - after, key=lambda e: (-e.tier, e.key)):
        lesser = catalogue.entitlements.get(lost.narrows_to or "")
        while lesser is not None and lesser not in coming:
            lesser = catalogue.entitlements.get(lesser.narrows_to or "")
        coming -= {lesser}
        moves.append(Move(lost, lesser))
    moves += [Move(None, gained) for gained in sorted(after & coming, key=lambda e: (-e.tier, e.key))]
    return tuple(moves)


def _cause(contracts: Sequence[Contract], at: datetime) -> str:
    causes = []
    for contract in contracts:
        reference = contract.engagement.reference
        if contract.engagement.measures.god_ends_at == at and not contract.gives_nothing:
            causes.append(f"god mode ends, its days are not agreed to ({reference})")
        begun = [t.stage for t in contract.timeline.transitions if t.at == at]
        if begun and not contract.gives_nothing:
            causes.append(f"{begun[-1]} ({reference})")
        causes += [f"grant {g.request or g.id} begins" for g in contract.grants if g.starts_at == at]
        causes += [f"grant {g.request or g.id} ends" for g in contract.grants if g.ends_at == at]
    return ", ".join(causes)
