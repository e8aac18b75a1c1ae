"""The renewal question: asked in time, once a day for each sponsor, lapsing without an answer."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from lifecycle.domain.approval import Resolution
from lifecycle.domain.errors import LifecycleError, NotFound, NotPermitted
from lifecycle.domain.renewal import Answer, AnswerInvalid
from lifecycle.store import notices
from tests.services.team import Staff
from tests.services.world import line, utc

LAST = date(2026, 3, 31)


def told(staff: Staff, topic: str, recipient: str) -> list[Any]:
    with staff.world.runtime.store.read() as unit:
        due = notices.due(unit, staff.world.clock.now() + timedelta(hours=1), 10_000)
    return [n for n in due if (n.topic, n.recipient) == (topic, recipient)]


def question(staff: Staff, name: str = "Carl Jones") -> Any:
    return next(q for q in staff.world.runtime.renewals.questions(staff.mia) if q.name == name)


def bridge(staff: Staff, until: date) -> str:
    """Propose an extension and ask for a bridge to *until* (inclusive); returns the request."""
    return staff.world.runtime.renewals.answer(
        staff.mia, question(staff).row.id, Answer.EXTEND, proposed_day=date(2026, 9, 30), bridge_until=until,
        note="paperwork",
    )  # fmt: skip


def test_one_message_for_each_sponsor_and_day_at_30_14_7_and_1_days(staff: Staff) -> None:
    runtime, clock = staff.world.runtime, staff.world.clock
    days = []
    for n in range(-35, 2):
        clock.move(to=utc(2026, 3, 31, 8) + timedelta(days=n))
        before = len(told(staff, "renewal-question", "boss@example.com"))
        runtime.housekeeping.run()
        runtime.renewals.run(clock.now())
        messages = told(staff, "renewal-question", "boss@example.com")
        if len(messages) > before:
            assert len(messages) == before + 1
            days.append(-n)
            assert "2 contracts" in messages[-1].subject
            assert "Carl Jones" in messages[-1].body
    assert days == [30, 14, 7, 1]


def test_a_product_that_was_down_asks_late_and_not_twice(staff: Staff) -> None:
    runtime, clock = staff.world.runtime, staff.world.clock
    clock.move(to=utc(2026, 3, 26, 8))
    for _ in range(3):
        runtime.renewals.run(clock.now())
        runtime.housekeeping.run()
    assert len(told(staff, "renewal-question", "boss@example.com")) == 1
    assert len(told(staff, "contract-window", "w1@example.com")) == 1
    clock.move(to=utc(2026, 3, 30, 8))
    runtime.housekeeping.run()
    assert len(told(staff, "renewal-question", "boss@example.com")) == 2
    assert len(told(staff, "contract-window", "w1@example.com")) == 2


def test_an_extension_is_a_proposal_until_a_roster_confirms_it(staff: Staff) -> None:
    world, renewals = staff.world, staff.world.runtime.renewals
    renewals.run(world.clock.now())
    asked = question(staff)
    proposed = date(2026, 9, 30)
    with pytest.raises(NotPermitted):
        renewals.answer(staff.tomas, asked.row.id, Answer.EXTEND, proposed_day=proposed)
    for wrong in (None, LAST, date(2027, 4, 2)):
        with pytest.raises(AnswerInvalid):
            renewals.answer(staff.mia, asked.row.id, Answer.EXTEND, proposed_day=wrong)
    renewals.answer(staff.mia, asked.row.id, Answer.EXTEND, proposed_day=proposed, note="needed")
    assert [p.name for p in renewals.proposals(staff.nora)] == ["Carl Jones"]
    with pytest.raises(NotPermitted):
        renewals.proposals(staff.mia)
    world.tick()
    assert question(staff).engagement.last_day == LAST, "nothing has changed yet"
    world.roster(line("w1", role="agent", name="Carl Jones", last=proposed), line("w2", role="agent", name="Dana Fox"))
    assert renewals.proposals(staff.nora)[0].confirmed
    renewals.handle(staff.nora, asked.row.id)
    assert renewals.proposals(staff.nora) == []
    with pytest.raises(NotFound):
        renewals.handle(staff.nora, asked.row.id)
    with pytest.raises(AnswerInvalid, match="settled"):
        renewals.answer(staff.mia, asked.row.id, Answer.LAPSE)


def test_convert_and_lapse_and_no_answer_all_end_on_the_last_day(staff: Staff) -> None:
    world, renewals = staff.world, staff.world.runtime.renewals
    renewals.run(world.clock.now())
    renewals.answer(staff.mia, question(staff).row.id, Answer.CONVERT)
    renewals.answer(staff.mia, question(staff, "Dana Fox").row.id, Answer.LAPSE)
    assert [p.row.answer for p in renewals.proposals(staff.nora)] == ["convert"]
    world.tick()
    assert world.held("w1") == {"agent"}
    asked = question(staff).row.id
    world.clock.move(to=utc(2026, 3, 31, 22))  # midnight in Berlin
    world.tick()
    assert world.held("w1") == set()
    with pytest.raises(AnswerInvalid, match="ended"):
        renewals.answer(staff.mia, asked, Answer.EXTEND, proposed_day=date(2026, 9, 30))


@pytest.mark.parametrize(
    ("site", "end"),
    [("berlin", utc(2026, 3, 31, 22)), ("auckland", utc(2026, 3, 31, 11)), ("honolulu", utc(2026, 4, 1, 10))],
)
def test_a_question_stands_until_the_last_day_is_over_where_the_work_is_done(
    staff: Staff, site: str, end: datetime
) -> None:
    """In Auckland one could not be answered for half a day, and in Honolulu it was gone while it was open."""
    world, renewals = staff.world, staff.world.runtime.renewals
    other = line("w2", role="agent", name="Dana Fox", last=date(2026, 12, 31))
    world.roster(line("w1", role="agent", name="Carl Jones", site=site), other)
    renewals.run(world.clock.now())
    world.clock.move(to=end - timedelta(seconds=1))
    asked = question(staff)
    assert asked.days_left(world.clock.now()) == 0
    assert renewals.count(staff.mia) == 1
    renewals.answer(staff.mia, asked.row.id, Answer.CONVERT)
    world.clock.move(to=end)
    assert renewals.questions(staff.mia) == []
    assert renewals.count(staff.mia) == 0


def test_a_question_stands_while_its_contract_is_bridged(staff: Staff) -> None:
    world, renewals = staff.world, staff.world.runtime.renewals
    renewals.run(world.clock.now())
    request = bridge(staff, date(2026, 4, 10))
    for by in ("nora", "petra"):
        staff.review(by, request)
    world.clock.move(to=utc(2026, 4, 10, 12))
    asked = question(staff)
    assert asked.days_left(world.clock.now()) == -10
    renewals.answer(staff.mia, asked.row.id, Answer.LAPSE)
    world.tick()
    assert world.held("w1") == set()
    assert renewals.questions(staff.mia) == []


def test_a_bridge_needs_two_people_and_keeps_ordinary_access_only(staff: Staff) -> None:
    world, renewals = staff.world, staff.world.runtime.renewals
    world.roster(line("w1", role="god", name="Carl Jones"), line("w2", role="agent", name="Dana Fox"))
    renewals.run(world.clock.now())
    asked, proposed = question(staff), date(2026, 9, 30)
    for wrong in (LAST, date(2026, 4, 15)):
        with pytest.raises(AnswerInvalid):
            renewals.answer(
                staff.mia, asked.row.id, Answer.EXTEND, proposed_day=proposed, bridge_until=wrong, note="paperwork"
            )
    until = date(2026, 4, 14)
    request = renewals.answer(
        staff.mia, asked.row.id, Answer.EXTEND, proposed_day=proposed, bridge_until=until, note="paperwork"
    )
    assert staff.review("nora", request).resolution is Resolution.PENDING
    assert staff.review("petra", request).resolution is Resolution.APPROVED
    for at, held in (
        (utc(2026, 3, 30, 12), {"power", "wiki"}),
        (utc(2026, 3, 31, 12), {"agent", "wiki"}),
        (utc(2026, 4, 10, 12), {"agent", "wiki"}),
        (utc(2026, 4, 14, 22), set()),
    ):
        world.clock.move(to=at)
        world.tick()
        assert world.held("w1") == held, at


def test_a_bridge_means_nothing_once_the_roster_says_otherwise(staff: Staff) -> None:
    world, renewals = staff.world, staff.world.runtime.renewals
    renewals.run(world.clock.now())
    request = bridge(staff, date(2026, 4, 10))
    for by in ("nora", "petra"):
        staff.review(by, request)
    world.roster(
        line("w1", role="agent", name="Carl Jones", last=date(2026, 3, 20)), line("w2", role="agent", name="Dana Fox")
    )
    world.clock.move(to=utc(2026, 3, 21, 9))
    world.tick()
    assert world.held("w1") == set()


def test_a_bridge_cannot_bring_an_ended_contract_back(staff: Staff) -> None:
    world, renewals = staff.world, staff.world.runtime.renewals
    renewals.run(world.clock.now())
    request = bridge(staff, date(2026, 4, 14))
    staff.review("ines", request)
    other = line("w2", role="agent", name="Dana Fox")
    world.roster(line("w1", role="agent", name="Carl Jones", last=date(2026, 3, 5)), other)
    world.clock.move(to=utc(2026, 3, 20, 9))
    for by in ("petra", "nora"):
        with pytest.raises(LifecycleError):
            staff.review(by, request)
    world.tick()
    assert world.held("w1") == set()


def test_a_new_sponsor_is_asked_and_the_old_one_no_longer(staff: Staff) -> None:
    world, renewals = staff.world, staff.world.runtime.renewals
    renewals.run(world.clock.now())
    world.roster(
        line("w1", role="agent", name="Carl Jones", sponsor="tomas@example.com"),
        line("w2", role="agent", name="Dana Fox", last=date(2026, 12, 31)),
    )
    assert renewals.questions(staff.mia) == []
    found = renewals.questions(staff.tomas)
    assert [q.name for q in found] == ["Carl Jones"]
    renewals.answer(staff.tomas, found[0].row.id, Answer.LAPSE)
    world.clock.move(to=utc(2026, 3, 17, 8))
    renewals.run(world.clock.now())
    assert len(told(staff, "renewal-question", "boss@example.com")) == 1, "nobody is asked about what goes on"


def test_what_comes_after_the_message_of_the_day_is_asked_the_next_day(staff: Staff) -> None:
    world, renewals = staff.world, staff.world.runtime.renewals
    renewals.run(world.clock.now())
    old = [line("w1", role="agent", name="Carl Jones"), line("w2", role="agent", name="Dana Fox")]
    world.roster(*old, line("w9", role="agent", name="Late Comer", last=date(2026, 3, 10)))
    world.clock.move(hours=1)
    renewals.run(world.clock.now())
    assert len(told(staff, "renewal-question", "boss@example.com")) == 1
    world.clock.move(days=1)
    renewals.run(world.clock.now())
    messages = told(staff, "renewal-question", "boss@example.com")
    assert len(messages) == 2
    assert "Late Comer" in messages[-1].body


@pytest.mark.parametrize("approved", [False, True])
def test_another_answer_withdraws_the_bridge_it_was_asked_with(staff: Staff, approved: bool) -> None:
    """It was approved all the same, and access went on past a contract that its sponsor let lapse."""
    world, runtime = staff.world, staff.world.runtime
    world.clock.move(to=utc(2026, 3, 2, 9))
    runtime.renewals.run(world.clock.now())
    asked = {"proposed_day": LAST + timedelta(days=60), "bridge_until": LAST + timedelta(days=10)}
    bridge = runtime.renewals.answer(staff.mia, question(staff).row.id, Answer.EXTEND, note="needed on", **asked)
    if approved:
        staff.review("petra", bridge)
        staff.review("oskar", bridge)
    runtime.renewals.answer(staff.mia, question(staff).row.id, Answer.LAPSE)
    if not approved:
        assert runtime.reviews.sheet(staff.petra, bridge).request.resolution is Resolution.CANCELLED
    world.clock.move(to=utc(2026, 4, 2))
    world.tick()
    assert world.held("w1") == set()
    assert "bridge-withdrawn" in {r.action for r in runtime.trail.search()}
