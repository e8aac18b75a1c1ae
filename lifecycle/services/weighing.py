"""What changes do to access at one instant. Contracts that are alike are weighed once: rosters have thousands."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lifecycle.domain.access import Contract
from lifecycle.domain.consequence import Consequence, consequence_of
from lifecycle.domain.engagement import Engagement
from lifecycle.domain.guard import WINDOW
from lifecycle.services.rulebook import Rulebook


def _alike(engagement: Engagement) -> Hashable:
    """Return all of a contract that its access depends on, besides grants."""
    e = engagement
    return (e.first_day, e.last_day, e.zone, e.site, e.vendor, e.role, e.standing, e.measures)


@dataclass
class Changes:
    """What a roster does to the contracts of one person."""

    known: dict[str, Engagement] = field(default_factory=dict)
    """Id to what it becomes."""
    new: list[Engagement] = field(default_factory=list)


@dataclass
class Weighing:
    """Weighs contracts under one set of rules."""

    rulebook: Rulebook
    now: datetime
    _held: dict[Hashable, frozenset[str]] = field(default_factory=dict)
    _consequences: dict[Hashable, Consequence] = field(default_factory=dict)

    def consequence(self, before: Contract | None, after: Engagement, others: Sequence[Contract] = ()) -> Consequence:
        """
        Say what becomes of access when a contract turns into *after*.

        Args:
            before: None where it is new.
            after: What it becomes.
            others: The person's other contracts, as they become.
        """
        elsewhere = self._keys(others, self.now) if others else frozenset()
        if before is not None and before.grants:
            return self._consequence(before, after, elsewhere)
        key = (before and _alike(before.engagement), _alike(after), elsewhere)
        if key not in self._consequences:
            self._consequences[key] = self._consequence(before, after, elsewhere)
        return self._consequences[key]

    def _consequence(self, before: Contract | None, after: Engagement, elsewhere: frozenset[str]) -> Consequence:
        contract = self.rulebook.contract(after, before.grants if before else ())
        return consequence_of(before, contract, self.rulebook.catalogue, self.now, elsewhere)

    def after(self, before: Sequence[Contract], changes: Changes) -> list[Contract]:
        """Return what a person's contracts become, with those that are new."""
        changed = [self.rulebook.contract(changes.known.get(c.engagement.id, c.engagement), c.grants) for c in before]
        return changed + [self.rulebook.contract(engagement) for engagement in changes.new]

    def lost(self, before: Sequence[Contract], changes: Changes) -> frozenset[str]:
        """
        Return what somebody would hold within the next day as things stand, and would not any more after a roster.

        Args:
            before: All contracts of the person.
            changes: What the roster does to them.
        """
        changed = self.after(before, changes)
        if all(_alike(c.engagement) == _alike(a.engagement) for c, a in zip(before, changed, strict=False)):
            return frozenset()
        lost: set[str] = set()
        for at in (self.now, self.now + WINDOW):
            lost |= self._held_at(before, at) - self._held_at(changed, at)
        return frozenset(lost)

    def _held_at(self, contracts: Sequence[Contract], at: datetime) -> frozenset[str]:
        if len(contracts) != 1 or contracts[0].grants:
            return self._keys(contracts, at)
        key = (_alike(contracts[0].engagement), at)
        if key not in self._held:
            self._held[key] = self._keys(contracts, at)
        return self._held[key]

    def _keys(self, contracts: Sequence[Contract], at: datetime) -> frozenset[str]:
        return frozenset(e.key for e in self.rulebook.desired(list(contracts), at).entitlements)
