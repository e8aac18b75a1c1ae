"""
Many lines at once, column by column, for those in which nothing is amiss.

A line is taken here only when `lifecycle.feed.careful` would make the same row of it; every other line is left to it.
Reading a million lines one by one takes four times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from itertools import compress, repeat
from operator import contains, gt
from typing import Any, Final, NamedTuple

from lifecycle.domain.party import is_address
from lifecycle.domain.roster import RosterRow, Standing
from lifecycle.feed.careful import NEVER_ADDRESSES
from lifecycle.feed.cells import id_of, is_spoilt_id, text_of
from lifecycle.feed.days import Trouble
from lifecycle.feed.meaning import Meaning
from lifecycle.feed.standings import ASIDE, combined
from lifecycle.feed.table import Cell
from lifecycle.feed.unsafe import FORMULA_SIGNS, LONGEST, is_latin, is_unsafe, is_unsafe_id

REFUSED: Final = object()
MOST_REMEMBERED = 50_000
LONGEST_REMEMBERED = 200
BETWEEN = "\\|"
STARTS = tuple(BETWEEN + sign for sign in FORMULA_SIGNS)
NOT_IN_ADDRESSES = tuple(' ,;<>"()\t\n\r')
Column = Sequence[Any]


class Taken(NamedTuple):
    """What was made of some lines."""

    rows: list[RosterRow]
    aside: int
    odd: list[int]
    """Indices of the lines that are left to be read with care."""


class _Memo(dict[Any, Any]):
    """Remembers what cells of one column mean; says in ``refused`` that there was one which means nothing."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        super().__init__()
        self.refused = False
        self._read = read

    def __missing__(self, key: Any) -> Any:
        value = self._read(key)
        if value is REFUSED:
            self.refused = True
            return value
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        if not isinstance(key, str) or len(key) <= LONGEST_REMEMBERED:
            self[key] = value
        return value

    def column(self, cells: Iterable[Any], odd: set[int]) -> Column:
        """Read a column; indices of refused cells are added to *odd*."""
        self.refused = False
        values = [self[cell] for cell in cells]
        if self.refused:
            odd.update(index for index, value in enumerate(values) if value is REFUSED)
        return values


