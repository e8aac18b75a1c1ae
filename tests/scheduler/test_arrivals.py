"""Whoever leads looks at the sources by itself, and nobody else does."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lifecycle.app import make_scheduler
from lifecycle.runtime import Runtime
from lifecycle.scheduler import jobs
from lifecycle.services import arrivals
from lifecycle.services.visits import Visits
from lifecycle.settings import Settings
from tests.services.intake import Recorder
from tests.services.world import HandClock, settings_dict


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def runtime(tmp_path: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """The product with one watched folder, in a hurry."""
    monkeypatch.setattr(jobs, "ARRIVALS_SECONDS", 1)
    monkeypatch.setattr(arrivals, "SETTLE_SECONDS", 0.5)
    (tmp_path / "inbox").mkdir()
    source = {"profile": "plain", "location": {"way": "folder", "path": "inbox"}}
    settings = settings_dict(
        f"sqlite:///{tmp_path}/lifecycle.db", sources={"agency": source}, engine={"tick_seconds": 1}
    )
    settings["targets"], settings["entitlements"], settings["baseline"] = {}, {}, []
    runtime = Runtime(Settings.model_validate({**settings, "folder": tmp_path}))
    runtime.__dict__["visits"] = Visits(runtime.settings, recorder, recorder, HandClock())
    yield runtime
    runtime.close()


def until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_a_file_that_is_put_into_a_watched_folder_is_delivered(
    runtime: Runtime, recorder: Recorder, tmp_path: Path
) -> None:
    (tmp_path / "inbox/roster.csv").write_text("content")
    scheduler = make_scheduler(runtime)
    scheduler.start()
    try:
        until(lambda: recorder.delivered)
    finally:
        scheduler.stop()
    assert recorder.delivered == [("roster.csv", b"content")]
    looked = len(recorder.notes)
    runtime.arrivals.run()
    assert len(recorder.notes) == looked, "nothing is looked at once it has stopped"


def test_who_does_not_lead_does_not_look(runtime: Runtime, recorder: Recorder, tmp_path: Path) -> None:
    scheduler = make_scheduler(runtime)
    runtime.engine.leadership.try_to_lead = lambda: False  # type: ignore[method-assign]
    looked: list[bool] = []
    as_leader = scheduler._as_leader

    def watched(job: Callable[[], object]) -> None:
        as_leader(job)
        if job == runtime.arrivals.run:
            looked.append(True)

    scheduler._as_leader = watched  # type: ignore[method-assign]
    scheduler.start()
    try:
        until(lambda: len(looked) > 1)
    finally:
        scheduler.stop()
    assert recorder.notes == []
