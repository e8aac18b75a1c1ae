"""How long something may be held: the shortest limit wins, and no exception reaches the last working day."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.domain.access import Contract, desired_access
from lifecycle.domain.eligibility import (
    NotEligible,
    approvals_for,
    check_extension,
    check_renewal,
    extension_opens_at,
    limit_of,
    narrowing_of,
)
from lifecycle.domain.engagement import EngagementId
from lifecycle.domain.entitlement import Tier
from lifecycle.domain.grant import Grant, NothingLeftToGrant
from tests.domain.strategies import CATALOGUE, contracts, instants, keys

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


@given(contracts(), keys, instants, st.integers(1, 500), st.integers(1, 500))
def test_no_grant_outlives_its_limits_and_god_mode_ends_with_the_policy(
    contract: Contract, key: str, now: datetime, asked: int, longest: int
) -> None:
    entitlement = CATALOGUE.entitlements[key]
    contract = replace(contract, grants=())
    try:
        limit = limit_of(contract, entitlement, timedelta(hours=longest), now)
        ends_at = limit.ends_at(timedelta(hours=asked), now)
    except (NotEligible, NothingLeftToGrant):
        return
    assert contract.live_at(now)
    assert now < ends_at <= min(now + timedelta(hours=min(asked, longest)), contract.timeline.ends_at)
    if entitlement.tier is Tier.GOD:
        assert ends_at <= contract.timeline.final_day_at
        assert approvals_for(entitlement, limit) == 2
    if limit.exception:
        assert ends_at <= contract.timeline.final_day_at
        assert approvals_for(entitlement, limit) == 2
    grant = Grant("g", contract.engagement.id, key, now, ends_at, exception=limit.exception)
    held = desired_access([replace(contract, grants=(grant,))], CATALOGUE, now)
    assert any(r.grant == grant and r.entitlement == entitlement for r in held.reasons)
    after = desired_access([replace(contract, grants=(grant,))], CATALOGUE, ends_at)
    assert not any(r.grant == grant for r in after.reasons)
    for at, lesser in narrowing_of(entitlement, CATALOGUE, contract, now, ends_at):
        then = desired_access([replace(contract, baseline={}, grants=(grant,))], CATALOGUE, at)
        if not limit.exception and then.live:
            assert then.entitlements == ({lesser} if lesser else set())


def test_more_time_is_asked_for_in_the_last_part_and_renewed_after_the_end() -> None:
    grant = Grant("g", EngagementId("e"), "k", START, START + timedelta(hours=8))
    assert extension_opens_at(grant) == START + timedelta(hours=6)
    for early in (START, START + timedelta(hours=6) - timedelta(seconds=1)):
        with pytest.raises(NotEligible, match="More time can be asked for from"):
            check_extension(grant, early)
    check_extension(grant, START + timedelta(hours=6))
    with pytest.raises(NotEligible, match="extend it instead"):
        check_renewal(grant, grant.ends_at - timedelta(seconds=1))
    check_renewal(grant, grant.ends_at)
    with pytest.raises(NotEligible, match="renew it instead"):
        check_extension(grant, grant.ends_at)


@pytest.mark.parametrize(
    ("minutes", "opens"), [(5, 0), (10, 0), (30, 20), (60, 45), (239, 179.25), (240, 180), (480, 360)]
)
def test_more_time_for_a_short_grant_is_not_offered_at_its_beginning(minutes: float, opens: float) -> None:
    grant = Grant("g", EngagementId("e"), "k", START, START + timedelta(minutes=minutes))
    assert extension_opens_at(grant) == START + timedelta(minutes=opens)
