"""God mode, which ends by the word of a roster that is held, and by nothing less."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lifecycle.domain.approval import Verdict
from lifecycle.domain.consequence import Weight
from lifecycle.domain.errors import RosterRefused
from lifecycle.domain.identity import IdentityId
from lifecycle.services.upload_views import State, Upload
from lifecycle.store import people
from lifecycle.store.people_tables import NoticeRow
from tests.services.guarded import BEFORE, WORKERS, review, send, staff
from tests.services.rosters import apply, take
from tests.services.world import World, line, roster_bytes, utc


@pytest.fixture
def world(guarded: World) -> World:
    return guarded


def test_god_mode_that_was_known_to_end_ends_while_a_roster_is_held(world: World) -> None:
    world.account("g1")
    apply(world.runtime, roster_bytes(line("g1", "god"), *(staff(w) for w in WORKERS)))
    world.tick()
    assert world.held("g1") == {"god", "wiki"}
    upload = send(world, roster_bytes(line("g1", "god"), *(staff(w, BEFORE) for w in WORKERS)))
    assert upload.state is State.HELD
    world.clock.move(to=utc(2026, 3, 23, 23))  # seven days before 31 March, in Berlin
    world.tick()
    assert world.held("g1") == {"power", "wiki"}


def gods(count: int, last: date) -> bytes:
    """Everybody, all with god mode; the first *count* with another last day."""
    return roster_bytes(
        *(line(w, "god", last=last if n < count else date(2026, 12, 31)) for n, w in enumerate(WORKERS))
    )


def people_of(world: World) -> list[IdentityId]:
    return [IdentityId(world.person(worker)) for worker in WORKERS]


def with_god(world: World) -> set[str]:
    world.tick()
    return {worker for worker in WORKERS if "god" in world.held(worker)}


@pytest.fixture
def gods_world(world: World) -> World:
    apply(world.runtime, gods(0, BEFORE))
    assert with_god(world) == set(WORKERS)
    world.clock.move(days=2)
    return world


def test_god_mode_ends_by_the_word_of_a_roster_that_is_held_and_nothing_else_does(gods_world: World) -> None:
    world = gods_world
    upload = send(world, gods(6, BEFORE))
    assert upload.state is State.HELD
    told = [finding["words"] for finding in upload.guard[-2:]]
    lesser = "whoever holds tool.power in its place loses that with the rest"
    assert told == ["god mode of 6 contracts ends as it says, whoever releases the rest", lesser]
    assert with_god(world) == set(WORKERS[6:])
    assert [world.held(worker) for worker in WORKERS[:6]] == [{"power", "wiki"}] * 6, "the rest waits for two people"
    review(world, upload, "petra")
    assert review(world, upload, "hans").state is State.APPLIED, "it does what they were shown"
    world.tick()
    assert [world.held(worker) for worker in WORKERS[:6]] == [set()] * 6
    with world.runtime.store.read() as unit:
        stored = [e for found in people.engagements_of(unit, people_of(world)).values() for e in found]
    assert all(e.measures.god_ends_at is None for e in stored), "their days end god mode now"


def send_mixed(world: World) -> Upload:
    """Half have left, and the others leave in ten days: god mode of all ends, now or then, while it is held."""
    soon = (world.clock.now() + timedelta(days=10)).date()
    mixed = [line(w, "god", last=BEFORE if n < 6 else soon) for n, w in enumerate(WORKERS)]
    upload = send(world, roster_bytes(*mixed))
    assert upload.state is State.HELD
    return upload


def test_god_mode_that_ends_with_all_else_is_counted_too(gods_world: World) -> None:
    upload = take(gods_world.runtime, gods(2, BEFORE))
    assert upload.totals == {Weight.REMOVED_NOW: 2, Weight.GOD_SOONER: 2}
    gods_world.runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest)
    assert gods_world.runtime.uploads.find(upload.id).totals == upload.totals, "as it was shown"


def test_what_a_rejected_roster_would_have_ended_later_goes_on(gods_world: World) -> None:
    world = gods_world
    upload = send_mixed(world)
    assert with_god(world) == set(WORKERS[6:])
    review(world, upload, "petra", Verdict.DENY)
    assert with_god(world) == set(WORKERS[6:]), "what is gone comes back by other people's word only"
    world.clock.move(days=12)
    assert with_god(world) == set(WORKERS[6:])
    told = {r.action for r in world.runtime.trail.search()}
    assert {"god-ends", "god-goes-on"} <= told


@pytest.mark.parametrize("how", ["taken back", "rejected"])
def test_what_ends_while_a_newer_one_is_applied_waits_its_turn(
    gods_world: World, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each once waited for the other's rows: one for the contract, one for the held roster."""
    world = gods_world
    upload = send_mixed(world)
    world.clock.move(hours=1)
    rows = [line(w, "god", last=date(2026, 12, 30 if w == "w12" else 31)) for w in WORKERS]
    newer = take(world.runtime, roster_bytes(*rows))
    within, changed = threading.Event(), threading.Event()
    let_go_on, update = people.let_god_go_on, people.update_engagements

    def linger(*args: Any) -> None:
        within.set()
        changed.wait(1)
        let_go_on(*args)

    def change(*args: Any) -> None:
        update(*args)
        changed.set()

    monkeypatch.setattr(people, "let_god_go_on", linger)
    monkeypatch.setattr(people, "update_engagements", change)
    with ThreadPoolExecutor(1) as other:
        if how == "rejected":
            ending = other.submit(review, world, upload, "petra", Verdict.DENY)
        else:
            ending = other.submit(world.runtime.batches.take_back, upload.id, world.actor("nora"))
        assert within.wait(5)
        with suppress(RosterRefused):  # it is stopped by now, or does something else
            world.runtime.confirmations.confirm(newer.id, actor="hr", digest=newer.digest)
        ending.result(5)
    settled = State.REFUSED if how == "rejected" else State.DISCARDED
    assert world.runtime.uploads.find(upload.id).state is settled


