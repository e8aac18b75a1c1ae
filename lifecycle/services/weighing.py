"""What changes do to access at one instant. Contracts that are alike are weighed once: rosters have thousands."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
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
class Weighing:
    """Weighs contracts under one set of rules."""

    rulebook: Rulebook
    now: datetime
    _held: dict[Hashable, frozenset[str]] = field(default_factory=dict)
    _consequences: dict[Hashable, Consequence] = field(default_factory=dict)

    def consequence(self, before: Contract | None, after: Engagement) -> Consequence:
        """Say what becomes of access when a contract turns into *after*; None before: it is new."""
        if before is not None and before.grants:
            return self._consequence(before, after)
        key = (before and _alike(before.engagement), _alike(after))
        if key not in self._consequences:
            self._consequences[key] = self._consequence(before, after)
        return self._consequences[key]

    def _consequence(self, before: Contract | None, after: Engagement) -> Consequence:
        contract = self.rulebook.contract(after, before.grants if before else ())
        return consequence_of(before, contract, self.rulebook.catalogue, self.now)

    def lost(self, before: Sequence[Contract], after: Mapping[str, Engagement]) -> frozenset[str]:
        """
        Return what somebody would hold within the next day as things stand, and would not any more after a roster.

        Args:
            before: All contracts of the person.
            after: Contract id to what it becomes.
        """
        changed = [self.rulebook.contract(after.get(c.engagement.id, c.engagement), c.grants) for c in before]
        if all(_alike(c.engagement) == _alike(a.engagement) for c, a in zip(before, changed, strict=True)):
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
