"""What the cells of one feed mean: from a table to roster rows and complaints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from lifecycle.domain.party import is_address
from lifecycle.domain.roster import Complaint, RosterRow, Scope
from lifecycle.feed.table import Cell, Table

EARLIEST, LATEST = date(1950, 1, 1), date(2100, 1, 1)
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control and direction-changing characters: they make one name look like another."""
EXPONENT = re.compile(r"\d+(\.\d+)?[eE]\+?\d+")
TWO_DIGIT_YEAR = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2}")
THREE_NUMBERS = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
ISO = "%Y-%m-%d"
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
READABLE = {"%Y": "YYYY", "%m": "MM", "%d": "DD", "%b": "Mon", "%B": "Month"}


@dataclass(frozen=True)
class Profile:
    """How one feed's files are laid out."""

    name: str
    columns: Mapping[str, str]
    """Field to header."""
    scope: Scope = Scope.FULL
    date_format: str = ISO
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str = ""
    vendor: str = ""
    zone: str | None = None
    longest_days: int | None = None
    site_zones: Mapping[str, str] = field(default_factory=dict)
    """Site to IANA zone."""

    @property
    def readable_format(self) -> str:
        """The date format as people write it."""
        text = self.date_format
        for code, word in READABLE.items():
            text = text.replace(code, word)
        return text


