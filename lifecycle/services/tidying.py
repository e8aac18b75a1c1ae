"""Rosters whose time is over: their files and rows are deleted, what was confirmed stays in the trail."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from lifecycle.domain.errors import LifecycleError
from lifecycle.services.batches import Batches
from lifecycle.services.clock import wall_clock
from lifecycle.services.confirmation import Confirmations
from lifecycle.services.deliveries import Deliveries
from lifecycle.services.files import RosterFiles
from lifecycle.services.intake import Intake
from lifecycle.settings.rosters import RosterSettings
from lifecycle.store import roster_items, roster_uploads
from lifecycle.store.unit import Store

_log = logging.getLogger(__name__)
UPLOADS_AT_ONCE = 20
ROWS_AT_ONCE = 20_000
ORPHANED = timedelta(days=1)
"""After so long a file whose upload is not stored is nobody's."""


@dataclass
class Tidying:
    """What time alone changes about rosters."""

    store: Store
    files: RosterFiles
    intake: Intake
    batches: Batches
    confirmations: Confirmations
    deliveries: Deliveries
    settings: RosterSettings

    def run(self) -> None:
        """Take up what a dead process left, tell again of what is held, and delete what is old."""
        now = self.intake.clock.now()
        self.deliveries.recover()
        for upload_id in self.batches.agreed():
            self._apply(upload_id)
        self.batches.remind(now)
        with self.store.read() as unit:
            kept = now - timedelta(days=self.settings.keep_days)
            # what came after a roster that is held still says of which of its contracts it may speak
            waiting = roster_uploads.held_since(unit)
            old = roster_uploads.settled_before(unit, min(kept, waiting or kept), UPLOADS_AT_ONCE)
        for upload_id in old:
            self._forget(upload_id)
        self._sweep()

    def _sweep(self) -> None:
        """Delete files that belong to no upload: whoever brought them was killed before saying so."""
        files = self.files.written_before(wall_clock() - ORPHANED)
        with self.store.read() as unit:
            known = roster_uploads.known(unit, files)
        for upload_id, paths in files.items():
            for path in paths:
                if upload_id not in known or path.name == f"{upload_id}.arriving":
                    path.unlink(missing_ok=True)

    def _apply(self, upload_id: str) -> None:
        try:
            self.confirmations.release(upload_id, actor="scheduler")
        except LifecycleError as exc:  # it is held anew, or somebody is at it
            _log.info("roster %s: %s", upload_id, exc)

    def _forget(self, upload_id: str) -> None:
        deleted = ROWS_AT_ONCE
        while deleted == ROWS_AT_ONCE:
            with self.store.write() as unit:
                deleted = roster_items.clear_items(unit, upload_id, limit=ROWS_AT_ONCE)
        self.files.delete(upload_id)
        with self.store.write() as unit:
            roster_uploads.forget_file(unit, upload_id)
