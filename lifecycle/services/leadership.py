"""
Which process leads: a lease in the database, proven in every transaction that plans.

Nothing here compares clocks of two machines. A leader raises a counter; another process takes over when the counter
has stood still for a while on its own monotonic clock. A leader that was paused meanwhile finds its epoch gone and
rolls back.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lifecycle.domain.errors import NotLeading
from lifecycle.store import state
from lifecycle.store.tables import LeaseRow
from lifecycle.store.unit import Store, Unit

NAME = "scheduler"


def process_name() -> str:
    """Name this process so that another on the same machine can tell whether it still runs."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def _started(pid: int) -> str:
    """Return when a process started, in clock ticks since boot; empty when it does not run or cannot be seen."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""


def is_dead(owner: str) -> bool:
    """Say whether *owner* was a process of this machine that surely runs no more."""
    host, _, rest = owner.partition(":")
    pid, _, started = rest.partition(":")
    here = host == socket.gethostname() and started != "" and _started(os.getpid()) != ""
    return here and pid.isdigit() and _started(int(pid)) != started


@dataclass
class Leadership:
    """One process's claim to lead."""

    store: Store
    patience: float
    """Seconds for which a leader may be silent."""
    owner: str = field(default_factory=process_name)
    elapsed: Callable[[], float] = time.monotonic
    _epoch: int | None = None
    _watched: tuple[int, int] | None = None
    _watched_since: float = 0.0

    @property
    def leads(self) -> bool:
        """Whether this process believes to lead; only `prove` knows."""
        return self._epoch is not None

    @property
    def epoch(self) -> int | None:
        """Counts leaders; None while this process does not lead."""
        return self._epoch

    def try_to_lead(self) -> bool:
        """Lead if nobody does, or if who did is dead or has been silent too long; say whether this process leads."""
        if self._epoch is not None:
            with self.store.write() as unit:
                if state.beat(unit, NAME, self.owner, self._epoch):
                    return True
            self._epoch = None
        with self.store.read() as unit:
            seen = state.lease(unit, NAME)
        if seen is not None and not self._is_free(seen):
            return False
        with self.store.write() as unit:
            self._epoch = state.take_lease(unit, NAME, self.owner, seen)
        return self._epoch is not None

    def _is_free(self, seen: LeaseRow) -> bool:
        if seen.owner in {"", self.owner} or is_dead(seen.owner):
            return True
        if self._watched != (seen.epoch, seen.beat):
            self._watched, self._watched_since = (seen.epoch, seen.beat), self.elapsed()
        return self.elapsed() - self._watched_since >= self.patience

    def prove(self, unit: Unit) -> None:
        """
        Make *unit* fail unless this process leads, and show that it lives.

        Raises:
            NotLeading: If another process has taken over; everything in *unit* is rolled back.
        """
        if self._epoch is None or not state.beat(unit, NAME, self.owner, self._epoch):
            self._epoch = None
            raise NotLeading("another process leads; this one plans nothing")

    def give_up(self) -> None:
        """Stop leading, so that the next process need not wait."""
        if self._epoch is not None:
            with self.store.write() as unit:
                state.give_up(unit, NAME, self.owner, self._epoch)
            self._epoch = None
