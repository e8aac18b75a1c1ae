"""Rosters whose time is over: their files and rows are deleted, what was confirmed stays in the trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from lifecycle.services.batches import Batches
from lifecycle.services.files import RosterFiles
from lifecycle.services.intake import Intake
from lifecycle.settings.rosters import RosterSettings
from lifecycle.store import rosters
from lifecycle.store.unit import Store

UPLOADS_AT_ONCE = 20
ROWS_AT_ONCE = 20_000


@dataclass
class Tidying:
    """What time alone changes about rosters."""

    store: Store
    files: RosterFiles
    intake: Intake
    batches: Batches
    settings: RosterSettings

    def run(self, now: datetime) -> None:
        """Take up what a dead process left, tell again of what is held, and delete what is old."""
        self.intake.recover()
        self.batches.remind(now)
        with self.store.read() as unit:
            old = rosters.settled_before(unit, now - timedelta(days=self.settings.keep_days), UPLOADS_AT_ONCE)
        for upload_id in old:
            self._forget(upload_id)

    def _forget(self, upload_id: str) -> None:
        deleted = ROWS_AT_ONCE
        while deleted == ROWS_AT_ONCE:
            with self.store.write() as unit:
                deleted = rosters.clear_items(unit, upload_id, limit=ROWS_AT_ONCE)
        self.files.delete(upload_id)
        with self.store.write() as unit:
            rosters.forget_file(unit, upload_id)