class QuickReader:
    """Reads blocks of one file."""

    def __init__(self, meaning: Meaning, *, typed: bool) -> None:
        self._meaning = meaning
        self._typed = typed
        self._days = _Memo(self._day)
        self._statuses = _Memo(_refusing_none(meaning.standings.status))
        self._types = _Memo(_refusing_none(meaning.standings.worker_type))
        self._standings = _Memo(lambda pair: combined(*pair))
        self._texts = _Memo(_safe)
        self._words = _Memo(_safe_word)
        self._sponsors = _Memo(lambda text: text if text is REFUSED else meaning.sponsor(text))
        self._zones = _Memo(self._zone)

    def read(self, numbers: Sequence[int], lines: Sequence[Sequence[Cell]]) -> Taken:
        """Read what can be read at once."""
        width = self._meaning.width
        fits = list(map(width.__eq__, map(len, lines)))
        if not all(fits):
            odd = [index for index, fit in enumerate(fits) if not fit]
            kept = [index for index, fit in enumerate(fits) if fit]
            taken = self.read([numbers[i] for i in kept], [lines[i] for i in kept])
            return Taken(taken.rows, taken.aside, sorted(odd + [kept[i] for i in taken.odd]))
        if not lines:
            return Taken([], 0, [])
        return self._read_columns(numbers, list(zip(*lines, strict=True)))

    def _read_columns(self, numbers: Sequence[int], columns: Sequence[Column]) -> Taken:
        odd: set[int] = set()
        count = len(numbers)
        standing = self._standing(columns, count, odd)
        worker_id, reference = (self._ids(columns, name, odd) for name in ("worker_id", "reference"))
        self._check_keys(worker_id, reference, count, odd)
        name = self._name(columns, odd)
        email = self._email(columns, odd)
        vendor, role, site, named_zone = (self._kept(columns, n, odd) for n in ("vendor", "role", "site", "zone"))
        vendor = self._vendor(vendor, count, odd)
        sponsor = self._kept(columns, "sponsor", odd)
        if sponsor is not None:
            sponsor = self._sponsors.column(sponsor, set())
        zone = self._zone_column(named_zone, site, standing, count, odd)
        first_day, last_day, actual = self._both_days(columns, standing, count, odd)
        aside = {index for index, value in enumerate(standing) if value is ASIDE} if standing else set()
        odd -= aside
        facts = (
            numbers, worker_id, reference, name, email, vendor, sponsor, role, site, zone, first_day, last_day,
            standing or repeat(Standing.RUNNING, count), actual or repeat(False, count),
        )  # fmt: skip
        rows: Iterator[Any] = zip(*(repeat(None, count) if fact is None else fact for fact in facts), strict=True)
        if odd or aside:
            left = odd | aside
            rows = compress(rows, (index not in left for index in range(count)))
        return Taken(list(map(partial(tuple.__new__, RosterRow), rows)), len(aside), sorted(odd))

    def _column(self, columns: Sequence[Column], name: str) -> Column | None:
        at = self._meaning.positions.get(name)
        return None if at is None else columns[at]

    def _stripped(self, cells: Column, read: Callable[[Any], str] = text_of) -> list[str]:
        return list(map(read if self._typed else str.strip, cells))

    def _standing(self, columns: Sequence[Column], count: int, odd: set[int]) -> Column | None:
        """Return the standings; None where all rows are running."""
        status, worker_type = self._column(columns, "status"), self._column(columns, "worker_type")
        if status is None and worker_type is None:
            return None
        unsure: set[int] = set()
        pairs: list[Column] = []
        for memo, cells in ((self._statuses, status), (self._types, worker_type)):
            if cells is None:
                pairs.append([Standing.RUNNING] * count)
                continue
            texts = self._stripped(cells) if self._typed else cells
            pairs.append([None if value is REFUSED else value for value in memo.column(texts, unsure)])
        standing = self._standings.column(zip(*pairs, strict=True), set())
        odd.update(index for index in unsure if standing[index] is None)
        return standing

    def _ids(self, columns: Sequence[Column], name: str, odd: set[int]) -> list[str] | None:
        cells = self._column(columns, name)
        if cells is None:
            return None
        texts = self._stripped(cells, id_of)
        if (heading := self._meaning.header[self._meaning.positions[name]]) in texts:  # perhaps the header once more
            odd.update(index for index, text in enumerate(texts) if text == heading)
        joined = _check(texts, is_unsafe_id, odd)
        if "e" in joined or "E" in joined:
            odd.update(index for index, text in enumerate(texts) if text[:1].isdigit() and is_spoilt_id(text))
        return texts

    def _check_keys(self, worker_id: list[str] | None, reference: list[str] | None, count: int, odd: set[int]) -> None:
        key: Column | None = worker_id
        if self._meaning.profile.partial and reference is not None:
            key = reference if key is None else [a or b for a, b in zip(key, reference, strict=True)]
        _check_filled(key, count, odd)

    def _name(self, columns: Sequence[Column], odd: set[int]) -> list[str] | None:
        parts = {}
        for field in ("name", "first_name", "last_name"):
            cells = self._column(columns, field)
            if cells is not None:
                parts[field] = self._stripped(cells)
                _check(parts[field], is_unsafe, odd)
        if not parts:
            if self._meaning.needs_name:
                odd.update(range(len(columns[0])))
            return None
        whole = parts.get("name")
        if whole is None or not all(whole):
            blank = [""] * len(columns[0])
            first, last = parts.get("first_name", blank), parts.get("last_name", blank)
            joined = [f"{a} {b}".strip() for a, b in zip(first, last, strict=True)]
            whole = joined if whole is None else [a or b for a, b in zip(whole, joined, strict=True)]
        if self._meaning.needs_name:
            _check_filled(whole, len(whole), odd)
        return whole

    def _email(self, columns: Sequence[Column], odd: set[int]) -> list[str] | None:
        cells = self._column(columns, "email")
        if cells is None:
            return None
        texts = self._stripped(cells)
        joined = _check(texts, is_unsafe, odd)
        if not _are_addresses(texts, joined):
            odd.update(index for index, text in enumerate(texts) if "@" in text and not is_address(text))
        return texts

    def _kept(self, columns: Sequence[Column], name: str, odd: set[int]) -> Column | None:
        """Read a column of few different texts."""
        cells = self._column(columns, name)
        if cells is None:
            return None
        memo = self._words if name in NEVER_ADDRESSES else self._texts
        return memo.column(map(text_of, cells) if self._typed else cells, odd)

    def _vendor(self, vendor: Column | None, count: int, odd: set[int]) -> Column | None:
        otherwise = self._meaning.profile.vendor
        if otherwise:
            return [otherwise] * count if vendor is None else [text or otherwise for text in vendor]
        if not self._meaning.profile.partial:
            _check_filled(vendor, count, odd)
        return vendor

    def _zone_column(
        self, zone: Column | None, site: Column | None, standing: Column | None, count: int, odd: set[int]
    ) -> Column:
        blank = [""] * count
        unknown: set[int] = set()
        zones = self._zones.column(zip(zone or blank, site or blank, strict=True), unknown)
        if not unknown:
            return zones
        if standing is not None:
            zones = [None if value is REFUSED else value for value in zones]
            unknown = {index for index in unknown if standing[index] is Standing.RUNNING}
        odd |= unknown
        return zones

    def _zone(self, pair: tuple[str, str]) -> Any:
        if REFUSED in pair:
            return REFUSED
        zone = self._meaning.zones.read(*pair)
        return REFUSED if zone is False else zone

    def _day(self, cell: Cell) -> Any:
        found = self._meaning.days.read(cell)
        return REFUSED if isinstance(found, Trouble) else found

    def _both_days(
        self, columns: Sequence[Column], standing: Column | None, count: int, odd: set[int]
    ) -> tuple[Column | None, Column | None, Column | None]:
        cells = self._column(columns, "first_day")
        first = None if cells is None else self._days.column(cells, odd)
        last, actual = self._last_day(columns, standing, count, odd)
        if self._meaning.needs_first_day:
            _check_said(first, standing, odd)
        if self._meaning.needs_last_day:
            _check_said(last, standing, odd)
        if first is not None and last is not None:
            self._check_order(first, last, standing, odd)
        return first, last, actual

    def _last_day(
        self, columns: Sequence[Column], standing: Column | None, count: int, odd: set[int]
    ) -> tuple[Column | None, Column | None]:
        cells = self._column(columns, "last_day")
        actual_cells = self._column(columns, "actual_last_day")
        last: Column | None = None
        actual = None
        unread: set[int] = set()
        if cells is not None:
            last = self._days.column(cells, unread)
        if actual_cells is not None:
            ended = self._days.column(actual_cells, odd)
            actual = [day is not None for day in ended]
            last = ended if last is None else [b if a is None else a for a, b in zip(ended, last, strict=True)]
            unread = {index for index in unread if not actual[index]}
        odd |= unread
        said = self._meaning.repairs.last_day
        if said is not None and self._meaning.needs_last_day:
            last = [None] * count if last is None else last
            running = standing or repeat(Standing.RUNNING, count)
            pairs = zip(last, running, strict=True)
            last = [said if day is None and state is Standing.RUNNING else day for day, state in pairs]
        elif last is None and self._meaning.needs_last_day:
            last = [None] * count
        return last, actual

    def _check_order(self, first: Column, last: Column, standing: Column | None, odd: set[int]) -> None:
        longest = self._meaning.profile.longest_days
        plain = longest is None and not odd and all(first) and all(last)
        if plain and not any(map(gt, first, last)):
            return
        for index, (begins, ends) in enumerate(zip(first, last, strict=True)):
            if not isinstance(begins, date) or not isinstance(ends, date):
                continue
            state = Standing.RUNNING if standing is None else standing[index]
            too_long = longest is not None and state is Standing.RUNNING and (ends - begins).days >= longest
            if too_long or (ends < begins and state is not Standing.WITHDRAWN):
                odd.add(index)


