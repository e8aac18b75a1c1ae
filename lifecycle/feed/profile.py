"""How the files of one feed are laid out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lifecycle.domain.roster import Scope

ISO = "%Y-%m-%d"
READABLE = {
    "%Y": "YYYY", "%m": "MM", "%d": "DD", "%b": "Mon", "%B": "Month", "%H": "hh", "%I": "hh", "%M": "mm", "%S": "ss",
    "%p": "AM", "%z": "+hhmm",
}  # fmt: skip


@dataclass(frozen=True)
class Profile:
    """What reading a file needs to know of its feed; the same words as `lifecycle.settings.rosters.ProfileSettings`."""

    name: str
    columns: Mapping[str, str]
    """Field to header."""
    scope: Scope = Scope.FULL
    partial: bool = False
    """Whether rows only change contracts that are known."""
    date_format: str = ISO
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str = ""
    vendor: str = ""
    zone: str | None = None
    longest_days: int | None = None
    statuses: Mapping[str, str] = field(default_factory=dict)
    """Word in the status column to a `lifecycle.domain.roster.Standing`, or ``aside``."""
    worker_types: Mapping[str, str] = field(default_factory=dict)
    """Word in the worker type column to the same."""
    site_zones: Mapping[str, str] = field(default_factory=dict)
    """Site to IANA zone."""
    sponsors: Mapping[str, str] = field(default_factory=dict)
    """Spelling in the file to the one meant."""
    header: tuple[str, ...] = ()
    """The whole header that it was matched with; empty where the columns suffice."""

    @property
    def readable_format(self) -> str:
        """The date format as people write it."""
        text = self.date_format
        for code, word in READABLE.items():
            text = text.replace(code, word)
        return text

    @property
    def is_closing(self) -> bool:
        """Whether its rows do nothing but close contracts: what they must state is the day it did end."""
        return self.partial and "actual_last_day" in self.columns and "last_day" not in self.columns
