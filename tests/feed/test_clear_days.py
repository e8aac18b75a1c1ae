"""Days of several formats in one column: on a person's word those are read that can be read in one way only."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.domain.roster import Cause, DateOrder, Repairs
from lifecycle.feed.clear_days import clear_day, without_time
from lifecycle.feed.days import Trouble
from tests.feed.reading import HEADER, read
from tests.feed.test_days import reader

CLEAR = Repairs(clear_days=True)
WAYS = (
    "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d 00:00:00.000", "%d %b %Y", "%d-%B-%Y", "%d. %B %Y", "%d/%b/%Y",
    "%b %d, %Y", "%B %d %Y", "%b. %d, %Y", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m-%d-%Y", "%d/%m/%Y 00:00",
    "%m/%d/%Y 12:30 PM", "%d.%m.%Y, 8:15",
)  # fmt: skip
DECLARED = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d", "%d-%b-%Y")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-02-01", date(2026, 2, 1)),
        ("2026-02-01 00:00:00", date(2026, 2, 1)),
        ("2026-02-01T23:59:59.123Z", date(2026, 2, 1)),
        ("1 Feb 2026", date(2026, 2, 1)),
        ("01-FEB-2026 00:00", date(2026, 2, 1)),
        ("1. February 2026", date(2026, 2, 1)),
        ("Feb 1, 2026", date(2026, 2, 1)),
        ("february 1 2026", date(2026, 2, 1)),
        ("28.02.2027", date(2027, 2, 28)),
        ("28/02/2027 00:00", date(2027, 2, 28)),
        ("05-05-2026", date(2026, 5, 5)),
        ("0000-00-00 00:00:00", None),
        ("9999-12-31 00:00:00", None),
    ],
)
def test_what_can_be_read_in_one_way_is_read_once_somebody_says_so(text: str, day: date | None) -> None:
    assert isinstance(reader("%d/%m/%Y").read(text), Trouble)
    assert reader("%d/%m/%Y", CLEAR).read(text) == day


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("26/10/01", DateOrder.YEAR_FIRST, date(2026, 10, 1)),
        ("27.3.31", DateOrder.YEAR_FIRST, date(2027, 3, 31)),
        ("26/10/01", DateOrder.DAY_FIRST, date(2001, 10, 26)),
        ("13/04/26", DateOrder.MONTH_FIRST, None),
        ("26/13/01", DateOrder.YEAR_FIRST, None),
        ("26/10/2001", DateOrder.YEAR_FIRST, None),
    ],
)
def test_a_person_says_which_of_three_short_numbers_comes_first(text: str, order: DateOrder, day: date | None) -> None:
    for repairs in (Repairs(short_years=True, clear_days=True), Repairs(short_years=True)):
        asked = reader("%Y%m%d", repairs).read(text)
        assert isinstance(asked, Trouble) or len(text) > 8, "nobody has said"
        found = reader("%Y%m%d", replace(repairs, date_order=order)).read(text)
        if len(text) == 8 or not repairs.clear_days:
            assert found == day if day else isinstance(found, Trouble)


@pytest.mark.parametrize(
    ("text", "repairs", "cause"),
    [
        ("01/02/2026 00:00", CLEAR, Cause.DATE_ORDER),
        ("01.02.2026", CLEAR, Cause.DATE_ORDER),
        ("1-2-2026", CLEAR, Cause.DATE_ORDER),
        ("31/04/2026 00:00", CLEAR, Cause.NO_SUCH_DAY),
        # where the declared order fits one day only turned round, all others may be turned round, too
        ("02/28/2027", CLEAR, Cause.DATE_FORMAT),
        ("2/28/2027 3:15 pm", CLEAR, Cause.DATE_FORMAT),
        ("02/28/27", Repairs(clear_days=True, short_years=True), Cause.DATE_FORMAT),
        ("01/02/0000 00:00", CLEAR, Cause.NO_SUCH_DAY),
        ("2026-02-30", CLEAR, Cause.NO_SUCH_DAY),
        ("1 Fev 2026", CLEAR, Cause.DATE_FORMAT),
        ("30 Feb 2026", CLEAR, Cause.DATE_FORMAT),
        ("Feb 2026", CLEAR, Cause.DATE_FORMAT),
        ("2026-31-03", CLEAR, Cause.DATE_FORMAT),
        ("20260201", CLEAR, Cause.DATE_FORMAT),
        ("28/02/2027 24:00", CLEAR, Cause.DATE_FORMAT),
        ("00:00", CLEAR, Cause.DATE_FORMAT),
        ("next Friday", CLEAR, Cause.DATE_FORMAT),
        (f"1 Feb 2026{' ' * 60}00:00", CLEAR, Cause.DATE_FORMAT),
        ("28.02.27", CLEAR, Cause.SHORT_YEAR),
        ("1 Feb 26 00:00", CLEAR, Cause.SHORT_YEAR),
        # the year may come first, where it has two digits
        ("28.02.27", Repairs(clear_days=True, short_years=True), Cause.DATE_ORDER),
        ("01/02/26 00:00", Repairs(clear_days=True, short_years=True), Cause.DATE_ORDER),
    ],
)
def test_what_can_be_read_in_two_ways_or_in_none_is_not(text: str, repairs: Repairs, cause: Cause) -> None:
    found = reader("%d/%m/%Y", repairs).read(text)
    assert isinstance(found, Trouble), found
    assert (found.cause, found.found) == (cause, text)
    assert found.remedy.endswith(".")


@pytest.mark.parametrize(
    ("text", "said", "day"),
    [
        ("01/02/2026 00:00", {"date_order": DateOrder.MONTH_FIRST}, date(2026, 1, 2)),
        ("01/02/2026", {"date_order": DateOrder.MONTH_FIRST}, date(2026, 2, 1)),
        ("28.02.2027", {"date_order": DateOrder.MONTH_FIRST}, date(2027, 2, 28)),
        ("28.02.27", {"date_order": DateOrder.DAY_FIRST, "short_years": True}, date(2027, 2, 28)),
        ("1 Feb 26", {"short_years": True}, date(2026, 2, 1)),
    ],
)
def test_what_is_said_beside_it_counts_too(text: str, said: dict[str, object], day: date) -> None:
    assert reader("%d/%m/%Y", Repairs(clear_days=True, **said)).read(text) == day  # type: ignore[arg-type]


@given(st.dates(date(1950, 1, 1), date(2098, 12, 31)), st.sampled_from(WAYS), st.sampled_from(DECLARED))
def test_a_day_is_read_as_itself_or_asked_for(day: date, way: str, declared: str) -> None:
    text = day.strftime(way)
    plain, found = reader(declared).read(text), reader(declared, CLEAR).read(text)
    if isinstance(plain, date):
        assert found == plain  # in the declared format it was one before
    elif isinstance(found, Trouble):
        assert found.cause in {Cause.DATE_ORDER, Cause.DATE_FORMAT}
        assert day.day <= 12 or declared[:2] != way[:2]
    else:
        assert found == day


@given(st.text("0123456789/.- :TZFebPM,", max_size=30))
def test_saying_so_takes_no_day_away(text: str) -> None:
    plain = reader("%d/%m/%Y").read(text)
    assert isinstance(plain, Trouble) or reader("%d/%m/%Y", CLEAR).read(text) == plain


def test_long_text_is_no_day() -> None:
    assert without_time("T" + " " * 100_000 + "00:00") != ""
    assert clear_day("1 Feb 2026" + " " * 100_000) is None


def test_a_column_with_days_of_every_kind_is_read_at_once() -> None:
    written = ["2027-02-01", "1 Feb 2027", "Feb 1, 2027", "01/02/2027", "2027-02-01 00:00:00"]
    content = HEADER + "\n" + "".join(f'W{n},C{n},Ada,V,berlin,01/01/2026,"{d}"\n' for n, d in enumerate(written))
    assert len(read(content, date_format="%d/%m/%Y").complaints) == 4
    reading = read(content, date_format="%d/%m/%Y", repairs=CLEAR)
    assert [row.last_day for row in reading.rows] == [date(2027, 2, 1)] * 5
