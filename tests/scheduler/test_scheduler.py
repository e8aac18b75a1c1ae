"""Ticks go on when the wall clock jumps, nothing happens early, and two processes never both lead."""

import os
import subprocess
import sys
import time
from pathlib import Path

import libfaketime
import pytest
from sqlalchemy import select

from lifecycle.runtime import Runtime
from lifecycle.scheduler.jobs import JOB_DEFAULTS
from lifecycle.store import state
from lifecycle.store.tables import AuditRow
from tests.servers.ports import free_port

CONFIG = """
[store]
url = "sqlite:///lifecycle.db"
[web]
port = PORT
[engine]
tick_seconds = 1
leader_seconds = 5
[policy]
stages = [
    { name = "active", begins = "first day", ceiling = "god" },
    { name = "final day", begins = "last working day", ceiling = "standard" },
    { name = "ended", begins = "end", ceiling = "none" },
]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.replace("PORT", str(free_port())))
    return path


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_jump_of_the_wall_clock_stops_no_tick_and_makes_nothing_early(config: Path, hours: int) -> None:
    library = libfaketime.get_reload_information()[1]
    environment = {
        **os.environ, **library, "FAKETIME": "+0", "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.scheduler.clocked", str(config), f"{hours:+d}h", "10"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    before, after, jumped, moved = map(int, done.stdout.split())
    assert abs(jumped - hours * 3600) < 60, "the clock of the process was not moved"
    assert 3 <= moved <= 8, "believed time followed the jump"
    assert before >= 3
    assert after >= 3, "ticks stopped"
    runtime = Runtime.from_file(config)
    with runtime.store.read() as unit:
        assert abs(state.get(unit, state.CLOCK_ALARM) - hours * 3600) < 60
        actions = list(unit.session.scalars(select(AuditRow.__table__.c.action)))
    assert actions.count("clock-distrusted") == 1
    runtime.close()


def run(config: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.cli", "--config", str(config), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def leader(config: Path) -> tuple[str, int]:
    runtime = Runtime.from_file(config)
    try:
        with runtime.store.read() as unit:
            lease = state.lease(unit, "scheduler")
            return (lease.owner, lease.epoch) if lease else ("", 0)
    finally:
        runtime.close()


def wait_for_leader(config: Path, other_than: str = "") -> tuple[str, int]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        owner, epoch = leader(config)
        if owner not in {"", other_than}:
            return owner, epoch
        time.sleep(0.2)
    raise AssertionError("nobody leads")


def test_one_of_two_workers_leads_and_the_other_takes_over_when_it_is_killed(config: Path) -> None:
    first = run(config, "worker")
    owner, epoch = wait_for_leader(config)
    second = run(config, "worker")
    try:
        assert f":{first.pid}:" in owner
        time.sleep(3)
        assert leader(config) == (owner, epoch)
        first.kill()
        taken, next_epoch = wait_for_leader(config, other_than=owner)
        assert f":{second.pid}:" in taken
        assert next_epoch == epoch + 1
        tick = run(config, "tick")
        _, words = tick.communicate(timeout=30)
        assert tick.returncode == 1
        assert "another process leads" in words
    finally:
        for process in (first, second):
            process.terminate()
            process.communicate(timeout=20)
    assert leader(config)[0] == "", "a worker that is stopped gives its place up"


def test_serve_prints_a_code_and_stops_when_asked(config: Path) -> None:
    process = run(config, "serve", "--no-scheduler")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(5)]
    assert any("/setup?code=" in line for line in lines)
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_no_job_is_ever_dropped_or_doubled() -> None:
    assert JOB_DEFAULTS == {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
