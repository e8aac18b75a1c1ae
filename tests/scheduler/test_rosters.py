"""Whoever leads takes up rosters that a dead process has left."""

import io
import time
from datetime import timedelta
from pathlib import Path

import pytest

from lifecycle.app import make_scheduler
from lifecycle.scheduler import jobs
from lifecycle.services.upload_views import State
from lifecycle.store import roster_uploads
from tests.services.world import World, line, roster_bytes


def test_a_roster_that_was_being_read_or_applied_is_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "ROSTERS_SECONDS", 1)
    world = World(f"sqlite:///{tmp_path}/lifecycle.db")
    runtime = world.runtime
    receive, advance = runtime.uploads.receive, runtime.intake.advance
    long_ago = runtime.intake.claims.wall() - timedelta(minutes=5)
    left = {}
    for worker, state in (("w1", State.READING), ("w2", State.APPLYING)):
        content = io.BytesIO(roster_bytes(line(worker, "agent")))
        upload = advance(receive(content, file_name="r.csv", way="cli", actor="hr", profile="plain"))
        left[state] = upload.id
        with runtime.store.write() as unit:
            values = {"state": state.value, "worker": "dead", "beat_at": long_ago}
            roster_uploads.change_upload(unit, upload.id, (State.READY,), **values)
    scheduler = make_scheduler(runtime)
    scheduler.start()
    try:
        deadline = time.monotonic() + 30
        while {u.state for u in runtime.uploads.listed()} != {State.READY}:
            assert time.monotonic() < deadline, runtime.uploads.listed()
            time.sleep(0.1)
    finally:
        scheduler.stop()
    assert {runtime.uploads.find(id_).state for id_ in left.values()} == {State.READY}
    world.close()
