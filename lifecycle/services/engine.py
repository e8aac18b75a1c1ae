"""One pass over what is due: promote, then work off every target at once, until nothing more can be done now."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from connectors.base import ConnectorError
from lifecycle.services.clock import Clock
from lifecycle.services.leadership import Leadership, is_dead
from lifecycle.services.promotion import Promotion
from lifecycle.services.provisioning import Provisioner
from lifecycle.services.rulebook import Rulebook
from lifecycle.services.targets import Targets
from lifecycle.store import people, state, work
from lifecycle.store.unit import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pass:
    """What one tick did."""

    now: datetime
    promoted: int
    """Identities whose access was computed anew."""
    finished: int
    """Work items proven done."""


@dataclass
class Engine:
    """Ticks. One at a time in one process; `Leadership` sees to one process at a time."""

    store: Store
    targets: Targets
    rulebook: Rulebook
    clock: Clock
    leadership: Leadership
    provisioner: Provisioner
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(thread_name_prefix="target"))
    _busy: dict[str, Future[int]] = field(default_factory=dict)
    _recovered: int | None = None

    def tick(self, *, wait: bool = True, progress: Callable[[int], None] = lambda _: None) -> Pass:
        """
        Do everything that is due.

        Args:
            wait: Return only when the targets have been worked off; False lets a slow one go on by itself.
            progress: Told how many items were finished, now and then.

        Raises:
            NotLeading: If another process leads.
        """
        self._recover()
        self._notice_new_rules()
        promoted = finished = 0
        while True:
            more = self._promote()
            promoted += more
            if not wait:
                self._start_drains()
                break
            done = self._drain_all()
            finished += done
            progress(done)
            if not done and not more:
                break
        return Pass(self.clock.now(), promoted, finished)

    def retry(self, target: str, actor: str) -> None:
        """
        Ask a target again now, and try everything that waits for it at the next tick.

        Raises:
            NotFound: If it is not configured.
        """
        self.targets.preflight(self.targets[target].name)
        now = self.clock.now()
        with self.store.write() as unit:
            work.wake(unit, target, now)
            unit.audit(at=now, actor=actor, action="target-retried", object_=f"target:{target}")

    def _recover(self) -> None:
        """Take over what a process that died was working on, once for each time this one begins to lead."""
        epoch = self.leadership.epoch
        if epoch != self._recovered:
            with self.store.write() as unit:
                self.leadership.prove(unit)
                work.recover(unit, is_dead)
            self._recovered = epoch

    def _notice_new_rules(self) -> None:
        """Have everybody's access computed anew when the configuration means something else than before."""
        with self.store.read() as unit:
            before = state.get(unit, state.RULES)
        if before == self.rulebook.fingerprint:
            return
        now = self.clock.now()
        with self.store.write() as unit:
            self.leadership.prove(unit)
            people.make_due(unit, now)
            state.put(unit, state.RULES, self.rulebook.fingerprint)
            unit.audit(
                at=now,
                actor="config",
                action="rules-changed",
                object_="config.toml",
                before={"fingerprint": before or ""},
                after={"fingerprint": self.rulebook.fingerprint},
            )

    def _promote(self) -> int:
        now = self.clock.now()
        promoted = 0
        while True:
            with self.store.write() as unit:
                self.leadership.prove(unit)
                state.put_instant(unit, state.WATERMARK, now)
                count = Promotion(unit, self.rulebook, self.targets, now).run()
            promoted += count
            if not count:
                return promoted

    def _drain_all(self) -> int:
        with self.store.read() as unit:
            ready = [t for t in work.claimable_targets(unit, self.clock.now()) if t in self.targets.names]
        if len(ready) == 1:
            return self.provisioner.drain(ready[0])
        return sum(future.result() for future in [self.threads.submit(self.provisioner.drain, t) for t in ready])

    def _start_drains(self) -> None:
        """Work off each target in a thread of its own: one that hangs delays no other."""
        with self.store.read() as unit:
            ready = work.claimable_targets(unit, self.clock.now())
        for target in ready:
            running = self._busy.get(target)
            if target in self.targets.names and (running is None or running.done()):
                self._report(target, running)
                self._busy[target] = self.threads.submit(self.provisioner.drain, target)

    @staticmethod
    def _report(target: str, finished: Future[int] | None) -> None:
        error = finished.exception() if finished is not None else None
        if error is not None and not isinstance(error, ConnectorError):
            _log.error("working off %s failed", target, exc_info=error)

    def close(self) -> None:
        """Stop after the calls under way and give leadership up."""
        self.provisioner.stopping.set()
        self.threads.shutdown(wait=True, cancel_futures=True)
        self.leadership.give_up()
