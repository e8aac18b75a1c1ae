"""Settings that access is computed from: stages, sites, targets, entitlements and baseline."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from lifecycle.settings.base import Model, SecretReference, Zone

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class StageSettings(Model):
    """One step of the offboarding policy."""

    name: str
    begins: str
    """``first day``, ``N days before the last day``, ``last working day``, ``end`` or ``N days after the end``."""
    ceiling: str
    """Highest tier that may be held from then on."""


def _cutoff(value: Any) -> Any:
    return None if value == "24:00" else value


class PolicySettings(Model):
    """When access narrows."""

    cutoff: Annotated[time | None, BeforeValidator(_cutoff)] = None
    """Local time at which the last day ends; ``24:00`` for its midnight."""
    stages: tuple[StageSettings, ...]


class SiteSettings(Model):
    """A place of work: its zone and the days not worked there."""

    zone: Zone
    country: str = ""
    """ISO 3166 code whose public holidays count; empty for none."""
    subdivision: str = ""
    """ISO 3166-2 code without the country, for regional holidays."""
    weekend: tuple[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], ...] = (
        "saturday",
        "sunday",
    )

    @property
    def weekend_days(self) -> frozenset[int]:
        """Weekdays not worked, Monday is 0."""
        return frozenset(WEEKDAYS.index(day) for day in self.weekend)


class TargetSettings(BaseModel):
    """A system that holds access. Keys beside these belong to its connector, which checks them."""

    model_config = ConfigDict(extra="allow", frozen=True)
    connector: str
    """``ldap`` or ``local``."""
    title: str = ""
    """What people call it."""
    match: dict[str, Literal["worker_id", "email", "name", "reference"]]
    """Which attribute of an account must equal which fact of the person; all of them must."""
    password: SecretReference | None = None

    @model_validator(mode="after")
    def _something_to_match(self) -> TargetSettings:
        if not self.match:
            raise ValueError("match is empty: say which attribute finds a person's account")
        return self

    def connector_options(self, folder: Path) -> dict[str, Any]:
        """Return what the connector takes, with the password read."""
        options = dict(self.__pydantic_extra__ or {})
        if self.password is not None:
            options["password"] = self.password.read(folder)
        return options


class EntitlementSettings(Model):
    """A right in a target."""

    target: str
    locator: str
    """How the target's administrators name it; for LDAP the group's DN."""
    tier: str = "god"
    """A right that nobody has classified counts as the most powerful."""
    narrows_to: str | None = None
    title: str = ""
    owners: tuple[str, ...] = ()
    """Who reviews requests for it, beside the sponsor's line and IT: e-mail addresses or sign-in names."""
    dual: bool = False
    """Two people must approve it, as for god mode."""
    longest_hours: int | None = Field(default=None, ge=1, le=24 * 366)
    """No single grant is longer; without it, ``requests.longest_hours`` of its tier holds."""
    requestable: bool = True


class BaselineSettings(Model):
    """Access that comes with a contract. An empty list matches every engagement; ``*`` any run of characters."""

    name: str
    entitlements: tuple[str, ...]
    role: tuple[str, ...] = ()
    vendor: tuple[str, ...] = ()
    site: tuple[str, ...] = ()
