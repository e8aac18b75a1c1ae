"""Grants on request: activated, ended, extended, and dying with their contracts."""

from datetime import date, timedelta

import pytest

from lifecycle.domain.approval import (
    Kind,
    RequestClosed,
    Resolution,
)
from lifecycle.domain.eligibility import NotEligible
from lifecycle.domain.errors import NotFound, NotPermitted
from lifecycle.services.activation import NotEligibleNow
from lifecycle.store import state
from tests.services.team import Staff
from tests.services.world import line, utc

HOUR = timedelta(hours=1)


def test_a_manager_asks_two_people_approve_and_it_ends_by_itself(staff: Staff) -> None:
    world = staff.world
    world.tick()
    request = staff.ask(hours=4)
    assert staff.review("ravi", request).resolution is Resolution.PENDING
    assert staff.review("petra", request).resolution is Resolution.APPROVED
    world.tick()
    assert world.held("w1") == {"god", "agent"}
    world.clock.move(hours=4, microseconds=-1)
    world.tick()
    assert "god" in world.held("w1")
    world.clock.move(microseconds=1)
    world.tick()
    assert world.held("w1") == {"agent"}
    assert staff.actions(request) == ["request-made", "request-reviewed", "request-reviewed", "grant-activated"]


def test_withdrawn_denied_and_expired_requests_are_closed(staff: Staff) -> None:
    runtime = staff.world.runtime
    withdrawn = staff.ask()
    runtime.requests.withdraw(staff.mia, withdrawn)
    denied = staff.ask()
    assert staff.review("petra", denied, deny=True).resolution is Resolution.DENIED
    expired, ordinary = staff.ask(), staff.ask(right="tool.power", hours=8)
    staff.world.clock.move(hours=4)
    for request in (withdrawn, denied, expired):
        with pytest.raises(RequestClosed):
            staff.review("oskar", request)
        with pytest.raises(RequestClosed):
            runtime.requests.withdraw(staff.mia, request)
    staff.review("oskar", ordinary)
    runtime.housekeeping.run()
    assert runtime.reviews.sheet(staff.mia, expired).request.resolution is Resolution.EXPIRED
    assert "request-expired" in staff.actions(expired)
    staff.ask()  # and it can be asked again


def test_an_approved_grant_waits_until_it_is_needed_and_starts_once(staff: Staff) -> None:
    world, activation = staff.world, staff.world.runtime.activation
    request = staff.approved(at_once=False, window=timedelta(days=2))
    world.tick()
    assert world.held("w1") == {"agent"}
    world.clock.move(hours=3)
    with pytest.raises(NotPermitted):
        activation.activate(staff.tomas, request)
    grant = activation.activate(staff.carl, request)
    assert (grant.starts_at, grant.ends_at) == (world.clock.now(), world.clock.now() + 4 * HOUR)
    with pytest.raises(NotEligibleNow, match="already"):
        activation.activate(staff.carl, request)
    world.tick()
    assert "god" in world.held("w1")


def test_a_window_that_has_passed_gives_nothing(staff: Staff) -> None:
    request = staff.approved(at_once=False, window=timedelta(days=2))
    staff.world.clock.move(hours=4)  # an approval of god mode keeps no longer than a request for it
    with pytest.raises(NotEligibleNow, match="not activated in time"):
        staff.world.runtime.activation.activate(staff.carl, request)
    with pytest.raises(NotEligibleNow, match="pending"):
        staff.world.runtime.activation.activate(staff.carl, staff.ask(right="tool.power", hours=8))


def test_ending_early_and_overlapping_grants(staff: Staff) -> None:
    world, activation = staff.world, staff.world.runtime.activation
    staff.approved(hours=8)
    world.clock.move(hours=1)
    first = world.runtime.persons.standing(world.person("w1")).contracts[0].grants[0]
    second = staff.approved(hours=8, by=("ines", "oskar"))
    world.clock.move(minutes=1)
    world.tick()
    with pytest.raises(NotPermitted):
        activation.end_early(staff.tomas, first.id)
    activation.end_early(staff.carl, first.id)
    world.tick()
    assert "god" in world.held("w1"), "the second grant of the same right still runs"
    with pytest.raises(NotFound):
        activation.end_early(staff.carl, first.id)
    grants = world.runtime.persons.standing(world.person("w1")).contracts[0].grants
    activation.end_early(staff.petra, next(g.id for g in grants if g.request == second))
    world.tick()
    assert world.held("w1") == {"agent"}


def test_more_time_is_a_new_request_without_a_gap(staff: Staff) -> None:
    world = staff.world
    staff.approved(hours=8)
    grant = world.runtime.persons.standing(world.person("w1")).contracts[0].grants[0]
    with pytest.raises(NotEligible, match="More time can be asked for from"):
        staff.ask(kind=Kind.EXTEND, grant_id=grant.id, hours=2)
    world.clock.move(hours=7)
    staff.approved(kind=Kind.EXTEND, grant_id=grant.id, hours=2)
    for hours, held in ((0, True), (1, True), (2, True), (3, False)):
        world.clock.move(to=grant.ends_at + timedelta(hours=hours - 1))
        world.tick()
        assert ("god" in world.held("w1")) is held, hours
    with pytest.raises(NotEligible, match="renew"):
        staff.ask(kind=Kind.EXTEND, grant_id=grant.id, hours=2)
    again = staff.approved(kind=Kind.RENEW, grant_id=grant.id, hours=2)
    assert world.runtime.reviews.sheet(staff.mia, again).request.approvals_needed == 2


