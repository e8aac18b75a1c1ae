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


class ChannelDown(NotDelivered):
    """Nobody can be told over this channel just now, so nobody else is tried."""

    code = "channel-down"


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
            ChannelDown: If nobody else could be told either.
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
            due = [row for channel in self.channels for row in notices.due(unit, now, channel=channel)]
        gathered: dict[tuple[str, str], list[NoticeRow]] = defaultdict(list)
        for row in due:
            gathered[row.channel, row.recipient].append(row)
        told = 0
        down: dict[str, str] = {}
        for (channel, recipient), rows in gathered.items():
            if channel in down:
                self._note_failure(rows, down[channel], now)
                continue
            try:
                told += self._tell(channel, recipient, rows, now)
            except ChannelDown as exc:
                down[channel] = str(exc)
        return told

    def _tell(self, channel: str, recipient: str, rows: list[NoticeRow], now: datetime) -> int:
        """
        Tell one recipient; after a failure the rest waits as well, so that a dead server delays nobody else.

        Raises:
            ChannelDown: If nobody else could be told either; what was to be told here waits already.
        """
        at_once = 1 if channel == HOOK else MOST_IN_ONE  # each event of a hook is a call of its own
        told = 0
        for start in range(0, len(rows), at_once):
            sending = rows[start : start + at_once]
            try:
                self.channels[channel].send(recipient, [self._told(row) for row in sending])
            except NotDelivered as exc:
                _log.warning("%s to %s: %s", channel, recipient, exc)
                self._note_failure(rows[start:], str(exc), now)
                if isinstance(exc, ChannelDown):
                    raise
                break
            with self.store.write() as unit:
                notices.delivered(unit, [row.id or 0 for row in sending], now)
                if any(row.attempts for row in sending):
                    unit.shows()
            told += len(sending)
        return told

    def _note_failure(self, rows: list[NoticeRow], why: str, now: datetime) -> None:
        attempts = max(row.attempts for row in rows)
        chance = random.random()  # noqa: S311 - jitter
        wait = delay_before(attempts + 1, base=timedelta(seconds=30), cap=LONGEST_WAIT, chance=chance)
        with self.store.write() as unit:
            notices.failed(unit, [row.id or 0 for row in rows], now, why[:500], now + wait)
            unit.shows()

    def _told(self, row: NoticeRow) -> Told:
        url = f"{self.address}{row.link}"
        return Told(str(row.id), row.topic, row.subject, row.body, url, row.about, row.created_at)
