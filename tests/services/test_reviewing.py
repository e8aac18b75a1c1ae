"""Reviewing: who counts as the second person, and for what they were shown."""

from datetime import date, timedelta

import pytest

from lifecycle.domain.approval import (
    ApprovalVoid,
    DuplicateReview,
    NotAReviewer,
    RequestChanged,
    RequestClosed,
    Resolution,
    ReviewerDependent,
    ReviewRefused,
    SelfReview,
    Verdict,
)
from lifecycle.domain.errors import NotFound, NotPermitted
from lifecycle.domain.role import Role
from lifecycle.services.authorisation import StepUpNeeded
from lifecycle.services.proposals import Draft
from lifecycle.store import notices
from lifecycle.store.people_tables import PasskeyRow
from lifecycle.web.formats import record_words
from tests.services.team import Staff
from tests.services.world import line

HOUR = timedelta(hours=1)


def test_who_may_not_review(staff: Staff) -> None:
    request = staff.ask()
    with pytest.raises(SelfReview):
        staff.review("mia", request)
    with pytest.raises((SelfReview, NotPermitted)):
        staff.review("carl", request)
    with pytest.raises(NotPermitted):
        staff.review("tomas", request)
    with pytest.raises(NotAReviewer):
        staff.review("nora", request)
    staff.world.member("lars", Role.IT_OPERATOR, supervisor="boss@example.com")
    with pytest.raises(ReviewerDependent):
        staff.review("lars", request)
    staff.review("ines", request)  # the sponsor's own line
    with pytest.raises(DuplicateReview):
        staff.review("ines", request)
    staff.world.member("ines2", Role.IT_OPERATOR, email="INES@example.com")
    with pytest.raises(DuplicateReview):
        staff.review("ines2", request)


def test_a_member_whose_supervisors_supervisor_asked_is_dependent_too(staff: Staff) -> None:
    staff.world.member("max", Role.MANAGER, email="max@example.com", supervisor="mia")
    staff.world.member("lars", Role.IT_OPERATOR, supervisor="max@example.com")
    with pytest.raises(ReviewerDependent):
        staff.review("lars", staff.ask())


def test_a_contractor_in_it_reviews_no_god_mode(staff: Staff) -> None:
    staff.world.roster(
        line("w1", role="agent"), line("w2", role="agent", sponsor="tomas@example.com", last=date(2026, 9, 30))
    )
    staff.world.member("dana", Role.IT_OPERATOR, worker="w2")
    with pytest.raises(ReviewRefused, match="god mode"):
        staff.review("dana", staff.ask())
    with pytest.raises(ReviewRefused, match="same vendor"):
        staff.review("dana", staff.ask(right="tool.power"))


def test_an_old_page_a_replay_and_a_double_click_are_refused(staff: Staff) -> None:
    request = staff.ask()
    reviews = staff.world.runtime.reviews
    old = reviews.sheet(staff.petra, request).shown
    staff.review("ravi", request, longest=2 * HOUR)
    with pytest.raises(RequestChanged):
        staff.review("petra", request, shown=old)
    staff.review("petra", request)
    for again in ("petra", "oskar"):
        with pytest.raises(RequestClosed):
            staff.review(again, request)


def test_an_edit_voids_what_was_approved(staff: Staff) -> None:
    request = staff.ask()
    staff.review("ravi", request)
    runtime = staff.world.runtime
    old = runtime.reviews.sheet(staff.petra, request).shown
    with pytest.raises(NotPermitted):
        runtime.requests.edit(staff.ravi, request, asked=HOUR, reason="because I can")
    runtime.requests.edit(staff.mia, request, asked=8 * HOUR, reason="it takes longer")
    edited = runtime.trail.search(request=request)[0]
    assert edited.before.keys() == edited.after.keys()
    words = record_words(edited)
    assert "hours was 4.0" in words
    assert "reason was incident 7" in words
    assert "kind was" not in words
    with pytest.raises(RequestChanged):
        staff.review("petra", request, shown=old)
    assert staff.review("petra", request).resolution is Resolution.PENDING
    assert staff.review("ravi", request).resolution is Resolution.APPROVED


def test_god_mode_needs_a_fresh_sign_in(staff: Staff) -> None:
    request, reviews = staff.ask(), staff.world.runtime.reviews
    stale = staff.petra
    staff.world.wall.move(minutes=5)
    shown = reviews.sheet(stale, request).shown
    with pytest.raises(StepUpNeeded):
        reviews.review(stale, request, verdict=Verdict.APPROVE, note="fine", shown=shown)
    power = staff.ask(right="tool.power", hours=8)
    shown = reviews.sheet(stale, power).shown
    reviews.review(stale, power, verdict=Verdict.APPROVE, note="", shown=shown)


