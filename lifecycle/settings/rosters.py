"""Settings of rosters: how files are laid out, how large they may be, and what is too much."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from lifecycle.domain.guard import Limits
from lifecycle.domain.roster import Scope
from lifecycle.settings.base import Model, Zone

FIELDS = (
    "worker_id", "reference", "name", "first_name", "last_name", "email", "vendor", "sponsor", "role", "site", "zone",
    "first_day", "last_day", "actual_last_day", "status", "worker_type",
)  # fmt: skip
REQUIRED = ("worker_id", "first_day")
Meaning = Literal["running", "ended", "withdrawn", "converted", "aside"]
"""What a word in a status column means: a `lifecycle.domain.roster.Standing`, or that the row is left aside."""
PUSHED, PUSHED_ENDS = "push", "push-ends"
"""Profiles of what is pushed; a profile of the configuration cannot have these names."""
PUSHED_FIELDS = (
    "worker_id", "reference", "name", "email", "vendor", "sponsor", "role", "site", "zone", "first_day", "last_day",
    "status",
)  # fmt: skip
ENDED_FIELDS = ("worker_id", "reference", "status")
PUSHED_STATUSES: dict[str, Meaning] = {
    "running": "running", "ended": "ended", "withdrawn": "withdrawn", "converted": "converted",
}  # fmt: skip
ENCODINGS = ("utf-8", "windows-1252", "iso-8859-1", "utf-16", "mac-roman")


class ProfileSettings(Model):
    """How the files of one feed are laid out."""

    title: str = ""
    """What people call it; empty for its name."""
    source: str = ""
    """Whose numbering it uses: files of profiles with one source speak of the same contracts. Empty: the name."""
    columns: dict[str, str]
    """Field to header; fields are those of ``lifecycle.settings.FIELDS``."""
    scope: Scope = Scope.FULL
    """``full``: everybody of this feed is in every file. ``delta``: absence means nothing."""
    partial: bool = False
    """Whether its rows only change contracts that are known; what the file has no column for stays as it is."""
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
    statuses: dict[str, Meaning] = Field(default_factory=dict)
    """Words of the status column beside those that every profile knows, compared without case."""
    worker_types: dict[str, Meaning] = Field(default_factory=dict)
    """Words of the column that says employee or contractor."""
    site_zones: dict[str, Zone] = Field(default_factory=dict)
    """Site, as the file writes it, to its zone, beside those of ``[sites]``."""
    sponsors: dict[str, str] = Field(default_factory=dict)
    """Spelling in the file to the e-mail address or number meant."""
    header: tuple[str, ...] = ()
    """The whole header that it was matched with; a file with another one asks. Empty: the columns suffice."""
    told_apart: bool = False
    """Whether somebody who knew that a shipped layout of the other scope has this header has chosen the scope."""
    read_right: bool = False
    """Whether somebody has chosen its encoding who knew that words look wrong in it; nobody is asked again."""
    warn_hours: int | None = Field(default=None, ge=1)
    """After so long without a new file its source counts as stale. Without it, see ``[sources]``."""
    refuse_hours: int | None = Field(default=None, ge=1)
    """After so long nobody is granted anything new on its contracts."""

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that its files must have a column for."""
        return () if self.partial else REQUIRED

    @model_validator(mode="after")
    def _has_columns(self) -> ProfileSettings:
        unknown = sorted(set(self.columns) - set(FIELDS))
        if unknown:
            raise ValueError(f"columns.{unknown[0]} is no field; fields are {', '.join(FIELDS)}")
        missing = [name for name in self.required if name not in self.columns]
        if not self.partial and "name" not in self.columns and not {"first_name", "last_name"} <= self.columns.keys():
            missing.append("name (or first_name and last_name)")
        if self.partial and not {"worker_id", "reference"} & self.columns.keys():
            missing.append("worker_id (or reference)")
        if missing:
            raise ValueError(f"columns lacks {', '.join(missing)}")
        headers = list(self.columns.values())
        twice = next((header for header in headers if headers.count(header) > 1), None)
        if twice:
            raise ValueError(f"column {twice!r} stands for two fields")
        return self

    @model_validator(mode="after")
    def _says_whose_and_where(self) -> ProfileSettings:
        if not self.partial and "vendor" not in self.columns and not self.vendor:
            raise ValueError("name a vendor column or the vendor")
        if not self.partial and not {"zone", "site"} & self.columns.keys() and self.zone is None:
            raise ValueError("name a zone, or a zone or site column: a day means nothing without one")
        return self

    @model_validator(mode="after")
    def _dates_are_not_guessed(self) -> ProfileSettings:
        if "%y" in self.date_format or not all(part in self.date_format for part in ("%Y", "%d")):
            raise ValueError(f"date_format {self.date_format!r} must hold %Y (four digits), a month and %d")
        if self.partial and self.scope is Scope.FULL:
            raise ValueError("a partial file is a delta: set scope to delta")
        return self


