"""Files that come by themselves: a kill at any point strands none, and what somebody else has sent stays theirs."""

import io
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from lifecycle.domain.role import Role
from lifecycle.services.claims import SILENT, Claim, Claims
from lifecycle.services.push_bulk import OperationState, read_bulk
from lifecycle.services.strict_json import read
from lifecycle.services.upload_views import State, Upload
from lifecycle.services.ways.way import Look, TakenFile
from lifecycle.store.people_tables import NoticeRow
from lifecycle.store.roster_tables import RosterSourceRow
from lifecycle.store.tables import RosterImportRow
from tests.services.rosters import take
from tests.services.world import World, line, roster_bytes
from tests.web.pushing import bulk, person

ADA = roster_bytes(line("w1", "agent"))


class Killed(BaseException):
    """What no handler of ours catches."""


class Place:
    """A server that nothing is put away on: it has one report, and knows what of it was taken."""

    place = "somewhere"

    def __init__(self) -> None:
        self.content = ADA

    def look(self, seen: Any, copy: Any, _: Any) -> Look:
        if seen.get("taken") == self.content.decode():
            return Look(dict(seen))
        copy.write(self.content)
        copy.seek(0)
        return Look({"taken": self.content.decode()}, TakenFile("report.csv", None), last=True)

    def problems(self) -> list[str]:
        return []


@pytest.fixture
def world(store_url: str, tmp_path: Path) -> Iterator[World]:
    (tmp_path / "inbox").mkdir()
    folder = {"way": "folder", "path": str(tmp_path / "inbox")}
    server = {"way": "https", "url": "https://hr.example.com/report"}
    sources = {
        "agency": {"profile": "plain", "location": folder},
        "server": {"profile": "plain", "location": server},
    }
    world = World(store_url, changes={"sources": sources, "notices": {"hr": ["hr@example.com"]}})
    world.account("w1")
    world.runtime.intake.claims = Claims(world.runtime.store, world.wall.now)
    place, opened = Place(), world.runtime.visits.open
    world.runtime.visits.open = lambda settings, name: place if name == "server" else opened(settings, name)
    yield world
    world.close()


def put(world: World, content: bytes = ADA, name: str = "roster.csv") -> Path:
    """Put a file into the folder, and see it for the first time."""
    path = Path(world.runtime.settings.sources["agency"].location.path) / name  # type: ignore[union-attr]
    path.write_bytes(content)
    world.runtime.visits.look("agency")
    return path


def kill(world: World, monkeypatch: pytest.MonkeyPatch, at: str, act: Any) -> None:
    """Do something, and be killed while a file is being read or applied: nothing is tidied up behind it."""

    def die(*_: object, **__: object) -> None:
        patched.setattr(Claim, "end", lambda *_, **__: None)
        raise Killed

    where, what = {
        "reading": (world.runtime.intake, "_stage"),
        "applying": (world.runtime.confirmations, "_apply"),
    }[at]
    with monkeypatch.context() as patched:
        patched.setattr(where, what, die)
        with pytest.raises(Killed):
            act()
    assert [u.state for u in world.runtime.uploads.listed() if u.state is not State.APPLIED] == [at]


def told(world: World) -> list[str]:
    with world.runtime.store.read() as unit:
        return [row.body for row in unit.session.scalars(select(NoticeRow)) if "waits for you" in row.subject]


def imports(world: World) -> list[str]:
    with world.runtime.store.read() as unit:
        return [
            row.actor
            for row in unit.session.scalars(select(RosterImportRow).order_by(RosterImportRow.__table__.c.number))
        ]


def seen(world: World, name: str) -> dict[str, Any]:
    with world.runtime.store.read() as unit:
        row = unit.session.get(RosterSourceRow, name)
        return dict(row.seen) if row else {}


@pytest.mark.parametrize("at", ["reading", "applying"])
@pytest.mark.parametrize("source", ["agency", "server"])
def test_the_next_look_finishes_what_a_killed_one_was_at(
    world: World, monkeypatch: pytest.MonkeyPatch, source: str, at: str
) -> None:
    path, look = put(world), world.runtime.visits.look
    kill(world, monkeypatch, at, lambda: look(source))
    before = seen(world, source)
    visit = look(source)
    assert visit.settling
    assert f"is being worked on ({at})" in visit.words[0], "whoever was at it may live"
    assert (path.exists(), seen(world, source), told(world)) == (True, before, [])
    world.wall.move(seconds=SILENT.total_seconds() + 1)
    assert "was applied" in look(source).words[0]
    world.tick()
    assert world.held("w1") == {"agent"}
    assert [u.state for u in world.runtime.uploads.listed()] == [State.APPLIED]
    assert imports(world) == [f"{'folder' if source == 'agency' else 'https'}:{source}"]
    assert (source == "server") is path.exists()


