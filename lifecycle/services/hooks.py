"""
Web hooks: one signed call for each notice, in the manner of the Standard Webhooks specification.

``webhook-signature: v1,BASE64`` is the HMAC-SHA256 of ``webhook-id.webhook-timestamp.body``. A receiver checks it,
refuses old timestamps, and treats a repeated ``webhook-id`` as told already.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx2

from lifecycle.services.clock import wall_clock
from lifecycle.services.delivery import NotDelivered, Told
from lifecycle.services.outward import NotToBeCalled, Resolve, addresses_of, pinned
from lifecycle.settings import HookSettings

TIMEOUT_SECONDS = 10.0


@dataclass
class Hooks:
    """Calls the configured hooks."""

    settings: Mapping[str, HookSettings]
    secrets: Mapping[str, str]
    folder: Path
    resolve: Resolve = addresses_of
    wall: Callable[[], datetime] = wall_clock

    def send(self, recipient: str, told: Sequence[Told]) -> None:
        """See `lifecycle.services.delivery.Channel.send`."""
        hook = self.settings.get(recipient)
        if hook is None:
            raise NotDelivered(f"there is no hook {recipient} in the configuration any more")
        for one in told:
            self._call(recipient, hook, one)

    def _call(self, name: str, hook: HookSettings, told: Told) -> None:
        body = json.dumps(
            {
                "type": told.topic,
                "timestamp": told.at.isoformat(),
                "data": {"subject": told.subject, "body": told.body, "url": told.url, "about": told.about},
            },
            ensure_ascii=False,
        ).encode()
        stamp = str(int(self.wall().timestamp()))
        headers = {
            "content-type": "application/json",
            "webhook-id": f"notice-{told.id}",
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{signature(self.secrets[name], f'notice-{told.id}', stamp, body)}",
        }
        url = httpx2.URL(hook.url)
        try:
            address, host = pinned(url, allow_private=hook.allow_private, resolve=self.resolve)
        except NotToBeCalled as exc:
            raise NotDelivered(str(exc)) from exc
        verify = str(self.folder / hook.ca_file) if hook.ca_file else True
        try:
            with httpx2.Client(
                verify=verify, timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False
            ) as client:
                answer = client.post(
                    address, content=body, headers={**headers, "host": host}, extensions={"sni_hostname": url.host}
                )
        except (httpx2.HTTPError, OSError) as exc:
            raise NotDelivered(f"{url.host} cannot be reached: {exc}") from exc
        if not 200 <= answer.status_code < 300:
            redirected = " (redirects are not followed)" if 300 <= answer.status_code < 400 else ""
            raise NotDelivered(f"{url.host} answered {answer.status_code}{redirected}")


def signature(secret: str, message_id: str, stamp: str, body: bytes) -> str:
    """Return the signature that a receiver recomputes."""
    signed = b".".join((message_id.encode(), stamp.encode(), body))
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
