"""The whole of ``config.toml``, read once; anything unknown or contradictory stops the program and is named."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from lifecycle.domain.baseline import BaselineRule, check_rules
from lifecycle.domain.entitlement import Catalogue, Entitlement, Tier
from lifecycle.domain.errors import InvalidCatalogue, InvalidPolicy, InvalidSettings
from lifecycle.domain.policy import OffboardingPolicy, Stage
from lifecycle.settings.base import PLACEHOLDER, Model
from lifecycle.settings.members import SignInSettings
from lifecycle.settings.notices import NoticeSettings
from lifecycle.settings.requests import RequestSettings
from lifecycle.settings.rosters import (
    PUSHED,
    PUSHED_ENDS,
    ProfileSettings,
    PushSettings,
    RosterSettings,
)
from lifecycle.settings.rules import (
    BaselineSettings,
    EntitlementSettings,
    PolicySettings,
    SiteSettings,
    TargetSettings,
)
from lifecycle.settings.running import ClockSettings, EngineSettings, StoreSettings, WebSettings
from lifecycle.settings.sources import FolderSettings, SourceSettings


class Settings(Model):
    """Everything ``config.toml`` can say."""

    store: StoreSettings = StoreSettings()
    web: WebSettings = WebSettings()
    clock: ClockSettings = ClockSettings()
    engine: EngineSettings = EngineSettings()
    policy: PolicySettings
    requests: RequestSettings = RequestSettings()
    sign_in: SignInSettings = SignInSettings()
    notices: NoticeSettings = NoticeSettings()
    sites: dict[str, SiteSettings] = Field(default_factory=dict)
    targets: dict[str, TargetSettings] = Field(default_factory=dict)
    entitlements: dict[str, EntitlementSettings] = Field(default_factory=dict)
    baseline: tuple[BaselineSettings, ...] = ()
    rosters: RosterSettings = RosterSettings()
    push: PushSettings = PushSettings()
    profiles: dict[str, ProfileSettings] = Field(default_factory=dict)
    sources: dict[str, SourceSettings] = Field(default_factory=dict)
    folder: Path = Path()
    """Folder of the file itself, which relative paths are relative to. Not a key."""

    @cached_property
    def offboarding(self) -> OffboardingPolicy:
        """The policy, proven never to raise the ceiling."""
        stages = tuple(Stage.parse(s.name, s.begins, s.ceiling) for s in self.policy.stages)
        return OffboardingPolicy(stages, self.policy.cutoff)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The entitlements, proven to narrow only downwards."""
        return Catalogue({key: _entitlement(key, e) for key, e in self.entitlements.items()})

    @cached_property
    def rules(self) -> tuple[BaselineRule, ...]:
        """The baseline rules."""
        return tuple(BaselineRule(b.name, b.entitlements, b.role, b.vendor, b.site) for b in self.baseline)

    def title_of(self, target: str) -> str:
        """Return what people call *target*."""
        found = self.targets.get(target)
        return (found.title if found else "") or target

    @model_validator(mode="after")
    def _agrees(self) -> Settings:
        try:
            _ = self.offboarding
            check_rules(self.rules, self.catalogue)
        except (InvalidPolicy, InvalidCatalogue) as exc:
            raise ValueError(str(exc)) from exc
        taken = next((name for name in (PUSHED, PUSHED_ENDS) if name in self.profiles), "")
        if taken:
            raise ValueError(f"profiles.{taken}: this name belongs to what is pushed; see [push]")
        for key, entitlement in self.entitlements.items():
            if entitlement.target not in self.targets:
                raise ValueError(f"entitlements.{key}: there is no target {entitlement.target!r}")
        return self

    @model_validator(mode="after")
    def _sources_fit(self) -> Settings:
        watched: dict[tuple[str, str], str] = {}
        for name, source in self.sources.items():
            profile, place = self.profiles.get(source.profile), source.location
            if profile is None:
                known = ", ".join(self.profiles) or "none"
                raise ValueError(f"sources.{name}: there is no profile {source.profile!r}; there are {known}")
            if isinstance(place, FolderSettings):
                other = watched.setdefault((place.path, place.pattern), name)
                if other != name:
                    raise ValueError(f"sources.{name}: sources.{other} watches the same files already")
        return self


def _entitlement(key: str, settings: EntitlementSettings) -> Entitlement:
    hours = settings.longest_hours
    return Entitlement(
        key,
        settings.target,
        settings.locator,
        Tier.parse(settings.tier),
        settings.narrows_to,
        settings.title or key,
        settings.owners,
        settings.dual,
        timedelta(hours=hours) if hours else None,
        settings.requestable,
    )


def load(path: Path) -> Settings:
    """
    Read the settings.

    Raises:
        InvalidSettings: Naming the file, the key and the reason.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise InvalidSettings(f"{path} cannot be read: {exc.strerror}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise InvalidSettings(f"{path} is not TOML: {exc}") from exc
    if "folder" in document:
        raise InvalidSettings(f"{path}: folder: unknown key")
    try:
        return Settings.model_validate({**document, "folder": path.absolute().parent})
    except ValidationError as exc:
        lines = (f"{path}: {_where(error['loc'])}{_why(error)}" for error in exc.errors())
        raise InvalidSettings("\n".join(lines)) from exc


def _where(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) + ": " if location else ""


def _why(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "unknown key"
    return str(error["msg"]).removeprefix("Value error, ")


def effective(settings: Settings) -> dict[str, Any]:
    """Return the settings as they apply, defaults filled in, secrets as references only."""
    shown: dict[str, Any] = settings.model_dump(mode="json", exclude={"folder"})
    for target in shown["targets"].values():
        for key in target:
            if "password" in key and isinstance(target[key], str):
                target[key] = PLACEHOLDER
    return shown
