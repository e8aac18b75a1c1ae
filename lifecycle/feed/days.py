"""Days as files write them: read in the one format declared, or with what a person said of them, or not at all."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import starmap

from lifecycle.domain.roster import Cause, DateOrder, Repairs
from lifecycle.feed.clear_days import clear_day, day_of, without_time
from lifecycle.feed.profile import ISO, Profile
from lifecycle.feed.table import Cell, Spoilt, shown

EARLIEST, LATEST = date(1950, 1, 1), date(2099, 1, 1)
NO_DAY = frozenset((
    "", "-", "--", "---", "–", "—", ".", "/", "?", "n/a", "na", "n.a.", "nil", "none", "null", "nan", "not applicable",
    "present", "ongoing", "on-going", "still in office", "current", "currently employed", "still employed", "employed",
    "to date", "till date", "until now", "open", "open-ended", "open ended", "indefinite", "permanent", "unlimited",
    "never", "no end", "no end date", "tbd", "tba", "tbc", "unknown", "active", "0000-00-00", "00/00/0000",
    "00-00-0000", "00.00.0000", "n/a-stillemployed", "n/a - still employed",
))  # fmt: skip
"""What stands where a day is meant and there is none; compared without case."""
NUMBERS = re.compile(r"([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})")
NAMED_SHORT = re.compile(r"([0-9]{1,2}[ ./-][A-Za-z]{3,9}\.?[ ./-])([0-9]{2})")
ISO_SHAPE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
ISO_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?)?"
    r" ?(?:[Zz]|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])?"
)
OWN_SHAPE = re.compile(r"%([dm])([./-])%([dm])\2%Y")
GLUED = re.compile(r"%[A-Za-z]%[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a cell is no day."""

    cause: Cause
    found: str
    expected: str
    remedy: str