class GuardSettings(Model):
    """How much surprise one roster may hold before two more people must agree; shares are of one."""

    people: int = Field(default=10, ge=0)
    """More people than this losing access by surprise within 24 hours."""
    share: float = Field(default=0.05, ge=0, le=1)
    """More than this share of everybody with a running contract."""
    least: int = Field(default=3, ge=1)
    """Fewer people than this never hold a roster by a share, be it of a vendor or of a group."""
    vendor_share: float = Field(default=0.5, ge=0, le=1)
    group_share: float = Field(default=0.3, ge=0, le=1)
    fewer_rows: float = Field(default=0.1, ge=0, le=1)
    """More than this share of rows gone since the last accepted file."""
    moved_share: float = Field(default=0.1, ge=0, le=1)
    """More than this share of known contracts with a last day moved by more than ``moved_days``."""
    moved_days: int = Field(default=30, ge=1)
    unusable_share: float = Field(default=0.005, ge=0, le=1)

    @property
    def limits(self) -> Limits:
        """The same as the domain takes it."""
        return Limits(**self.model_dump())


class RosterSettings(Model):
    """What is taken in, and how much of it."""

    folder: str = "var/rosters"
    """Where files are kept from their arrival on; shared by all machines that serve or work."""
    largest_mib: int = Field(default=256, ge=1, le=4096)
    most_rows: int = Field(default=1_000_000, ge=1, le=20_000_000)
    keep_days: int = Field(default=30, ge=1, le=3650)
    """Files are deleted so long after they were applied, refused or discarded."""
    guard: GuardSettings = GuardSettings()


class PushSettings(Model):
    """What HR's systems push by themselves: ``POST /hr/v1/bulk`` and SCIM."""

    source: str = Field(default="push", min_length=1)
    """Whose numbering the pushed worker ids and contract numbers are."""
    vendor: str = ""
    """For people whom nobody names a staffing company for."""
    zone: Zone | None = None
    """For people whom nobody names a time zone or a site for."""
    calls_per_second: int = Field(default=40, ge=1, le=1000)
    """More calls than this by one token are told to come back later."""
    keep_days: int = Field(default=30, ge=1, le=3650)
    """What became of a push can be asked for so long after it came to its end."""

    @property
    def profiles(self) -> dict[str, ProfileSettings]:
        """The two layouts that pushes are handed on in: whole contracts, and ends of contracts that are known."""
        return {
            PUSHED: ProfileSettings(
                title="Pushed by HR's system",
                source=self.source,
                columns={name: name for name in PUSHED_FIELDS},
                scope=Scope.DELTA,
                statuses=PUSHED_STATUSES,
                vendor=self.vendor,
                zone=self.zone,
            ),
            PUSHED_ENDS: ProfileSettings(
                title="Ended by HR's system",
                source=self.source,
                columns={name: name for name in ENDED_FIELDS},
                scope=Scope.DELTA,
                statuses=PUSHED_STATUSES,
                partial=True,
            ),
        }
