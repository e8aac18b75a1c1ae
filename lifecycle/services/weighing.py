"""What changes do to access at one instant. Contracts that are alike are weighed once: rosters have thousands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lifecycle.domain.access import Contract
from lifecycle.domain.consequence import Consequence, consequence_of
from lifecycle.domain.engagement import Engagement
from lifecycle.domain.guard import WINDOW
from lifecycle.domain.identity import IdentityId
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

    def add(self, more: Changes) -> None:
        """Take in what another part of the roster does to them."""
        self.known |= more.known
        self.new += more.new


@dataclass
class Weighing:
    """Weighs contracts under one set of rules."""

    rulebook: Rulebook
    now: datetime
    _held: dict[Hashable, frozenset[str]] = field(default_factory=dict)
    _consequences: dict[Hashable, Consequence] = field(default_factory=dict)

    def consequence(
        self, before: Contract | None, after: Engagement, elsewhere: frozenset[str] = frozenset()
    ) -> Consequence:
        """
        Say what becomes of access when a contract turns into *after*.

        Args:
            before: None where it is new.
            after: What it becomes.
            elsewhere: What the person's other contracts give, as they become.
        """
        if before is not None and before.grants:
            return self._consequence(before, after, elsewhere)
        key = (before and _alike(before.engagement), _alike(after), elsewhere)
        if key not in self._consequences:
            self._consequences[key] = self._consequence(before, after, elsewhere)
        return self._consequences[key]

    def held(self, contracts: Sequence[Contract]) -> frozenset[str]:
        """Return the keys of what some contracts of one person give together at this instant."""
        return self._held_at(contracts, self.now)

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


@dataclass
class Held:
    """What people hold by each of their contracts once a roster is applied; worked out once for each of them."""

    weighing: Weighing
    contracts: Mapping[IdentityId, Sequence[Contract]]
    changes: Mapping[IdentityId, Changes]
    _counts: dict[IdentityId, Counter[str]] = field(default_factory=dict)

    def elsewhere(self, identity_id: IdentityId, after: Engagement, before: Contract) -> frozenset[str]:
        """Return what somebody holds by other contracts than this one."""
        counts = self._counts.get(identity_id)
        if counts is None:
            all_of_them = self.weighing.after(self.contracts[identity_id], self.changes[identity_id])
            counts = Counter(key for contract in all_of_them for key in self.weighing.held([contract]))
            self._counts[identity_id] = counts
        own = self.weighing.held([self.weighing.rulebook.contract(after, before.grants)])
        return frozenset(key for key, number in counts.items() if number > (key in own))