class DayReader:
    """Reads the days of one file."""

    def __init__(self, profile: Profile, repairs: Repairs) -> None:
        self._format = profile.date_format
        self._readable = profile.readable_format
        self._repairs = repairs
        own = OWN_SHAPE.fullmatch(self._format)
        self._separator = own[2] if own else "-" if self._format == ISO else ""
        self._day_first = own is not None and own[1] == "d"
        self._is_glued = GLUED.search(self._format) is not None

    def read(self, cell: Cell) -> date | Trouble | None:
        """
        Read one cell.

        Returns:
            The day; None where the cell says in some way that there is none; or why it is neither.
        """
        if isinstance(cell, datetime):
            day: date | Trouble | None = cell.date()
        elif isinstance(cell, date):
            day = cell
        elif isinstance(cell, Spoilt):
            return Trouble(Cause.OTHER, cell.found, self._expected, cell.remedy)
        elif isinstance(cell, float):
            return self._bare(f"{cell:g}")
        else:
            text = cell.strip()
            if text.casefold() in NO_DAY:
                return None
            day = self._declared(text) or self._from_text(text)
        if not isinstance(day, date) or EARLIEST <= day < LATEST:
            return day
        if day >= LATEST:
            return None  # 2099-12-31, 9999-12-31 and their like: a database's word for no end
        remedy = "Correct the year."
        return Trouble(Cause.NO_SUCH_DAY, _as_found(cell), f"a day from {EARLIEST} on", remedy)

    @property
    def _expected(self) -> str:
        return f"a day as {self._readable}"

    def _bare(self, found: str) -> Trouble:
        remedy = "This is a bare number; format the column as a date in the spreadsheet, and save it again."
        return Trouble(Cause.DATE_FORMAT, found, self._expected, remedy)

    def _from_text(self, text: str) -> date | Trouble | None:
        """Read what is not in the declared format as it stands."""
        if not self._repairs.clear_days:
            return self._otherwise(text, text)
        bare = without_time(text)
        if bare.casefold() in NO_DAY:
            return None
        found = clear_day(bare) or self._otherwise(bare, text)
        return replace(found, found=shown(text)) if isinstance(found, Trouble) else found

    def _otherwise(self, text: str, whole: str) -> date | Trouble:
        """Read *text*, which is *whole* or what is left of it without a time of day."""
        numbers = NUMBERS.fullmatch(text)
        if numbers:
            return self._from_numbers(text, numbers, is_whole=text == whole)
        named = NAMED_SHORT.fullmatch(text)
        if named:
            return self._from_named(text, named)
        if text.isdigit():
            return self._bare(shown(text))
        return self._unread(text)

    def _declared(self, text: str) -> date | None:
        """Read *text* in the declared format; None where it is not in it."""
        try:
            if self._format == ISO:
                found = ISO_MOMENT.fullmatch(text)
                return date.fromisoformat(found[1]) if found else None
            if not text.isascii() or len(text) > 64:
                return None
            day = datetime.strptime(text, self._format)  # noqa: DTZ007 - a day has no zone
        except ValueError:
            return None
        # without separators 1112026 is two days, and strptime picks one
        return day.date() if not self._is_glued or day.strftime(self._format) == text else None

    def _from_numbers(self, text: str, numbers: re.Match[str], *, is_whole: bool) -> date | Trouble:
        """Read what has the form of day, month and year, in either order, and is not in the declared format."""
        first, separator, second, year = int(numbers[1]), numbers[2], int(numbers[3]), int(numbers[4])
        is_short = len(numbers[4]) == 2
        if is_short:
            if not self._repairs.short_years or (self._format == ISO and separator == "-"):
                return self._short(text)
            year = long_year(year)
            day = self._declared(f"{numbers[1]}{separator}{numbers[3]}{separator}{year}") if is_whole else None
            if day is not None:
                return day
        own = separator == self._separator and self._format != ISO
        if own and not (self._repairs.clear_days and self._fits(first, second, year)):
            return self._own_but_unread(text, first, second, year)
        if self._repairs.clear_days:
            return self._if_clear(text, first, second, year, is_short=is_short)
        return self._in_order(text, first, second, year, is_short=is_short)

    def _fits(self, first: int, second: int, year: int) -> bool:
        """Say whether numbers are a day in the declared order; where they are not, all others may be turned round."""
        return (day_of(year, second, first) if self._day_first else day_of(year, first, second)) is not None

    def _if_clear(self, text: str, first: int, second: int, year: int, *, is_short: bool) -> date | Trouble:
        """Read a day where only one order gives one, else in the order that a person has said."""
        numbers = [(year, second, first), (year, first, second)]
        if is_short:  # 26/03/31 may begin with its year
            numbers.append((long_year(first), second, year % 100))
        ways = {day for day in starmap(day_of, numbers) if day is not None}
        if not ways:
            return self._no_such(text)
        if len(ways) == 1:
            return ways.pop()
        if self._repairs.date_order is DateOrder.UNSAID:
            return self._unclear(text, is_short=is_short)
        return self._in_order(text, first, second, year, is_short=is_short)

    def _unclear(self, text: str, *, is_short: bool) -> Trouble:
        orders = "day first, month first or year first" if is_short else "day first or month first"
        remedy = f"It can be read {orders}; say which, for all rows of this file."
        return Trouble(Cause.DATE_ORDER, text, self._expected, remedy)

    def _own_but_unread(self, text: str, first: int, second: int, year: int) -> Trouble:
        """Say why *text* is no day though it looks like the declared format; the other order is never tried."""
        day, month = (first, second) if self._day_first else (second, first)
        if month > 12 and day_of(year, day, month) is not None:
            remedy = f"The layout says {self._readable}; is the file written the other way round? Then correct that."
            return Trouble(Cause.DATE_FORMAT, text, self._expected, remedy)
        return self._no_such(text)

    def _in_order(self, text: str, first: int, second: int, year: int, *, is_short: bool) -> date | Trouble:
        """Read a day in the order that a person has said, since the declared format is another one altogether."""
        order = self._repairs.date_order
        if order is DateOrder.UNSAID:
            if 1 <= second <= 12 and (1 <= first <= 12 or is_short):
                return self._unclear(text, is_short=is_short)
            if day_of(year, first, second) is None and day_of(year, second, first) is None:
                return self._no_such(text)
            return self._unread(text)
        ways = {DateOrder.DAY_FIRST: day_of(year, second, first), DateOrder.MONTH_FIRST: day_of(year, first, second)}
        if is_short:
            ways[DateOrder.YEAR_FIRST] = day_of(long_year(first), second, year % 100)
        found = ways.get(order)
        if found is not None:
            return found
        if not any(ways.values()):
            return self._no_such(text)
        remedy = f"It is not {order.value.replace('-', ' ')} as said for this file; correct the cell."
        return Trouble(Cause.DATE_FORMAT, text, self._expected, remedy)

    def _from_named(self, text: str, named: re.Match[str]) -> date | Trouble:
        if not self._repairs.short_years:
            return self._short(text)
        long = f"{named[1]}{long_year(int(named[2]))}"
        clear = clear_day(long) if self._repairs.clear_days else None
        return self._declared(long) or clear or self._unread(text)

    def _short(self, text: str) -> Trouble:
        remedy = "Write the year with four digits; or say that 00 to 68 are 2000 to 2068 and 69 to 99 are 1969 to 1999."
        return Trouble(Cause.SHORT_YEAR, text, self._expected, remedy)

    def _no_such(self, text: str) -> Trouble:
        return Trouble(Cause.NO_SUCH_DAY, text, self._expected, "The calendar has no such day; ask the vendor.")

    def _unread(self, text: str) -> Trouble:
        shape = ISO_SHAPE.fullmatch(text)
        if shape and (self._format == ISO or self._repairs.clear_days) and 1 <= int(shape[2]) <= 12:
            return self._no_such(text)
        remedy = f"Write every day of this column as {self._readable}"
        remedy += "." if self._repairs.clear_days else "; or have those read that can be read in one way only."
        return Trouble(Cause.DATE_FORMAT, shown(text), self._expected, remedy)


def long_year(year: int) -> int:
    """Return the year meant by the last two digits of one, as POSIX and `strptime` have it: 1969 to 2068."""
    return year + (2000 if year <= 68 else 1900)


def _as_found(cell: Cell) -> str:
    return shown(cell.strip() if isinstance(cell, str) else str(cell))
