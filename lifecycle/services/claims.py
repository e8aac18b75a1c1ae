"""Who works on an upload just now: one at a time, in whatever process, and somebody else after a death."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from lifecycle.domain.errors import LifecycleError
from lifecycle.services.clock import wall_clock
from lifecycle.services.garbage import what_lives_is_spared
from lifecycle.services.upload_views import WORKING, State
from lifecycle.services.uploads import UploadClosed
from lifecycle.store import roster_uploads
from lifecycle.store.unit import Store, Unit

SECONDS_BETWEEN_BEATS = 1.0
SILENT = timedelta(seconds=60)
"""Whoever has shown no sign of life for so long works no more."""


class Superseded(LifecycleError):
    """Somebody else works on this upload now."""

    code = "superseded"


@dataclass(frozen=True, slots=True)
class Claim:
    """One worker's right to work on one upload."""

    store: Store
    upload_id: str
    worker: str
    wall: Callable[[], datetime]
    _last: list[float] = field(default_factory=lambda: [monotonic()])
    """When it last beat, on a clock that nobody can set."""

    def beat_now_and_then(self, **values: Any) -> None:
        """Do what `beat` does, once a second at most."""
        if monotonic() - self._last[0] >= SECONDS_BETWEEN_BEATS:
            self.beat(**values)

    def beat(self, **values: Any) -> None:
        """
        Show that the worker lives, and store how far it has come.

        Raises:
            Superseded: If somebody else works on the upload now, or it was discarded.
        """
        with self.store.write() as unit:
            self.keep(unit, **values)

    def keep(self, unit: Unit, **values: Any) -> None:
        """Do what `beat` does, in the transaction that writes what was worked out: nobody takes over before its end."""
        self._last[0] = monotonic()
        states, beat_at = WORKING, self.wall()
        if not roster_uploads.change_upload(
            unit, self.upload_id, states, worker_is=self.worker, beat_at=beat_at, **values
        ):
            raise Superseded("Somebody else works on this roster now, or it was discarded.")

    def end(self, state: State, **values: Any) -> None:
        """Stop working, and leave the upload in *state*; nothing happens where somebody else works on it."""
        with self.store.write() as unit:
            roster_uploads.change_upload(
                unit, self.upload_id, WORKING, worker_is=self.worker, state=state.value, worker="", **values
            )


@dataclass(frozen=True)
class Claims:
    """Gives claims, and takes back those of the dead."""

    store: Store
    wall: Callable[[], datetime] = wall_clock

    @contextmanager
    def work(self, upload_id: str, before: State, state: State, **values: Any) -> Iterator[Claim]:
        """
        Work on an upload in *before*, which is in *state* meanwhile and as it was again after any failure.

        Raises:
            UploadClosed: If it is not in *before*: somebody was faster.
        """
        claim = Claim(self.store, upload_id, secrets.token_hex(8), self.wall)
        with self.store.write() as unit:
            started = {"state": state.value, "worker": claim.worker, "beat_at": self.wall(), **values}
            if not roster_uploads.change_upload(unit, upload_id, (before,), **started):
                raise UploadClosed("Somebody else is at this roster just now, or it is settled already.")
        try:
            with what_lives_is_spared():
                yield claim
        except BaseException:
            claim.end(before)
            raise

    def take_back(self, *, only: str = "") -> Sequence[str]:
        """
        Have those uploads wait again that a dead process worked on.

        Args:
            only: Id of the one upload that is looked at; empty: all are.

        Returns:
            The ids of those that it was reading or applying; what was held is held again, and not among them.
        """
        with self.store.write() as unit:
            rows = roster_uploads.uploads(unit, states=WORKING, limit=1000)
            rows = [row for row in rows if only in {"", row.id}]
            dead = [row for row in rows if row.beat_at is None or self.wall() - row.beat_at > SILENT]
            waiting = []
            for row in dead:
                if roster_uploads.try_upload(unit, row.id) is None:  # it is being written to the database just now
                    continue
                was, worker = State(row.state), row.worker
                then = State.RECEIVED if was is State.READING else State.HELD if row.held else State.READY
                if then is not State.HELD:
                    waiting.append(row.id)
                roster_uploads.change_upload(unit, row.id, (was,), worker_is=worker, state=then.value, worker="")
        return waiting
