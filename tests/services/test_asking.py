"""Asking for access: who may ask for whom, what they are told first, and what is asked once only."""

from datetime import timedelta

import pytest

from lifecycle.domain.approval import Resolution
from lifecycle.domain.eligibility import NotEligible
from lifecycle.domain.errors import NotFound, NotPermitted
from lifecycle.domain.role import Role
from lifecycle.services.proposals import AlreadyAsked, Draft
from lifecycle.services.requests import RequestInvalid
from tests.services.team import Staff
from tests.services.world import World, line, settings_dict

HOUR = timedelta(hours=1)


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
