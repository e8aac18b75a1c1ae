"""
Web hooks: one signed call for each notice, in the manner of the Standard Webhooks specification.

``webhook-signature: v1,BASE64`` is the HMAC-SHA256 of ``webhook-id.webhook-timestamp.body``. A receiver checks it,
refuses old timestamps, and treats a repeated ``webhook-id`` as told already.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx2

from lifecycle.services.clock import wall_clock
from lifecycle.services.delivery import NotDelivered, Told
from lifecycle.settings import HookSettings

TIMEOUT_SECONDS = 10.0
_TRANSLATED = [ipaddress.IPv6Network("64:ff9b::/96")]
"""What a NAT64 gateway leads to the IPv4 address in the last 32 bits."""
_NEVER_PUBLIC = [ipaddress.IPv6Network("64:ff9b:1::/48"), ipaddress.IPv6Network("::/96")]
"""Local translation, and the form that held an IPv4 address before there was a mapped one."""
_PROTOCOLS = ipaddress.IPv4Network("192.0.0.0/24")


def addresses_of(host: str, port: int) -> list[str]:
    """Return the addresses that *host* resolves to now."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


@dataclass
class Hooks:
    """Calls the configured hooks."""

    settings: Mapping[str, HookSettings]
    secrets: Mapping[str, str]
    folder: Path
    resolve: Callable[[str, int], list[str]] = addresses_of
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
        pinned, host = self._pinned(hook, url)
        verify = str(self.folder / hook.ca_file) if hook.ca_file else True
        try:
            with httpx2.Client(
                verify=verify, timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False
            ) as client:
                answer = client.post(
                    pinned, content=body, headers={**headers, "host": host}, extensions={"sni_hostname": url.host}
                )
        except (httpx2.HTTPError, OSError) as exc:
            raise NotDelivered(f"{url.host} cannot be reached: {exc}") from exc
        if not 200 <= answer.status_code < 300:
            redirected = " (redirects are not followed)" if 300 <= answer.status_code < 400 else ""
            raise NotDelivered(f"{url.host} answered {answer.status_code}{redirected}")

    def _pinned(self, hook: HookSettings, url: httpx2.URL) -> tuple[httpx2.URL, str]:
        """Resolve the name once and call that address, so that a second answer cannot lead inside the network."""
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = self.resolve(url.host, port)
        except OSError as exc:
            raise NotDelivered(f"{url.host} is not known: {exc}") from exc
        inside = [address for address in found if not is_public(address)]
        if not found or (inside and not hook.allow_private):
            raise NotDelivered(f"{url.host} is inside the own network ({', '.join(inside)}); allow_private is not set")
        host = url.netloc.decode()
        return url.copy_with(host=found[0]), host


def is_public(address: str) -> bool:
    """Say whether *address* is a public unicast one; what cannot be read is not."""
    try:
        parsed = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if any(parsed in network for network in _NEVER_PUBLIC) or parsed.is_site_local:
            return False
        inside = [parsed.ipv4_mapped, parsed.sixtofour, *(parsed.teredo or ())]
        if any(parsed in network for network in _TRANSLATED):
            inside.append(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF))
        if any(found is not None and not _is_public_4(found) for found in inside):
            return False
        if parsed.ipv4_mapped is not None:
            return True
        return parsed.is_global and not parsed.is_multicast
    return _is_public_4(parsed)


def _is_public_4(address: ipaddress.IPv4Address) -> bool:
    return address.is_global and not address.is_multicast and address not in _PROTOCOLS


def signature(secret: str, message_id: str, stamp: str, body: bytes) -> str:
    """Return the signature that a receiver recomputes."""
    signed = b".".join((message_id.encode(), stamp.encode(), body))
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
