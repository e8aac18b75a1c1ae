"""What IT sees first: what is wrong and its remedy, five figures, who holds god mode, what comes next."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from lifecycle.domain.access import Contract, desired_access
from lifecycle.domain.entitlement import Tier
from lifecycle.domain.forecast import Step
from lifecycle.domain.policy import Anchor
from lifecycle.services.alerts import Alert, TargetView, Waiting, alerts_of, notice_alerts, people_alerts, roster_alerts
from lifecycle.services.clock import Clock
from lifecycle.services.holders import Holder, Holders
from lifecycle.services.inbox import Inbox
from lifecycle.services.notices import MAIL
from lifecycle.services.persons import Persons, Standing
from lifecycle.services.rulebook import Rulebook
from lifecycle.services.sources import Sources
from lifecycle.services.targets import DOWN, Targets
from lifecycle.services.upload_views import State
from lifecycle.services.uploads import Uploads
from lifecycle.settings import EngineSettings
from lifecycle.store import decisions, notices, people, state, work
from lifecycle.store.tables import EngagementRow
from lifecycle.store.unit import Store, Unit

DAYS = 30
LANES = 8
MOST_PEOPLE = 2_000
"""So many people in windows are drawn; with more, those who leave first."""
SHOWN_TRANSITIONS = 10
LOOKED_AT = 60
"""So many people whose change is next are looked at; not every stage changes what somebody holds."""
CALENDAR_WEEKS = 5
TIERS = (Tier.GOD, Tier.ELEVATED, Tier.STANDARD, Tier.READ_ONLY)


@dataclass(frozen=True)
class Lane:
    """One leaver's way down: which tier until when."""

    standing: Standing
    last_day: date
    steps: tuple[tuple[Tier, datetime], ...]
    """Highest tier desired and the instant it ends, in order."""
    ends_at: datetime


@dataclass(frozen=True)
class Outlook:
    """The next 30 days: rights held in offboarding windows, for each day and tier, and the first leavers."""

    first_day: date
    per_day: tuple[dict[Tier, int], ...]
    lanes: tuple[Lane, ...]
    people: int


@dataclass(frozen=True)
class Dashboard:
    """Everything on the page *Right now*."""

    now: datetime
    version: str
    alerts: tuple[Alert, ...]
    god: tuple[Holder, ...]
    late: int
    refused: int
    in_window: int
    last_days: dict[date, int]
    unknown_accounts: int
    overdue: tuple[Waiting, ...]
    coming: tuple[tuple[Standing, Step], ...]
    targets: tuple[TargetView, ...]
    outlook: Outlook
    calendar: tuple[tuple[date, ...], ...]

    @property
    def last_days_this_week(self) -> int:
        """People whose last day lies in this week, Monday to Sunday."""
        monday = self.now.date() - timedelta(days=self.now.weekday())
        return sum(n for day, n in self.last_days.items() if monday <= day < monday + timedelta(days=7))


