"""Making secrets and keeping them: passwords as argon2id, tokens as digests, and guessing made slow."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lifecycle.domain.errors import LifecycleError
from lifecycle.services.clock import elapsed_seconds

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 512
FREE_ATTEMPTS = 5
FREE_FROM_ADDRESS = 30
SECONDS_EACH = 6.0
"""Once those are used up, one address has an attempt so often: ten a minute."""
LONGEST_WAIT = 900.0
A_MINUTE = 60.0
MOST_REMEMBERED = 10_000
"""Names with an address, and addresses; those that failed longest ago are forgotten first."""


class TooManyAttempts(LifecycleError):
    """Wait before trying again."""

    code = "too-many-attempts"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Too many attempts. Try again in {max(1, round(seconds))} s.")
        self.seconds = seconds


def new_token() -> str:
    """Make 256 random bits for an address or a cookie."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return what is stored of a token: its SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass
class Slowdown:
    """
    Makes guessing slow, without locking anybody out.

    After five failures of one name from one address each further one doubles the wait, up to fifteen minutes. Many
    names tried from one address share ten attempts a minute, so that somebody who is right gets through between
    those who guess. A browser in which somebody has signed in before counts by itself: nobody else's guesses, from
    whatever address, keep its owner out.
    """

    elapsed: Callable[[], float] = elapsed_seconds
    _failures: OrderedDict[tuple[str, str], tuple[int, float]] = field(default_factory=OrderedDict)
    _addresses: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _told: OrderedDict[tuple[str, str], float] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, name: str, address: str, *, device: str = "") -> None:
        """
        Refuse while the wait lasts.

        Args:
            name: Whose password, or what code.
            address: Where the attempt comes from.
            device: What proves that this browser has been *name*'s before; then *address* does not matter.

        Raises:
            TooManyAttempts: With the seconds left.
        """
        now = self.elapsed()
        with self._lock:
            count, at = self._failures.get((name, device or place_of(address)), (0, 0.0))
            left = _ends(count, at) - now
            if not device:
                left = max(left, -self._tokens(place_of(address), now) * SECONDS_EACH)
        if left > 0:
            raise TooManyAttempts(left)

    def failed(self, name: str, address: str, *, device: str = "") -> None:
        """Count a failure."""
        now = self.elapsed()
        key = (name, device or place_of(address))
        with self._lock:
            count, at = self._failures.pop(key, (0, 0.0))
            self._failures[key] = (1 if now - at > LONGEST_WAIT else count + 1, now)
            if not device:
                tokens = self._tokens(place_of(address), now)
                self._addresses.pop(place_of(address), None)
                self._addresses[place_of(address)] = (tokens - 1, now)
            _forget_oldest(self._failures)
            _forget_oldest(self._addresses)

    def is_news(self, whom: str, address: str) -> bool:
        """Say whether a failure is the first in a minute that concerns *whom* from there: the trail is not flooded."""
        now, key = self.elapsed(), (whom, place_of(address))
        with self._lock:
            if now - self._told.get(key, -A_MINUTE) < A_MINUTE:
                return False
            self._told.pop(key, None)
            self._told[key] = now
            _forget_oldest(self._told)
        return True

    def succeeded(self, name: str, address: str, *, device: str = "") -> None:
        """Forget failures of this name."""
        with self._lock:
            self._failures.pop((name, device or place_of(address)), None)

    def _tokens(self, place: str, now: float) -> float:
        """Return how many attempts are left to a place; below nought it waits."""
        tokens, at = self._addresses.get(place, (float(FREE_FROM_ADDRESS), now))
        return min(float(FREE_FROM_ADDRESS), tokens + (now - at) / SECONDS_EACH)


def _forget_oldest(kept: OrderedDict[Any, Any]) -> None:
    while len(kept) > MOST_REMEMBERED:
        kept.popitem(last=False)


def place_of(address: str) -> str:
    """Return what counts as one place: an IPv4 address, or the network that one IPv6 customer has to himself."""
    try:
        parsed = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address


def _ends(count: int, at: float) -> float:
    return at + min(LONGEST_WAIT, 2.0 ** min(count - FREE_ATTEMPTS, 60)) if count >= FREE_ATTEMPTS else 0.0


class Passwords:
    """Hashes passwords with argon2id and compares them; an unknown name takes as long as a wrong password."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    def hash(self, password: str) -> str:
        """Return what is stored of *password*."""
        return self._hasher.hash(password)

    def fits(self, stored: str | None, password: str) -> bool:
        """Say whether *password* is the one stored; None (nobody is called so) fits nothing."""
        try:
            self._hasher.verify(stored or self._nobody, password[:LONGEST_PASSWORD])
        except (VerificationError, InvalidHashError):
            return False
        return bool(stored)


def is_acceptable(password: str) -> bool:
    """Say whether *password* is long enough to be a new one."""
    return SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD
