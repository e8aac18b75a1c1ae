"""What HR's systems push: kept at once, handed on to roster intake in order, and told apart operation by operation."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import random

from sqlalchemy.exc import SQLAlchemyError

from lifecycle.domain.backoff import delay_before
from lifecycle.domain.errors import LifecycleError, NotFound
from lifecycle.services.authorisation import Action, Actor, authorize
from lifecycle.services.clock import Clock
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.services.push_bulk import Operation, OperationState
from lifecycle.services.push_handing import Handing
from lifecycle.services.room import NoRoom
from lifecycle.services.ways.ports import NotNow
from lifecycle.settings import PushSettings
from lifecycle.store import pushes
from lifecycle.store.push_tables import PushRow
from lifecycle.store.unit import Store, Unit

AT_ONCE = 200
BACKOFF_BASE, BACKOFF_CAP = timedelta(seconds=10), timedelta(minutes=10)
WORRYING = 5
"""Attempts after which IT is told."""


class PushState(StrEnum):
    """How far a push as a whole is."""

    WAITING = "waiting"
    HELD = "held"
    """Handed on; some of it waits for people."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Push:
    """A push as the one who sent it sees it."""

    id: str
    received_at: datetime
    state: PushState
    operations: tuple[Operation, ...]


@dataclass
class Pushes:
    """Takes pushes and sees them through."""

    store: Store
    settings: PushSettings
    handing: Handing
    notices: Notices
    clock: Clock

    def receive(self, actor: Actor, operations: Sequence[Operation]) -> str:
        """
        Keep a bulk request, and return its id; what becomes of it is asked with `show`.

        Raises:
            NotPermitted: If this token is not for pushing.
        """
        with self.store.write() as unit:
            return self.enqueue(unit, actor, "push", operations)

    def enqueue(self, unit: Unit, actor: Actor, way: str, operations: Sequence[Operation]) -> str:
        """Keep operations in the transaction of what caused them; *way* is ``push`` or ``scim``."""
        authorize(actor, Action.PUSH_ROSTER)
        now, push_id = self.clock.now(), str(uuid.uuid4())
        settled = not any(operation.open for operation in operations)
        row = PushRow(
            id=push_id,
            token_id=actor.id,
            actor=actor.trail_name,
            way=way,
            received_at=now,
            state=(PushState.DONE if settled else PushState.WAITING).value,
            operations=[operation.stored() for operation in operations],
            settled_at=now if settled else None,
        )
        unit.session.add(row)
        unit.audit(
            at=now, actor=actor.trail_name, action="push-received", object_=f"push:{push_id}",
            after={"way": way, "operations": len(operations), "refused": len(_refused(operations))},
        )  # fmt: skip
        self._tell_hr(unit, row, operations, now)
        return push_id

    def show(self, actor: Actor, push_id: str) -> Push:
        """
        Say what has become of a push.

        Raises:
            NotFound: If this token has sent none of this id.
        """
        authorize(actor, Action.PUSH_ROSTER)
        with self.store.read() as unit:
            row = pushes.found(unit, push_id, actor.id)
        if row is None:
            raise NotFound("There is no such push, or another token has sent it.")
        operations = _operations(row)
        if row.state == PushState.HELD:
            operations = self.handing.outcome(operations)
        return Push(row.id, row.received_at, PushState(row.state), tuple(operations))

    def run(self) -> int:
        """Hand on what waits, see what people have decided, and forget what is long done; return how many moved."""
        now = self.clock.now()
        moved, after = 0, 0
        stopped = False
        while rows := self._batch(after):
            for row in rows:
                if row.state == PushState.HELD:
                    moved += self._settle(row, now)
                elif not stopped:
                    # in order: what fails for now holds up what came after it, which may be about the same person
                    stopped = not self._hand_on(row, now)
                    moved += not stopped
            after = rows[-1].n or 0
        with self.store.write() as unit:
            pushes.prune(unit, now - timedelta(days=self.settings.keep_days))
        return moved

    def _batch(self, after: int) -> list[PushRow]:
        with self.store.read() as unit:
            return pushes.unsettled(unit, AT_ONCE, after=after)

    def _hand_on(self, row: PushRow, now: datetime) -> bool:
        """Hand one push on; False when it has to be tried again."""
        if row.retry_at is not None and now < row.retry_at:
            return False
        operations = _operations(row)
        try:
            self.handing.hand_on(row, operations, now)
        except (NotNow, NoRoom, OSError, SQLAlchemyError) as exc:
            self._try_again(row, operations, exc, now)
            return False
        self._keep(row, operations, now)
        return True

    def _settle(self, row: PushRow, now: datetime) -> bool:
        """See what has become of what was handed on, and hand on what waited behind something else."""
        before = _operations(row)
        operations = list(before)
        # what fails is asked again at the next look; what was handed on just now is kept below
        with suppress(LifecycleError, OSError, SQLAlchemyError):
            self.handing.hand_on(row, operations, now)
        if operations == before:
            return False
        self._keep(row, operations, now)
        return True

    def _keep(self, row: PushRow, operations: list[Operation], now: datetime) -> None:
        """Store how the operations stand; once none is open, the push is done."""
        done = not any(operation.open for operation in operations)
        with self.store.write() as unit:
            stored = unit.session.merge(row)
            known = len(_refused(_operations(stored)))
            stored.operations = [operation.stored() for operation in operations]
            stored.state = (PushState.DONE if done else PushState.HELD).value
            stored.settled_at = now if done else None
            stored.error, stored.retry_at = "", None
            if len(_refused(operations)) > known:
                self._tell_hr(unit, stored, operations, now)
            unit.shows()

    def _try_again(self, row: PushRow, operations: list[Operation], error: Exception, now: datetime) -> None:
        with self.store.write() as unit:
            stored = unit.session.merge(row)
            stored.attempts += 1
            stored.operations = [operation.stored() for operation in operations]
            stored.error = f"{type(error).__name__}: {error}"[:500]
            wait = delay_before(stored.attempts, base=BACKOFF_BASE, cap=BACKOFF_CAP, chance=random())  # noqa: S311
            stored.retry_at = now + wait
            if stored.attempts >= WORRYING:
                notice = Notice(
                    Topic.PUSH, "What HR's system pushes is not taken in",
                    f"{stored.attempts} attempts have failed, and what came after waits behind it: {stored.error}",
                    "/", f"push:{row.id}", urgent=True, dedupe=f"push-failing:{row.id}",
                )  # fmt: skip
                self.notices.tell(unit, notice, self.notices.settings.it, now)

    def _tell_hr(self, unit: Unit, row: PushRow, operations: Sequence[Operation], now: datetime) -> None:
        """Tell HR once a day for each token: the sender sees each reason, and often no person reads there."""
        refused = _refused(operations)
        if not refused:
            return
        notice = Notice(
            Topic.PUSH, f"{row.actor} pushes people who cannot be used",
            f"{len(refused)} of {len(operations)} operations of push {row.id} were refused. The first is about worker "
            f"{refused[0].external_id or '(without a number)'}: {refused[0].reason}",
            "/", f"push:{row.id}", dedupe=f"push-refused:{row.token_id}:{now.date()}",
        )  # fmt: skip
        self.notices.tell(unit, notice, self.notices.settings.hr, now)


def _operations(row: PushRow) -> list[Operation]:
    return [Operation.load(stored) for stored in row.operations]


def _refused(operations: Sequence[Operation]) -> list[Operation]:
    return [operation for operation in operations if operation.state is OperationState.REFUSED]
