"""Secrets that are shown exactly once, on the page after the form that made them: reloading makes no other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from lifecycle.services.clock import elapsed_seconds
from lifecycle.services.secrets import digest

LIFE = 300.0
"""Seconds in which the page must be asked for."""
MOST = 1000


@dataclass
class OnceShown:
    """
    Keeps a secret in this process's memory until its page is shown: never in the store, a cookie or a log.

    Another process cannot show it; its page then says so, and the secret is made anew.
    """

    elapsed: Callable[[], float] = elapsed_seconds
    _kept: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def keep(self, session_token: str, what: str, secret: str) -> None:
        """Keep *secret* for whoever holds the session; one of each kind."""
        now = self.elapsed()
        with self._lock:
            self._kept = {key: kept for key, kept in self._kept.items() if now - kept[0] < LIFE}
            while len(self._kept) >= MOST:
                self._kept.pop(next(iter(self._kept)))
            self._kept[digest(session_token), what] = (now, secret)

    def take(self, session_token: str, what: str) -> str:
        """Return the secret this once; empty if there is none, or its time is over."""
        with self._lock:
            at, secret = self._kept.pop((digest(session_token), what), (0.0, ""))
        return secret if secret and self.elapsed() - at < LIFE else ""
