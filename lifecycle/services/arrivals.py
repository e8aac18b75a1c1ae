"""
Rosters that come by themselves: every source is looked at when it is due.

Each source has a thread of its own, so that a slow server keeps no other waiting, and nothing that goes wrong on one
stops another. Time is counted on a clock that nobody can set.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy.exc import SQLAlchemyError

from lifecycle.services.clock import elapsed_seconds
from lifecycle.services.visits import Visit, Visits

SETTLE_SECONDS = 30.0
"""After so long a file that may still be written to is looked at again."""
_log = logging.getLogger(__name__)


@dataclass
class Arrivals:
    """Visits the sources. `run` is called by one thread."""

    visits: Visits
    elapsed: Callable[[], float] = elapsed_seconds
    _due: dict[str, float] = field(default_factory=dict)
    """Source to the elapsed time of its next look; those that were never looked at are not in it."""
    _begun: dict[str, float] = field(default_factory=dict)
    """When its last look was begun."""
    _under_way: dict[str, Future[Visit]] = field(default_factory=dict)
    _closed: bool = False

    def run(self) -> None:
        """Begin to look at every source that is due and is not being looked at. Returns at once."""
        if self._closed:
            return
        now = self.elapsed()
        for name in self.visits.names:
            running = self._under_way.get(name)
            if running is not None:
                if not running.done():
                    continue
                self._under_way.pop(name)
                self._plan(name, running)
            if now >= self._due.get(name, now):
                self._begun[name] = now
                self._under_way[name] = self._threads.submit(self.visits.look, name)

    def _plan(self, name: str, done: Future[Visit]) -> None:
        """Say when a source is looked at again, and note what no look can see to."""
        visits = self.visits
        wait = 60.0 * visits.source(name).every_minutes
        error = done.exception()
        if error is None and done.result().settling:
            wait = min(wait, SETTLE_SECONDS)
        self._due[name] = self._begun[name] + wait
        if error is None:
            return
        _log.error("looking at the source %s failed", name, exc_info=error)
        try:
            visits.states.note_failed(name, visits.clock.now(), f"This product has failed: {error}. Its log says more.")
        except SQLAlchemyError as exc:
            _log.error("that cannot be noted: %s", exc)

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max(1, len(self.visits.names)), thread_name_prefix="source")

    def close(self) -> None:
        """Break off what is under way and look no more."""
        self._closed = True
        self.visits.close()
        if "_threads" in self.__dict__:
            self._threads.shutdown(wait=True, cancel_futures=True)
