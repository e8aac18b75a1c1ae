"""
The scheduler only ticks. What is due lives in our tables, so a missed tick needs no catching up.

APScheduler 3.11 drops a job that is a second late by default, falls silent when the wall clock goes back, and cannot
share its jobs between processes. So: one interval job each for due work, reading back, housekeeping, delivery and
sources of rosters, kept in memory, coalesced, without a misfire limit, one instance at a time; a watch on the monotonic
clock; and a lease in the database, so that one process leads. The watch also looks, once a second, whether somebody has
asked for a tick at once: what a person ends or starts by hand must not wait for the next one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import SQLAlchemyError

from lifecycle.domain.clock import TimeReading
from lifecycle.domain.entitlement import Tier
from lifecycle.domain.errors import NotLeading
from lifecycle.services.arrivals import Arrivals
from lifecycle.services.clock import TrustedClock
from lifecycle.services.engine import Engine
from lifecycle.services.reconcile import Reconciler
from lifecycle.services.targets import Targets
from lifecycle.settings import EngineSettings
from lifecycle.store import state
from lifecycle.store.unit import Store

DUE_WORK, READ_BACK, HOUSEKEEPING, DELIVERY, PUSHES = "due-work", "read-back", "housekeeping", "delivery", "pushes"
ARRIVALS, ROSTERS = "arrivals", "rosters"
JOBS = (DUE_WORK, READ_BACK, HOUSEKEEPING, DELIVERY, PUSHES, ARRIVALS, ROSTERS)
HOUSEKEEPING_SECONDS, DELIVERY_SECONDS, PUSHES_SECONDS, ARRIVALS_SECONDS, ROSTERS_SECONDS = 30, 10, 5, 5, 30
JOB_DEFAULTS = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
WATCH_SECONDS = 1.0
LARGEST_DRIFT = timedelta(seconds=2)
"""Wall and monotonic time may part so far between two looks (slewing, leap seconds) without the watch acting."""
_log = logging.getLogger(__name__)


@dataclass
class Scheduler:
    """Runs the jobs and the watch over them, in threads of this process."""

    store: Store
    targets: Targets
    engine: Engine
    reconciler: Reconciler
    settings: EngineSettings
    keep_house: Callable[[], object]
    deliver: Callable[[], object]
    arrivals: Arrivals
    hand_on: Callable[[], object] = lambda: None
    """Hands what HR's systems have pushed on to roster intake."""
    tidy: Callable[[], object] = lambda: None
    """Takes up rosters that a dead process left, tells again of those held, and deletes the old ones."""
    ticked_at: float | None = None
    """Monotonic time at which the last tick came to its end; None before the first."""
    _scheduler: Any = None
    _stopping: threading.Event = field(default_factory=threading.Event)
    _readers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(thread_name_prefix="read-back"))
    _reading: dict[str, Future[None]] = field(default_factory=dict)
    _checked: dict[str, float] = field(default_factory=dict)
    _alarmed: bool = False
    _nudge: str = ""
    """As it stood when the last tick began: a nudge that comes while one runs is seen again by the watch."""
    _ticking: bool = False

    def start(self) -> None:
        """Start ticking; the first tick is at once, so that whatever fell due meanwhile is caught up with first."""
        self._start_ticking()
        threading.Thread(target=self._watch, name="watch", daemon=True).start()

    def stop(self) -> None:
        """Stop after the jobs under way."""
        self._stopping.set()
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
        self.arrivals.close()
        self._readers.shutdown(wait=True, cancel_futures=True)

    def _start_ticking(self) -> None:
        scheduler = BackgroundScheduler(timezone=UTC, job_defaults=JOB_DEFAULTS)
        now = datetime.now(UTC)
        self._add(scheduler, DUE_WORK, self.settings.tick_seconds, self.tick, now)
        self._add(scheduler, READ_BACK, self.settings.reconcile_god_seconds, self.read_back, now)
        self._add(scheduler, HOUSEKEEPING, HOUSEKEEPING_SECONDS, partial(self._as_leader, self.keep_house), now)
        self._add(scheduler, DELIVERY, DELIVERY_SECONDS, partial(self._as_leader, self.deliver), now)
        self._add(scheduler, ARRIVALS, ARRIVALS_SECONDS, partial(self._as_leader, self.arrivals.run), now)
        self._add(scheduler, PUSHES, PUSHES_SECONDS, partial(self._as_leader, self.hand_on), now)
        self._add(scheduler, ROSTERS, ROSTERS_SECONDS, partial(self._as_leader, self.tidy), now)
        scheduler.start()
        self._scheduler = scheduler

    @staticmethod
    def _add(scheduler: Any, name: str, seconds: int, job: Callable[[], None], first: datetime) -> None:
        scheduler.add_job(job, "interval", seconds=seconds, id=name, next_run_time=first, replace_existing=True)

    def tick(self) -> None:
        """Do what is due, if this process leads."""
        self._ticking = True
        try:
            self._nudge = self._nudged()
            if self.engine.leadership.try_to_lead():
                self._note_clock()
                self.engine.tick(wait=False)
        except NotLeading as exc:
            _log.warning("%s", exc)
        finally:
            self._ticking = False
        self.ticked_at = time.monotonic()

    def _nudged(self) -> str:
        with self.store.read() as unit:
            return str(state.get(unit, state.NUDGE) or "")

    def _as_leader(self, job: Callable[[], object]) -> None:
        """Do what only one process may do, so that nobody is told twice."""
        if self.engine.leadership.leads:
            job()

    def _note_clock(self) -> None:
        """Store and record that the wall clock jumped, or that it agrees again."""
        clock = self.engine.clock
        if not isinstance(clock, TrustedClock):
            return
        reading: TimeReading = clock.read()
        alarm = bool(reading.distrusted_by)
        if alarm == self._alarmed:
            return
        self._alarmed = alarm
        seconds = reading.distrusted_by.total_seconds()
        with self.store.write() as unit:
            state.put(unit, state.CLOCK_ALARM, seconds)
            unit.audit(
                at=reading.now,
                actor="scheduler",
                action="clock-distrusted" if alarm else "clock-trusted",
                object_="clock",
                after={"seconds_off": seconds},
            )

    def read_back(self) -> None:
        """Read every target back in a thread of its own: god mode each time, everything and preflight when due."""
        if not self.engine.leadership.leads:
            return
        for target in self.targets.names:
            running = self._reading.get(target)
            if running is None or running.done():
                if running is not None and (error := running.exception()):
                    _log.error("reading %s back failed", target, exc_info=error)
                self._reading[target] = self._readers.submit(self._read_back, target)

    def _read_back(self, target: str) -> None:
        if self._is_due(f"preflight {target}", self.settings.preflight_seconds):
            self.targets.preflight(target)
        everything = self._is_due(f"everything {target}", self.settings.reconcile_seconds)
        self.reconciler.reconcile(target, only=None if everything else Tier.GOD)

    def _is_due(self, what: str, seconds: int) -> bool:
        now = time.monotonic()
        if now - self._checked.get(what, -float("inf")) < seconds:
            return False
        self._checked[what] = now
        return True

    def _watch(self) -> None:
        """Wake the jobs when the wall clock jumps, and start ticking anew when ticks no longer come."""
        wall, elapsed = datetime.now(UTC), time.monotonic()
        while not self._stopping.wait(WATCH_SECONDS):
            new_wall, new_elapsed = datetime.now(UTC), time.monotonic()
            drift = abs((new_wall - wall) - timedelta(seconds=new_elapsed - elapsed))
            wall, elapsed = new_wall, new_elapsed
            if drift > LARGEST_DRIFT:
                _log.warning("the wall clock moved by %s; waking the scheduler", drift)
                self._wake(new_wall)
            self._look_for_nudge()
            if self._is_stuck(new_elapsed):
                _log.error("no tick for too long; starting the scheduler anew")
                self._scheduler.shutdown(wait=False)
                self.ticked_at = new_elapsed
                self._start_ticking()

    def _look_for_nudge(self) -> None:
        """Tick at once when somebody has asked for it; a database that does not answer is the tick's to report."""
        try:
            nudge = self._nudged()
        except SQLAlchemyError as exc:
            _log.debug("the database cannot be asked just now: %s", exc)
            return
        if nudge != self._nudge and not self._ticking:
            with suppress(JobLookupError):
                self._scheduler.modify_job(DUE_WORK, next_run_time=datetime.now(UTC))

    def _is_stuck(self, now: float) -> bool:
        longest = max(60.0, 4.0 * self.settings.tick_seconds)
        return self.ticked_at is not None and now - self.ticked_at > longest

    def _wake(self, now: datetime) -> None:
        for name in JOBS:
            self._scheduler.modify_job(name, next_run_time=now)
