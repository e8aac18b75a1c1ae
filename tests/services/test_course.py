"""What a decided request tells: when it truly began and ended, and by whom."""

from datetime import timedelta

from lifecycle.domain.approval import Kind
from lifecycle.services.course import Course, State
from tests.services.team import Staff
from tests.services.world import line, utc

HOUR = timedelta(hours=1)


def course(staff: Staff, request: str) -> Course | None:
    return staff.world.runtime.reviews.sheet(staff.petra, request).course


def test_the_end_shown_is_the_true_one_however_often_it_is_looked_at(staff: Staff) -> None:
    began = staff.world.clock.now()
    request = staff.ask(hours=2)
    assert course(staff, request) is None
    staff.review("ravi", request, longest=HOUR / 2)
    staff.review("petra", request)
    sheet = staff.world.runtime.reviews.sheet(staff.petra, request)
    assert sheet.case.length == HOUR / 2
    staff.world.clock.move(minutes=10)
    assert course(staff, request) == Course(State.RUNS, began, began + HOUR / 2, "")
    staff.world.clock.move(days=3)
    assert course(staff, request) == Course(State.ENDED, began, began + HOUR / 2, "by itself, as approved")
    sheet = staff.world.runtime.reviews.sheet(staff.petra, request)
    assert (sheet.starts_at, sheet.ends_at) == (began, began + HOUR / 2)


def test_who_ended_it_is_said(staff: Staff) -> None:
    clock, runtime = staff.world.clock, staff.world.runtime
    request, began = staff.approved(), clock.now()
    extended = runtime.persons.standing(staff.world.person("w1")).contracts[0].grants[0]
    clock.move(hours=3, minutes=30)
    extension = staff.approved(kind=Kind.EXTEND, grant_id=extended.id, hours=2)
    assert course(staff, extension) == Course(State.TO_COME, extended.ends_at, extended.ends_at + 2 * HOUR, "")
    runtime.activation.end_early(staff.oskar, extended.id, "done")
    assert course(staff, request) == Course(State.ENDED, began, clock.now(), "by Oskar: “done”")
    assert course(staff, extension) == Course(State.NEVER, None, None, "by Oskar: “done”")


def test_what_was_cut_off_says_so_until_it_is_undone(staff: Staff) -> None:
    world = staff.world
    god, power = staff.approved(), staff.approved(right="tool.power", hours=8, by=("oskar",))
    began = world.clock.now()
    world.clock.move(hours=1)
    world.runtime.cut_offs.end_now(staff.mia, world.person("w1"), typed="Carl Jones", reason="left with the laptop")
    for request in (god, power):
        assert course(staff, request) == Course(State.ENDED, began, began + HOUR, "by Mia, with all access")
    world.clock.move(hours=1)
    world.runtime.cut_offs.undo(staff.petra, world.person("w1"), "it was a mistake")
    assert course(staff, god) == Course(State.ENDED, began, began + HOUR, "by Mia, with all access")
    assert course(staff, power) == Course(State.RUNS, began, began + 8 * HOUR, "")


def test_a_contract_that_ends_earlier_ends_it(staff: Staff) -> None:
    world = staff.world
    request, began = staff.approved(right="tool.power", hours=72, by=("oskar",)), world.clock.now()
    world.roster(line("w1", role="agent", name="Carl Jones", last=began.date()), line("w2", role="agent"))
    world.clock.move(days=2)
    world.tick()
    found = course(staff, request)
    assert found is not None
    assert (found.state, found.ends_at, found.how) == (State.ENDED, utc(2026, 3, 2, 23), "with the contract")


def test_what_is_closed_tells_no_end_at_all(staff: Staff) -> None:
    denied = staff.ask()
    staff.review("ravi", denied, deny=True)
    forgotten = staff.approved(right="tool.power", hours=8, by=("oskar",), at_once=False, window=timedelta(days=1))
    sheet = staff.world.runtime.reviews.sheet
    assert sheet(staff.petra, forgotten).ends_at == staff.world.clock.now() + 8 * HOUR
    staff.world.clock.move(days=2)
    for request in (denied, forgotten):
        assert (sheet(staff.petra, request).ends_at, sheet(staff.petra, request).course) == (None, None)
