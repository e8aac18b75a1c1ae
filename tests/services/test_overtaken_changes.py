"""Files of changes that wait while others are confirmed: each contract is what the file made last says of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from lifecycle.domain.approval import Verdict
from lifecycle.domain.comparison import Kind
from lifecycle.domain.errors import RosterRefused
from lifecycle.domain.role import Role
from lifecycle.domain.roster import Cause, Choice
from lifecycle.services.upload_views import State, Upload
from tests.services.rosters import apply, take
from tests.services.world import COLUMNS, World, line, roster_bytes

BEFORE, LAST = date(2026, 2, 27), date(2026, 12, 31)
WORKERS = [f"w{n}" for n in range(1, 21)]
PROFILES: dict[str, Any] = {
    "plain": {"columns": COLUMNS},
    "delta": {"columns": COLUMNS, "source": "plain", "scope": "delta"},
    "ends": {"columns": COLUMNS, "source": "plain", "scope": "delta"},
    "closings": {"columns": {**COLUMNS, "status": "status"}, "source": "plain", "scope": "delta"},
}


@pytest.fixture
def world(ready_url: str) -> Iterator[World]:
    world = World(ready_url, changes={"profiles": PROFILES})
    for worker in WORKERS:
        world.account(worker)
    apply(world.runtime, roster_bytes(*(line(w, "agent", last=LAST) for w in WORKERS)))
    world.tick()
    world.member("petra", Role.IT_ADMINISTRATOR, email="petra@example.com")
    world.member("hans", Role.HR, email="hans@example.com")
    world.clock.move(days=2)
    yield world
    world.close()


def send(world: World, *lines: str, profile: str = "delta") -> Upload:
    """Send changes an hour after those before, and confirm them."""
    world.clock.move(hours=1)
    upload = take(world.runtime, roster_bytes(*lines), profile=profile)
    return world.runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest, leave_out=True)


def ends(*workers: str, last: date = BEFORE) -> list[str]:
    return [line(worker, "agent", last=last) for worker in workers]


def agree(world: World, upload: Upload) -> Upload:
    for by in ("petra", "hans"):
        now = world.runtime.uploads.find(upload.id)
        upload = world.runtime.confirmations.review(
            upload.id, actor=world.actor(by), verdict=Verdict.APPROVE, digest=now.digest, note="seen",
            typed=now.changing,
        )  # fmt: skip
    return upload


def living(world: World) -> set[str]:
    world.tick()
    return {worker for worker in WORKERS if world.held(worker)}


def state(world: World, upload: Upload) -> State:
    return world.runtime.uploads.find(upload.id).state


def test_changes_of_others_do_not_throw_away_what_is_held(world: World) -> None:
    """Eleven ends were held, one of somebody else was pushed, and the eleven kept their access for good."""
    held = send(world, *ends(*WORKERS[:11]))
    assert held.state is State.HELD
    assert send(world, *ends("w20")).state is State.APPLIED
    assert state(world, held) is State.HELD
    assert agree(world, held).state is State.APPLIED
    assert living(world) == set(WORKERS[11:19])


def test_what_is_released_first_leaves_the_others_as_they_are(world: World) -> None:
    first, second = (send(world, *ends(*some)) for some in (WORKERS[:8], WORKERS[8:14]))
    assert agree(world, second).state is State.APPLIED
    assert state(world, first) is State.HELD
    with pytest.raises(RosterRefused, match="something else by now"):
        agree(world, first)  # together it is too much for the vendor as well
    assert agree(world, first).state is State.APPLIED
    assert living(world) == set(WORKERS[14:])


@pytest.mark.parametrize("profile", ["delta", "ends"])
@pytest.mark.parametrize("last", [LAST, date(2027, 1, 31)])
def test_an_older_end_does_not_beat_a_newer_word(world: World, profile: str, last: date) -> None:
    """It did where the newer one changed nothing, and left no trace on the contract."""
    held = send(world, *ends(*WORKERS[:8]))
    assert send(world, *ends("w1", last=last), profile=profile).state is State.APPLIED
    with pytest.raises(RosterRefused, match="something else by now"):
        agree(world, held)
    [left] = world.runtime.uploads.items(held.id, kinds=[Kind.UNUSABLE])
    assert (left.worker_id, left.cause) == ("w1", Cause.OVERTAKEN)
    assert agree(world, held).state is State.APPLIED
    assert living(world) == {"w1", *WORKERS[8:]}


def test_what_later_files_have_spoken_of_altogether_is_over(world: World) -> None:
    held = send(world, *ends(*WORKERS[:8]))
    for worker in WORKERS[:8]:
        assert send(world, *ends(worker, last=LAST)).state is State.APPLIED
    assert state(world, held) is State.REFUSED


def test_a_later_full_roster_leaves_nothing_of_changes(world: World) -> None:
    held = send(world, *ends(*WORKERS[:8]))
    assert send(world, *ends(*WORKERS, last=LAST - timedelta(days=1)), profile="plain").state is State.APPLIED
    assert state(world, held) is State.REFUSED


def test_many_ends_that_come_one_by_one_add_up(world: World) -> None:
    """Sixty contracts moved to tomorrow in thirty files were held by nothing."""
    tomorrow = world.clock.now().date() + timedelta(days=2)
    states = [send(world, *ends(worker, last=tomorrow)).state for worker in WORKERS[:5]]
    assert states == [State.APPLIED, State.APPLIED, State.HELD, State.HELD, State.HELD]
    assert send(world, *ends("w9", last=LAST + timedelta(days=60))).state is State.APPLIED, "later ones do not count"
    world.clock.move(days=1, hours=1)
    assert send(world, *ends("w10", last=tomorrow + timedelta(days=1))).state is State.APPLIED


def test_contracts_closed_on_their_own_last_day_do_not_add_up(world: World) -> None:
    last = world.clock.now().date() + timedelta(days=1)
    apply(world.runtime, roster_bytes(*(line(f"x{n}", "agent", last=last) for n in range(4))), profile="delta")
    world.clock.move(days=3)
    for n in range(4):
        ended = f"{line(f'x{n}', 'agent', last=last)},ended"
        world.clock.move(hours=1)
        content = roster_bytes(ended).replace(b"\n", b",status\n", 1)
        upload = take(world.runtime, content, profile="closings")
        done = world.runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest)
        assert (done.state, done.changing) == (State.APPLIED, 1)


def test_what_was_shown_already_is_repaired_though_others_were_changed_since(world: World) -> None:
    world.clock.move(hours=1)
    twice = [*ends("w1", "w2"), *ends("w2", last=date(2026, 2, 26))]
    waiting = take(world.runtime, roster_bytes(*twice), profile="delta")
    assert waiting.unusable == 2
    assert send(world, *ends("w9", last=date(2027, 1, 31))).state is State.APPLIED
    world.runtime.uploads.repair(waiting.id, lambda said: replace(said, choice=Choice.LAST_ROW), actor="hr")
    repaired = world.runtime.intake.advance(waiting.id)
    assert (repaired.state, repaired.unusable, repaired.changing) == (State.READY, 0, 2)


def test_a_held_file_is_over_also_where_what_it_adds_was_added_since(world: World) -> None:
    held = send(world, line("n1", "agent", last=date(2026, 6, 30)), *ends(*WORKERS[:8]))
    assert held.state is State.HELD
    for worker in ("n1", *WORKERS[:8]):
        assert state(world, held) is State.HELD
        assert send(world, *ends(worker, last=LAST)).state is State.APPLIED
    assert state(world, held) is State.REFUSED


def test_a_file_that_comes_again_overtakes_nothing(world: World) -> None:
    world.clock.move(hours=1)
    content = roster_bytes(*ends("w1", last=date(2026, 11, 30)), line("n1", "agent", last=LAST))
    first = take(world.runtime, content, profile="delta")
    world.runtime.confirmations.confirm(first.id, actor="hr", digest=first.digest)
    held = send(world, *ends(*WORKERS[:8]))
    world.clock.move(hours=1)
    assert take(world.runtime, content, profile="delta").state is State.APPLIED, "with its first result"
    assert agree(world, held).state is State.APPLIED
    assert living(world) == set(WORKERS[8:])