def test_what_was_ended_early_is_not_brought_back_by_its_extension(staff: Staff) -> None:
    world, activation = staff.world, staff.world.runtime.activation
    staff.approved(hours=8)
    grant = world.runtime.persons.standing(world.person("w1")).contracts[0].grants[0]
    world.clock.move(hours=7)
    first = staff.approved(kind=Kind.EXTEND, grant_id=grant.id, hours=2)
    with pytest.raises(NotEligible, match=first):
        staff.ask(kind=Kind.EXTEND, grant_id=grant.id, hours=1)
    world.tick()
    activation.end_early(staff.petra, grant.id)
    for hours in (0, 1, 2, 3):
        world.clock.move(hours=min(hours, 1), minutes=1)
        world.tick()
        assert "god" not in world.held("w1"), hours


def test_an_extension_expires_with_what_it_would_extend(staff: Staff) -> None:
    world = staff.world
    staff.approved(hours=8)
    grant = world.runtime.persons.standing(world.person("w1")).contracts[0].grants[0]
    world.clock.move(hours=7)
    pending = staff.ask(kind=Kind.EXTEND, grant_id=grant.id, hours=1)
    world.clock.move(to=grant.ends_at)
    with pytest.raises(RequestClosed):
        staff.review("ravi", pending)


def test_god_mode_ends_with_the_policy_and_an_exception_before_the_last_working_day(staff: Staff) -> None:
    world = staff.world
    world.clock.move(to=utc(2026, 3, 23, 20))  # narrowing begins on 24 March, 00:00 in Berlin
    staff.approved(hours=8)
    grants = world.runtime.persons.standing(world.person("w1")).contracts[0].grants
    assert grants[0].ends_at == utc(2026, 3, 23, 23)
    world.clock.move(to=utc(2026, 3, 30, 18))
    request = staff.approved(hours=8)
    world.tick()
    grants = world.runtime.persons.standing(world.person("w1")).contracts[0].grants
    exception = next(g for g in grants if g.request == request)
    assert exception.exception
    assert exception.ends_at == utc(2026, 3, 30, 22)  # 31 March, 00:00 in Berlin
    assert "god" in world.held("w1")
    world.clock.move(to=utc(2026, 3, 30, 22))
    world.tick()
    assert world.held("w1") == {"agent"}
    with pytest.raises(NotEligible, match="no exception"):
        staff.ask()


def test_an_ordinary_right_above_the_ceiling_needs_two_people_too(staff: Staff) -> None:
    staff.world.clock.move(to=utc(2026, 3, 25, 9))
    assert (
        staff.world.runtime.reviews.sheet(staff.mia, staff.ask(right="tool.power", hours=8)).request.approvals_needed
        == 1
    )
    assert staff.world.runtime.reviews.sheet(staff.mia, staff.ask()).request.approvals_needed == 2


def test_a_grant_dies_with_its_contract_and_a_returner_starts_clean(staff: Staff) -> None:
    world = staff.world
    staff.approved(right="tool.power", hours=90 * 24, by=("oskar",))
    world.tick()
    assert "power" in world.held("w1")
    world.clock.move(to=utc(2026, 4, 2, 9))
    world.tick()
    assert world.held("w1") == set()
    world.roster(
        line("w1", role="other", name="Carl Jones"), line("w2", role="agent", name="Dana Fox"),
        line("w1", role="other", name="Carl Jones", contract="C-new", first=date(2026, 4, 2), last=date(2026, 9, 30)),
    )  # fmt: skip
    world.tick()
    assert world.held("w1") == set()


def test_a_contract_that_is_extended_after_its_end_revives_no_grant(staff: Staff) -> None:
    world = staff.world
    staff.approved(right="tool.power", hours=14 * 24, by=("oskar",))
    other = line("w2", role="agent", name="Dana Fox")
    world.roster(line("w1", role="agent", name="Carl Jones", last=date(2026, 3, 5)), other)
    world.clock.move(to=utc(2026, 3, 8, 9))
    world.tick()
    assert world.held("w1") == set()
    world.roster(line("w1", role="agent", name="Carl Jones", last=date(2026, 6, 30)), other)
    world.tick()
    assert world.held("w1") == set()


def test_nothing_starts_while_the_clock_cannot_be_trusted(staff: Staff) -> None:
    request = staff.approved(at_once=False, window=timedelta(days=2))
    with staff.world.runtime.store.write() as unit:
        state.put(unit, state.CLOCK_ALARM, 7200)
    with pytest.raises(NotEligibleNow, match="clock"):
        staff.world.runtime.activation.activate(staff.carl, request)
