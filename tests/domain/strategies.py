"""Contracts, policies and catalogues for the laws, over zones whose midnights are awkward."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from lifecycle.domain.access import Contract
from lifecycle.domain.calendar import WorkCalendar
from lifecycle.domain.engagement import Engagement, EngagementId, Measures
from lifecycle.domain.entitlement import Catalogue, Entitlement, Tier
from lifecycle.domain.grant import Grant
from lifecycle.domain.identity import IdentityId
from lifecycle.domain.policy import OffboardingPolicy, Stage
from lifecycle.domain.roster import Standing
from lifecycle.domain.timeline import plan_timeline

ZONES = [
    "UTC", "Africa/Cairo", "America/Havana", "America/Santiago", "Asia/Beirut", "Atlantic/Azores", "Pacific/Apia",
    "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "Europe/Berlin", "America/Los_Angeles",
]  # fmt: skip
EARLIEST, LATEST = date(2026, 1, 1), date(2030, 12, 31)

policies = st.builds(
    lambda renewal, notice, narrowing, late, ceilings: OffboardingPolicy(
        (
            Stage.parse("active", "first day", "god"),
            Stage.parse("renewal", f"{narrowing + notice + renewal} days before the last day", "god"),
            Stage.parse("notice", f"{narrowing + notice} days before the last day", ceilings[0].label),
            Stage.parse("narrowing", f"{narrowing} days before the last day", ceilings[1].label),
            Stage.parse("final day", "last working day", min(ceilings[2], Tier.ELEVATED).label),
            Stage.parse("ended", "end", "none"),
            Stage.parse("retention", f"{late} days after the end", "none"),
        )
    ),
    st.integers(1, 60),
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(1, 60),
    st.lists(st.sampled_from([t for t in Tier if t]), min_size=3, max_size=3).map(lambda t: sorted(t, reverse=True)),
)
calendars = st.builds(
    WorkCalendar,
    st.frozensets(st.dates(EARLIEST, LATEST), max_size=40),
    st.sampled_from([frozenset({5, 6}), frozenset({4, 5}), frozenset(), frozenset(range(7))]),
)
engagements = st.builds(
    lambda n, first, length, zone: Engagement(
        EngagementId(f"e{n}"), IdentityId("i"), "feed", f"C{n}", first, first + timedelta(days=length), zone, "vendor"
    ),
    st.integers(1, 10**6),
    st.dates(EARLIEST, LATEST),
    st.integers(0, 400),
    st.sampled_from(ZONES),
)

CATALOGUE = Catalogue(
    {
        e.key: e
        for e in (
            Entitlement("a.god", "a", "god", Tier.GOD, "a.power"),
            Entitlement("a.power", "a", "power", Tier.ELEVATED, "a.agent"),
            Entitlement("a.agent", "a", "agent", Tier.STANDARD),
            Entitlement("b.root", "b", "root", Tier.GOD),
            Entitlement("b.read", "b", "read", Tier.READ_ONLY),
        )
    }
)
keys = st.sampled_from(sorted(CATALOGUE.entitlements))
instants = st.integers(0, 7 * 366 * 86_400).map(
    lambda seconds: datetime(2025, 12, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


_seldom = st.one_of(st.none(), st.none(), instants)


@st.composite
def measures(draw: st.DrawFn, engagement: Engagement) -> Measures:
    """Mostly nothing; sometimes what people have decided, or what a late or an unproposed extension has led to."""
    bridged = draw(st.sampled_from([None, engagement.last_day, engagement.last_day - timedelta(days=3)]))
    return Measures(
        draw(st.none() | instants),
        draw(st.booleans()),
        bridged,
        bridged + timedelta(days=draw(st.integers(1, 14))) if bridged else None,
        draw(_seldom),
        draw(_seldom),
        draw(_seldom),
    )


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    """One engagement with a timeline, a baseline, some grants, and what people have decided about it."""
    engagement = draw(engagements)
    standing = draw(st.sampled_from([Standing.RUNNING, Standing.RUNNING, *Standing]))
    engagement = replace(engagement, standing=standing, measures=draw(measures(engagement)))
    timeline = plan_timeline(engagement, draw(policies), draw(calendars))
    baseline = dict.fromkeys(draw(st.frozensets(keys, max_size=3)), "rule")
    grants = tuple(
        Grant(
            f"g{n}",
            engagement.id,
            draw(keys),
            start,
            start + timedelta(hours=draw(st.integers(1, 3000))),
            exception=draw(st.booleans()),
        )
        for n, start in enumerate(draw(st.lists(instants, max_size=2)))
    )
    return Contract(engagement, timeline, baseline, grants)
