"""Narrowing that could widen is refused; a chain that was touched is noticed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.domain.audit import GENESIS, AuditRecord, digest_of, find_fault
from lifecycle.domain.backoff import delay_before
from lifecycle.domain.baseline import BaselineRule, baseline_of, check_rules
from lifecycle.domain.clock import TimeReading, first_reading, next_reading
from lifecycle.domain.engagement import Engagement, EngagementId
from lifecycle.domain.entitlement import Catalogue, Entitlement, Tier
from lifecycle.domain.errors import InvalidCatalogue
from lifecycle.domain.grant import Grant, NothingLeftToGrant
from lifecycle.domain.identity import IdentityId
from tests.domain.strategies import CATALOGUE

AT = datetime(2026, 3, 1, tzinfo=UTC)


def listed(*entitlements: Entitlement) -> Catalogue:
    return Catalogue({e.key: e for e in entitlements})


AGENT = Entitlement("t.agent", "t", "agent", Tier.STANDARD)


@pytest.mark.parametrize(
    ("entitlement", "why"),
    [
        (Entitlement("t.god", "t", "god", Tier.GOD, "t.nothing"), "not listed"),
        (Entitlement("u.god", "u", "god", Tier.GOD, "t.agent"), "another target"),
        (Entitlement("t.other", "t", "other", Tier.STANDARD, "t.agent"), "not lower"),
        (Entitlement("t.none", "t", "none", Tier.NONE), "a ceiling"),
        (Entitlement("t.same", "t", "agent", Tier.GOD), "the same right"),
    ],
)
def test_a_catalogue_that_could_widen_is_refused(entitlement: Entitlement, why: str) -> None:
    with pytest.raises(InvalidCatalogue, match=why):
        listed(AGENT, entitlement)


@pytest.mark.parametrize(
    ("key", "ceiling", "fits"),
    [
        ("a.god", Tier.GOD, "a.god"),
        ("a.god", Tier.ELEVATED, "a.power"),
        ("a.god", Tier.STANDARD, "a.agent"),
        ("a.god", Tier.READ_ONLY, None),
        ("b.root", Tier.ELEVATED, None),
        ("gone", Tier.GOD, None),
    ],
)
def test_what_fits_under_a_ceiling(key: str, ceiling: Tier, fits: str | None) -> None:
    found = CATALOGUE.fit(key, ceiling)
    assert (found.key if found else None) == fits


def test_baseline_rules_match_role_vendor_and_site() -> None:
    engagement = Engagement(
        EngagementId("e"), IdentityId("i"), "f", "C", date(2026, 1, 1), date(2026, 2, 1), "UTC", "Adecco Ltd",
        role="Support Agent II", site="berlin",
    )  # fmt: skip
    rules = (
        BaselineRule("agents", ("a.agent",), roles=("support agent*",)),
        BaselineRule("berlin", ("a.agent", "b.read"), sites=("berlin", "dublin")),
        BaselineRule("others", ("a.god",), vendors=("Other",)),
    )
    assert baseline_of(engagement, rules) == {"a.agent": "agents", "b.read": "berlin"}
    check_rules(rules, CATALOGUE)
    with pytest.raises(InvalidCatalogue, match="rule agents gives x"):
        check_rules([BaselineRule("agents", ("x",))], CATALOGUE)


def test_an_empty_grant_is_refused() -> None:
    with pytest.raises(NothingLeftToGrant):
        Grant("g", EngagementId("e"), "a.god", AT, AT)


def chain(length: int) -> list[tuple[AuditRecord, str]]:
    records, prev = [], GENESIS
    for seq in range(1, length + 1):
        record = AuditRecord(seq, AT, "me", "did", f"thing:{seq}", "", {"a": seq}, {"b": [1, "ü"]}, "", prev)
        prev = digest_of(record)
        records.append((record, prev))
    return records


def test_an_untouched_chain_holds() -> None:
    whole = chain(5)
    assert find_fault(whole, (5, whole[-1][1])) is None
    assert find_fault([], (0, GENESIS)) is None


@pytest.mark.parametrize("seq", [1, 3, 5])
@pytest.mark.parametrize("attack", ["edit", "delete", "swap", "insert", "re-chain", "cut"])
def test_every_attack_is_named(attack: str, seq: int) -> None:
    whole = chain(5)
    head = (5, whole[-1][1])
    i = seq - 1
    record, stored = whole[i]
    if attack == "edit":
        whole[i] = (replace(record, actor="somebody else"), stored)
    elif attack == "delete":
        del whole[i]
    elif attack == "swap" and seq < 5:
        whole[i], whole[i + 1] = whole[i + 1], whole[i]
    elif attack == "insert":
        whole.insert(i, (record, stored))
    elif attack == "re-chain":
        forged = replace(record, after={"b": "forged"})
        whole[i] = (forged, digest_of(forged))
    else:
        del whole[i:]
    fault = find_fault(whole, head)
    assert fault is not None
    assert seq <= fault.seq <= seq + 1


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_the_wait_is_capped_jittered_and_never_zero(attempt: int, chance: float) -> None:
    base, cap = timedelta(seconds=2), timedelta(seconds=300)
    wait = delay_before(attempt, base=base, cap=cap, chance=chance)
    assert timedelta(seconds=1) <= wait <= cap


JUMP = timedelta(seconds=120)


@given(st.lists(st.tuples(st.floats(0, 600), st.floats(-20_000, 20_000)), max_size=30))
def test_believed_time_never_falls_and_never_runs_ahead_of_elapsed_time(steps: list[tuple[float, float]]) -> None:
    """The wall clock may do what it likes."""
    elapsed, reading = 0.0, first_reading(wall=AT, elapsed=0.0, watermark=None)
    for passed, offset in steps:
        elapsed += passed
        wall = AT + timedelta(seconds=elapsed + offset)
        following = next_reading(reading, wall=wall, elapsed=elapsed, largest_jump=JUMP)
        assert reading.now <= following.now <= reading.now + timedelta(seconds=passed) + JUMP
        reading = following


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_jump_of_the_wall_clock_is_not_followed(hours: int) -> None:
    before = TimeReading(AT, 100.0)
    wall = AT + timedelta(hours=hours, seconds=15)
    after = next_reading(before, wall=wall, elapsed=115.0, largest_jump=JUMP)
    assert after.now == AT + timedelta(seconds=15)
    assert after.distrusted_by == timedelta(hours=hours)
    back = next_reading(after, wall=AT + timedelta(seconds=31), elapsed=130.0, largest_jump=JUMP)
    assert (back.now, back.distrusted_by) == (AT + timedelta(seconds=31), timedelta(0))


def test_time_goes_on_from_the_watermark_when_the_clock_was_set_back_while_off() -> None:
    reading = first_reading(wall=AT - timedelta(hours=3), elapsed=0.0, watermark=AT)
    assert reading.now == AT
    assert reading.distrusted_by == timedelta(hours=-3)
    assert first_reading(wall=AT + timedelta(hours=3), elapsed=0.0, watermark=AT).now == AT + timedelta(hours=3)
