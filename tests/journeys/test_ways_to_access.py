"""From a system that pushes, and from a folder that is watched, to what people hold."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from lifecycle.app import make_app
from lifecycle.domain.approval import SelfReview, Verdict
from lifecycle.domain.role import Role
from lifecycle.services.proposals import Draft
from lifecycle.services.sources import Freshness
from lifecycle.services.staleness import FeedStale
from lifecycle.services.upload_views import State
from tests.services.world import COLUMNS, World, line, roster_bytes
from tests.web.pushing import SCIM_JSON, bulk, person


@pytest.fixture
def world(ready_url: str, tmp_path: Path) -> Iterator[World]:
    (tmp_path / "inbox").mkdir()
    sources = {"agency": {"profile": "plain", "location": {"way": "folder", "path": str(tmp_path / "inbox")}}}
    profiles = {"plain": {"columns": COLUMNS, "sponsors": {"the boss": "boss@example.com"}}}
    world = World(ready_url, changes={"sources": sources, "profiles": profiles})
    yield world
    world.close()


def held(world: World, worker: str) -> set[str]:
    world.tick()
    return world.held(worker)


class Peer:
    """HR's system, with a token for the product as it is served."""

    def __init__(self, world: World) -> None:
        self.world = world
        petra = world.member("petra", Role.IT_ADMINISTRATOR, email="petra@example.com")
        self.token = world.runtime.tokens.make(petra, "hr", ["hr:push"], 30)[0]
        self.client = make_app(world.runtime, scheduler=False).test_client()

    def send(self, method: str, path: str, body: Any = None) -> Any:
        headers = {**SCIM_JSON, "Authorization": f"Bearer {self.token}"}
        data = json.dumps(body).encode() if body is not None else None
        return self.client.open(path, method=method, data=data, headers=headers, base_url="https://localhost")

    def push(self, *people: dict[str, Any]) -> list[tuple[str, str]]:
        """Push, have it worked on, and return what became of each."""
        answer = self.send("POST", "/hr/v1/bulk", bulk(*people))
        assert answer.status_code == 202, answer.text
        self.world.clock.move(minutes=1)
        self.world.runtime.pushes.run()
        found = self.send("GET", answer.headers["Location"]).get_json()["operations"]
        return [(operation["state"], operation.get("reason", "")) for operation in found]


def test_what_hr_pushes_gives_access_and_takes_it(world: World) -> None:
    peer = Peer(world)
    for worker in ("W-1", "W-2"):
        world.account(worker)
    assert [state for state, _ in peer.push(person("W-1"), person("W-2"))] == ["applied", "applied"]
    assert held(world, "W-1") == {"agent"}
    broken, whole = person("W-3", contract={"lastDay": ""}), person("W-2", contract={"lastDay": "2026-09-30"})
    states = peer.push(broken, whole)
    assert [state for state, _ in states] == ["refused", "applied"], states
    assert [state for state, _ in peer.push(person("W-1", active=False))] == ["applied"]
    assert held(world, "W-1") == set()
    assert held(world, "W-2") == {"agent"}
    assert [state for state, _ in peer.push(person("W-1"))] == ["applied"]
    assert held(world, "W-1") == set(), "an extension after the end gives nothing back by itself"


def test_whoever_made_the_token_releases_nothing_that_was_pushed_with_it(world: World) -> None:
    peer, names = Peer(world), [f"W-{n}" for n in range(1, 21)]
    assert {state for state, _ in peer.push(*(person(name) for name in names))} == {"applied"}
    world.clock.move(days=2)
    assert {state for state, _ in peer.push(*(person(name, active=False) for name in names[:8]))} == {"held"}
    [upload] = world.runtime.uploads.listed(states=(State.HELD,))
    with pytest.raises(SelfReview):
        world.runtime.batches.review(
            upload.id, actor=world.actor("petra"), verdict=Verdict.APPROVE, digest=upload.digest, note="mine",
            typed=upload.changing,
        )  # fmt: skip
    assert "Petra" not in world.runtime.batches.standing(upload.id, world.actor("petra")).candidates


def test_an_end_that_waited_does_not_beat_a_newer_word(world: World) -> None:
    """It was handed on as if it had been pushed only then."""
    peer, names = Peer(world), [f"W-{n}" for n in range(1, 21)]
    for worker in (*names, "X-1"):
        world.account(worker)
    peer.push(*(person(name) for name in names))
    world.clock.move(days=2)
    ends = [person(name, contract={"lastDay": "2026-02-27"}) for name in names[:11]]
    assert {state for state, _ in peer.push(person("X-1"), *ends)} == {"held"}
    assert peer.push(person("X-1", active=False))[0][0] != "applied", "it waits behind what is held"
    assert peer.push(person("X-1", contract={"lastDay": "2026-12-31"}))[0][0] == "applied"
    for _ in range(3):
        world.clock.move(minutes=1)
        world.runtime.pushes.run()
        assert held(world, "X-1") == {"agent"}


def test_scim_does_the_same(world: World) -> None:
    peer = Peer(world)
    world.account("W-1")
    made = peer.send("POST", "/scim/v2/Users", person("W-1"))
    assert made.status_code == 201, made.text
    world.runtime.pushes.run()
    assert held(world, "W-1") == {"agent"}
    world.clock.move(minutes=1)
    gone = peer.send("DELETE", f"/scim/v2/Users/{made.get_json()['id']}")
    assert gone.status_code == 204
    world.runtime.pushes.run()
    assert held(world, "W-1") == set()


def test_a_file_in_a_watched_folder_becomes_access_and_a_broken_one_waits(world: World, tmp_path: Path) -> None:
    world.account("w1")
    inbox, visits = tmp_path / "inbox", world.runtime.visits
    (inbox / "monday.csv").write_bytes(roster_bytes(line("w1", "agent"), line("w2", "agent")))
    for _ in range(3):
        visits.look("agency")
    assert held(world, "w1") == {"agent"}
    assert (inbox / "accepted/monday.csv").exists()
    world.clock.move(days=1)
    broken = roster_bytes(line("w1", "agent", last=date(2026, 12, 31)), line("w2", "agent")).replace(
        b"2026-03-31", b"soon"
    )
    (inbox / "tuesday.csv").write_bytes(broken)
    for _ in range(3):
        visits.look("agency")
    waiting = world.runtime.uploads.listed(states=(State.READY,))
    assert [(u.file_name, u.unusable) for u in waiting] == [("tuesday.csv", 1)]
    assert (inbox / "waiting/tuesday.csv").exists()
    assert held(world, "w1") == {"agent"}


def test_nothing_new_is_granted_on_contracts_of_a_source_that_is_silent(world: World) -> None:
    world.roster(line("w1", "agent"))
    world.member("mia", Role.MANAGER, email="boss@example.com")
    draft = Draft(world.person("w1"), "tool.wiki", timedelta(hours=4), "to read")
    sources = world.runtime.sources
    assert sources.find("plain").state is Freshness.FRESH
    world.clock.move(hours=25)
    assert sources.find("plain").state is Freshness.STALE
    world.clock.move(hours=24)
    assert sources.find("plain").state is Freshness.REFUSING
    with pytest.raises(FeedStale, match="plain has delivered no roster since 2 March 2026"):
        world.runtime.requests.ask(world.actor("mia"), draft)
    world.roster(line("w1", "agent"), line("w2", "agent"))
    assert world.runtime.requests.ask(world.actor("mia"), draft)
