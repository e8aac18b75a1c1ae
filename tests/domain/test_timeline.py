"""Instants that people can check on a calendar."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from lifecycle.domain.calendar import WorkCalendar, end_of_day, start_of_day
from lifecycle.domain.engagement import Engagement, EngagementId
from lifecycle.domain.entitlement import Tier
from lifecycle.domain.errors import InvalidEngagement, InvalidPolicy
from lifecycle.domain.identity import IdentityId
from lifecycle.domain.policy import OffboardingPolicy, Stage
from lifecycle.domain.timeline import SCHEDULED, plan_timeline
from tests.services.world import STAGES, utc

DEFAULT = tuple(Stage.parse(s["name"], s["begins"], s["ceiling"]) for s in STAGES)


def engagement(first: date, last: date, zone: str = "UTC") -> Engagement:
    return Engagement(EngagementId("e"), IdentityId("i"), "feed", "C", first, last, zone, "vendor")


def test_the_default_policy_on_a_tuesday() -> None:
    timeline = plan_timeline(
        engagement(date(2026, 1, 1), date(2026, 3, 31), "Europe/Berlin"), OffboardingPolicy(DEFAULT), WorkCalendar()
    )
    stages = {t.stage: t.at for t in timeline.transitions}
    assert stages == {
        "active": utc(2025, 12, 31, 23),
        "renewal": utc(2026, 2, 28, 23),
        "notice": utc(2026, 3, 16, 23),
        "narrowing": utc(2026, 3, 23, 23),
        "final day": utc(2026, 3, 30, 22),
        "ended": utc(2026, 3, 31, 22),
        "retention": utc(2026, 4, 30, 22),
    }
    assert timeline.stage_at(utc(2025, 12, 31, 22)) == SCHEDULED


@pytest.mark.parametrize(
    ("last_day", "holidays", "final_day"),
    [
        (date(2026, 3, 27), (), date(2026, 3, 27)),  # a Friday
        (date(2026, 3, 28), (), date(2026, 3, 27)),  # a Saturday
        (date(2026, 3, 29), (), date(2026, 3, 27)),  # a Sunday
        (date(2026, 4, 6), (date(2026, 4, 3), date(2026, 4, 6)), date(2026, 4, 2)),  # Easter Monday and Good Friday
    ],
)
def test_the_final_day_is_the_last_one_worked(last_day: date, holidays: tuple[date, ...], final_day: date) -> None:
    calendar = WorkCalendar(frozenset(holidays))
    timeline = plan_timeline(engagement(date(2026, 1, 1), last_day), OffboardingPolicy(DEFAULT), calendar)
    assert timeline.final_day_at == start_of_day(final_day, "UTC")


def test_long_holidays_pass_over_the_stage_in_between() -> None:
    """Ten days off before the end: the last working day begins before narrowing would."""
    calendar = WorkCalendar(frozenset(date(2026, 3, 31) - timedelta(days=n) for n in range(10)))
    timeline = plan_timeline(engagement(date(2026, 1, 1), date(2026, 3, 31)), OffboardingPolicy(DEFAULT), calendar)
    assert timeline.final_day_at == utc(2026, 3, 20)  # a Friday, as 21 March is a Saturday
    assert timeline.ceiling_at(utc(2026, 3, 20)) is Tier.STANDARD


def test_a_contract_shorter_than_its_window_starts_inside_it() -> None:
    timeline = plan_timeline(
        engagement(date(2026, 3, 30), date(2026, 4, 1)), OffboardingPolicy(DEFAULT), WorkCalendar()
    )
    assert timeline.stage_at(utc(2026, 3, 30)) == "narrowing"
    assert timeline.ceiling_at(utc(2026, 3, 30)) is Tier.ELEVATED


def test_a_contract_on_a_weekend_starts_on_its_final_day() -> None:
    timeline = plan_timeline(
        engagement(date(2026, 3, 28), date(2026, 3, 29)), OffboardingPolicy(DEFAULT), WorkCalendar()
    )
    assert timeline.stage_at(utc(2026, 3, 28)) == "final day"


def test_a_cutoff_ends_the_last_day_early() -> None:
    policy = OffboardingPolicy(DEFAULT, cutoff=time(18))
    timeline = plan_timeline(engagement(date(2026, 1, 1), date(2026, 3, 31), "Asia/Manila"), policy, WorkCalendar())
    assert timeline.ends_at == utc(2026, 3, 31, 10)


@pytest.mark.parametrize(
    ("day", "zone", "starts"),
    [
        (date(2026, 4, 24), "Africa/Cairo", utc(2026, 4, 23, 22)),
        (date(2026, 9, 6), "America/Santiago", utc(2026, 9, 6, 4)),
        (date(2026, 3, 29), "Asia/Beirut", utc(2026, 3, 28, 22)),
        (date(2026, 3, 8), "America/Havana", utc(2026, 3, 8, 5)),
    ],
)
def test_a_midnight_that_does_not_exist_is_the_instant_the_clocks_jump(day: date, zone: str, starts: datetime) -> None:
    assert start_of_day(day, zone) == starts
    assert starts.astimezone(ZoneInfo(zone)).date() == day
    assert (starts - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() == day - timedelta(days=1)


def test_a_midnight_that_happens_twice_is_the_first() -> None:
    assert start_of_day(date(2026, 10, 25), "Atlantic/Azores") == utc(2026, 10, 25, 0)
    assert start_of_day(date(2026, 11, 1), "America/Havana") == utc(2026, 11, 1, 4)


def test_the_same_last_day_ends_25_hours_apart() -> None:
    day = date(2026, 3, 31)
    assert end_of_day(day, "Pacific/Pago_Pago") - end_of_day(day, "Pacific/Kiritimati") == timedelta(hours=25)


def test_a_leap_day_has_a_year_later() -> None:
    timeline = plan_timeline(
        engagement(date(2027, 3, 1), date(2028, 2, 29)), OffboardingPolicy(DEFAULT), WorkCalendar()
    )
    assert timeline.ends_at == datetime(2028, 3, 1, tzinfo=UTC)


def test_an_end_before_the_start_is_no_contract() -> None:
    with pytest.raises(InvalidEngagement, match="before the first day"):
        engagement(date(2026, 3, 2), date(2026, 3, 1))


def without(name: str) -> tuple[Stage, ...]:
    return tuple(stage for stage in DEFAULT if stage.name != name)


@pytest.mark.parametrize(
    ("stages", "why"),
    [
        (without("ended"), "exactly one stage must begin at 'end'"),
        (without("final day"), "last working day"),
        ((*DEFAULT, DEFAULT[-1]), "same name"),
        ((*without("retention")[:-1], Stage.parse("ended", "end", "read-only")), "nothing may be held after the end"),
        ((DEFAULT[0], Stage.parse("x", "7 days before the last day", "standard"), *DEFAULT[3:]), "raise the ceiling"),
        ((DEFAULT[0], DEFAULT[2], DEFAULT[1], *DEFAULT[3:]), "fewer days before"),
        ((*DEFAULT[:4], Stage.parse("final day", "last working day", "god"), *DEFAULT[5:]), "raise the ceiling"),
        ((*DEFAULT[:3], Stage.parse("final day", "last working day", "god"), *DEFAULT[5:]), "god mode must be gone"),
        ((*DEFAULT[:5], DEFAULT[6], DEFAULT[5]), "begins before it"),
        ((*DEFAULT, Stage.parse("later", "20 days after the end", "none")), "more days after the end"),
        ((*DEFAULT[:1], Stage.parse("x", "0 days before the last day", "god"), *DEFAULT[1:]), "not within"),
        ((*DEFAULT[:1], Stage.parse("x", "999 days before the last day", "god"), *DEFAULT[1:]), "not within"),
    ],
)
def test_a_policy_under_which_access_could_grow_is_refused(stages: tuple[Stage, ...], why: str) -> None:
    with pytest.raises(InvalidPolicy, match=why):
        OffboardingPolicy(stages)


@pytest.mark.parametrize(
    "begins", ["soon", "7 days before", "7 days end", "last working day before", "-3 days after the end"]
)
def test_a_stage_that_cannot_be_placed_is_refused(begins: str) -> None:
    with pytest.raises(InvalidPolicy, match="is none of"):
        Stage.parse("x", begins, "none")
