"""Two people, two tabs or a tick and a click at the same instant."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

from lifecycle.domain.approval import (
    DuplicateReview,
    Kind,
    RequestChanged,
    Resolution,
    Verdict,
)
from lifecycle.domain.roster import DateOrder, Repairs
from lifecycle.services.promotion import Promotion
from lifecycle.services.proposals import AlreadyAsked
from lifecycle.services.upload_views import repairs_of
from lifecycle.store import people, state
from tests.services.race import race
from tests.services.rosters import take
from tests.services.team import Staff
from tests.services.world import World, line


def test_two_tabs_of_one_reviewer_count_once(staff: Staff) -> None:
    request = staff.ask()
    reviews, petra = staff.world.runtime.reviews, staff.petra
    shown = reviews.sheet(petra, request).shown

    def click() -> None:
        reviews.review(petra, request, verdict=Verdict.APPROVE, note="yes", shown=shown)

    outcomes = race(*[click] * 12)
    assert outcomes.count(None) == 1
    assert all(isinstance(e, DuplicateReview | RequestChanged) for e in outcomes if e)
    assert reviews.sheet(petra, request).request.resolution is Resolution.PENDING


def test_any_denial_wins_a_race_and_nothing_is_granted_twice(staff: Staff) -> None:
    runtime = staff.world.runtime
    for n in range(5):
        request = staff.ask(right="tool.power", hours=8, worker="w2")
        shown = runtime.reviews.sheet(staff.petra, request).shown
        say = [
            (actor, verdict)
            for actor, verdict in (
                (staff.petra, Verdict.APPROVE),
                (staff.oskar, Verdict.DENY),
                (staff.ines, Verdict.APPROVE),
            )
        ]
        race(*[
            lambda a=actor, v=verdict: runtime.reviews.review(a, request, verdict=v, note="word", shown=shown)  # noqa: B023
            for actor, verdict in say
        ], lambda: runtime.requests.withdraw(staff.mia, request))  # noqa: B023  # fmt: skip
        sheet = runtime.reviews.sheet(staff.mia, request)
        grants = [
            g
            for c in runtime.persons.standing(staff.world.person("w2")).contracts
            for g in c.grants
            if g.request == request
        ]
        denied = any(r.verdict is Verdict.DENY for r in sheet.request.reviews)
        assert len(sheet.request.reviews) <= 1, n
        assert len(grants) == (sheet.request.resolution is Resolution.APPROVED)
        assert not (denied and grants)


def test_two_clicks_on_activate_start_one_grant(staff: Staff) -> None:
    request = staff.approved(at_once=False, window=timedelta(days=2))
    activation, carl, mia = staff.world.runtime.activation, staff.carl, staff.mia
    outcomes = race(*[lambda a=a: activation.activate(a, request) for a in (carl, mia) * 4])
    assert outcomes.count(None) == 1
    assert sum(len(c.grants) for c in staff.world.runtime.persons.standing(staff.world.person("w1")).contracts) == 1


def test_the_same_asked_at_once_is_asked_once(staff: Staff) -> None:
    outcomes = race(*[lambda: staff.ask()] * 6)
    assert outcomes.count(None) == 1
    assert all(isinstance(e, AlreadyAsked) for e in outcomes if e)


def test_a_grant_and_an_end_at_the_same_instant_leave_no_god_mode_behind(staff: Staff) -> None:
    world = staff.world
    request = staff.approved(at_once=False, window=timedelta(days=2))
    world.clock.move(minutes=1)
    runtime, carl, mia, person = world.runtime, staff.carl, staff.mia, world.person("w1")
    race(
        lambda: runtime.activation.activate(carl, request),
        lambda: runtime.cut_offs.end_now(mia, person, typed="Carl Jones", reason="left with the laptop"),
    )
    world.clock.move(minutes=1)
    runtime.cut_offs.undo(staff.petra, person, "it was another Carl")
    world.tick()
    assert world.held("w1") == {"agent"}


def test_revoke_now_and_a_tick_wait_for_each_other_and_neither_fails(staff: Staff) -> None:
    """On PostgreSQL they locked the person and the contract in opposite orders, and the page answered 500."""
    world, runtime = staff.world, staff.world.runtime
    world.roster(line("w1", role="god", name="Carl Jones"), profile="delta")
    person, mia, holds = world.person("w1"), staff.mia, threading.Event()
    now = world.clock.now()

    def tick() -> None:
        with runtime.store.write() as unit:
            due = people.due_identities(unit, now, 10)
            holds.set()
            time.sleep(0.5)  # until the other has locked the person and waits for the contract
            Promotion(unit, runtime.rulebook, runtime.targets, now).run_for(due)

    def end_now() -> None:
        holds.wait()
        runtime.cut_offs.end_now(mia, person, typed="Carl Jones", reason="together with a tick")

    assert race(tick, end_now) == [None, None]
    world.tick()
    assert world.held("w1") == set()


def test_those_who_nudge_at_once_are_both_heard(staff: Staff) -> None:
    store = staff.world.runtime.store

    def nudge() -> None:
        with store.write() as unit:
            state.nudge(unit)

    seen = set()
    for _ in range(5):
        assert race(nudge, nudge) == [None, None]
        with store.read() as unit:
            seen.add(state.get(unit, state.NUDGE))
    assert len(seen) == 5


def test_different_people_asked_for_at_once_get_numbers_of_their_own(staff: Staff) -> None:
    outcomes = race(lambda: staff.ask(), lambda: staff.ask(worker="w2"), lambda: staff.ask(right="tool.power", hours=8))
    assert outcomes == [None, None, None]


def test_what_is_ended_early_stays_ended_while_its_extension_is_approved(staff: Staff) -> None:
    """The extension's grant was made between the look for extensions and the commit, and outlived the end."""
    world, runtime = staff.world, staff.world.runtime
    staff.approved(hours=8)
    grant = runtime.persons.standing(world.person("w1")).contracts[0].grants[0]
    world.clock.move(hours=7)
    request = staff.ask(kind=Kind.EXTEND, grant_id=grant.id, hours=2)
    staff.review("ravi", request)
    shown = runtime.reviews.sheet(staff.petra, request).shown
    petra, mia = staff.petra, staff.mia
    race(
        lambda: runtime.activation.end_early(mia, grant.id),
        lambda: runtime.reviews.review(petra, request, verdict=Verdict.APPROVE, note="agreed", shown=shown),
    )
    for _ in range(3):
        world.clock.move(hours=1)
        world.tick()
        assert "god" not in world.held("w1")


def test_two_who_repair_a_roster_at_once_are_both_heard_and_both_known(world: World) -> None:
    """One was forgotten, could release what they had shaped, and what they had said was lost."""
    upload = take(world.runtime, b"Worker ID,Name,First day,Last day\nw1,Carl Jones,01/02/2026,31/03/26\n")

    def repair(member: str, **said: Any) -> None:
        def change(repairs: Repairs) -> Repairs:
            time.sleep(0.3)
            return replace(repairs, **said)

        world.runtime.uploads.repair(upload.id, change, actor=member, member_id=member)

    said: list[tuple[str, dict[str, Any]]] = [
        ("nora", {"date_order": DateOrder.DAY_FIRST}), ("hedy", {"short_years": True}),
    ]  # fmt: skip
    assert race(*[lambda m=member, w=words: repair(m, **w) for member, words in said]) == [None, None]
    with world.runtime.store.read() as unit:
        row = world.runtime.uploads.row(unit, upload.id)
        kept = repairs_of(row)
    assert row.shapers == ["hedy", "nora"]
    assert (kept.date_order, kept.short_years) == (DateOrder.DAY_FIRST, True)