def test_a_reviewer_may_shorten_and_never_lengthen(staff: Staff) -> None:
    request = staff.ask(hours=4)
    for wrong in (5 * HOUR, timedelta(minutes=1)):
        with pytest.raises(ReviewRefused):
            staff.review("ravi", request, longest=wrong)
    staff.review("ravi", request, longest=2 * HOUR)
    staff.review("petra", request)
    start = staff.world.clock.now()
    assert (
        staff.world.runtime.persons.standing(staff.world.person("w1")).contracts[0].grants[0].ends_at
        == start + 2 * HOUR
    )


def test_an_approval_is_void_when_an_approver_has_left_or_the_contract_has_changed(staff: Staff) -> None:
    runtime = staff.world.runtime
    request = staff.approved(at_once=False, window=timedelta(days=2))
    runtime.membership.disable(staff.petra, staff.ravi.id)
    with pytest.raises(ApprovalVoid):
        runtime.activation.activate(staff.carl, request)
    second = staff.approved(by=("ines", "petra"), at_once=False, window=timedelta(days=2), worker="w2")
    staff.world.roster(
        line("w1", role="agent", name="Carl Jones"), line("w2", role="agent", name="Dana Fox", last=date(2026, 5, 1))
    )
    with pytest.raises(ApprovalVoid, match="changed since"):
        runtime.activation.activate(staff.mia, second)


def test_an_approver_whose_contract_ended_in_between_does_not_count(staff: Staff) -> None:
    world = staff.world
    world.roster(
        line("w1", role="agent", name="Carl Jones"), line("w2", role="agent", name="Dana Fox"),
        line("w3", role="agent", name="Kim", vendor="Other", last=date(2026, 6, 30), sponsor="tomas@example.com"),
    )  # fmt: skip
    world.member("kim", Role.IT_OPERATOR, worker="w3")
    request = staff.ask(right="tool.wiki", hours=20, at_once=False, window=timedelta(days=7))
    staff.review("kim", request)
    staff.review("petra", request)
    world.roster(
        line("w1", role="agent", name="Carl Jones"), line("w2", role="agent", name="Dana Fox"),
        line("w3", role="agent", name="Kim", vendor="Other", last=date(2026, 3, 2), sponsor="tomas@example.com"),
    )  # fmt: skip
    world.clock.move(days=1)
    with pytest.raises(ApprovalVoid):
        world.runtime.activation.activate(staff.carl, request)


def test_reminders_stop_when_somebody_has_seen_it_and_at_its_end(staff: Staff) -> None:
    runtime, clock = staff.world.runtime, staff.world.clock

    def told(topic: str) -> list[str]:
        with runtime.store.read() as unit:
            return sorted(n.recipient for n in notices.due(unit, clock.now() + HOUR) if n.topic == topic)

    request = staff.ask()
    everybody = ["ines@example.com", "oskar@example.com", "petra@example.com", "ravi@example.com"]
    assert told("review-wanted") == everybody
    clock.move(hours=2)
    runtime.housekeeping.run()
    runtime.housekeeping.run()
    assert told("review-reminder") == everybody
    with pytest.raises(ReviewRefused):
        runtime.reviews.mark_seen(staff.nora, request)
    runtime.reviews.mark_seen(staff.petra, request)
    assert told("review-reminder") == []
    assert told("review-wanted") == everybody, "nobody is left without the first word"
    clock.move(hours=1, minutes=30)
    runtime.housekeeping.run()
    assert told("review-reminder") == []


def test_what_nobody_can_review_goes_to_the_fallback_and_is_shown_as_stuck(staff: Staff) -> None:
    runtime = staff.world.runtime
    for login in ("ravi", "ines", "oskar"):
        runtime.membership.disable(staff.petra, staff.world.actor(login).id)
    request = staff.ask()
    with runtime.store.read() as unit:
        assert [c.row.id for c in runtime.inbox.stuck(unit)] == [request]
    runtime.housekeeping.run()
    staff.world.member("frida", Role.MANAGER, email="fallback@example.com")
    staff.review("frida", request)
    assert staff.review("petra", request).resolution is Resolution.APPROVED
    assert "request-escalated" in staff.actions(request)


