"""Asking, reviewing, activating and ending: as each person would, and as nobody may."""

import threading
import time
from datetime import date, timedelta
from typing import Any

import pytest

from lifecycle.domain.approval import (
    ApprovalVoid,
    DuplicateReview,
    Kind,
    NotAReviewer,
    RequestChanged,
    RequestClosed,
    Resolution,
    ReviewerDependent,
    ReviewRefused,
    SelfReview,
    Verdict,
)
from lifecycle.domain.eligibility import NotEligible
from lifecycle.domain.errors import LifecycleError, NotFound, NotPermitted
from lifecycle.domain.role import Role
from lifecycle.services.activation import NotEligibleNow
from lifecycle.services.authorisation import StepUpNeeded
from lifecycle.services.promotion import Promotion
from lifecycle.services.proposals import AlreadyAsked, Draft
from lifecycle.services.requests import RequestInvalid
from lifecycle.store import notices, people, state
from lifecycle.store.people_tables import PasskeyRow
from lifecycle.web.formats import record_words
from tests.services.team import Staff
from tests.services.world import World, line, settings_dict, utc

HOUR = timedelta(hours=1)


def actions(staff: Staff, request: str) -> list[str]:
    records = staff.world.runtime.trail.search(request=request)
    return [record.action for record in reversed(records)]


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
    assert actions(staff, request) == ["request-made", "request-reviewed", "request-reviewed", "grant-activated"]


def test_what_it_means_is_known_before_it_is_sent(staff: Staff) -> None:
    draft = Draft(staff.world.person("w1"), "tool.god", timedelta(hours=100))
    proposal = staff.world.runtime.proposals.proposal(staff.mia, draft)
    assert proposal.ends_at == staff.world.clock.now() + timedelta(hours=8)  # the tier's longest
    assert proposal.approvals_needed == 2
    assert proposal.reviewers == ("Ines", "Oskar", "Petra", "Ravi")  # not Mia, who asks
    assert proposal.after is not None
    assert proposal.after.key == "tool.agent"


def test_whoever_asks_is_told_who_could_really_review(world: World) -> None:
    world.changes = {"entitlements": settings_dict()["entitlements"]}
    world.changes["entitlements"]["tool.god"]["owners"] = ["New.Owner@example.com", "ravi"]
    world.start()
    staff = Staff(world)
    world.member("lars", Role.IT_OPERATOR, supervisor="boss@example.com", email="lars@example.com")  # below Mia
    draft = Draft(world.person("w1"), "tool.god", HOUR)
    asking = world.runtime.proposals
    assert asking.proposal(staff.mia, draft).reviewers == ("Ines", "Oskar", "Petra", "Ravi", "New.Owner@example.com")
    assert asking.proposal(staff.mia, draft, named=False).reviewers == ()
    request = staff.ask(hours=1)
    assert world.runtime.reviews.sheet(staff.petra, request).reviewers[-1] == "New.Owner@example.com"
    for n in range(6):
        world.member(f"it{n}", Role.IT_OPERATOR, email=f"it{n}@example.com")
    assert asking.proposal(staff.mia, draft).reviewers[-2:] == ("Oskar", "and 3 more")


@pytest.mark.parametrize("by", ["tomas", "ravi", "petra", "nora"])
def test_nobody_asks_for_another_managers_contractor(staff: Staff, by: str) -> None:
    with pytest.raises(NotPermitted):
        staff.ask(by=by)


def test_a_contractor_asks_for_oneself_except_for_god_mode_and_never_for_others(staff: Staff) -> None:
    request = staff.ask(by="carl", right="tool.power", hours=8)
    assert staff.review("mia", request).resolution is Resolution.APPROVED
    with pytest.raises(NotEligible, match="themselves"):
        staff.ask(by="carl")
    with pytest.raises(NotPermitted):
        staff.ask(by="carl", right="tool.power", worker="w2")


def test_a_sponsor_who_is_the_contractor_asks_for_no_god_mode_either(staff: Staff) -> None:
    staff.world.roster(line("w1", role="agent", name="Carl Jones", sponsor="carl"), line("w2", role="agent"))
    staff.world.member("carl2", Role.MANAGER, worker="w1")
    with pytest.raises((NotEligible, NotPermitted)):
        staff.ask(by="carl2")


def test_the_same_is_not_asked_twice_and_a_reason_is_needed(staff: Staff) -> None:
    staff.ask()
    with pytest.raises(AlreadyAsked):
        staff.ask(hours=1)
    for bad in ({"reason": " "}, {"hours": 0.01}, {"reason": "x" * 501}):
        with pytest.raises(RequestInvalid):
            staff.ask(right="tool.power", **bad)
    with pytest.raises(NotFound):
        staff.ask(right="tool.nothing")


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
    assert "request-expired" in actions(staff, expired)
    staff.ask()  # and it can be asked again


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


def test_asking_for_a_team_names_who_cannot_have_it(staff: Staff) -> None:
    world = staff.world
    world.roster(
        line("w1", role="agent", name="Carl Jones"), line("w2", role="agent", name="Dana Fox"),
        line("w3", role="agent", name="Other", sponsor="tomas@example.com"),
        *(line(f"x{n}", role="agent", name=f"Many {n}") for n in range(30)),
    )  # fmt: skip
    ids = [world.person(w) for w in ("w1", "w2", "w3", *(f"x{n}" for n in range(30)))]
    draft = Draft("", "tool.power", timedelta(hours=8), "weekend cover")
    batch = world.runtime.requests.ask_for_several(staff.mia, [*ids, ids[0]], draft)
    assert len(batch.asked) == 32
    assert [r.identity for r in batch.refused] == ["Somebody else's contractor"], "no names for strangers"
    with pytest.raises(RequestInvalid):
        world.runtime.requests.ask_for_several(staff.mia, [str(n) for n in range(201)], draft)
    with pytest.raises(RequestInvalid):
        world.runtime.requests.ask_for_several(staff.mia, [], draft)


def race(*calls: Any) -> list[LifecycleError | None]:
    """Make the calls at once, each in its own thread, and return what each raised."""
    barrier, outcomes = threading.Barrier(len(calls)), [None] * len(calls)

    def run(n: int) -> None:
        barrier.wait()
        try:
            calls[n]()
        except LifecycleError as exc:
            outcomes[n] = exc  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


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
    assert "request-escalated" in actions(staff, request)


def test_a_review_without_its_record_cannot_exist(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    request = staff.ask()
    monkeypatch.setattr("lifecycle.store.unit.digest_of", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        staff.review("ravi", request)
    monkeypatch.undo()
    assert staff.world.runtime.reviews.sheet(staff.mia, request).request.reviews == ()


# What a review of this code found: each of these went wrong once.


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


def test_different_people_asked_for_at_once_get_numbers_of_their_own(staff: Staff) -> None:
    outcomes = race(lambda: staff.ask(), lambda: staff.ask(worker="w2"), lambda: staff.ask(right="tool.power", hours=8))
    assert outcomes == [None, None, None]


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


def test_nothing_starts_while_the_clock_cannot_be_trusted(staff: Staff) -> None:
    request = staff.approved(at_once=False, window=timedelta(days=2))
    with staff.world.runtime.store.write() as unit:
        state.put(unit, state.CLOCK_ALARM, 7200)
    with pytest.raises(NotEligibleNow, match="clock"):
        staff.world.runtime.activation.activate(staff.carl, request)


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
