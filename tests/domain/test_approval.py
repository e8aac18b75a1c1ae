"""The two-person rule: a test for each refusal, and the law over everybody who could review."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.domain.approval import (
    ApprovalVoid,
    DuplicateReview,
    Kind,
    NotAReviewer,
    ReasonMissing,
    Request,
    RequestClosed,
    Resolution,
    Review,
    ReviewerDependent,
    ReviewerUnfit,
    ReviewRefused,
    SelfReview,
    Verdict,
    add_review,
    check_use,
    digest,
    shown_digest,
)
from lifecycle.domain.party import Party, key_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def party(name: str, *keys: str, vendor: str = "", **facts: Any) -> Party:
    return Party(name, name, frozenset({name, *keys}), vendors=frozenset({vendor} - {""}), **facts)


MIA = party("mia", "mia@example.com")
CARL = party("carl", "carl@agency.example", employee=False, vendor="agency")
RAVI, PETRA, INES = party("ravi"), party("petra"), party("ines")


def request(**changes: Any) -> Request:
    values: dict[str, Any] = {
        "id": "GR-1", "kind": Kind.NEW, "requester": MIA, "beneficiary": CARL, "entitlement": "tool.god",
        "asked": timedelta(hours=4), "reason": "incident", "approvals_needed": 2, "god": True, "created_at": NOW,
        "expires_at": NOW + timedelta(hours=4), "terms": "t", **changes,
    }  # fmt: skip
    return Request(**values)


def approve(of: Request, who: Party, *, at: datetime = NOW, in_pool: bool = True, **changes: Any) -> Request:
    values: dict[str, Any] = {"verdict": Verdict.APPROVE, "note": "fine", "terms": "t", **changes}
    return add_review(of, Review(who, at=at, **values), in_pool=in_pool)


def test_one_person_is_not_two() -> None:
    once = approve(request(), RAVI)
    assert once.resolution is Resolution.PENDING
    with pytest.raises(DuplicateReview):
        approve(once, RAVI)
    with pytest.raises(DuplicateReview):
        approve(once, party("ravi-again", "ravi"))
    assert approve(once, PETRA).resolution is Resolution.APPROVED


@pytest.mark.parametrize("who", [MIA, CARL, party("second", "mia@example.com"), party("x", "carl@agency.example")])
def test_parties_may_not_review_by_whatever_account(who: Party) -> None:
    with pytest.raises(SelfReview):
        approve(request(), who)


@pytest.mark.parametrize("above", ["mia", "carl"])
def test_whoever_reports_to_a_party_may_not_review(above: str) -> None:
    with pytest.raises(ReviewerDependent):
        approve(request(), party("oskar", reports_to=frozenset({above})))


@pytest.mark.parametrize(
    ("facts", "god"),
    [
        ({"employee": False, "vendor": "other"}, True),
        ({"employee": False, "vendor": "agency"}, False),
        ({"employee": False, "vendor": "other", "in_window": True}, False),
        ({"active": False}, False),
    ],
)
def test_a_reviewers_own_contract_stands_against_it(facts: dict[str, Any], god: bool) -> None:
    with pytest.raises(ReviewerUnfit):
        approve(request(god=god), party("kim", **facts))


def test_a_contractor_of_another_vendor_may_review_ordinary_access() -> None:
    asked = request(god=False, approvals_needed=1)
    assert approve(asked, party("kim", employee=False, vendor="other")).resolution is Resolution.APPROVED


@pytest.mark.parametrize(("first", "second"), [("a", "a"), ("a", "b")])
def test_at_least_one_of_two_is_an_employee_and_not_both_of_one_vendor(first: str, second: str) -> None:
    once = approve(request(god=False), party("kim", employee=False, vendor=first))
    with pytest.raises(ReviewerUnfit):
        approve(once, party("lee", employee=False, vendor=second))
    assert approve(once, RAVI).resolution is Resolution.APPROVED


def test_only_the_pool_reviews() -> None:
    with pytest.raises(NotAReviewer):
        approve(request(), RAVI, in_pool=False)


def test_one_denial_denies_and_closes() -> None:
    once = approve(request(), RAVI)
    denied = approve(once, PETRA, verdict=Verdict.DENY)
    assert denied.resolution is Resolution.DENIED
    with pytest.raises(RequestClosed):
        approve(denied, INES)


@pytest.mark.parametrize(("god", "verdict"), [(True, Verdict.APPROVE), (True, Verdict.DENY), (False, Verdict.DENY)])
def test_a_denial_and_any_word_on_god_mode_needs_its_reason(god: bool, verdict: Verdict) -> None:
    with pytest.raises(ReasonMissing):
        approve(request(god=god), RAVI, verdict=verdict, note=" ")


def test_nobody_reviews_at_the_very_instant_it_expires() -> None:
    asked = request()
    approve(asked, RAVI, at=asked.expires_at - timedelta(microseconds=1))
    with pytest.raises(RequestClosed):
        approve(asked, RAVI, at=asked.expires_at)


def test_the_shortest_time_allowed_counts() -> None:
    once = approve(request(), RAVI, longest=timedelta(hours=2))
    assert approve(once, PETRA, longest=timedelta(hours=3)).allowed == timedelta(hours=2)


def test_what_was_shown_changes_with_terms_and_with_every_review() -> None:
    asked = request()
    digests = {
        shown_digest(asked),
        shown_digest(replace(asked, terms="u")),
        shown_digest(approve(asked, RAVI)),
        shown_digest(approve(asked, RAVI, longest=timedelta(hours=1))),
    }
    assert len(digests) == 4
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})


def test_an_approval_is_checked_again_when_it_is_used() -> None:
    approved = approve(approve(request(), RAVI), PETRA)
    check_use(approved, [RAVI, PETRA], "t")
    with pytest.raises(ApprovalVoid, match="has changed since"):
        check_use(approved, [RAVI, PETRA], "other terms")
    for changed in (
        [replace(RAVI, active=False), PETRA],
        [RAVI, replace(PETRA, employee=False, vendors=CARL.vendors)],
        [RAVI, replace(PETRA, reports_to=frozenset({"mia"}))],
        [RAVI, replace(PETRA, keys=RAVI.keys)],
        [RAVI, replace(PETRA, keys=CARL.keys)],
        [RAVI],
    ):
        with pytest.raises(ApprovalVoid):
            check_use(approved, changed, "t")


parties = st.builds(
    lambda n, keys, said, vendors, window, above, active, invited: Party(
        f"p{n}",
        f"P{n}",
        frozenset({f"p{n}", *keys}),
        frozenset(said),
        employee=not vendors,
        vendors=frozenset(vendors),
        in_window=window,
        reports_to=frozenset(above),
        active=active,
        invited=invited,
    ),
    st.integers(0, 6),
    st.sets(st.sampled_from(["k1", "k2", "k3"]), max_size=1),
    st.sets(st.sampled_from(["p0", "k1", "k2"]), max_size=1),
    st.sets(st.sampled_from(["agency", "other"]), max_size=2),
    st.booleans(),
    st.sets(st.sampled_from(["p0", "p1", "k1"]), max_size=1),
    st.booleans(),
    st.booleans(),
)


@given(parties, parties, st.lists(st.tuples(parties, st.booleans()), max_size=8), st.booleans(), st.integers(1, 2))
def test_whatever_is_approved_was_approved_by_enough_independent_people(
    requester: Party, beneficiary: Party, reviewers: list[tuple[Party, bool]], god: bool, needed: int
) -> None:
    asked = request(requester=requester, beneficiary=beneficiary, god=god, approvals_needed=needed)
    for reviewer, in_pool in reviewers:
        try:
            asked = approve(asked, reviewer, in_pool=in_pool)
        except ReviewRefused:
            continue
    by = [r.reviewer for r in asked.approvals]
    assert len(by) <= needed
    assert (asked.resolution is Resolution.APPROVED) is (len(by) == needed)
    for one in by:
        assert not one.names & (requester.names | beneficiary.names)
        assert not one.reports_to & (requester.keys | beneficiary.keys)
        assert one.active
        assert not (one.invited and needed == 2)
        assert requester.active
        assert one.employee or not (god or one.in_window or one.vendors & beneficiary.vendors)
    assert not any(a.names & b.names for n, a in enumerate(by) for b in by[:n])
    if len(by) == 2:
        assert any(one.employee for one in by)
        assert by[0].employee or by[1].employee or not by[0].vendors & by[1].vendors


def test_names_are_compared_without_regard_to_case_and_blanks() -> None:
    assert key_of("  Mia@Example.COM ") == key_of("mia@example.com")
    assert key_of("Ana  Sofía") == key_of("ana sofía")