class Interpreter:
    """Turns lines into rows, and keeps a complaint for every cell that cannot be used."""

    def __init__(self, profile: Profile, table: Table) -> None:
        self.profile = profile
        self.complaints: list[Complaint] = list(table.notes)
        self._width = len(table.header)
        self._positions = self._find_columns(table)
        self._days: dict[Cell, date | Complaint] = {}

    @property
    def has_all_columns(self) -> bool:
        """Whether every column of the profile was found once."""
        return len(self._positions) == len(self.profile.columns)

    def _find_columns(self, table: Table) -> dict[str, int]:
        positions: dict[str, int] = {}
        for name, header in self.profile.columns.items():
            count = list(table.header).count(header)
            if count == 1:
                positions[name] = table.header.index(header)
            elif count == 0:
                remedy = f"The header has {', '.join(map(repr, table.header))[:300]}. Correct the file or the profile."
                self.complaints.append(Complaint(table.header_line, header, "", f"a column {header!r}", remedy))
            else:
                remedy = "Delete the column that is not meant; which one to believe cannot be guessed."
                found = f"{count} columns"
                self.complaints.append(Complaint(table.header_line, header, found, f"one column {header!r}", remedy))
        return positions

    def row(self, line: int, cells: Sequence[Cell]) -> RosterRow | None:
        """Read one line; None after complaining."""
        if len(cells) != self._width:
            expected = f"{self._width} fields as in the header"
            remedy = "A delimiter is missing or one too many; quote fields that contain one."
            self.complaints.append(Complaint(line, "", f"{len(cells)} fields", expected, remedy))
            return None
        before = len(self.complaints)
        text = {
            name: self._text(line, name, cells) for name in self._positions if name not in {"first_day", "last_day"}
        }
        first_day = self._day(line, "first_day", cells)
        last_day = self._day(line, "last_day", cells)
        zone = self._zone(line, text)
        name = text.get("name") or f"{text.get('first_name', '')} {text.get('last_name', '')}".strip()
        for required, value in (("worker_id", text.get("worker_id")), ("name", name), ("vendor", self._vendor(text))):
            if not value:
                self._complain(line, required, "", "a value", "Fill it in; a row without it belongs to nobody.")
        email = text.get("email", "")
        if "@" in email and not is_address(email):  # what has no @, such as n/a, is nobody's address
            self._complain(line, "email", email, "one e-mail address", "Leave one, without a name or brackets.")
        if first_day and last_day:
            self._check_days(line, first_day, last_day)
        if len(self.complaints) > before or first_day is None or last_day is None:
            return None
        return RosterRow(
            line=line,
            worker_id=text["worker_id"],
            name=name,
            first_day=first_day,
            last_day=last_day,
            zone=zone,
            vendor=self._vendor(text),
            reference=text.get("reference", ""),
            email=email,
            sponsor=text.get("sponsor", ""),
            role=text.get("role", ""),
            site=text.get("site", ""),
        )

    def worker_of(self, cells: Sequence[Cell]) -> tuple[str, str]:
        """Return worker id and name of a line as they stand, for complaints about the file as a whole."""

        def read(name: str) -> str:
            at = self._positions.get(name)
            return str(cells[at]).strip() if at is not None and at < len(cells) else ""

        return read("worker_id"), read("name") or f"{read('first_name')} {read('last_name')}".strip()

    def _vendor(self, text: Mapping[str, str]) -> str:
        return text.get("vendor") or self.profile.vendor

    def _complain(self, line: int, name: str, value: str, expected: str, remedy: str) -> None:
        column = self.profile.columns.get(name, name)
        self.complaints.append(Complaint(line, column, value, expected, remedy))

    def _text(self, line: int, name: str, cells: Sequence[Cell]) -> str:
        cell = cells[self._positions[name]]
        if isinstance(cell, float):
            cell = str(int(cell)) if cell.is_integer() else str(cell)
        text = str(cell).strip()
        if UNSAFE.search(text):
            remedy = "Delete the control or direction character; it can make one name look like another."
            self._complain(line, name, ascii(text)[1:-1], "plain text", remedy)
        if name in {"worker_id", "reference"} and EXPONENT.fullmatch(text):
            remedy = "A spreadsheet has turned the id into a number; format the column as text and enter it again."
            self._complain(line, name, text, "an id", remedy)
        return text

    def _day(self, line: int, name: str, cells: Sequence[Cell]) -> date | None:
        cell = cells[self._positions[name]]
        key = cell.strip() if isinstance(cell, str) else cell
        found = self._days.get(key)
        if found is None:
            found = self._days[key] = self._read_day(key)
        if isinstance(found, date):
            return found
        self._complain(line, name, found.value, found.expected, found.remedy)
        return None

    def _read_day(self, cell: Cell) -> date | Complaint:
        expected = f"a day as {self.profile.readable_format}"
        if isinstance(cell, date):
            day = cell
        elif isinstance(cell, float):
            remedy = "This is a bare number; format the column as a date in the spreadsheet."
            return Complaint(0, "", f"{cell:g}", expected, remedy)
        else:
            parsed = _parse_day(cell, self.profile.date_format)
            if parsed is None:
                return Complaint(0, "", cell, expected, _why_no_day(cell, self.profile.readable_format))
            day = parsed
        if not EARLIEST <= day < LATEST:
            remedy = "Correct the year. A contract without an end needs a last day all the same."
            return Complaint(0, "", str(cell), f"a day from {EARLIEST} on and before {LATEST}", remedy)
        return day

    def _zone(self, line: int, text: Mapping[str, str]) -> str:
        named = text.get("zone")
        if named:
            if not is_zone(named):
                remedy = "Use a name such as Europe/Berlin."
                self._complain(line, "zone", named, "an IANA time zone", remedy)
            return named
        site = text.get("site", "")
        zone = self.profile.site_zones.get(site) or self.profile.zone
        if not zone:
            remedy = f"Add [sites.{site or '…'}] with its zone to config.toml, or a zone to the profile."
            self._complain(line, "site", site, "a site whose time zone is known", remedy)
        return zone or ""

    def _check_days(self, line: int, first_day: date, last_day: date) -> None:
        if last_day < first_day:
            remedy = "Swap them if they stand in each other's column, else ask the vendor."
            self._complain(
                line, "last_day", last_day.isoformat(), f"a day on or after the first day {first_day}", remedy
            )
        longest = self.profile.longest_days
        if longest is not None and (last_day - first_day).days >= longest:
            remedy = "Correct the year, or raise longest_days in the profile."
            self._complain(line, "last_day", last_day.isoformat(), f"a contract of at most {longest} days", remedy)


@lru_cache(maxsize=2048)
def is_zone(name: str) -> bool:
    """Say whether *name* is an IANA time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _parse_day(text: str, date_format: str) -> date | None:
    try:
        if date_format == ISO:
            return date.fromisoformat(text) if ISO_DAY.fullmatch(text) else None
        return datetime.strptime(text, date_format).date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def _why_no_day(text: str, readable: str) -> str:
    """Say what is wrong with a day that the profile's format does not read."""
    numbers = THREE_NUMBERS.fullmatch(text)
    if not text:
        return "Fill it in; without a last day nobody knows when access ends."
    if TWO_DIGIT_YEAR.fullmatch(text):
        return "Write the year with four digits; which century is meant cannot be guessed."
    if numbers and int(numbers[1]) <= 12 and int(numbers[2]) <= 12:
        return "It can be read day first or month first; say which with date_format in the profile, for all rows."
    if numbers:
        return f"The profile says {readable}; is the file written the other way round? Then correct date_format."
    if text.isdigit():
        return "This is a bare number; format the column as a date in the spreadsheet."
    return f"Write every day of this column as {readable}."
