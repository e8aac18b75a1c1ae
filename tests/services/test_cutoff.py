"""Revoke now: typed, queued in the same transaction, followed to the last account, undone by somebody else."""

import time
from datetime import timedelta

import pytest

from lifecycle.domain.approval import RequestClosed, Resolution
from lifecycle.domain.errors import NotFound, NotPermitted
from lifecycle.domain.role import Role
from lifecycle.services.activation import NotEligibleNow
from lifecycle.services.authorisation import StepUpNeeded
from lifecycle.services.cutoff import AlreadyCutOff, NotConfirmed, SecondPersonNeeded
from lifecycle.services.proposals import Draft
from lifecycle.services.sessions import NotSignedIn
from lifecycle.store import notices, work
from tests.services.team import Staff
from tests.services.world import line

NAME, WHY = "Carl Jones", "left with the laptop"


def cut(staff: Staff, by: str = "mia", worker: str = "w1", typed: str = NAME) -> str:
    runtime = staff.world.runtime
    return runtime.cut_offs.end_now(staff.world.actor(by), staff.world.person(worker), typed=typed, reason=WHY)


@pytest.mark.parametrize("by", ["mia", "nora", "petra", "oskar"])
def test_access_is_gone_and_proven_gone_in_every_system(staff: Staff, by: str) -> None:
    world = staff.world
    staff.approved()
    waiting = staff.approved(right="tool.power", hours=8, by=("oskar",), at_once=False, window=timedelta(days=2))
    pending = staff.ask(right="tool.wiki", hours=8)
    world.tick()
    assert world.held("w1") == {"god", "agent"}
    world.tool.accounts["id-w1"].sessions = 2
    token = world.sign_in("carl")
    world.clock.move(minutes=1)
    started = time.monotonic()
    assert cut(staff, by) == ""
    assert time.monotonic() - started < 1
    with world.runtime.store.read() as unit:
        queued = {(i.verb.value, i.aspect) for i in work.open_items(unit, [world.person("w1")])}
    assert {("revoke", "tool.god"), ("revoke", "tool.agent")} <= queued
    with pytest.raises(NotSignedIn, match="Please sign in"):
        world.runtime.sessions.actor(token)
    with pytest.raises(NotSignedIn, match="Your access here was ended"):
        world.sign_in("carl")
    batch = world.runtime.requests.ask_for_several(
        staff.mia, [world.person("w1")], Draft("", "tool.wiki", timedelta(hours=8), "weekend cover")
    )
    assert [r.reason for r in batch.refused] == ["Their access was ended by a person; that must be undone first."]
    with pytest.raises(NotFound, match="was ended by a person"):
        world.runtime.team.add_handover(staff.mia, world.person("w1"), "the keys", "")
    view = world.runtime.cut_offs.view(world.actor(by), world.person("w1"))
    assert not view.proven
    world.tick()
    assert world.held("w1") == set()
    assert world.tool.accounts["id-w1"].disabled
    assert world.tool.accounts["id-w1"].sessions == 0
    view = world.runtime.cut_offs.view(world.actor(by), world.person("w1"))
    assert view.proven
    assert [a.proven for a in view.accounts] == [True]
    with pytest.raises(NotEligibleNow):
        world.runtime.activation.activate(staff.mia, waiting)
    with pytest.raises(RequestClosed):
        staff.review("petra", pending)


def test_the_name_is_typed_the_reason_given_and_the_person_ones_own(staff: Staff) -> None:
    for typed in ("", "Carl", "Dana Fox"):
        with pytest.raises(NotConfirmed):
            cut(staff, typed=typed)
    with pytest.raises(NotConfirmed):
        staff.world.runtime.cut_offs.end_now(staff.mia, staff.world.person("w1"), typed=NAME, reason=" ")
    for other in ("tomas", "ravi", "carl"):
        with pytest.raises(NotPermitted):
            cut(staff, other)
    with pytest.raises(NotFound):
        staff.world.runtime.cut_offs.end_now(staff.petra, "nobody", typed="x", reason=WHY)
    cut(staff, typed=" carl  JONES ")
    with pytest.raises(AlreadyCutOff):
        cut(staff, "petra")


