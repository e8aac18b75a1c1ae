"""
Calling out: a name is resolved once, and exactly the address that was looked at is called.

A second answer to the same question could lead inside the own network (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable

import httpx2

from lifecycle.domain.errors import LifecycleError

Resolve = Callable[[str, int], list[str]]
"""Host and port to addresses; raises `OSError`."""

_TRANSLATED = [ipaddress.IPv6Network("64:ff9b::/96")]
"""What a NAT64 gateway leads to the IPv4 address in the last 32 bits."""
_NEVER_PUBLIC = [ipaddress.IPv6Network("64:ff9b:1::/48"), ipaddress.IPv6Network("::/96")]
"""Local translation, and the form that held an IPv4 address before there was a mapped one."""
_PROTOCOLS = ipaddress.IPv4Network("192.0.0.0/24")


class NotToBeCalled(LifecycleError):
    """An address is not known, or leads where this product must not call."""

    code = "not-to-be-called"


def addresses_of(host: str, port: int) -> list[str]:
    """Return the addresses that *host* resolves to now."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


def pinned(url: httpx2.URL, *, allow_private: bool, resolve: Resolve = addresses_of) -> tuple[httpx2.URL, str]:
    """
    Return *url* with an address in place of its name, and the ``Host`` header that goes with it.

    TLS is to be asked for *url*'s own name (the request extension ``sni_hostname``).

    Raises:
        NotToBeCalled: If the name is unknown, or leads inside the own network and may not.
    """
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = resolve(url.host, port)
    except OSError as exc:
        raise NotToBeCalled(f"{url.host} is not known: {exc}") from exc
    inside = [address for address in found if not is_public(address)]
    if not found or (inside and not allow_private):
        raise NotToBeCalled(f"{url.host} is inside the own network ({', '.join(inside)}); allow_private is not set")
    return url.copy_with(host=found[0]), url.netloc.decode()


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
