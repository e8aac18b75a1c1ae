"""Slack, Teams and others through the optional ``apprise`` extra."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lifecycle.services.delivery import NotDelivered, Told


@dataclass
class Chats:
    """Hands messages to apprise, whose failures come back as a value and not as an exception."""

    urls: Mapping[str, str]

    def send(self, recipient: str, told: Sequence[Told]) -> None:
        """See `lifecycle.services.delivery.Channel.send`."""
        if recipient not in self.urls:
            raise NotDelivered(f"there is no chat {recipient} in the configuration any more")
        try:
            apprise: Any = importlib.import_module("apprise")
        except ImportError as exc:
            raise NotDelivered('chats need the extra: pip install "contractor-lifecycle[apprise]"') from exc
        channel = apprise.Apprise()
        if not channel.add(self.urls[recipient]):
            raise NotDelivered(f"apprise does not understand the address of {recipient}")
        title = told[0].subject if len(told) == 1 else f"{len(told)} things need somebody"
        body = "\n\n".join(f"{t.subject}\n{t.body}\n{t.url}" for t in told)
        if not channel.notify(title=title, body=body):
            raise NotDelivered(f"apprise could not deliver to {recipient}")
