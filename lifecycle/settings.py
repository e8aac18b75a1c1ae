"""``config.toml`` read once into frozen settings; anything unknown or contradictory stops the program and is named."""

from __future__ import annotations

import os
import tomllib
import zoneinfo
from collections.abc import Mapping
from datetime import time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from lifecycle.domain.baseline import BaselineRule, check_rules
from lifecycle.domain.entitlement import Catalogue, Entitlement, Tier
from lifecycle.domain.errors import InvalidCatalogue, InvalidPolicy, InvalidSettings
from lifecycle.domain.policy import OffboardingPolicy, Stage
from lifecycle.domain.roster import Scope

PLACEHOLDER = "********"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Model(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


def _known_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError(f"{name!r} is no IANA time zone") from exc
    return name


def _secret_reference(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError('a secret is never written here: use { file = "…" }, { env = "…" } or { credential = "…" }')  # noqa: TRY004
    return value


Zone = Annotated[str, BeforeValidator(_known_zone)]


class Secret(Model):
    """Where a secret is to be read from; exactly one of the three."""

    file: str = ""
    """Path of a file that holds the secret and nothing else; readable by its owner only."""
    env: str = ""
    """Name of an environment variable."""
    credential: str = ""
    """Name of a credential in ``$CREDENTIALS_DIRECTORY`` (systemd ``LoadCredential=``)."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Secret:
        if sum(map(bool, (self.file, self.env, self.credential))) != 1:
            raise ValueError("give exactly one of file, env, credential")
        return self

    def read(self, folder: Path) -> str:
        """
        Read the secret.

        Raises:
            InvalidSettings: If it is not there, or its file can be read by others.
        """
        if self.env:
            if self.env not in os.environ:
                raise InvalidSettings(f"the environment variable {self.env} is not set")
            return os.environ[self.env]
        path = folder / self.file if self.file else Path(os.environ.get("CREDENTIALS_DIRECTORY", ".")) / self.credential
        try:
            if self.file and path.stat().st_mode & 0o077:
                raise InvalidSettings(f"{path} can be read by others; chmod 600 it")
            return path.read_text().rstrip("\n")
        except OSError as exc:
            raise InvalidSettings(f"the secret in {path} cannot be read: {exc.strerror}") from exc


class StoreSettings(Model):
    """Where everything is kept."""

    url: str = "sqlite:///var/lifecycle.db"
    """SQLAlchemy URL: ``sqlite:///path`` or ``postgresql+psycopg://user@host/name``."""
    password: Annotated[Secret, BeforeValidator(_secret_reference)] | None = None
    """Password for PostgreSQL, put into the URL when connecting."""


class WebSettings(Model):
    """The pages."""

    host: str = "127.0.0.1"
    """Loopback only in this release; put a TLS proxy in front to serve others."""
    port: int = Field(default=8731, ge=0, le=65535)
    threads: int = Field(default=8, ge=1, le=64)
    trusted_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    """Host names that requests may ask for."""
    idle_minutes: int = Field(default=30, ge=1, le=24 * 60)
    """A session ends after so long without a request."""
    longest_hours: int = Field(default=12, ge=1, le=72)
    """A session ends after so long in any case."""
    secure_cookies: bool = True
    """Browsers keep such cookies on loopback too; false only for plain HTTP under another name."""

    @model_validator(mode="after")
    def _loopback(self) -> WebSettings:
        if self.host not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError(f"host = {self.host!r}: pages are bound to loopback; use a proxy to serve others")
        return self


class ClockSettings(Model):
    """What time it is."""

    mode: Literal["system", "manual"] = "system"
    """``manual`` lets the demo's page and ``tick --now`` move the clock forward."""
    largest_jump_seconds: int = Field(default=120, ge=5, le=3600)
    """A wall clock that moves further than this against the monotonic one is not followed."""


class EngineSettings(Model):
    """How work is done."""

    tick_seconds: int = Field(default=15, ge=1, le=60)
    """How often due work is looked for."""
    lease_seconds: int = Field(default=60, ge=20, le=600)
    """How long a claimed work item is left to its worker; longer than any call to a target."""
    leader_seconds: int = Field(default=20, ge=5, le=300)
    """How long a silent leader keeps its place."""
    backoff_base_seconds: int = Field(default=2, ge=1, le=60)
    backoff_cap_seconds: int = Field(default=300, ge=10, le=3600)
    reconcile_god_seconds: int = Field(default=60, ge=10, le=3600)
    """How often holders of god mode are read back."""
    reconcile_seconds: int = Field(default=900, ge=30, le=86_400)
    """How often everything is read back."""
    preflight_seconds: int = Field(default=3600, ge=60, le=86_400)
    batch: int = Field(default=500, ge=1, le=1000)
    """Work items claimed at once from one target."""
    late_seconds: int = Field(default=60, ge=5, le=3600)
    """A change that is not proven after so long is shown as late."""

    @property
    def lease(self) -> timedelta:
        """``lease_seconds``."""
        return timedelta(seconds=self.lease_seconds)


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
    password: Annotated[Secret, BeforeValidator(_secret_reference)] | None = None

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


class BaselineSettings(Model):
    """Access that comes with a contract. An empty list matches every engagement; ``*`` any run of characters."""

    name: str
    entitlements: tuple[str, ...]
    role: tuple[str, ...] = ()
    vendor: tuple[str, ...] = ()
    site: tuple[str, ...] = ()


FIELDS = (
    "worker_id", "name", "first_name", "last_name", "first_day", "last_day", "reference", "email", "vendor",
    "sponsor", "role", "site", "zone",
)  # fmt: skip
REQUIRED = ("worker_id", "first_day", "last_day")


class ProfileSettings(Model):
    """How one feed's files are laid out."""

    columns: dict[str, str]
    """Field to header; fields are those of ``lifecycle.settings.FIELDS``."""
    scope: Scope = Scope.FULL
    """``full``: everybody of this feed is in every file. ``delta``: absence means nothing."""
    date_format: str = "%Y-%m-%d"
    """As Python's ``strptime``; years have four digits."""
    encoding: Literal["utf-8", "windows-1252", "iso-8859-1", "utf-16", "mac-roman"] = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    sheet: str = ""
    """Sheet of an XLSX file; empty when there is only one."""
    vendor: str = ""
    """For feeds without a vendor column."""
    zone: Zone | None = None
    """For contracts whose row names no zone and no site with one."""
    longest_days: int | None = Field(default=None, ge=1)
    """A contract longer than this is taken for a slip of the pen."""

    @model_validator(mode="after")
    def _usable(self) -> ProfileSettings:
        unknown = sorted(set(self.columns) - set(FIELDS))
        if unknown:
            raise ValueError(f"columns.{unknown[0]} is no field; fields are {', '.join(FIELDS)}")
        missing = [name for name in REQUIRED if name not in self.columns]
        if "name" not in self.columns and not {"first_name", "last_name"} <= self.columns.keys():
            missing.append("name (or first_name and last_name)")
        if missing:
            raise ValueError(f"columns lacks {', '.join(missing)}")
        headers = list(self.columns.values())
        twice = next((header for header in headers if headers.count(header) > 1), None)
        if twice:
            raise ValueError(f"column {twice!r} stands for two fields")
        if "vendor" not in self.columns and not self.vendor:
            raise ValueError("name a vendor column or the vendor")
        if not {"zone", "site"} & self.columns.keys() and self.zone is None:
            raise ValueError("name a zone, or a zone or site column: a day means nothing without one")
        if "%y" in self.date_format or not all(part in self.date_format for part in ("%Y", "%d")):
            raise ValueError(f"date_format {self.date_format!r} must hold %Y (four digits), a month and %d")
        return self


class Settings(Model):
    """Everything ``config.toml`` can say."""

    store: StoreSettings = StoreSettings()
    web: WebSettings = WebSettings()
    clock: ClockSettings = ClockSettings()
    engine: EngineSettings = EngineSettings()
    policy: PolicySettings
    sites: dict[str, SiteSettings] = Field(default_factory=dict)
    targets: dict[str, TargetSettings] = Field(default_factory=dict)
    entitlements: dict[str, EntitlementSettings] = Field(default_factory=dict)
    baseline: tuple[BaselineSettings, ...] = ()
    profiles: dict[str, ProfileSettings] = Field(default_factory=dict)
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
        return Catalogue(
            {
                key: Entitlement(key, e.target, e.locator, Tier.parse(e.tier), e.narrows_to, e.title or key)
                for key, e in self.entitlements.items()
            }
        )

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
        for key, entitlement in self.entitlements.items():
            if entitlement.target not in self.targets:
                raise ValueError(f"entitlements.{key}: there is no target {entitlement.target!r}")
        return self


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
