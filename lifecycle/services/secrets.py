"""Making secrets and keeping them: passwords as argon2id, tokens as digests, and guessing made slow."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lifecycle.domain.errors import LifecycleError
from lifecycle.services.clock import elapsed_seconds

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 512
FREE_ATTEMPTS = 5
FREE_FROM_ADDRESS = 30
LONGEST_WAIT = 900.0
LONGEST_WAIT_FOR_ADDRESS = 60.0


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
    Makes guessing slow: after five failures each further one doubles the wait, up to fifteen minutes.

    It slows down one name from one address and never locks an account: an administrator elsewhere still gets in.
    Many names tried from one address slow that address down too, a minute at the most.
    """

    elapsed: Callable[[], float] = elapsed_seconds
    _failures: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, login: str, address: str) -> None:
        """
        Refuse while the wait lasts.

        Raises:
            TooManyAttempts: With the seconds left.
        """
        with self._lock:
            own = self._failures.get((login, address), (0, 0.0))
            all_here = self._failures.get(("", address), (0, 0.0))
        now = self.elapsed()
        left = max(
            _ends(*own, FREE_ATTEMPTS, LONGEST_WAIT) - now,
            _ends(*all_here, FREE_FROM_ADDRESS, LONGEST_WAIT_FOR_ADDRESS) - now,
        )
        if left > 0:
            raise TooManyAttempts(left)

    def failed(self, login: str, address: str) -> None:
        """Count a failure."""
        now = self.elapsed()
        with self._lock:
            if len(self._failures) > 10_000:
                self._failures = {k: v for k, v in self._failures.items() if now - v[1] < LONGEST_WAIT}
            for key in ((login, address), ("", address)):
                count, at = self._failures.get(key, (0, 0.0))
                self._failures[key] = (1 if now - at > LONGEST_WAIT else count + 1, now)

    def succeeded(self, login: str, address: str) -> None:
        """Forget failures of this name."""
        with self._lock:
            self._failures.pop((login, address), None)


def _ends(count: int, at: float, free: int, longest: float) -> float:
    return at + min(longest, 2.0 ** min(count - free, 60)) if count >= free else 0.0


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
