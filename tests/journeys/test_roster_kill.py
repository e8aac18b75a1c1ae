"""Rosters that are applied while the process is killed or the disk is full: the old state or the new one."""

import json
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from connectors.local import AccessFile
from lifecycle.runtime import Runtime
from lifecycle.services.upload_views import State
from tests.services.rosters import apply
from tests.services.world import settings_dict

CONTRACTS = 1_500
KILLS = 4
HEADER = "contract,worker,name,vendor,role,site,first,last,email,sponsor\n"
OLD, NEW = date(2027, 3, 31), date(2027, 4, 15)


def roster(last: date, count: int) -> bytes:
    rows = (
        f"C-{n},w{n},Person {n},Vendor {n % 7},agent,berlin,2026-01-01,{last},,boss@example.com" for n in range(count)
    )
    return (HEADER + "\n".join(rows) + "\n").encode()


class Place:
    """A configuration in a folder, with a roster applied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "product.db"
        settings = settings_dict(f"sqlite:///{self.database}", rosters={"guard": {"moved_share": 1}})
        settings["targets"]["tool"]["path"] = "tool.db"
        self.config = folder / "config.toml"
        self.config.write_text(toml(settings))
        AccessFile.create("tool", folder / "tool.db")
        runtime = Runtime.from_file(self.config)
        apply(runtime, roster(OLD, CONTRACTS))
        runtime.close()
        self.file = folder / "new.csv"
        self.file.write_bytes(roster(NEW, CONTRACTS + 500))

    def confirm(self, **options: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", "from lifecycle.cli import main; main()", "--config", str(self.config)]
        return subprocess.Popen(
            [*command, "roster", "confirm", str(self.file), "--profile", "plain", "--yes"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,  # type: ignore[call-overload]
        )  # fmt: skip

    def state(self) -> tuple[int, set[str], int]:
        """Contracts, last days and records of contracts."""
        with sqlite3.connect(self.database) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            days = {row[0] for row in db.execute("SELECT DISTINCT last_day FROM engagement")}
            told = "SELECT count(*) FROM audit WHERE action LIKE 'engagement-%'"
            (count,) = db.execute("SELECT count(*) FROM engagement").fetchone()
            return count, days, db.execute(told).fetchone()[0]


BEFORE = (CONTRACTS, {str(OLD)}, CONTRACTS)
AFTER = (CONTRACTS + 500, {str(NEW)}, 2 * CONTRACTS + 500)


def toml(document: dict[str, object]) -> str:
    """Write a configuration as TOML: strings, numbers, lists and tables."""

    def value(item: object) -> str:
        if isinstance(item, dict):
            return "{" + ", ".join(f"{json.dumps(k)} = {value(v)}" for k, v in item.items()) + "}"
        if isinstance(item, (list, tuple)):
            return "[" + ", ".join(map(value, item)) + "]"
        return json.dumps(item)

    return "".join(f"{json.dumps(key)} = {value(item)}\n" for key, item in document.items())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("roster-kill"))


def test_a_kill_at_any_point_leaves_the_old_state_or_the_new_one(place: Place) -> None:
    began = time.monotonic()
    with place.confirm() as measured:
        while not (place.folder / "var/rosters").exists() or measured.poll() is not None:
            time.sleep(0.01)
        measured.kill()
    start = time.monotonic() - began
    assert place.state() == BEFORE
    chance, seen = random.Random(4), []
    for _ in range(KILLS):
        with place.confirm() as process:
            time.sleep(start + chance.random() * 4)
            process.send_signal(signal.SIGKILL)
        state = place.state()
        assert state in (BEFORE, AFTER)
        seen.append(state == AFTER)
        if state == AFTER:
            break
    runtime = Runtime.from_file(place.config)
    dead = runtime.uploads.listed(states=(State.READING, State.APPLYING))
    runtime.intake.claims.take_back()
    runtime.close()
    with place.confirm() as last:
        out, err = last.communicate()
    assert last.returncode == 0, err
    assert place.state() == AFTER, (seen, len(dead), out)


def test_a_full_disk_changes_nothing_and_says_so(tmp_path: Path) -> None:
    place = Place(tmp_path)
    largest = max(path.stat().st_size for path in tmp_path.glob("product.db*")) + 40_000

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    with place.confirm(preexec_fn=full) as process:
        _, err = process.communicate()
    assert process.returncode != 0
    assert "nothing was changed" in err, err
    assert place.state() == BEFORE
    with place.confirm() as process:
        process.communicate()
    assert place.state() == AFTER
