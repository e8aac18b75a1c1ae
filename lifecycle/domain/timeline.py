"""The instants of one engagement: when each stage begins, and what may be held at any instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from lifecycle.domain.calendar import WorkCalendar, end_of_day, start_of_day
from lifecycle.domain.engagement import Engagement
from lifecycle.domain.entitlement import Tier
from lifecycle.domain.policy import Anchor, OffboardingPolicy, Stage

SCHEDULED = "scheduled"
"""Name of the time before the first day; not a stage of the policy."""


@dataclass(frozen=True, slots=True)
class Transition:
    """The instant (UTC, inclusive) at which a stage begins, and what may be held from then on."""

    at: datetime
    stage: str
    ceiling: Tier
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class Timeline:
    """
    The transitions of one engagement, never decreasing in time and never rising in ceiling.

    Every interval is half-open: at exactly ``ends_at`` the engagement is over.
    """

    transitions: tuple[Transition, ...]

    @property
    def starts_at(self) -> datetime:
        """The instant from which the engagement is live, inclusive."""
        return self.transitions[0].at

    @property
    def ends_at(self) -> datetime:
        """The instant from which nothing may be held, so exclusive."""
        return self._at(Anchor.END)

    @property
    def final_day_at(self) -> datetime:
        """The instant at which the last working day begins; god mode is gone from here on."""
        return self._at(Anchor.LAST_WORKING_DAY)

    def _at(self, anchor: Anchor) -> datetime:
        return next(t.at for t in self.transitions if t.anchor is anchor)

    def current(self, now: datetime) -> Transition | None:
        """Return the transition into the stage that holds at *now* (aware); None before the first day."""
        return next((t for t in reversed(self.transitions) if t.at <= now), None)

    def stage_at(self, now: datetime) -> str:
        """Name the stage at *now* (aware)."""
        current = self.current(now)
        return SCHEDULED if current is None else current.stage

    def ceiling_at(self, now: datetime) -> Tier:
        """Return the highest tier that may be held at *now* (aware)."""
        current = self.current(now)
        return Tier.NONE if current is None else current.ceiling

    def falls_below(self, tier: Tier, now: datetime) -> datetime:
        """Return the first instant from *now* on (aware) at which the ceiling is under *tier*; *now* if it is."""
        return next((max(t.at, now) for t in self._from(now) if t.ceiling < tier), self.ends_at)

    def _from(self, now: datetime) -> tuple[Transition, ...]:
        current = self.current(now)
        return tuple(t for t in self.transitions if t is current or t.at > now)

    def live_at(self, now: datetime) -> bool:
        """Say whether the contract runs at *now* (aware): first instant inclusive, end exclusive."""
        return self.starts_at <= now < self.ends_at

    def in_window_at(self, now: datetime) -> bool:
        """Say whether a stage after the first has begun and the engagement is not over."""
        current = self.current(now)
        return current is not None and current.anchor is not Anchor.FIRST_DAY and now < self.ends_at


def plan_timeline(engagement: Engagement, policy: OffboardingPolicy, calendar: WorkCalendar) -> Timeline:
    """
    Place every stage of *policy* in time for *engagement*.

    A contract shorter than a window starts inside it. Where the calendar puts the last working day before an
    earlier stage would begin (long holidays), that earlier stage is passed over: the ceiling never rises.
    A bridge moves the end alone: every stage before it begins as if there were none, so that it gives nothing back.

    Args:
        engagement: Inclusive contract days, local to its zone.
        policy: Stages in order.
        calendar: Days worked at the engagement's site.

    Returns:
        Aware UTC instants, never decreasing.

    Source:
        Roster fields ``first_day`` and ``last_day``; ``[[policy.stages]]`` in config.toml.
    """
    instants = [_begins_at(stage, engagement, policy, calendar) for stage in policy.stages]
    for i in range(len(instants) - 2, -1, -1):
        instants[i] = min(instants[i], instants[i + 1])
    starts_at = start_of_day(engagement.first_day, engagement.zone)
    return Timeline(
        tuple(
            Transition(max(at, starts_at), stage.name, stage.ceiling, stage.anchor)
            for stage, at in zip(policy.stages, instants, strict=True)
        )
    )


def _begins_at(stage: Stage, engagement: Engagement, policy: OffboardingPolicy, calendar: WorkCalendar) -> datetime:
    zone, last_day = engagement.zone, engagement.last_day
    match stage.anchor:
        case Anchor.FIRST_DAY:
            return start_of_day(engagement.first_day, zone)
        case Anchor.BEFORE_LAST_DAY:
            return start_of_day(last_day - timedelta(days=stage.days), zone)
        case Anchor.LAST_WORKING_DAY:
            return start_of_day(calendar.last_working_day(last_day), zone)
        case Anchor.END:
            return end_of_day(engagement.access_until, zone, policy.cutoff)
        case Anchor.AFTER_END:
            return end_of_day(engagement.access_until, zone, policy.cutoff) + timedelta(days=stage.days)
