"""What follows from a roster's word by our own rules: extensions give nothing back, conversions keep the account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from lifecycle.domain.access import Contract
from lifecycle.domain.comparison import Change, Kind
from lifecycle.domain.engagement import Engagement
from lifecycle.domain.extension import after_extension, god_keeps_its_end
from lifecycle.domain.renewal import Answer
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
        extended = {str(c.stored.engagement.id): c.stored for c in changes if c.stored and c.kind is Kind.LATER}
        proposed: dict[str, date] = {}
        for question in decisions.renewals_of(unit, extended):
            stored = extended[question.engagement_id].engagement
            if (
                question.answer == Answer.EXTEND.value
                and question.last_day == stored.last_day
                and question.proposed_day
            ):
                proposed[stored.id] = question.proposed_day
        return cls(rulebook, now, proposed)

    def decide(self, change: Change, before: Contract) -> Change:
        """
        Return *change* with the contract as it would be, measures included.

        Args:
            change: About a stored contract, with what it would be by the roster alone.
            before: That contract as it stands, with its grants.
        """
        after = change.after
        if after is None:
            return change
        if after.standing is Standing.CONVERTED and before.engagement.standing is not Standing.CONVERTED:
            measures = replace(after.measures, employee_since=self.now)
            return replace(change, after=replace(after, measures=measures))
        if change.kind is not Kind.LATER:
            return change
        return replace(change, after=self._extended(before, after))

    def _extended(self, before: Contract, after: Engagement) -> Engagement:
        contract = self.rulebook.contract(after, before.grants)
        found = after_extension(before, contract, self.now)
        proposed = self.proposed.get(after.id)
        god_ends_at = god_keeps_its_end(before, contract, proposed, self.rulebook.catalogue, self.now)
        measures = after.measures
        lapsed_at = measures.lapsed_at or (self.now if found.lapsed else None)
        withheld = measures.god_withheld or found.god_withheld
        return replace(
            after,
            measures=replace(measures, lapsed_at=lapsed_at, god_ends_at=god_ends_at, god_withheld=withheld),
        )
