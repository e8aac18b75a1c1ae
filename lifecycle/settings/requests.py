"""Settings of requests, reviews, renewals and of ending access at once."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, field_validator

from lifecycle.domain.entitlement import Tier
from lifecycle.settings.base import Model

LONGEST_HOURS = {"god": 8, "elevated": 14 * 24, "standard": 90 * 24, "read-only": 180 * 24}


class RequestSettings(Model):
    """How long things may take and last."""

    longest_hours: dict[str, int] = Field(default_factory=lambda: dict(LONGEST_HOURS))
    """Longest single grant of each tier; tiers left out keep 8 hours, 14, 90 and 180 days."""
    expire_god_hours: int = Field(default=4, ge=1, le=24)
    """A request for god mode that is not decided after so long has expired."""
    expire_hours: int = Field(default=24, ge=1, le=24 * 14)
    window_days: int = Field(default=7, ge=1, le=30)
    """How long after its approval a grant may wait to be activated, at most."""
    most_at_once: int = Field(default=200, ge=1, le=200)
    """So many contractors one request may be made for."""
    fallback: tuple[str, ...] = ()
    """E-mail addresses of those who review when nobody else can."""
    bridge_days: int = Field(default=14, ge=0, le=14)
    """Longest bridge past a contract's end."""
    new_role_hours: int = Field(default=24, ge=0, le=24 * 30)
    """A review by somebody whose role is younger than this is shown to IT."""
    cut_off_people: int = Field(default=5, ge=1, le=100)
    """So many people one person may cut off within ``cut_off_minutes``; the next needs a second person."""
    cut_off_minutes: int = Field(default=10, ge=1, le=24 * 60)

    @field_validator("longest_hours")
    @classmethod
    def _known_tiers(cls, value: dict[str, int]) -> dict[str, int]:
        for tier, hours in value.items():
            if tier not in LONGEST_HOURS:
                raise ValueError(f"{tier!r} is no tier; use {', '.join(LONGEST_HOURS)}")
            if not 1 <= hours <= 24 * 366:
                raise ValueError(f"{tier}: {hours} hours is not within 1 to {24 * 366}")
        return {**LONGEST_HOURS, **value}

    def longest(self, tier: Tier) -> timedelta:
        """Return the longest single grant of *tier*."""
        return timedelta(hours=self.longest_hours[tier.label])

    def expires_after(self, *, god: bool) -> timedelta:
        """Return how long a request waits for its reviews."""
        return timedelta(hours=self.expire_god_hours if god else self.expire_hours)
