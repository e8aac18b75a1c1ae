"""While a roster stays away, what is known ends and nothing new begins on its contracts."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest

from lifecycle.domain.approval import Kind, Resolution
from lifecycle.domain.renewal import Answer
from lifecycle.services.staleness import FeedStale
from lifecycle.store.unit import Unit
from tests.services.team import Staff
from tests.services.world import utc

WORDS = "Nothing new is given on contracts of plain: its last roster came on 1 March."


@dataclass
class Away:
    """One source that has not been heard of."""

    source: str = "plain"
    god_only: bool = False

    def why_refused(self, unit: Unit, source: str, god: bool, now: datetime) -> str:
        assert not unit.session.dirty
        assert now.tzinfo is not None
        return WORDS if source == self.source and (god or not self.god_only) else ""


def away(staff: Staff, **more: bool) -> None:
    staff.world.runtime.casebook.feeds = Away(**more)


def test_nothing_new_is_asked_for(staff: Staff) -> None:
    away(staff)
    for right in ("tool.god", "tool.viewer"):
        with pytest.raises(FeedStale, match="plain"):
            staff.ask(right=right)
    runtime = staff.world.runtime
    assert runtime.team.why_not_ask(runtime.persons.standing(staff.world.person("w1"))) == WORDS
    staff.world.runtime.casebook.feeds = Away("another")
    assert staff.ask()


def test_god_mode_needs_fresher_facts_than_the_rest(staff: Staff) -> None:
    away(staff, god_only=True)
    with pytest.raises(FeedStale):
        staff.ask()
    assert staff.ask(right="tool.viewer")


def test_an_approval_is_not_used_and_the_word_is_not_lost(staff: Staff) -> None:
    asked, later = staff.ask(), staff.ask(right="tool.viewer", at_once=False)
    staff.review("petra", later)
    staff.review("ravi", asked)
    away(staff)
    runtime = staff.world.runtime
    assert runtime.reviews.sheet(staff.petra, asked).closed == WORDS
    with pytest.raises(FeedStale):
        staff.review("petra", asked)
    with pytest.raises(FeedStale):
        runtime.activation.activate(staff.carl, later)
    assert len(runtime.reviews.sheet(staff.petra, asked).request.approvals) == 1
    staff.world.runtime.casebook.feeds = Away("another")
    assert staff.review("petra", asked).resolution is Resolution.APPROVED
    assert runtime.activation.activate(staff.carl, later)


def test_denying_and_known_ends_go_on(staff: Staff) -> None:
    asked = staff.ask()
    staff.approved(right="tool.viewer", hours=1, by=("petra",))
    staff.world.tick()
    away(staff)
    assert staff.review("petra", asked, deny=True).resolution is Resolution.DENIED
    staff.world.clock.move(hours=1)
    staff.world.tick()
    assert staff.world.held("w1") == {"agent"}
    staff.world.clock.move(to=utc(2026, 4, 1))
    staff.world.tick()
    assert staff.world.held("w1") == set()


def test_nothing_is_extended_or_bridged(staff: Staff) -> None:
    world = staff.world
    approved = staff.approved(right="tool.viewer", hours=8, by=("petra",))
    grant = world.runtime.reviews.sheet(staff.petra, approved).case.row.made_grant
    world.clock.move(hours=7)
    world.runtime.renewals.run(world.clock.now())
    question = next(q for q in world.runtime.renewals.questions(staff.mia) if q.name == "Carl Jones")
    bridge = {"proposed_day": date(2026, 9, 30), "bridge_until": date(2026, 4, 9), "note": "paperwork"}
    asked = world.runtime.renewals.answer(staff.mia, question.row.id, Answer.EXTEND, **bridge)
    staff.review("petra", asked)
    away(staff)
    with pytest.raises(FeedStale):
        staff.ask(right="tool.viewer", kind=Kind.EXTEND, grant_id=grant)
    assert world.runtime.reviews.sheet(staff.nora, asked).closed == WORDS
    with pytest.raises(FeedStale):
        staff.review("nora", asked)
    with pytest.raises(FeedStale):
        world.runtime.renewals.answer(staff.mia, question.row.id, Answer.EXTEND, **bridge)
    assert world.runtime.renewals.answer(staff.mia, question.row.id, Answer.LAPSE) == ""
    world.clock.move(to=world.clock.now() + timedelta(days=40))
    world.tick()
    assert world.held("w1") == set()