@dataclass
class Overview:
    """Gathers the page. The outlook is computed once for each state of the store and hour."""

    store: Store
    targets: Targets
    rulebook: Rulebook
    persons: Persons
    who: Holders
    clock: Clock
    settings: EngineSettings
    inbox: Inbox
    uploads: Uploads
    sources: Sources
    mail: bool
    """Whether there is a mail server."""
    _outlook: tuple[str, Outlook] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _last: tuple[str, tuple[tuple[Standing, Step], ...], tuple[Alert, ...]] | None = None
    _gathering: threading.Lock = field(default_factory=threading.Lock)

    def version(self) -> str:
        """Name what pages show now: another version means that something looks different."""
        now = self.clock.now()
        with self.store.read() as unit:
            return self._version(unit, now)

    @staticmethod
    def _version(unit: Unit, now: datetime) -> str:
        return f"{state.get(unit, state.REVISION) or 0}-{int(now.timestamp()) // 60}"

    def dashboard(self) -> Dashboard:
        """Gather everything for the instant it is."""
        now = self.clock.now()
        god = tuple(self.who.who(Tier.GOD))
        with self.store.read() as unit:
            late, refused = work.count_late(unit, now - timedelta(seconds=self.settings.late_seconds))
            overdue = self._overdue(unit, now)
            views = self._targets(unit, now)
            monday = now.date() - timedelta(days=now.weekday())
            last_days = _last_days(unit, monday, monday + timedelta(weeks=CALENDAR_WEEKS))
            in_window = _count_ending(unit, now.date(), now.date() + timedelta(days=self._window_days()))
            off = state.get(unit, state.CLOCK_ALARM) or 0
            version = self._version(unit, now)
        coming, others = self._gathered(version)
        return Dashboard(
            now=now,
            version=version,
            alerts=(*alerts_of(overdue, views, god, off), *others),
            god=god,
            late=late,
            refused=refused,
            in_window=in_window,
            last_days=last_days,
            unknown_accounts=sum(holder.identity is None for holder in god),
            overdue=tuple(overdue),
            coming=coming,
            targets=tuple(views),
            outlook=self._cached_outlook(version, now),
            calendar=tuple(
                tuple(monday + timedelta(days=7 * week + day) for day in range(7)) for week in range(CALENDAR_WEEKS)
            ),
        )

    def _gathered(self, version: str) -> tuple[tuple[tuple[Standing, Step], ...], tuple[Alert, ...]]:
        """Gather what takes long, once for each state of the store and minute."""
        with self._gathering:
            if self._last is None or self._last[0] != version:
                coming = [pair for pair in self.persons.plan(None, limit=LOOKED_AT) if pair[1].moves or pair[1].ends]
                with self.store.read() as unit:
                    alerts = people_alerts(self.inbox.stuck(unit), decisions.cut_offs_in_force(unit))
                    alerts += notice_alerts(notices.failing(unit), notices.waiting(unit, MAIL), mail=self.mail)
                alerts += roster_alerts(self.uploads.listed(states=(State.HELD,)), self.sources.listed())
                self._last = (version, tuple(coming[:SHOWN_TRANSITIONS]), tuple(alerts))
            return self._last[1:]

    def _window_days(self) -> int:
        stages = (s.days for s in self.rulebook.policy.stages if s.anchor is Anchor.BEFORE_LAST_DAY)
        return max(stages, default=0)

    def _overdue(self, unit: Unit, now: datetime) -> list[Waiting]:
        late = now - timedelta(seconds=self.settings.late_seconds)
        items = [i for i in work.waiting(unit, SHOWN_TRANSITIONS) if i.failing_since is not None or i.due_at < late]
        standings = self.persons.standings(unit, {item.identity_id for item in items}, now, now)
        return [
            Waiting(item, standings[item.identity_id], "failed" if item.error_kind in work.NEEDS_A_PERSON else "late")
            for item in items
        ]

    def _targets(self, unit: Unit, now: datetime) -> list[TargetView]:
        health, counts = state.health(unit), work.count_open(unit)
        hours = state.hours(unit, now - timedelta(hours=24))
        this_hour = now.replace(minute=0, second=0, microsecond=0)
        views = []
        for name in self.targets.names:
            row = health.get(name)
            findings = tuple(row.findings) if row else ()
            wrong = [f for f in findings if f["severity"] != "ok"]
            status = row.state if row else "unknown"
            note = row.message if row else "Not spoken to yet"
            if row and status != DOWN and wrong:
                status, note = "warning", wrong[0]["message"]
            of_target = hours.get(name, {})
            strip = (of_target.get(this_hour - timedelta(hours=23 - n)) for n in range(24))
            views.append(
                TargetView(
                    name=name,
                    title=self.targets[name].title,
                    state=status,
                    note=note,
                    waiting=counts.get(name, (0, 0))[0],
                    hours=tuple("none" if h is None else "bad" if h[1] else "ok" for h in strip),
                    findings=findings,
                )
            )
        return views

    def _cached_outlook(self, version: str, now: datetime) -> Outlook:
        key = f"{version.partition('-')[0]} {now:%Y-%m-%d %H}"
        with self._lock:
            if self._outlook is None or self._outlook[0] != key:
                self._outlook = (key, self._compute_outlook(now))
            return self._outlook[1]

    def _compute_outlook(self, now: datetime) -> Outlook:
        today = now.date()
        with self.store.read() as unit:
            first, last = today - timedelta(days=1), today + timedelta(days=self._window_days())
            ending = people.ending_between(unit, first, last, MOST_PEOPLE)
            standings = self.persons.standings(
                unit, {e.identity_id for e in ending}, now, now + timedelta(days=DAYS + 1)
            )
        inside = [s for s in standings.values() if s.contract and _in_window(s.contract, now)]
        noon = datetime(today.year, today.month, today.day, 12, tzinfo=now.tzinfo)
        instants = [max(now, noon)] + [noon + timedelta(days=n) for n in range(1, DAYS + 1)]
        per_day = tuple(self._count(inside, at) for at in instants)
        lanes = sorted((_lane(s) for s in inside if s.held or s.desired.reasons), key=lambda lane: lane.ends_at)
        return Outlook(today, per_day, tuple(lanes[:LANES]), len(inside))

    def _count(self, standings: list[Standing], at: datetime) -> dict[Tier, int]:
        counts: Counter[Tier] = Counter()
        for standing in standings:
            desired = desired_access(standing.contracts, self.rulebook.catalogue, at)
            counts.update(entitlement.tier for entitlement in desired.entitlements)
        return {tier: counts[tier] for tier in TIERS}


def _in_window(contract: Contract, now: datetime) -> bool:
    """Say whether what *contract* gives is in its offboarding window; where it gives nothing there is none."""
    return contract.timeline.in_window_at(now) and not contract.gives_nothing


def _lane(standing: Standing) -> Lane:
    """Draw the highest tier from one step to the next; a step without moves keeps it."""
    contract = standing.contract
    assert contract is not None  # noqa: S101 - lanes are drawn for people inside a window only
    held = set(standing.desired.entitlements)
    steps: list[tuple[Tier, datetime]] = []
    for step in standing.steps:
        top = max((entitlement.tier for entitlement in held), default=Tier.NONE)
        if step.moves:
            steps.append((top, step.at))
        for move in step.moves:
            held -= {move.before} if move.before else set()
            held |= {move.after} if move.after else set()
    top = max((entitlement.tier for entitlement in held), default=Tier.NONE)
    if top is not Tier.NONE:
        steps.append((top, contract.timeline.ends_at))
    return Lane(standing, contract.engagement.last_day, tuple(steps), contract.timeline.ends_at)


def _last_days(unit: Unit, first: date, until: date) -> dict[date, int]:
    column = EngagementRow.__table__.c.last_day
    query = select(column, func.count()).where(column >= first, column < until).group_by(column)
    return {row[0]: row[1] for row in unit.session.execute(query)}


def _count_ending(unit: Unit, first: date, last: date) -> int:
    columns = EngagementRow.__table__.c
    query = select(func.count(func.distinct(columns.identity_id))).where(
        columns.last_day >= first, columns.last_day <= last, columns.first_day <= first
    )
    return unit.session.scalar(query) or 0
