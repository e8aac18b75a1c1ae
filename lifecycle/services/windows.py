"""Contractors are told before their access narrows: when the notice stage begins, and again one day before the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lifecycle.domain.engagement import Engagement
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.store import decisions, people
from lifecycle.store.unit import Store

TOLD_DAYS = (1, 14)
"""Days before the last day; whoever is late for the first is told only the second."""
AT_ONCE = 2000


@dataclass
class Windows:
    """Tells people about their own contracts; each message once for each last day, however late it is noticed."""

    store: Store
    notices: Notices

    def run(self, now: datetime) -> None:
        """Tell those whose contracts end within fourteen days, and again those for whom tomorrow is the last."""
        today = now.date()
        for days in TOLD_DAYS:
            while self._tell(days, today, now):
                pass

    def _tell(self, days: int, today: date, now: datetime) -> int:
        with self.store.write() as unit:
            due = decisions.workers_to_be_told(unit, today, days, today + timedelta(days=days), AT_ONCE)
            contracts = people.engagements(unit, {row.engagement_id for row in due})
            persons = people.identities(unit, {e.identity_id for e in contracts.values()})
            for engagement in contracts.values():
                if not engagement.measures.cut_off(now) and not engagement.has_lapsed:
                    recipient = persons[engagement.identity_id].email
                    self.notices.tell(unit, _notice(engagement, days), [recipient], now)
            for chunk in people.chunks([row.id for row in due]):
                decisions.workers_told(unit, chunk, days)
        return len(due)


def _notice(engagement: Engagement, days: int) -> Notice:
    return Notice(
        Topic.CONTRACT,
        f"Your contract runs until {engagement.last_day:%-d %B %Y}: what changes when",
        "Your access gets smaller in steps until then, so that handing over is calm. "
        "Your page shows each step, why, and who can help.",
        "/my-access",
        f"engagement:{engagement.id}",
        dedupe=f"window:{engagement.id}:{engagement.last_day}:{days}",
    )
