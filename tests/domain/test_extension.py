"""What an extension gives back, and what it does not: nothing that had ended, and no god mode by itself."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.domain.access import Contract, desired_access
from lifecycle.domain.calendar import WorkCalendar
from lifecycle.domain.consequence import Weight, consequence_of
from lifecycle.domain.engagement import Engagement, EngagementId, Measures
from lifecycle.domain.entitlement import Tier
from lifecycle.domain.extension import LONGEST_UNPROPOSED_DAYS, Extension, after_extension, god_keeps_its_end
from lifecycle.domain.identity import IdentityId
from lifecycle.domain.policy import OffboardingPolicy, Stage
from lifecycle.domain.roster import Standing
from lifecycle.domain.timeline import plan_timeline
from tests.domain.strategies import CATALOGUE, contracts, instants

POLICY = OffboardingPolicy(
    (
        Stage.parse("active", "first day", "god"),
        Stage.parse("narrowing", "7 days before the last day", "elevated"),
        Stage.parse("final day", "last working day", "standard"),
        Stage.parse("ended", "end", "none"),
    )
)
FIRST, LAST = date(2026, 1, 1), date(2026, 3, 31)
NARROWS, FINAL, END = (datetime(2026, 3, d, tzinfo=UTC) for d in (24, 31, 31))
OVER = END + timedelta(days=1)
NONE, GOD = {"a.agent": "rule"}, {"a.god": "rule"}


def contract(
    last: date = LAST, first: date = FIRST, baseline: dict[str, str] | None = None, **decided: object
) -> Contract:
    standing = decided.pop("standing", Standing.RUNNING)
    engagement = Engagement(
        EngagementId("e"), IdentityId("i"), "feed", "C1", first, last, "UTC", "vendor",
        standing=standing, measures=Measures(**decided),  # type: ignore[arg-type]
    )  # fmt: skip
    timeline = plan_timeline(engagement, POLICY, WorkCalendar())
    return Contract(engagement, timeline, GOD if baseline is None else baseline)


def moved(before: Contract, last: date, first: date = FIRST, **decided: object) -> Contract:
    measures = replace(before.engagement.measures, **decided)  # type: ignore[arg-type]
    engagement = replace(
        before.engagement, first_day=first, last_day=last, measures=measures, standing=Standing.RUNNING
    )
    return Contract(engagement, plan_timeline(engagement, POLICY, WorkCalendar()), before.baseline)


JUNE = date(2026, 6, 30)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (NARROWS - timedelta(seconds=1), Extension(lapsed_at=None, god_withheld=False)),
        (NARROWS, Extension(lapsed_at=None, god_withheld=True)),
        (FINAL + timedelta(hours=9), Extension(lapsed_at=None, god_withheld=True)),
        (OVER - timedelta(seconds=1), Extension(lapsed_at=None, god_withheld=True)),
        (OVER, Extension(lapsed_at=OVER, god_withheld=True)),
    ],
)
def test_what_had_ended_is_not_given_back(now: datetime, expected: Extension) -> None:
    before = contract()
    assert after_extension(before, moved(before, JUNE), now) == expected


def test_what_was_over_before_and_after_has_not_lapsed() -> None:
    before = contract()
    later = moved(before, date(2026, 4, 5))
    assert after_extension(before, later, later.timeline.ends_at) == Extension(lapsed_at=None, god_withheld=False)


def test_a_contract_that_had_not_begun_is_simply_another_one() -> None:
    for before in (contract(), contract(standing=Standing.WITHDRAWN)):
        early = before.timeline.starts_at - timedelta(seconds=1)
        assert after_extension(before, moved(before, JUNE), early) == Extension(lapsed_at=None, god_withheld=False)


def test_one_that_was_withdrawn_while_it_ran_has_lapsed() -> None:
    before = contract(standing=Standing.WITHDRAWN)
    now = NARROWS - timedelta(days=20)
    assert after_extension(before, moved(before, JUNE), now).lapsed_at == now


def test_days_in_the_future_begin_when_they_come_and_not_before() -> None:
    before = contract()
    after = moved(before, JUNE, first=date(2026, 5, 1))
    assert after_extension(before, after, OVER) == Extension(lapsed_at=OVER, god_withheld=True)
    begins = moved(before, JUNE, first=date(2026, 5, 1), lapsed_at=OVER)
    assert begins.live_at(begins.timeline.starts_at)
    assert after_extension(before, after, after.timeline.starts_at).lapsed_at == after.timeline.starts_at


def test_days_moved_into_the_future_and_back_give_nothing_back() -> None:
    """Two rosters on one day gave all access back at once."""
    future = moved(contract(), JUNE, first=date(2026, 5, 1), lapsed_at=OVER)
    back = moved(future, JUNE, first=FIRST, lapsed_at=OVER)
    said = after_extension(future, back, OVER + timedelta(hours=1))
    assert said.lapsed_at == OVER
    assert not back.live_at(OVER + timedelta(hours=1))


def test_a_second_term_that_is_over_lapses_anew() -> None:
    term = moved(contract(), JUNE, first=date(2026, 5, 1), lapsed_at=OVER)
    now = term.timeline.ends_at + timedelta(days=1)
    assert (
        after_extension(term, moved(term, date(2026, 9, 30), first=date(2026, 5, 1), lapsed_at=OVER), now).lapsed_at
        == now
    )


def test_a_bridge_keeps_it_from_lapsing_and_gives_no_god_mode() -> None:
    before = contract(bridged_day=LAST, bridge_until=date(2026, 4, 10))
    assert after_extension(before, moved(before, JUNE), OVER) == Extension(lapsed_at=None, god_withheld=True)


def test_god_mode_keeps_its_end_until_the_sponsor_agrees() -> None:
    before, early = contract(), NARROWS - timedelta(days=20)
    after = moved(before, JUNE)
    assert god_keeps_its_end(before, after, None, CATALOGUE, early) == NARROWS
    assert god_keeps_its_end(before, after, date(2026, 6, 29), CATALOGUE, early) == NARROWS
    assert god_keeps_its_end(before, after, JUNE, CATALOGUE, early) is None
    assert god_keeps_its_end(before, after, None, CATALOGUE, NARROWS) == FINAL, "an exception may still stand"


def test_a_short_extension_of_somebody_without_god_mode_needs_nobody() -> None:
    before, early = contract(baseline=NONE), NARROWS - timedelta(days=20)
    short = moved(before, LAST + timedelta(days=LONGEST_UNPROPOSED_DAYS))
    assert god_keeps_its_end(before, short, None, CATALOGUE, early) is None
    longer = moved(before, LAST + timedelta(days=LONGEST_UNPROPOSED_DAYS + 1))
    assert god_keeps_its_end(before, longer, None, CATALOGUE, early) == NARROWS
    given_god = replace(short, baseline=GOD)
    assert god_keeps_its_end(before, given_god, None, CATALOGUE, early) == NARROWS, "a new role changes nothing"


def test_extending_again_does_not_move_what_nobody_has_agreed_to() -> None:
    early = NARROWS - timedelta(days=20)
    first = moved(contract(), JUNE, god_ends_at=NARROWS)
    again = moved(first, date(2026, 12, 31), god_ends_at=NARROWS)
    assert god_keeps_its_end(first, again, None, CATALOGUE, early) == NARROWS
    assert god_keeps_its_end(again, first, None, CATALOGUE, early) == NARROWS, "nor does taking some of it back"
    assert god_keeps_its_end(first, again, date(2026, 12, 31), CATALOGUE, early) is None


@given(contracts(), st.integers(1, 400), instants, st.none() | st.integers(0, 400))
@settings(max_examples=200)
def test_an_extension_gives_no_god_mode_that_nobody_agreed_to(
    before: Contract, days: int, now: datetime, proposed: int | None
) -> None:
    """The old timeline is a bound on the baseline's god mode, unless the sponsor has proposed the new days in time."""
    engagement = replace(before.engagement, last_day=before.engagement.last_day + timedelta(days=days))
    after = Contract(engagement, plan_timeline(engagement, POLICY, WorkCalendar()), before.baseline, before.grants)
    agreed = before.engagement.last_day + timedelta(days=proposed) if proposed is not None else None
    said = after_extension(before, after, now)
    measures = replace(
        engagement.measures,
        lapsed_at=said.lapsed_at,
        god_withheld=said.god_withheld or engagement.measures.god_withheld,
        god_ends_at=god_keeps_its_end(before, after, agreed, CATALOGUE, now),
    )
    after = replace(after, engagement=replace(engagement, measures=measures))
    had = desired_access([before], CATALOGUE, now).entitlements
    has = desired_access([after], CATALOGUE, now).entitlements
    gained = {e for e in has - had if e.tier is Tier.GOD}
    assert not gained or before.timeline.starts_at > now, "an extension by itself gives no god mode at once"
    if after.engagement.has_lapsed:
        assert not has
    if agreed is None or agreed < engagement.last_day:
        for at in (now, before.god_ends_at, before.timeline.final_day_at, after.timeline.final_day_at):
            if at >= max(now, before.timeline.final_day_at):
                reasons = desired_access([after], CATALOGUE, at).reasons
                assert all(r.entitlement.tier < Tier.GOD for r in reasons), (at, before.timeline)