def _refusing_none(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def refusing(text: str) -> Any:
        value = read(text)
        return REFUSED if value is None else value

    return refusing


def _safe(cell: str) -> Any:
    text = cell.strip()
    return REFUSED if is_unsafe(text) else text


def _safe_word(cell: str) -> Any:
    """Read a cell in which nobody's address belongs."""
    text = _safe(cell)
    return REFUSED if text is REFUSED or is_address(text) else text


def _check(texts: list[str], unsafe: Callable[[str], bool], odd: set[int]) -> str:
    """Add the indices of unsafe texts to *odd*; return all of them joined."""
    joined = BETWEEN.join(texts)
    plain = (joined.isascii() or unsafe is is_unsafe) and is_latin(joined) and joined[:1] not in FORMULA_SIGNS
    if not plain or max(map(len, texts)) > LONGEST or any(start in joined for start in STARTS):
        odd.update(index for index, text in enumerate(texts) if unsafe(text))
    return joined


def _are_addresses(texts: list[str], joined: str) -> bool:
    """Say whether every text is an address, judging by all of them at once; False where that cannot be told."""
    if not joined.isascii() or joined.count("@") != len(texts) or any(sign in joined for sign in NOT_IN_ADDRESSES):
        return False
    ends = joined.startswith("@") or joined.endswith("@") or "@" + BETWEEN in joined or BETWEEN + "@" in joined
    return not ends and all(map(contains, texts, repeat("@")))


def _check_filled(texts: Column | None, count: int, odd: set[int]) -> None:
    if texts is None:
        odd.update(range(count))
    elif not all(texts):
        odd.update(index for index, text in enumerate(texts) if not text)


def _check_said(days: Column | None, standing: Column | None, odd: set[int]) -> None:
    """Add rows that must state a day and do not."""
    if days is None or all(days):
        return
    states = standing or repeat(Standing.RUNNING)
    pairs = enumerate(zip(days, states, strict=False))
    odd.update(index for index, (day, state) in pairs if day is None and state is Standing.RUNNING)
