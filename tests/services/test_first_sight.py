"""What accounts of people whom a roster brings hold already: its loss is surprise, shown and held like any other."""

from collections.abc import Iterator
from datetime import date

import pytest

from connectors.base import TargetUnavailable
from lifecycle.domain.consequence import Weight
from lifecycle.services.upload_views import State, Upload
from tests.services.rosters import release, take
from tests.services.world import World, line, roster_bytes, settings_dict

PAST = date(2026, 1, 31)
WORKERS = [f"w{n}" for n in range(12)]


@pytest.fixture
def world(ready_url: str) -> Iterator[World]:
    world = World(ready_url)
    for worker in WORKERS:
        world.account(worker)
    yield world
    world.close()


def holds(world: World, right: str, *workers: str) -> None:
    world.tool.members[right] |= {f"id-{worker}" for worker in workers}


def said(world: World, upload: Upload) -> dict[str, tuple[str, str]]:
    items = world.runtime.uploads.items(upload.id, limit=100)
    return {item.worker_id: (item.weight, item.said) for item in items}


def confirm(world: World, upload: Upload) -> Upload:
    return world.runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest)


def test_contracts_that_are_over_at_first_sight_are_surprise_where_their_accounts_hold_something(world: World) -> None:
    """Twelve people lost everything with a first file in which nothing was said of it."""
    holds(world, "agent", *WORKERS)
    upload = take(world.runtime, roster_bytes(*(line(w, "agent", last=PAST) for w in WORKERS)))
    assert all(weight == Weight.REMOVED_NOW and "tool.agent" in words for weight, words in said(world, upload).values())
    assert [(f["scope"], f["words"]) for f in upload.guard][:1] == [
        ("people", "12 people of 12 lose access sooner than was known a day before")
    ]
    upload = confirm(world, upload)
    assert upload.state is State.HELD
    world.tick()
    assert all(world.held(w) == {"agent"} for w in WORKERS)
    assert release(world.runtime, upload).state is State.APPLIED
    world.tick()
    assert not any(world.held(w) for w in WORKERS)


def test_newcomers_whose_accounts_hold_more_than_they_get_lose_it_by_surprise(world: World) -> None:
    holds(world, "power", *WORKERS[:5])
    holds(world, "viewer", *WORKERS)
    upload = take(world.runtime, roster_bytes(*(line(w, "agent") for w in WORKERS)))
    lost = {worker for worker, (weight, _) in said(world, upload).items() if weight == Weight.REMOVED_NOW}
    assert lost == set(WORKERS[:5]), "viewer goes too, but agent is more"
    assert confirm(world, upload).state is State.HELD


def test_a_right_that_has_nothing_to_do_with_another_takes_not_its_place(ready_url: str) -> None:
    """Thirty newcomers lost what they were paid by, for they got a badge in the same tool."""
    entitlements = settings_dict()["entitlements"]
    entitlements["tool.badge"] = {"target": "tool", "locator": "badge", "tier": "elevated"}
    baseline = [{"name": "badges", "role": ["agent"], "entitlements": ["tool.badge"]}]
    world = World(ready_url, changes={"entitlements": entitlements, "baseline": baseline})
    world.tool.add_entitlement("badge")
    for worker in WORKERS:
        world.account(worker)
    holds(world, "power", *WORKERS)
    upload = take(world.runtime, roster_bytes(*(line(w, "agent") for w in WORKERS)))
    assert all("loses tool.power at once" in words for _, words in said(world, upload).values())
    assert confirm(world, upload).state is State.HELD
    world.close()


def test_god_mode_is_no_surprise_that_is_held(world: World) -> None:
    holds(world, "god", *WORKERS)
    upload = take(world.runtime, roster_bytes(*(line(w, "agent", last=PAST) for w in WORKERS)))
    assert not upload.guard
    assert confirm(world, upload).state is State.APPLIED
    world.tick()
    assert not any(world.held(w) for w in WORKERS)


def test_what_is_found_later_counts_when_it_is_confirmed_and_what_is_gone_does_not(world: World) -> None:
    content = roster_bytes(*(line(w, "agent", last=PAST) for w in WORKERS))
    upload = take(world.runtime, content)
    assert not upload.guard
    holds(world, "agent", *WORKERS)
    upload = confirm(world, upload)
    assert upload.state is State.HELD, "what was shown is not all of it"
    world.tool.members["agent"].clear()
    assert release(world.runtime, upload).state is State.APPLIED
    assert {weight for weight, _ in said(world, upload).values()} == {Weight.NEVER_GIVEN}


def test_a_target_that_does_not_answer_delays_no_roster(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object) -> None:
        raise TargetUnavailable("it is down")

    monkeypatch.setattr(world.tool, "resolve", down)
    monkeypatch.setattr(world.tool, "resolve_many", down, raising=False)
    upload = take(world.runtime, roster_bytes(line("w1", "agent")))
    assert confirm(world, upload).state is State.APPLIED


def test_accounts_of_people_who_are_known_are_nobody_elses(world: World) -> None:
    world.roster(line("w1", "agent"))
    world.tick()
    upload = take(world.runtime, roster_bytes(line("w1", "agent"), line("w2", "agent", last=PAST)))
    assert said(world, upload)["w2"][0] == Weight.NEVER_GIVEN


def test_a_target_that_falls_silent_takes_nothing_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard was quiet while it was down, and twelve people lost everything once it was back."""
    holds(world, "agent", *WORKERS)
    upload = take(world.runtime, roster_bytes(*(line(w, "agent", last=PAST) for w in WORKERS)))

    def down(*_: object) -> None:
        raise ValueError("the connector itself fails")

    monkeypatch.setattr(world.tool, "resolve", down)
    assert confirm(world, upload).state is State.HELD