def test_a_review_without_its_record_cannot_exist(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    request = staff.ask()
    monkeypatch.setattr("lifecycle.store.unit.digest_of", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        staff.review("ravi", request)
    monkeypatch.undo()
    assert staff.world.runtime.reviews.sheet(staff.mia, request).request.reviews == ()


def test_one_administrator_cannot_be_both_people(staff: Staff) -> None:
    runtime = staff.world.runtime
    request = staff.ask()
    _, code = runtime.membership.invite_again(staff.petra, staff.oskar.id)
    runtime.sign_in.accept(code=code, login="oskar", password="chosen by petra", address="petra's")
    with pytest.raises(ReviewRefused, match="invited only lately"):
        staff.review("oskar", request)
    code = runtime.membership.invite(staff.petra, login="puppet", roles=["it-operator"])
    runtime.sign_in.accept(code=code, login="puppet", password="chosen by petra", address="petra's")
    with pytest.raises(ReviewRefused, match="invited only lately"):
        staff.review("puppet", request)
    assert runtime.membership.forget_passkeys(staff.petra, staff.ravi.id) == 0
    assert "invited" not in runtime.reviews.sheet(staff.ravi, request).mine, "there was nothing to forget"
    with runtime.store.write() as unit:
        unit.session.add(PasskeyRow(id="k", member_id=staff.ravi.id, created_at=staff.world.wall.now()))
    assert runtime.membership.forget_passkeys(staff.petra, staff.ravi.id) == 1
    with pytest.raises(ReviewRefused, match="invited only lately"):
        staff.review("ravi", request)
    staff.world.wall.move(hours=24)
    staff.review("oskar", request)


def test_an_approver_who_lost_the_role_does_not_count_and_others_take_the_place(staff: Staff) -> None:
    runtime = staff.world.runtime
    request = staff.approved(at_once=False, window=timedelta(days=2))
    runtime.membership.set_roles(staff.world.member("root", Role.IT_ADMINISTRATOR), staff.petra.id, [])
    with pytest.raises(ApprovalVoid):
        runtime.activation.activate(staff.carl, request)
    waiting = staff.ask(worker="w2")
    staff.review("ravi", waiting)
    runtime.membership.disable(staff.world.actor("root"), staff.ravi.id)
    assert staff.review("ines", waiting).resolution is Resolution.PENDING
    assert staff.review("oskar", waiting).resolution is Resolution.APPROVED


def test_every_running_contract_of_a_reviewer_counts(staff: Staff) -> None:
    world = staff.world
    far = date(2026, 9, 30)
    world.roster(
        line("w1", role="agent", name="Carl Jones"), line("w2", role="agent", name="Dana Fox"),
        line("w3", role="agent", name="Kim", last=far, sponsor="tomas@example.com"),
        line("w3", role="agent", name="Kim", last=date(2026, 10, 30), sponsor="tomas@example.com", vendor="Third",
             contract="C-x"),
    )  # fmt: skip
    world.member("kim", Role.IT_OPERATOR, worker="w3")
    with pytest.raises(ReviewRefused, match="same vendor"):
        staff.review("kim", staff.ask(right="tool.power", hours=8))


def test_nobody_is_warned_of_what_waits_for_a_second_person(staff: Staff) -> None:
    world, runtime = staff.world, staff.world.runtime
    world.roster(
        line("w1", role="agent", name="Carl Jones"), line("w2", role="agent", name="Dana Fox"),
        *(line(f"x{n}", role="agent", name=f"Many {n}") for n in range(5)),
    )  # fmt: skip
    for n in range(5):
        runtime.cut_offs.end_now(staff.mia, world.person(f"x{n}"), typed=f"Many {n}", reason="all of them")
    held = runtime.cut_offs.end_now(staff.mia, world.person("w1"), typed="Carl Jones", reason="theft suspected")
    staff.review("petra", held, deny=True)
    with pytest.raises(NotFound):
        runtime.reviews.sheet(staff.carl, held)
    own = runtime.team.own_access(staff.carl)
    assert own.waiting == ()
    assert runtime.inbox.own(staff.carl) == []
    assert "theft" not in repr(runtime.trail.about(list(own.objects)))
    with runtime.store.read() as unit:
        assert not [n for n in notices.due(unit, world.clock.now() + HOUR) if n.recipient == "w1@example.com"]


def test_a_reviewer_sees_theirs_behind_any_number_of_others(staff: Staff) -> None:
    world, runtime = staff.world, staff.world.runtime
    crowd = [line(f"x{n}", role="agent", name=f"Many {n}") for n in range(120)]
    world.roster(*crowd, line("w1", role="agent", name="Carl Jones", sponsor="tomas@example.com"))
    draft = Draft("", "tool.power", timedelta(hours=8), "weekend cover")
    runtime.requests.ask_for_several(staff.mia, [world.person(f"x{n}") for n in range(120)], draft)
    world.clock.move(minutes=1)
    later = staff.ask(by="tomas", hours=1)
    assert [c.row.id for c in runtime.inbox.waiting(staff.ravi)] == [later]
    assert len(runtime.inbox.waiting(staff.petra)) == 100
    assert {c.requester.login for c in runtime.inbox.waiting(staff.ines)} == {"mia"}
    assert runtime.inbox.waiting(staff.nora) == []