@pytest.mark.parametrize("at", ["reading", "applying"])
def test_what_a_killed_push_was_at_is_finished(world: World, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    petra = world.member("petra", Role.IT_ADMINISTRATOR)
    hr = world.runtime.tokens.actor(world.runtime.tokens.make(petra, "hr", ["hr:push"], 30)[0])

    def push(**changes: Any) -> str:
        document = read(json.dumps(bulk(person("w1", **changes))).encode())
        return world.runtime.pushes.receive(hr, read_bulk(document, world.runtime.settings.push))

    def stand(push_id: str) -> str:
        world.clock.move(minutes=11)
        world.runtime.pushes.run()
        return world.runtime.pushes.show(hr, push_id).operations[0].state

    assert stand(push()) == OperationState.APPLIED
    end = push(active=False)
    world.clock.move(minutes=1)
    kill(world, monkeypatch, at, world.runtime.pushes.run)
    assert stand(end) == OperationState.WAITING, "whoever was at it may live"
    world.wall.move(seconds=SILENT.total_seconds() + 1)
    assert stand(end) == OperationState.APPLIED
    assert {u.state for u in world.runtime.uploads.listed()} == {State.APPLIED}
    assert told(world) == []


def test_a_push_that_is_handed_on_twice_is_told_the_same_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after its rows were applied, and before it was noted which of them could not be used."""
    facts = {"worker_id": "w1", "reference": "C-1", "name": "Ada", "email": "", "vendor": "Northgate", "sponsor": ""}
    days = {
        "first_day": "2026-01-05",
        "last_day": "nonsense",
        "status": "running",
        "zone": "UTC",
        "site": "",
        "role": "",
    }

    def deliver() -> Upload:
        content = io.BytesIO(json.dumps({**facts, **days}).encode())
        return world.runtime.deliveries.deliver(content, file_name="push.jsonl", way="push", profile="push")

    first, again = deliver(), deliver()
    assert (first.state, again.state, first.id != again.id) == (State.APPLIED, State.APPLIED, True)
    assert world.runtime.deliveries.unusable(again.id) == world.runtime.deliveries.unusable(first.id) != {}


def test_what_nobody_delivers_again_is_finished_all_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender has taken it back, or put another one in its place, before the next look."""
    path = put(world)
    kill(world, monkeypatch, "reading", lambda: world.runtime.visits.look("agency"))
    path.unlink()
    world.runtime.tidying.run()
    assert imports(world) == [], "whoever was at it may live"
    world.wall.move(seconds=SILENT.total_seconds() + 1)
    monkeypatch.setattr(world.runtime.intake, "start", lambda upload_id, go_on: go_on(upload_id))
    world.runtime.tidying.run()
    assert imports(world) == ["folder:agency"]


def test_what_needs_a_person_after_a_kill_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(world, roster_bytes(line("w1", "agent"), line("", "agent")))
    kill(world, monkeypatch, "reading", lambda: world.runtime.visits.look("agency"))
    world.wall.move(seconds=SILENT.total_seconds() + 1)
    assert "waits for a person (ready)" in world.runtime.visits.look("agency").words[0]
    assert not path.exists()
    assert told(world) == ["roster.csv: some of its rows cannot be used"]


def test_what_comes_again_after_somebody_has_discarded_it_is_told_again(world: World) -> None:
    broken = roster_bytes(line("w1", "agent"), line("", "agent"))
    for times in (1, 2):
        put(world, broken)
        world.runtime.visits.look("agency")
        assert len(told(world)) == times, "each of them waits for somebody"
        [waiting] = [u for u in world.runtime.uploads.listed() if u.state is State.READY]
        world.runtime.uploads.discard(waiting.id, actor="member:hannah")


def test_what_a_person_has_only_looked_at_is_not_what_a_source_delivers(world: World) -> None:
    """Her preview stays hers, unconfirmed, with her repairs; what is applied is the source's own."""
    preview = take(world.runtime, ADA)
    put(world)
    assert world.runtime.visits.look("agency").words[0] == "roster.csv was applied."
    assert imports(world) == ["folder:agency"]
    assert world.runtime.uploads.find(preview.id).state is State.READY


def test_what_a_person_is_repairing_is_left_to_them_when_it_comes_again(world: World) -> None:
    broken = roster_bytes(line("w1", "agent"), line("w2", "agent").replace("2026-03-31", ""))
    put(world, broken)
    world.runtime.visits.look("agency")
    [upload] = world.runtime.uploads.listed()
    assert (upload.state, bool(upload.unusable)) == (State.READY, True)
    hannah = {"actor": "member:hannah", "member_id": "hannah"}
    world.runtime.uploads.repair(upload.id, lambda said: replace(said, last_day=date(2026, 12, 31)), **hannah)
    world.runtime.intake.advance(upload.id)
    put(world, broken)
    assert "waits for a person" in world.runtime.visits.look("agency").words[0]
    assert [u.id for u in world.runtime.uploads.listed()] == [upload.id]
    assert imports(world) == []


def test_what_nobody_has_begun_is_begun_after_a_restart(world: World) -> None:
    """Whoever should was killed between storing the file and beginning to read it; it waited for ever."""
    upload_id = world.runtime.uploads.receive(
        io.BytesIO(roster_bytes(line("w1", "agent"))), file_name="r.csv", way="browser", actor="hr", profile="plain"
    )
    world.runtime.deliveries.recover()
    assert world.runtime.uploads.find(upload_id).state is State.RECEIVED, "whoever has it may still be alive"
    world.clock.move(minutes=2)
    world.runtime.deliveries.recover()
    for _ in range(100):
        if world.runtime.uploads.find(upload_id).state is State.READY:
            break
        time.sleep(0.1)
    assert world.runtime.uploads.find(upload_id).state is State.READY


def test_files_that_belong_to_no_upload_are_deleted(world: World) -> None:
    folder = world.runtime.roster_files.folder
    folder.mkdir(parents=True, exist_ok=True)
    left = [folder / "0190", folder / "0191.arriving", folder / "0192.lines"]
    for path in left:
        path.write_bytes(b"names and addresses")
    world.runtime.tidying.run()
    assert all(path.exists() for path in left), "they may be on their way"
    for path in left:
        os.utime(path, (1, 1))
    world.runtime.tidying.run()
    assert not any(path.exists() for path in left)
