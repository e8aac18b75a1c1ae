"""What follows from a roster's word by our own rules: extensions give nothing back, conversions keep the account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from lifecycle.domain.access import Contract, gives_god
from lifecycle.domain.comparison import Change, Kind
from lifecycle.domain.engagement import Engagement
from lifecycle.domain.entitlement import Tier
from lifecycle.domain.extension import after_extension, god_keeps_its_end
from lifecycle.domain.roster import Standing
from lifecycle.services.rulebook import Rulebook
from lifecycle.store import decisions
from lifecycle.store.unit import Unit


@dataclass(frozen=True)
class Following:
    """Decides what a roster alone does not, at one instant."""

    rulebook: Rulebook
    now: datetime
    proposed: Mapping[str, date]
    """Contract id to the last day (inclusive) that its sponsor has proposed for it as it stands."""

    @classmethod
    def load(cls, unit: Unit, rulebook: Rulebook, changes: list[Change], now: datetime) -> Following:
        """Load what sponsors have proposed for contracts that are extended."""
        extended = [c.stored.engagement.id for c in changes if c.stored and c.kind is Kind.LATER]
        return cls(rulebook, now, decisions.proposed_days(unit, extended))

    def decide(self, change: Change, before: Contract, contracts: Sequence[Contract]) -> Change:
        """
        Return *change* with the contract as it would be, measures included.

        Whatever lets a contract go on counts as its extension: a later day, or a status that takes its end back.

        Args:
            change: About a stored contract, with what it would be by the roster alone.
            before: That contract as it stands, with its grants.
            contracts: All of the same person.
        """
        if change.after is None:
            return change
        others = [c for c in contracts if c.engagement.id != before.engagement.id]
        after = self._extended(before, change.after, others)
        if after.standing is Standing.CONVERTED and before.engagement.standing is not Standing.CONVERTED:
            after = replace(after, measures=replace(after.measures, employee_since=self.now))
        return replace(change, after=after)

    def _extended(self, before: Contract, after: Engagement, others: Sequence[Contract]) -> Engagement:
        catalogue = self.rulebook.catalogue
        contract = self.rulebook.contract(after, before.grants)
        found = after_extension(before, contract, self.now)
        measures = after.measures
        # it is of the whole person: a contract that gives no god mode takes none from another one
        elsewhere = any(
            gives_god(c, catalogue) and c.live_at(self.now) and c.ceiling_at(self.now) is Tier.GOD for c in others
        )
        takes = found.god_withheld and gives_god(contract, catalogue) and not elsewhere
        withheld = measures.god_withheld or takes
        god_ends_at = god_keeps_its_end(before, contract, self.proposed.get(after.id), catalogue, self.now)
        return replace(
            after,
            measures=replace(measures, lapsed_at=found.lapsed_at, god_ends_at=god_ends_at, god_withheld=withheld),
        )
