"""What is told to whom: put into the outbox in the transaction of the change it tells of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from lifecycle.settings import NoticeSettings
from lifecycle.store import notices
from lifecycle.store.people_tables import NoticeRow
from lifecycle.store.unit import Unit

MAIL, HOOK, CHAT = "mail", "hook", "chat"
GATHER = timedelta(seconds=20)
"""What is not urgent waits so long, so that what belongs together goes out as one message."""


class Topic(StrEnum):
    """What a notice is about; hooks and chats choose by it."""

    REVIEW = "review-wanted"
    REMINDER = "review-reminder"
    RESOLVED = "request-resolved"
    ESCALATED = "request-escalated"
    GRANT = "grant"
    RENEWAL = "renewal-question"
    PROPOSAL = "renewal-proposal"
    EXTENSION = "extension"
    CUT_OFF = "access-ended-now"
    MISTAKE = "mistake-reported"
    CONTRACT = "contract-window"
    MEMBERS = "members"
    ROSTER = "roster"
    HELD = "roster-held"
    SOURCE = "roster-source"
    PUSH = "push"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell. It never holds a secret: hooks and chats get it too."""

    topic: Topic
    subject: str
    body: str
    link: str
    """Path on this site."""
    about: str
    """What it is about, for example ``request:GR-2041``."""
    urgent: bool = False
    dedupe: str = ""
    """The same for the same recipient is told once."""


@dataclass
class Notices:
    """Fills the outbox."""

    settings: NoticeSettings

    def tell(self, unit: Unit, notice: Notice, recipients: Iterable[str], now: datetime) -> int:
        """
        Tell people by mail, and the hooks and chats that want to know of the topic.

        Args:
            unit: The transaction of the change.
            notice: What to tell.
            recipients: E-mail addresses; empty ones are left out, and each is told once.
            now: When it happened, aware.

        Returns:
            How many people will be told.
        """
        addresses: dict[str, str] = {}
        for recipient in recipients:
            if "@" in recipient:
                addresses.setdefault(recipient.strip().casefold(), recipient.strip())
        told = sum(self._put(unit, notice, MAIL, address, now) for address in addresses.values())
        for name, hook in self.settings.hooks.items():
            if not hook.topics or notice.topic.value in hook.topics:
                self._put(unit, notice, HOOK, name, now)
        for name, chat in self.settings.chats.items():
            if not chat.topics or notice.topic.value in chat.topics:
                self._put(unit, notice, CHAT, name, now)
        return told

    @staticmethod
    def _put(unit: Unit, notice: Notice, channel: str, recipient: str, now: datetime) -> bool:
        waits = timedelta() if notice.urgent or channel == HOOK else GATHER
        return notices.add(
            unit,
            NoticeRow(
                channel=channel,
                recipient=recipient,
                topic=notice.topic.value,
                subject=notice.subject,
                body=notice.body,
                link=notice.link,
                about=notice.about,
                dedupe=f"{channel}:{recipient}:{notice.dedupe}" if notice.dedupe else None,
                created_at=now,
                retry_at=now + waits,
            ),
        )

    def unsay(self, unit: Unit, about: str, now: datetime, *topics: Topic) -> None:
        """Leave unsaid what is no longer true."""
        notices.drop(unit, about, now, [topic.value for topic in topics])