def test_the_sponsor_is_told_and_can_agree_to_the_days_that_stand(gods_world: World) -> None:
    world = gods_world
    send(world, gods(6, BEFORE))
    unagreed = world.runtime.extensions.unagreed(world.actor("mia"))
    assert {u.identity.worker_id for u in unagreed} == set(WORKERS[:6])
    with world.runtime.store.read() as unit:
        subjects = [n.subject for n in unit.session.scalars(select(NoticeRow)) if n.topic == "extension"]
    assert any(
        "6 contracts under your name were to end sooner, by a roster that is held or contradicts itself" in s
        for s in subjects
    )
    world.runtime.extensions.agree(world.actor("mia"), unagreed[0].engagement.id)
    assert with_god(world) == set(WORKERS[6:]), "the baseline gives none back by itself"


def test_the_second_absence_of_somebody_with_god_mode_is_nobodys_word(gods_world: World) -> None:
    world = gods_world
    few = [line(w, "god", last=date(2026, 12, 31)) for w in WORKERS[6:]]
    for days in (0, 2):
        world.clock.move(days=days)
        upload = send(world, roster_bytes(*few, line(f"w{20 + days}", "agent")))
        if upload.state is State.HELD and not days:
            review(world, upload, "petra")
            review(world, upload, "hans")
    assert upload.state is State.HELD
    assert with_god(world) == set(WORKERS)


def test_of_rows_that_contradict_each_other_god_mode_takes_the_sooner_end(gods_world: World) -> None:
    world = gods_world
    both = [line("w1", "god", last=BEFORE), line("w1", "god", last=date(2027, 6, 30))]
    rest = [line(w, "god", last=date(2026, 12, 31)) for w in WORKERS[1:]]
    upload = take(world.runtime, roster_bytes(*both, *rest))
    assert (upload.unusable, with_god(world)) == (2, set(WORKERS)), "nobody has confirmed it"
    confirmations = world.runtime.confirmations
    done = confirmations.confirm(upload.id, actor="hr", digest=upload.digest, leave_out=True)
    assert done.state is State.APPLIED
    assert with_god(world) == set(WORKERS[1:])
    assert world.held("w1") == {"power", "wiki"}, "which row counts, nobody knows: all else stays"
    assert [u.identity.worker_id for u in world.runtime.extensions.unagreed(world.actor("mia"))] == ["w1"]
