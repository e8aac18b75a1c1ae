"""What time alone changes about requests and questions: they expire, remind, are handed on, and are asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from lifecycle.domain.approval import Resolution
from lifecycle.services.case import Case
from lifecycle.services.casebook import Casebook
from lifecycle.services.clock import elapsed_seconds
from lifecycle.services.inbox import Inbox
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.services.renewals import Renewals
from lifecycle.services.requests import Requests
from lifecycle.services.sessions import Sessions
from lifecycle.services.windows import Windows
from lifecycle.store import notices, requests
from lifecycle.store.unit import Store

RENEWALS_EVERY = 300.0
"""Seconds of elapsed time between two looks at contracts that come near their end."""
REMIND_AT = (0.5, 0.75)
"""Parts of a request's time after which its reviewers are reminded."""


@dataclass
class Housekeeping:
    """Runs on whoever leads, twice a minute."""

    store: Store
    casebook: Casebook
    requests: Requests
    inbox: Inbox
    renewals: Renewals
    windows: Windows
    notices: Notices
    sessions: Sessions
    elapsed: Callable[[], float] = elapsed_seconds
    _asked_at: float | None = field(default=None)
    _day: str = ""
    _reminded: set[str] = field(default_factory=set)
    """What this process has seen to already; the outbox itself tells nothing twice."""

    def run(self) -> None:
        """Do what is due."""
        now = self.casebook.clock.now()
        self.expire(now)
        self.remind(now)
        day, elapsed = now.date().isoformat(), self.elapsed()
        if day != self._day or self._asked_at is None or elapsed - self._asked_at > RENEWALS_EVERY:
            self._day, self._asked_at = day, elapsed
            self.renewals.run(now)
            self.windows.run(now)
            with self.store.write() as unit:
                notices.prune(unit, now)
                self.sessions.prune(unit)

    def expire(self, now: datetime) -> int:
        """Close requests that nobody decided in time, and return how many there were."""
        with self.store.write() as unit:
            rows = requests.expired(unit, now)
            for case in self.casebook.load_all(unit, rows):
                row = case.row
                row.resolution, row.resolved_at = Resolution.EXPIRED.value, now
                unit.session.add(row)
                unit.audit(
                    at=now, actor="scheduler", action="request-expired", object_=case.trail_object,
                    after={"expired_at": row.expires_at.isoformat()}, request=row.id,
                )  # fmt: skip
                self.notices.unsay(unit, f"request:{row.id}", now)
                notice = Notice(
                    Topic.RESOLVED, f"{row.id} has expired: {case.what} for {case.identity.name}",
                    "Nobody decided in time. It can be asked again.", case.link, f"request:{row.id}",
                )  # fmt: skip
                self.notices.tell(unit, notice, [case.requester.email], now)
        return len(rows)

    def remind(self, now: datetime) -> None:
        """Remind reviewers of what waits and nobody has seen, and hand on what nobody can review."""
        with self.store.read() as unit:
            cases = self.casebook.load_all(unit, requests.pending(unit))
            stuck = [c.row.id for c in cases if c.row.escalated_at is None and self.inbox.is_stuck(unit, c)]
        for case in cases:
            if case.row.id in stuck:
                self._escalate(case.row.id, now)
            elif case.row.seen_at is None and (key := self._reminder(case, now)):
                self._remind(case.row.id, key, now)
        self._reminded &= {key for case in cases if (key := self._reminder(case, now, again=True))}

    def _reminder(self, case: Case, now: datetime, *, again: bool = False) -> str:
        """Name the reminder that is due; empty for none, and for one that this process has seen to unless *again*."""
        row = case.row
        length = row.expires_at - row.created_at
        passed = [n for n, part in enumerate(REMIND_AT) if now >= row.created_at + length * part]
        if not passed or now >= row.expires_at:
            return ""
        key = f"reminder:{row.id}:{row.revision}:{passed[-1]}"
        return key if again or key not in self._reminded else ""

    def _remind(self, request_id: str, key: str, now: datetime) -> None:
        with self.store.write() as unit:
            case = self.casebook.find(unit, request_id, lock=True)
            self._reminded.add(key)
            if not case.request.is_open_at(now) or case.row.seen_at is not None:
                return  # somebody was faster
            told = [m.email for m in self.casebook.reviewers.able(unit, case)]
            strangers = self.casebook.reviewers.strangers(unit, case)
            self.notices.tell(unit, self._still_waiting(case, key), [*told, *strangers], now)

    @staticmethod
    def _still_waiting(case: Case, key: str) -> Notice:
        row = case.row
        return Notice(
            Topic.REMINDER,
            f"Still waiting for a review: {case.what} for {case.identity.name}",
            f"{case.requester.name} asks: {row.reason} It expires {row.expires_at:%-d %b, %H:%M} UTC.",
            case.link,
            f"request:{row.id}",
            urgent=case.request.god,
            dedupe=key,
        )

    def _escalate(self, request_id: str, now: datetime) -> None:
        """Let the named fallback review, and tell them and IT; it stays on the dashboard while it is stuck."""
        with self.store.write() as unit:
            case = self.casebook.find(unit, request_id, lock=True)
            if not case.request.is_open_at(now) or case.row.escalated_at is not None:
                return
            case.row.escalated_at = now
            unit.session.add(case.row)
            fallback = self.casebook.settings.fallback
            unit.audit(
                at=now, actor="scheduler", action="request-escalated", object_=case.trail_object,
                after={"to": list(fallback), "why": "too few people can review it"}, request=request_id,
            )  # fmt: skip
            notice = Notice(
                Topic.ESCALATED, f"Nobody can review {request_id} for {case.identity.name}",
                "Too few of those who may review it are independent or still here.", case.link,
                f"request:{request_id}", urgent=True,
            )  # fmt: skip
            self.notices.tell(unit, notice, [*fallback, *self.notices.settings.it], now)
