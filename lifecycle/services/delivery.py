"""Emptying the outbox: what waits for one recipient goes out as one message; what fails is tried for ever."""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from lifecycle.domain.backoff import delay_before
from lifecycle.domain.errors import LifecycleError
from lifecycle.services.clock import Clock
from lifecycle.services.notices import HOOK
from lifecycle.store import notices
from lifecycle.store.people_tables import NoticeRow
from lifecycle.store.unit import Store

LONGEST_WAIT = timedelta(hours=1)
MOST_IN_ONE = 100
_log = logging.getLogger(__name__)


class NotDelivered(LifecycleError):
    """The message could not be handed over; it is tried again."""

    code = "not-delivered"


@dataclass(frozen=True, slots=True)
class Told:
    """One thing in a message."""

    id: str
    topic: str
    subject: str
    body: str
    url: str
    about: str
    at: datetime


class Channel(Protocol):
    """A way to tell one recipient several things in one message."""

    def send(self, recipient: str, told: Sequence[Told]) -> None:
        """
        Hand a message over.

        Raises:
            NotDelivered: In the words of whoever refused it.
        """
        ...


@dataclass
class Delivery:
    """Delivers. Nothing is held open while a server is spoken to."""

    store: Store
    clock: Clock
    address: str
    """What links begin with."""
    channels: dict[str, Channel]
    """By kind; a kind without one keeps its messages until there is."""

    def run(self) -> int:
        """Deliver what is due and return how many things were told."""
        now = self.clock.now()
        with self.store.read() as unit:
            due = notices.due(unit, now)
        gathered: dict[tuple[str, str, int], list[NoticeRow]] = defaultdict(list)
        for row in due:
            if row.channel not in self.channels:
                continue
            single = row.id or 0 if row.channel == HOOK else 0  # each event of a hook is a call of its own
            gathered[row.channel, row.recipient, single].append(row)
        return sum(self._send(*key[:2], rows[:MOST_IN_ONE], now) for key, rows in gathered.items())

    def _send(self, channel: str, recipient: str, rows: list[NoticeRow], now: datetime) -> int:
        ids = [row.id or 0 for row in rows]
        try:
            self.channels[channel].send(recipient, [self._told(row) for row in rows])
        except NotDelivered as exc:
            attempts = max(row.attempts for row in rows)
            wait = delay_before(attempts + 1, base=timedelta(seconds=30), cap=LONGEST_WAIT, chance=random.random())  # noqa: S311
            _log.warning("%s to %s: %s", channel, recipient, exc)
            with self.store.write() as unit:
                notices.failed(unit, ids, now, str(exc)[:500], now + wait)
                unit.shows()
            return 0
        with self.store.write() as unit:
            notices.delivered(unit, ids, now)
            if any(row.attempts for row in rows):
                unit.shows()
        return len(ids)

    def _told(self, row: NoticeRow) -> Told:
        url = f"{self.address}{row.link}"
        return Told(str(row.id), row.topic, row.subject, row.body, url, row.about, row.created_at)