@pytest.mark.parametrize(
    ("before", "after", "now", "weight", "words"),
    [
        (None, contract(standing=Standing.WITHDRAWN), FINAL, Weight.NEVER_GIVEN, "withdrawn; nothing is given"),
        (
            contract(), contract(standing=Standing.WITHDRAWN), NARROWS, Weight.REMOVED_NOW,
            "loses a.power at once: the contract is withdrawn",
        ),
        (
            contract(first=date(2026, 3, 30)), contract(first=date(2026, 3, 30), standing=Standing.WITHDRAWN), NARROWS,
            Weight.ENDS_SOONER, "withdrawn: no access begins",
        ),
        (contract(), contract(standing=Standing.WITHDRAWN), OVER, Weight.NOTHING, "over before and after"),
        (
            contract(), contract(JUNE, lapsed_at=OVER), OVER, Weight.NOT_GIVEN_BACK,
            "extended after access had ended: nothing is given back by itself",
        ),
        (
            contract(JUNE, lapsed_at=OVER), contract(date(2026, 7, 31), lapsed_at=OVER), OVER, Weight.NOTHING,
            "gives nothing until its sponsor asks for the access back",
        ),
        (
            contract(), contract(JUNE), NARROWS - timedelta(days=9), Weight.GOD_LATER,
            "god mode ends 2026-06-23 00:00 UTC instead of 2026-03-24 00:00 UTC",
        ),
        (
            contract(), contract(JUNE, god_ends_at=NARROWS), NARROWS - timedelta(days=9), Weight.ENDS_LATER,
            "access ends 2026-07-01 00:00 UTC instead of 2026-04-01 00:00 UTC; "
            "god mode still ends 2026-03-24 00:00 UTC unless the sponsor agrees",
        ),
        (
            contract(), contract(JUNE, god_withheld=True), NARROWS, Weight.ENDS_LATER,
            "access ends 2026-07-01 00:00 UTC instead of 2026-04-01 00:00 UTC; god mode is not given back by itself",
        ),
        (
            contract(), contract(JUNE, god_withheld=True), FINAL, Weight.GIVEN_NOW,
            "gets a.power at once; god mode is not given back by itself",
        ),
        (
            contract(), contract(employee_since=NARROWS), NARROWS, Weight.CHANGES,
            "access ends 2026-04-01 00:00 UTC all the same; the account stays, the person has become an employee",
        ),
        (
            contract(), contract(date(2026, 3, 20), employee_since=NARROWS), NARROWS, Weight.REMOVED_NOW,
            "loses a.power at once; the account stays, the person has become an employee",
        ),
    ],
)  # fmt: skip
def test_what_it_does_to_access_is_said(
    before: Contract | None, after: Contract, now: datetime, weight: Weight, words: str
) -> None:
    found = consequence_of(before, after, CATALOGUE, now)
    assert (found.weight, found.words) == (weight, words)


@pytest.mark.parametrize(
    ("last_day", "now", "weight", "also"),
    [
        (date(2026, 3, 31), NARROWS - timedelta(days=9), Weight.GOD_SOONER, set()),
        (date(2026, 3, 31), NARROWS - timedelta(hours=9), Weight.GOD_SOONER, {Weight.NARROWS_TODAY}),
        (date(2026, 3, 31), NARROWS, Weight.REMOVED_NOW, {Weight.GOD_SOONER, Weight.NARROWS_TODAY}),
        (date(2026, 3, 20), NARROWS, Weight.REMOVED_NOW, {Weight.GOD_SOONER}),
        (date(2026, 7, 31), NARROWS, Weight.GOD_LATER, set()),
    ],
)  # fmt: skip
def test_the_end_of_god_mode_and_narrowing_are_told_beside_what_weighs_more(
    last_day: date, now: datetime, weight: Weight, also: set[Weight]
) -> None:
    found = consequence_of(contract(JUNE), contract(last_day), CATALOGUE, now)
    assert (found.weight, found.also) == (weight, also)
