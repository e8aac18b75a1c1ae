"""One line at a time: a row, or complaints that say what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from lifecycle.domain.party import is_address
from lifecycle.domain.roster import Cause, Complaint, RosterRow, Standing
from lifecycle.feed.cells import UNREADABLE, id_of, is_spoilt_id, text_of
from lifecycle.feed.days import Trouble
from lifecycle.feed.meaning import Meaning
from lifecycle.feed.standings import ASIDE, combined
from lifecycle.feed.table import Cell, Spoilt, shown
from lifecycle.feed.unsafe import ERRORS, FORMULA, LONGEST, is_unsafe, is_unsafe_id

IDS = ("worker_id", "reference")
TEXTS = (
    "worker_id",
    "reference",
    "name",
    "first_name",
    "last_name",
    "email",
    "vendor",
    "sponsor",
    "role",
    "site",
    "zone",
)

NEVER_ADDRESSES = frozenset({"vendor", "role", "site", "zone"})


class Left(Enum):
    """Why a line yields neither a row nor a complaint."""

    BLANK = "blank"
    ASIDE = "aside"


@dataclass
class _Line:
    number: int
    cells: Sequence[Cell]
    texts: dict[str, str] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)


class CarefulReader:
    """Reads the lines of one file that the quick way does not take."""

    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning
        self._profile = meaning.profile

    def read(self, number: int, cells: Sequence[Cell]) -> RosterRow | Left | list[Complaint]:
        """Read one line."""
        if not any(cell.strip() if isinstance(cell, str) else True for cell in cells):
            return Left.BLANK
        if [text_of(cell) for cell in cells] == self._meaning.header:
            return Left.ASIDE  # pages that were joined each have it
        line = _Line(number, cells)
        if len(cells) != self._meaning.width:
            expected = f"{self._meaning.width} fields as in the header"
            remedy = "A delimiter is missing or one too many; quote fields that contain one."
            return [self._complaint(line, "", f"{len(cells)} fields", expected, remedy, Cause.WIDTH)]
        standing = self._standing(line)
        if standing is None:
            return line.complaints
        return Left.ASIDE if standing == ASIDE else self._row(line, Standing(standing))

    def _row(self, line: _Line, standing: Standing) -> RosterRow | list[Complaint]:
        texts = line.texts
        for name in TEXTS:
            if self._meaning.has(name):
                texts[name] = self._text(line, name)
        full_name = self._full_name(texts)
        self._check_required(line, full_name)
        email = texts.get("email")
        if email and "@" in email and not is_address(email):  # what has no @, such as n/a, is nobody's address
            remedy = "Leave one, without a name or brackets."
            self._complain(line, "email", email, "one e-mail address", remedy, Cause.NO_ADDRESS)
        first_day = self._first_day(line, standing)
        last_day, actual = self._last_day(line, standing)
        if first_day and last_day:
            self._check_days(line, first_day, last_day, standing)
        zone = self._zone(line, standing)
        if line.complaints:
            return line.complaints
        sponsor = texts.get("sponsor")
        return RosterRow(
            line=line.number,
            worker_id=texts.get("worker_id"),
            reference=texts.get("reference"),
            name=full_name,
            email=email,
            vendor=self._vendor(texts),
            sponsor=self._meaning.sponsor(sponsor) if sponsor is not None else None,
            role=texts.get("role"),
            site=texts.get("site"),
            zone=zone,
            first_day=first_day,
            last_day=last_day,
            standing=standing,
            actual=actual,
        )

    def _standing(self, line: _Line) -> Standing | str | None:
        readers = {"status": self._meaning.standings.status, "worker_type": self._meaning.standings.worker_type}
        meanings: list[Standing | str | None] = []
        for name, read in readers.items():
            if not self._meaning.has(name):
                meanings.append(Standing.RUNNING)
                continue
            text = text_of(self._cell(line, name))
            meaning = read(text)
            if meaning is None:
                text = "" if text == UNREADABLE else text
                remedy = "Say what it means, for all rows with this word."
                self._complain(line, name, text, "a word whose meaning is known", remedy, Cause.UNKNOWN_STATUS)
            meanings.append(meaning)
        standing = combined(*meanings)
        if standing == ASIDE:
            line.complaints.clear()
        return standing

    def _text(self, line: _Line, name: str) -> str:
        cell = self._cell(line, name)
        is_id = name in IDS
        text = id_of(cell) if is_id else text_of(cell)
        if isinstance(cell, Spoilt):
            self._complain(line, name, cell.found, "a value", cell.remedy, Cause.OTHER)
            return ""
        if is_id and (text == UNREADABLE or is_spoilt_id(text)):
            found = text_of(cell)
            remedy = (
                "A spreadsheet has turned the id into a number or a day; format the column as text and enter it again."
            )
            self._complain(line, name, found, "an id", remedy, Cause.SPOILT_ID)
            return "" if text == UNREADABLE else text
        if is_unsafe_id(text) if is_id else is_unsafe(text):
            self._complain_unsafe(line, name, text)
        elif name in NEVER_ADDRESSES and is_address(text):
            remedy = "Its cells seem to have moved: look for a comma in the cells before it, and quote that one."
            self._complain(line, name, text, "no e-mail address in this column", remedy, Cause.SHIFTED)
        return text

    def _complain_unsafe(self, line: _Line, name: str, text: str) -> None:
        if text in ERRORS or FORMULA.match(text):
            remedy = "A formula, or the error it left, has come along; write the value itself."
            self._complain(line, name, text, "a value and no formula", remedy, Cause.UNSAFE_TEXT)
        elif len(text) > LONGEST:
            remedy = "Shorten it, or look for a quotation mark before it that is not closed."
            self._complain(line, name, text, f"at most {LONGEST} characters", remedy, Cause.UNSAFE_TEXT)
        elif text.isprintable():
            remedy = "Write it in one alphabet; some of its letters only look like those beside them."
            self._complain(line, name, ascii(text)[1:-1], "plain text", remedy, Cause.UNSAFE_TEXT)
        else:
            remedy = "Delete the control or direction character; it can make one name look like another."
            self._complain(line, name, ascii(text)[1:-1], "plain text", remedy, Cause.UNSAFE_TEXT)

    def _full_name(self, texts: dict[str, str]) -> str | None:
        if not texts.keys() & {"name", "first_name", "last_name"}:
            return None
        return texts.get("name") or f"{texts.get('first_name', '')} {texts.get('last_name', '')}".strip()

    def _vendor(self, texts: dict[str, str]) -> str | None:
        return texts.get("vendor") or self._profile.vendor or texts.get("vendor")

    def _check_required(self, line: _Line, full_name: str | None) -> None:
        texts = line.texts
        found = {"worker_id": texts.get("worker_id")}
        if self._profile.partial:
            found = {
                "reference" if "worker_id" not in texts else "worker_id": found["worker_id"] or texts.get("reference")
            }
        else:
            found |= {"name": full_name, "vendor": self._vendor(texts)}
        for name, value in found.items():
            if not value and not any(complaint.column == self._column(name) for complaint in line.complaints):
                remedy = "Fill it in; a row without it belongs to nobody."
                self._complain(line, name, "", "a value", remedy, Cause.MISSING_VALUE)

    def _first_day(self, line: _Line, standing: Standing) -> date | None:
        if not self._meaning.has("first_day"):
            return None
        found = self._meaning.days.read(self._cell(line, "first_day"))
        if isinstance(found, Trouble):
            self._complain_day(line, "first_day", found)
            return None
        if found is None and self._meaning.needs_first_day and standing is Standing.RUNNING:
            value = text_of(self._cell(line, "first_day"))
            remedy = "Fill it in; without a first day nobody knows when access begins."
            self._complain(line, "first_day", value, self._expected_day, remedy, Cause.MISSING_VALUE)
        return found

    def _last_day(self, line: _Line, standing: Standing) -> tuple[date | None, bool]:
        """Return the last day, and whether the contract did end on it."""
        for name in ("actual_last_day", "last_day"):
            if not self._meaning.has(name):
                continue
            found = self._meaning.days.read(self._cell(line, name))
            if isinstance(found, Trouble):
                self._complain_day(line, name, found)
                return None, False
            if found is not None:
                return found, name == "actual_last_day"
        if standing is not Standing.RUNNING or not self._meaning.needs_last_day:
            return None, False
        if self._meaning.repairs.last_day is None:
            name = next((n for n in ("last_day", "actual_last_day") if self._meaning.has(n)), "last_day")
            value = text_of(self._cell(line, name)) if self._meaning.has(name) else ""
            remedy = "Fill it in; without a last day nobody knows when access ends."
            self._complain(line, name, value, self._expected_day, remedy, Cause.NO_LAST_DAY)
        return self._meaning.repairs.last_day, False

    def _check_days(self, line: _Line, first_day: date, last_day: date, standing: Standing) -> None:
        if last_day < first_day and standing is not Standing.WITHDRAWN:
            remedy = "Swap them if they stand in each other's column, else ask the vendor."
            expected = f"a day on or after the first day {first_day}"
            self._complain(line, "last_day", last_day.isoformat(), expected, remedy, Cause.DAYS_REVERSED)
        longest = self._profile.longest_days
        if longest is not None and standing is Standing.RUNNING and (last_day - first_day).days >= longest:
            remedy = "Correct the year, or raise longest_days in the layout."
            expected = f"a contract of at most {longest} days"
            self._complain(line, "last_day", last_day.isoformat(), expected, remedy, Cause.TOO_LONG)

    def _zone(self, line: _Line, standing: Standing) -> str | None:
        named, site = line.texts.get("zone", ""), line.texts.get("site", "")
        zone = self._meaning.zones.read(named, site)
        if isinstance(zone, str):
            return zone
        # whoever is gone already needs no zone: the days that are stored have theirs
        if zone is False and standing is Standing.RUNNING:
            if named:
                remedy = "Use a name such as Europe/Berlin, or say which one is meant."
                self._complain(line, "zone", named, "an IANA time zone", remedy, Cause.UNKNOWN_ZONE)
            else:
                remedy = "Say in which time zone it lies."
                self._complain(line, "site", site, "a site whose time zone is known", remedy, Cause.UNKNOWN_ZONE)
        return None

    @property
    def _expected_day(self) -> str:
        return f"a day as {self._profile.readable_format}"

    def _cell(self, line: _Line, name: str) -> Cell:
        return line.cells[self._meaning.positions[name]]

    def _column(self, name: str) -> str:
        return self._profile.columns.get(name, name)

    def _complain_day(self, line: _Line, name: str, trouble: Trouble) -> None:
        self._complain(line, name, trouble.found, trouble.expected, trouble.remedy, trouble.cause)

    def _complain(self, line: _Line, name: str, value: str, expected: str, remedy: str, cause: Cause) -> None:
        line.complaints.append(self._complaint(line, self._column(name), value, expected, remedy, cause))

    def _complaint(self, line: _Line, column: str, value: str, expected: str, remedy: str, cause: Cause) -> Complaint:
        def read(name: str) -> str:
            at = self._meaning.positions.get(name, self._meaning.width)
            text = text_of(line.cells[at]) if at < len(line.cells) else ""
            return "" if text == UNREADABLE else shown(text)

        name = read("name") or f"{read('first_name')} {read('last_name')}".strip()
        return Complaint(
            line.number, column, shown(value), expected, remedy, cause, read("worker_id"), read("reference"), name
        )
