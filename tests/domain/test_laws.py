"""The laws of design.md, section 3, over awkward zones, calendars and policies."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lifecycle.domain.access import Contract, desired_access, next_change_at
from lifecycle.domain.calendar import WorkCalendar
from lifecycle.domain.drift import (
    Capability,
    Change,
    ObservedAccount,
    Verb,
    plan_account_changes,
    plan_changes,
)
from lifecycle.domain.engagement import Engagement, EngagementId, Measures
from lifecycle.domain.entitlement import Entitlement, Tier
from lifecycle.domain.identity import IdentityId
from lifecycle.domain.policy import OffboardingPolicy, Stage
from lifecycle.domain.roster import Standing
from lifecycle.domain.timeline import plan_timeline
from tests.domain.strategies import CATALOGUE, calendars, contracts, engagements, instants, policies

SECOND = timedelta(seconds=1)
POLICY = OffboardingPolicy(
    (
        Stage.parse("active", "first day", "god"),
        Stage.parse("final day", "last working day", "standard"),
        Stage.parse("ended", "end", "none"),
    )
)
several = st.lists(contracts(), min_size=1, max_size=3)
held = st.frozensets(st.sampled_from(sorted(CATALOGUE.entitlements.values(), key=lambda e: e.key)))


def around(moments: list[datetime]) -> list[datetime]:
    """Each instant, a second before and a second after."""
    return sorted({at + step for at in moments for step in (-SECOND, timedelta(0), SECOND)})


@given(engagements, policies, calendars)
def test_stages_only_move_forward_and_the_ceiling_never_rises(
    engagement: Engagement, policy: OffboardingPolicy, calendar: WorkCalendar
) -> None:
    timeline = plan_timeline(engagement, policy, calendar)
    instants_ = [t.at for t in timeline.transitions]
    assert instants_ == sorted(instants_)
    names = [stage.name for stage in policy.stages]
    inside = [at for at in around(instants_) if at >= timeline.starts_at]
    ceilings = [timeline.ceiling_at(at) for at in inside]
    order = [names.index(timeline.stage_at(at)) for at in inside]
    assert ceilings == sorted(ceilings, reverse=True)
    assert order == sorted(order)


@given(engagements, policies, calendars)
def test_god_mode_is_gone_before_the_last_working_day_begins(
    engagement: Engagement, policy: OffboardingPolicy, calendar: WorkCalendar
) -> None:
    timeline = plan_timeline(engagement, policy, calendar)
    assert timeline.ceiling_at(timeline.final_day_at) < Tier.GOD
    assert timeline.ceiling_at(timeline.ends_at) is Tier.NONE
    assert timeline.ceiling_at(timeline.starts_at - SECOND) is Tier.NONE


@given(several, instants)
def test_nothing_is_held_without_a_live_engagement(person: list[Contract], now: datetime) -> None:
    desired = desired_access(person, CATALOGUE, now)
    live = {c.engagement.id: c for c in person if c.live_at(now)}
    assert desired.live is bool(live)
    for reason in desired.reasons:
        contract = live[reason.engagement.id]
        excepted = reason.grant is not None and reason.grant.exception and now < contract.timeline.final_day_at
        followed = reason.entitlement.tier <= Tier.ELEVATED and any(
            c.timeline.starts_at <= contract.timeline.ends_at < c.timeline.ends_at for c in person
        )
        assert excepted or followed or reason.entitlement.tier <= contract.ceiling_at(now)
        assert reason.given in contract.baseline or any(
            g.active_at(now) and g.entitlement == reason.given for g in contract.grants
        )
        assert now < reason.until <= contract.timeline.ends_at


@given(several, instants)
@settings(max_examples=200)
def test_the_next_change_is_never_later_than_the_first_difference(person: list[Contract], now: datetime) -> None:
    due = [at for c in person if (at := next_change_at(c, now)) is not None]
    horizon = min(due, default=datetime(2100, 1, 1, tzinfo=UTC))
    before = desired_access(person, CATALOGUE, now)
    moments = [t.at for c in person for t in c.timeline.transitions]
    moments += [at for c in person for g in c.grants for at in (g.starts_at, g.ends_at)]
    decided = [c.engagement.measures for c in person]
    moments += [at for m in decided for at in (m.cut_off_at, m.god_ends_at, m.employee_since) if at is not None]
    for at in around(moments):
        if now <= at < horizon:
            then = desired_access(person, CATALOGUE, at)
            assert (then.entitlements, then.live, then.has_ended, then.accounts_kept) == (
                before.entitlements,
                before.live,
                before.has_ended,
                before.accounts_kept,
            )


@given(several, instants)
@settings(max_examples=200)
def test_what_a_reason_gives_stays_the_same_until_it_says(person: list[Contract], now: datetime) -> None:
    for reason in desired_access(person, CATALOGUE, now).reasons:
        own = next(c for c in person if c.engagement is reason.engagement)
        moments = [t.at for t in own.timeline.transitions]
        if own.engagement.measures.god_ends_at is not None:
            moments.append(own.engagement.measures.god_ends_at)
        for at in around([*moments, reason.until]):
            cut_off = own.engagement.measures.cut_off(at)
            if now <= at < reason.until and not cut_off:
                same = [r for r in desired_access(person, CATALOGUE, at).reasons if r.engagement is own.engagement]
                assert (reason.entitlement, reason.given, reason.grant) in {
                    (r.entitlement, r.given, r.grant) for r in same
                }


@given(contracts(), st.integers(8, 400), instants)
@settings(max_examples=200)
def test_a_contract_that_follows_keeps_all_but_god_mode(before: Contract, days: int, now: datetime) -> None:
    """On the last working day of a renewed contract what is elevated was taken away until the next one began."""
    last = before.engagement.last_day
    e = replace(
        before.engagement, id=EngagementId("next"), first_day=last + timedelta(days=1),
        last_day=last + timedelta(days=days), measures=Measures(),
    )  # fmt: skip
    after = Contract(e, plan_timeline(e, POLICY, WorkCalendar()), before.baseline)
    assume(before.timeline.ends_at == after.timeline.starts_at)
    alone, both = (desired_access(found, CATALOGUE, now) for found in ([before], [before, after]))
    if now < after.timeline.starts_at:
        assert {e for e in both.entitlements if e.tier is Tier.GOD} == {
            e for e in alone.entitlements if e.tier is Tier.GOD
        }
        if before.live_at(now):
            tier = min(Tier.ELEVATED, after.ceiling_at(after.timeline.starts_at))
            kept = {CATALOGUE.fit(key, tier) for key in before.baseline}
            assert kept - {None} <= _with_lesser(both.entitlements)


def _with_lesser(entitlements: frozenset[Entitlement]) -> set[Entitlement | None]:
    """Return what is held, and all that it narrows to."""
    found: set[Entitlement | None] = set()
    for held in entitlements:
        lesser: Entitlement | None = held
        while lesser is not None:
            found.add(lesser)
            lesser = CATALOGUE.entitlements.get(lesser.narrows_to or "")
    return found


def apply(changes: tuple[Change, ...], observed: frozenset[Entitlement]) -> frozenset[Entitlement]:
    result = set(observed)
    for change in changes:
        assert change.entitlement is not None
        (result.add if change.verb is Verb.GRANT else result.remove)(change.entitlement)
    return frozenset(result)


@given(held, held)
def test_the_changes_turn_observed_into_desired_and_then_nothing_is_left(
    desired: frozenset[Entitlement], observed: frozenset[Entitlement]
) -> None:
    changes = plan_changes(desired, observed)
    after = apply(changes, observed)
    assert after == desired
    assert plan_changes(desired, after) == ()


@given(held, held)
def test_revokes_come_first_and_god_first(desired: frozenset[Entitlement], observed: frozenset[Entitlement]) -> None:
    changes = plan_changes(desired, observed)
    verbs = [change.verb for change in changes]
    assert verbs == sorted(verbs, key=lambda verb: verb is Verb.GRANT)
    tiers = [change.tier for change in changes if change.verb is Verb.REVOKE]
    assert tiers == sorted(tiers, reverse=True)


@given(several, instants, held, st.booleans(), st.booleans())
def test_account_changes_close_the_difference(
    person: list[Contract], now: datetime, holds: frozenset[Entitlement], disabled: bool, here: bool
) -> None:
    desired = desired_access(person, CATALOGUE, now)
    observed = ObservedAccount(frozenset(e for e in holds if e.target == "a"), disabled, here)
    changes = plan_account_changes(desired, observed, "a", frozenset(Capability))
    verbs = {change.verb for change in changes}
    assert (Verb.DISABLE in verbs) is (desired.has_ended and not disabled and not desired.accounts_kept)
    assert (Verb.ENABLE in verbs) is (desired.live and disabled and here)
    assert (Verb.SET_EXPIRY in verbs) is (desired.live and not desired.accounts_kept)
    assert all(change.entitlement is None or change.entitlement.target == "a" for change in changes)
    order = [list(Verb).index(change.verb) for change in changes]
    assert order == sorted(order)


@given(several, instants)
def test_an_account_ends_with_the_unbroken_run_of_contracts(person: list[Contract], now: datetime) -> None:
    ends_at = desired_access(person, CATALOGUE, now).ends_at
    if ends_at is None:
        assert not any(c.live_at(now) for c in person)
        return
    kept = [c for c in person if not c.over_at(now)]
    assert not any(c.timeline.live_at(ends_at) for c in kept)
    edges = sorted({c.timeline.ends_at for c in kept if now < c.timeline.ends_at < ends_at})
    assert all(any(c.timeline.live_at(edge) for c in kept) for edge in edges)


@given(several, instants)
def test_whoever_was_cut_off_holds_nothing(person: list[Contract], now: datetime) -> None:
    cut = [_decided(c, cut_off_at=now) for c in person]
    desired = desired_access(cut, CATALOGUE, now)
    assert (desired.entitlements, desired.live, desired.has_ended) == (frozenset(), False, True)


@given(several, instants)
def test_the_baseline_gives_no_god_mode_that_is_withheld(person: list[Contract], now: datetime) -> None:
    desired = desired_access([_decided(c, god_withheld=True) for c in person], CATALOGUE, now)
    assert all(r.grant is not None for r in desired.reasons if r.entitlement.tier is Tier.GOD)


@given(contracts(), policies, calendars, st.integers(1, 14))
def test_a_bridge_moves_the_end_alone_and_gives_nothing_back(
    contract: Contract, policy: OffboardingPolicy, calendar: WorkCalendar, days: int
) -> None:
    plain = replace(contract.engagement, measures=Measures())
    last_day = plain.last_day
    bridged = replace(plain, measures=Measures(bridged_day=last_day, bridge_until=last_day + timedelta(days=days)))
    other = replace(plain, measures=Measures(bridged_day=last_day + timedelta(days=1), bridge_until=date(2099, 1, 1)))
    before, after = (plan_timeline(e, policy, calendar) for e in (plain, bridged))
    assert plan_timeline(other, policy, calendar) == before
    assert after.ends_at > before.ends_at
    assert after.final_day_at == before.final_day_at
    for at in around([t.at for t in (*before.transitions, *after.transitions)]):
        if at < before.ends_at:
            assert after.ceiling_at(at) == before.ceiling_at(at)
        elif at < after.ends_at:
            assert after.ceiling_at(at) == before.ceiling_at(before.ends_at - SECOND)
        else:
            assert after.ceiling_at(at) is Tier.NONE


@given(contracts(), instants)
def test_the_ceiling_falls_below_a_tier_exactly_once(contract: Contract, now: datetime) -> None:
    for tier in (Tier.READ_ONLY, Tier.STANDARD, Tier.ELEVATED, Tier.GOD):
        at = contract.timeline.falls_below(tier, now)
        if at > now >= contract.timeline.starts_at:
            assert contract.timeline.ceiling_at(at - SECOND if at - SECOND > now else now) >= tier
            assert contract.timeline.ceiling_at(at) < tier


@given(several, instants)
def test_what_is_withdrawn_or_has_lapsed_gives_nothing_ever(person: list[Contract], now: datetime) -> None:
    for nothing in ([_withdrawn(c) for c in person], [_decided(c, lapsed_at=now) for c in person]):
        desired = desired_access(nothing, CATALOGUE, now)
        assert (desired.entitlements, desired.live, desired.ends_at) == (frozenset(), False, None)
        begun = any(c.timeline.starts_at <= now or c.engagement.measures.cut_off(now) for c in nothing)
        assert desired.has_ended is begun


@given(several, instants, st.data())
def test_no_god_mode_from_the_instant_on_at_which_it_ends(
    person: list[Contract], now: datetime, data: st.DataObject
) -> None:
    limited = [_decided(c, god_ends_at=data.draw(instants)) for c in person]
    for reason in desired_access(limited, CATALOGUE, now).reasons:
        ends_at = reason.engagement.measures.god_ends_at
        assert ends_at is not None
        assert reason.entitlement.tier < Tier.GOD or now < ends_at
        assert reason.entitlement.tier < Tier.GOD or reason.until <= ends_at


@given(contracts(), instants, instants)
@settings(max_examples=200)
def test_no_fact_of_a_roster_gives_more_than_there_was_without_it(
    contract: Contract, now: datetime, then: datetime
) -> None:
    plain = _decided(replace(contract, engagement=replace(contract.engagement, standing=Standing.RUNNING)))
    without = _tiers(plain, now)
    for limited in (
        _withdrawn(plain),
        _decided(plain, lapsed_at=then),
        _decided(plain, god_ends_at=then),
        _decided(plain, employee_since=then),
    ):
        tiers = _tiers(limited, now)
        assert tiers.keys() <= without.keys()
        assert all(tier <= without[key] for key, tier in tiers.items())


@given(contracts(), instants)
def test_the_ceiling_of_a_contract_never_rises_once_it_has_begun(contract: Contract, god_ends_at: datetime) -> None:
    limited = _decided(contract, god_ends_at=god_ends_at)
    inside = around([*(t.at for t in limited.timeline.transitions), god_ends_at])
    ceilings = [limited.ceiling_at(at) for at in inside if at >= limited.timeline.starts_at]
    assert ceilings == sorted(ceilings, reverse=True)
    at = max(limited.god_ends_at, limited.timeline.starts_at)
    assert limited.ceiling_at(at) < Tier.GOD
    if at - SECOND >= limited.timeline.starts_at:
        assert limited.ceiling_at(at - SECOND) is Tier.GOD


@given(several, instants, held, st.booleans(), st.none() | instants)
def test_an_employee_keeps_the_account_and_not_what_the_contracts_gave(
    person: list[Contract], now: datetime, holds: frozenset[Entitlement], disabled: bool, expires_at: datetime | None
) -> None:
    employee = [_decided(c, employee_since=now) for c in person]
    desired = desired_access(employee, CATALOGUE, now)
    assert desired.accounts_kept
    observed = ObservedAccount(frozenset(e for e in holds if e.target == "a"), disabled, expires_at=expires_at)
    changes = plan_account_changes(desired, observed, "a", frozenset(Capability))
    assert Verb.DISABLE not in {change.verb for change in changes}
    expiries = [change for change in changes if change.verb is Verb.SET_EXPIRY]
    assert expiries == ([Change(Verb.SET_EXPIRY)] if desired.live and expires_at else [])
    assert {c.entitlement for c in changes if c.verb is Verb.REVOKE} == observed.held - desired.entitlements


@given(several, instants, engagements)
def test_an_employee_who_comes_back_on_a_contract_is_closed_with_it(
    person: list[Contract], now: datetime, engagement: Engagement
) -> None:
    timeline = plan_timeline(engagement, POLICY, WorkCalendar())
    since = timeline.starts_at - SECOND
    later = _decided(Contract(engagement, timeline, {}), employee_since=since)
    every = [*(_decided(c, employee_since=since) for c in person), later]
    assert not desired_access(every, CATALOGUE, timeline.ends_at).accounts_kept
    kept = desired_access(every, CATALOGUE, since).accounts_kept
    assert kept
    cut = [_decided(c, employee_since=since, cut_off_at=now) for c in every]
    assert not desired_access(cut, CATALOGUE, max(now, since)).accounts_kept, "whoever is cut off keeps nothing"


def _tiers(contract: Contract, now: datetime) -> dict[tuple[str, str], Tier]:
    """Map each right or grant that gives something to the tier of what it gives."""
    reasons = desired_access([contract], CATALOGUE, now).reasons
    return {(r.given, r.grant.id if r.grant else ""): r.entitlement.tier for r in reasons}


def _withdrawn(contract: Contract) -> Contract:
    return replace(contract, engagement=replace(contract.engagement, standing=Standing.WITHDRAWN))


def _decided(contract: Contract, **values: Any) -> Contract:
    return replace(contract, engagement=replace(contract.engagement, measures=Measures(**values)))


@pytest.mark.parametrize(("step", "kept"), [(1, "a.agent"), (30, "a.power")])
def test_a_thousand_contracts_that_follow_each_other_are_no_burden(step: int, kept: str) -> None:
    """Each looked at all that follow it again: twenty that overlap took ten seconds, a thousand stopped the engine."""
    first = date(2026, 1, 1)
    contracts_ = []
    for n in range(1000):
        begins = first + timedelta(days=n)
        e = Engagement(
            EngagementId(f"e{n}"), IdentityId("i"), "feed", f"C{n}",
            begins, begins + timedelta(days=step - 1), "UTC", "vendor",
        )  # fmt: skip
        contracts_.append(Contract(e, plan_timeline(e, POLICY, WorkCalendar()), {"a.god": "rule"}))
    before = time.process_time()
    desired = desired_access(contracts_, CATALOGUE, datetime(2026, 1, step, 12, tzinfo=UTC))
    held = {reason.engagement.id: reason.entitlement.key for reason in desired.reasons}
    assert held["e0"] == kept, "its last day has begun, and the next one follows, itself in its last day or not"
    assert time.process_time() - before < 5, "it is a second at most, where it was none before"
