"""What one roster file says: its rows, and why some of them cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple


class Scope(StrEnum):
    """What absence from a roster means: in a full one it is noticed, in a delta it means nothing."""

    FULL = "full"
    DELTA = "delta"


class Standing(StrEnum):
    """What a row says about its contract beside the days."""

    RUNNING = "running"
    ENDED = "ended"
    """Closed by the staffing company: a later last day in the file counts no more."""
    WITHDRAWN = "withdrawn"
    """It never began and never will."""
    CONVERTED = "converted"
    """The worker has become an employee."""


class RosterRow(NamedTuple):
    """
    One usable line of a roster; a fact is None where the file has no column for it, and what is stored stays.

    Days are inclusive and local to ``zone``.
    """

    line: int
    """Line of the file, counted from 1 as editors and spreadsheets do."""
    worker_id: str | None
    reference: str | None = None
    """The contract's own number; empty or None where the feed has none and the worker id stands for it."""
    name: str | None = None
    email: str | None = None
    vendor: str | None = None
    sponsor: str | None = None
    role: str | None = None
    site: str | None = None
    zone: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    standing: Standing = Standing.RUNNING
    actual: bool = False
    """Whether ``last_day`` is the day on which the contract did end, and not the one on which it is expected to."""


class Cause(StrEnum):
    """Why a row cannot be used; rows with one cause have one repair."""

    DATE_ORDER = "date-order"
    """Both numbers could be the month."""
    DATE_FORMAT = "date-format"
    SHORT_YEAR = "short-year"
    NO_SUCH_DAY = "no-such-day"
    NO_LAST_DAY = "no-last-day"
    """Empty, or words such as "Still in office"."""
    DAYS_REVERSED = "days-reversed"
    TOO_LONG = "too-long"
    UNKNOWN_ZONE = "unknown-zone"
    UNKNOWN_STATUS = "unknown-status"
    MISSING_VALUE = "missing-value"
    UNSAFE_TEXT = "unsafe-text"
    SPOILT_ID = "spoilt-id"
    """A spreadsheet has made a number of it: leading zeros gone, or 1E5."""
    NO_ADDRESS = "no-address"
    WIDTH = "width"
    SHIFTED = "shifted"
    """An e-mail address where none belongs: cells have moved."""
    SHARED_ID = "shared-id"
    """One worker id, two people in one file."""
    HELD_ID = "held-id"
    """The worker id is that of somebody else who is known."""
    RENAMED = "renamed"
    """A contract that is known, with another person's name and address."""
    DUPLICATE = "duplicate"
    """One contract, two sets of facts."""
    TAKEN = "taken"
    """The contract's number belongs to another worker."""
    NOT_KNOWN = "not-known"
    """The file only changes contracts, and this one is not known."""
    OVERTAKEN = "overtaken"
    """A file of changes that was made later has spoken of the contract."""
    CONVERSION = "conversion"
    """Somebody has become an employee; that needs HR's word."""
    SPONSOR = "sponsor"
    """Not known here though somebody with almost that name is, or no longer here."""
    FILE = "file"
    """The file as a whole cannot be read."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a roster cannot be used: where, what was found, what was expected and what to do."""

    line: int
    """Line of the file, counted from 1; 0 when it concerns the file as a whole."""
    column: str
    value: str
    expected: str
    remedy: str
    cause: Cause = Cause.OTHER
    worker_id: str = ""
    """Of the row, as far as it can be read."""
    reference: str = ""
    name: str = ""
    about: str = ""
    """What several rows contradict each other about, as `Repairs.lines` names it."""

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line else "file"
        column = f", column {self.column!r}" if self.column else ""
        value = f": found {self.value!r}" if self.value else ""
        return f"{where}{column}{value}; expected {self.expected}. {self.remedy}"


class DateOrder(StrEnum):
    """Which number comes first where two could be the month; a person has said so, for all rows of the file."""

    UNSAID = ""
    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"
    YEAR_FIRST = "year-first"
    """Then the month; for years of two digits only, four of them are never in doubt."""


class Choice(StrEnum):
    """Which of several rows about one contract, or one worker, counts."""

    UNSAID = ""
    FIRST_ROW = "first-row"
    LAST_ROW = "last-row"
    SOONER_END = "sooner-end"
    LATER_END = "later-end"


@dataclass(frozen=True)
class Repairs:
    """What a person has said about the rows of one file that could not be used as they stand."""

    date_order: DateOrder = DateOrder.UNSAID
    short_years: bool = False
    """Years of two digits: 00 to 68 are 2000 to 2068, 69 to 99 are 1969 to 1999."""
    clear_days: bool = False
    """Days that are not in the declared format are read where they can be read in one way only."""
    last_day: date | None = None
    """For rows that state none."""
    zones: Mapping[str, str] = field(default_factory=dict)
    """Site to IANA zone."""
    statuses: Mapping[str, str] = field(default_factory=dict)
    """Word in the status column to a `Standing`, or ``aside`` for rows that are left aside."""
    sponsors: Mapping[str, str] = field(default_factory=dict)
    """Spelling in the file to the one meant."""
    choice: Choice = Choice.UNSAID
    """Of rows about one contract."""
    holder: Choice = Choice.UNSAID
    """Of rows that give one worker id to several people: whose row counts, by its place only."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Contract or worker to the one line about it that counts, see `key_of_contract` and `key_of_worker`."""
    same_people: bool = False
    """Whoever has another name and address on a contract that is known is the same person all the same."""
    converted: frozenset[str] = frozenset()
    """Worker ids of those who have become employees, on HR's word."""


def key_of_contract(row: RosterRow) -> str:
    """Name a contract in `Repairs.lines`."""
    return f"contract:{row.reference or f'{row.worker_id} from {row.first_day}'}"


def key_of_worker(worker_id: str) -> str:
    """Name a worker in `Repairs.lines`."""
    return f"worker:{worker_id}"


def complaint_about(row: RosterRow, cause: Cause, column: str, value: str, expected: str, remedy: str) -> Complaint:
    return Complaint(
        row.line, column, value, expected, remedy, cause, row.worker_id or "", row.reference or "", row.name or ""
    )