def test_undo_is_somebody_elses_and_gives_everything_back_but_god_mode(staff: Staff) -> None:
    world, cut_offs = staff.world, staff.world.runtime.cut_offs
    world.roster(line("w1", role="god", name=NAME), line("w2", role="agent", name="Dana Fox"))
    staff.approved()
    staff.approved(right="tool.agent", hours=200, by=("oskar",))
    world.tick()
    assert world.held("w1") == {"god", "wiki", "agent"}
    world.clock.move(minutes=1)
    cut(staff, "mia")
    world.tick()
    person = world.person("w1")
    with pytest.raises(SecondPersonNeeded):
        cut_offs.undo(staff.mia, person, "a mistake")
    world.member("mia2", Role.IT_OPERATOR, email="boss@example.com")
    with pytest.raises(SecondPersonNeeded):
        cut_offs.undo(world.actor("mia2"), person, "a mistake")
    with pytest.raises(NotConfirmed):
        cut_offs.undo(staff.petra, person, "")
    stale = staff.petra
    world.wall.move(minutes=6)
    with pytest.raises(StepUpNeeded):
        cut_offs.undo(stale, person, "a mistake")
    cut_offs.undo(staff.petra, person, "it was another Carl")
    with pytest.raises(NotFound):
        cut_offs.undo(staff.petra, person, "again")
    world.tick()
    assert world.held("w1") == {"power", "wiki", "agent"}, "neither the grant nor the baseline gives god mode back"
    assert not world.tool.accounts["id-w1"].disabled
    world.clock.move(minutes=1)
    staff.approved(by=("ines", "petra"))
    world.tick()
    assert "god" in world.held("w1")


def test_a_new_contract_does_not_undo_it(staff: Staff) -> None:
    world = staff.world
    cut(staff)
    world.roster(
        line("w1", role="agent", name=NAME), line("w1", role="agent", name=NAME, contract="C-2"),
        line("w2", role="agent", name="Dana Fox"),
    )  # fmt: skip
    world.tick()
    assert world.held("w1") == set()


def test_the_sixth_within_ten_minutes_needs_a_second_person(staff: Staff) -> None:
    world, runtime = staff.world, staff.world.runtime
    world.roster(*(line(f"x{n}", role="agent", name=f"Many {n}") for n in range(8)), line("w2", role="agent"))
    for n in range(5):
        assert cut(staff, worker=f"x{n}", typed=f"Many {n}") == ""
    held = cut(staff, worker="x5", typed="Many 5")
    assert held.startswith("GR-")
    with pytest.raises(AlreadyCutOff):
        cut(staff, worker="x5", typed="Many 5")
    person = world.person("x5")
    assert runtime.cut_offs.view(staff.mia, person).in_force is None
    assert runtime.cut_offs.view(staff.mia, world.person("x6")).needs_second
    assert cut(staff, "petra", worker="x6", typed="Many 6") == "", "somebody else has not ended anybody's yet"
    assert staff.review("nora", held).resolution is Resolution.APPROVED
    view = runtime.cut_offs.view(staff.mia, person)
    assert view.in_force is not None
    assert view.by == "Mia"
    world.clock.move(minutes=10, seconds=1)
    assert cut(staff, worker="x7", typed="Many 7") == ""


def test_those_concerned_are_told_and_the_trail_says_what_was_done(staff: Staff) -> None:
    world = staff.world
    cut(staff)
    with world.runtime.store.read() as unit:
        told = {n.recipient for n in notices.due(unit, world.clock.now()) if n.topic == "access-ended-now"}
    assert told == {"boss@example.com", "it@example.com", "hr@example.com"}
    record = world.runtime.trail.search(action="cut-off")[0]
    assert record.actor == "member:mia"
    assert record.after["reason"] == WHY
    assert record.after["systems"] == ["tool"]
