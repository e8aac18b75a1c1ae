"""Days are read in the declared format, or as a person has said, and never guessed."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.domain.roster import Cause, DateOrder, Repairs
from lifecycle.feed.days import DayReader, Trouble
from lifecycle.feed.profile import Profile

DAY_FIRST, MONTH_FIRST = Repairs(date_order=DateOrder.DAY_FIRST), Repairs(date_order=DateOrder.MONTH_FIRST)
SHORT = Repairs(short_years=True)


def reader(date_format: str = "%Y-%m-%d", repairs: Repairs | None = None) -> DayReader:
    return DayReader(Profile("p", {}, date_format=date_format), repairs or Repairs())


@pytest.mark.parametrize(
    ("date_format", "text"),
    [
        ("%Y-%m-%d", "2026-03-31"),
        ("%Y-%m-%d", " 2026-03-31 "),
        ("%Y-%m-%d", "2026-03-31T00:00:00-05:00"),
        ("%Y-%m-%d", "2026-03-31 23:59:59.123"),
        ("%Y-%m-%d", "2026-03-31T23:59Z"),
        ("%Y-%m-%d", "2026-03-31-07:00"),
        ("%Y-%m-%d", "2026-03-31+0530"),
        ("%d/%m/%Y", "31/03/2026"),
        ("%d/%m/%Y", "31/3/2026"),
        ("%m/%d/%Y", "3/31/2026"),
        ("%d-%b-%Y", "31-Mar-2026"),
        ("%d %B %Y", "31 march 2026"),
        ("%Y%m%d", "20260331"),
        ("%d%m%Y", "31032026"),
        ("%m/%d/%Y %I:%M:%S %p", "3/31/2026 11:00:00 PM"),
    ],
)
def test_the_declared_format_is_read(date_format: str, text: str) -> None:
    assert reader(date_format).read(text) == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("date_format", "text", "cause"),
    [
        ("%Y-%m-%d", "31/03/2026", Cause.DATE_FORMAT),
        ("%Y-%m-%d", "03/04/2026", Cause.DATE_ORDER),
        ("%Y-%m-%d", "3.4.2026", Cause.DATE_ORDER),
        ("%Y-%m-%d", "03-04-2026", Cause.DATE_ORDER),
        ("%Y-%m-%d", "31/11/2026", Cause.NO_SUCH_DAY),
        ("%Y-%m-%d", "2026-02-30", Cause.NO_SUCH_DAY),
        ("%Y-%m-%d", "2026-31-03", Cause.DATE_FORMAT),
        ("%Y-%m-%d", "2026-3-31", Cause.DATE_FORMAT),
        ("%Y-%m-%d", "2026-03-31T25:00:00", Cause.DATE_FORMAT),
        ("%Y-%m-%d", "2026-03-31-99:00", Cause.DATE_FORMAT),
        ("%Y-%m-%d", "٢٠٢٦-٠٣-٣١", Cause.DATE_FORMAT),
        ("%Y-%m-%d", "31/03/26", Cause.SHORT_YEAR),
        ("%Y-%m-%d", "26-03-31", Cause.SHORT_YEAR),
        ("%Y-%m-%d", "31-Mar-26", Cause.SHORT_YEAR),
        ("%Y-%m-%d", "46112", Cause.DATE_FORMAT),
        ("%Y-%m-%d", "#REF!", Cause.DATE_FORMAT),
        ("%Y-%m-%d", "next Friday", Cause.DATE_FORMAT),
        ("%Y-%m-%d", "1899-12-31", Cause.NO_SUCH_DAY),
        ("%d/%m/%Y", "03/31/2026", Cause.DATE_FORMAT),
        ("%d/%m/%Y", "31/11/2026", Cause.NO_SUCH_DAY),
        ("%d/%m/%Y", "45/45/2026", Cause.NO_SUCH_DAY),
        ("%d/%m/%Y", "2026-03-31", Cause.DATE_FORMAT),
        ("%d/%m/%Y", "03-04-2026", Cause.DATE_ORDER),
        ("%d/%m/%Y", "03/04/26", Cause.SHORT_YEAR),
        ("%d/%m/%Y", "31/03/2026T00:00:00", Cause.DATE_FORMAT),
        ("%d%m%Y", "3132026", Cause.DATE_FORMAT),
    ],
)
def test_nothing_else_is(date_format: str, text: str, cause: Cause) -> None:
    found = reader(date_format).read(text)
    assert isinstance(found, Trouble), found
    assert found.cause is cause
    assert found.remedy.endswith(".")


def test_the_other_way_round_is_named() -> None:
    found = reader("%m/%d/%Y").read("31/03/2026")
    assert isinstance(found, Trouble)
    assert "other way round" in found.remedy


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-",
        "n/a",
        "N/A",
        "Still in office",
        "PRESENT",
        "ongoing",
        "none",
        "9999-12-31",
        "2099-12-31",
        "2999-01-01",
    ],
)
def test_words_for_no_day_are_no_day(text: str) -> None:
    assert reader().read(text) is None


@pytest.mark.parametrize(
    ("date_format", "repairs", "text", "day"),
    [
        ("%Y-%m-%d", DAY_FIRST, "03/04/2026", date(2026, 4, 3)),
        ("%Y-%m-%d", MONTH_FIRST, "03/04/2026", date(2026, 3, 4)),
        ("%Y-%m-%d", DAY_FIRST, "31.3.2026", date(2026, 3, 31)),
        ("%Y-%m-%d", DAY_FIRST, "2026-03-31", date(2026, 3, 31)),
        ("%m/%d/%Y", DAY_FIRST, "03-04-2026", date(2026, 4, 3)),
        ("%m/%d/%Y", DAY_FIRST, "03/04/2026", date(2026, 3, 4)),
        ("%m/%d/%Y", SHORT, "03/04/26", date(2026, 3, 4)),
        ("%d-%b-%Y", SHORT, "20-Sep-19", date(2019, 9, 20)),
        # the terms of a congress, 1993 to 1995
        ("%m/%d/%Y", SHORT, "1/5/93", date(1993, 1, 5)),
        ("%m/%d/%Y", SHORT, "1/3/95", date(1995, 1, 3)),
        ("%m/%d/%Y", SHORT, "12/31/68", date(2068, 12, 31)),
        ("%m/%d/%Y", SHORT, "1/1/69", date(1969, 1, 1)),
        ("%d-%b-%Y", SHORT, "20-Sep-99", date(1999, 9, 20)),
        ("%Y-%m-%d", Repairs(short_years=True, date_order=DateOrder.MONTH_FIRST), "1/5/93", date(1993, 1, 5)),
        ("%Y-%m-%d", Repairs(short_years=True, date_order=DateOrder.DAY_FIRST), "31/03/26", date(2026, 3, 31)),
    ],
)
def test_what_a_person_says_counts_where_the_format_does_not_read(
    date_format: str, repairs: Repairs, text: str, day: date
) -> None:
    assert reader(date_format, repairs).read(text) == day


@pytest.mark.parametrize(
    ("date_format", "repairs", "text", "cause"),
    [
        ("%Y-%m-%d", DAY_FIRST, "03/31/2026", Cause.DATE_FORMAT),
        ("%Y-%m-%d", MONTH_FIRST, "31/11/2026", Cause.NO_SUCH_DAY),
        # one column, one separator, two orders: a person's word about other rows must not turn these
        ("%m/%d/%Y", DAY_FIRST, "31/03/2026", Cause.DATE_FORMAT),
        ("%Y-%m-%d", SHORT, "03/04/26", Cause.DATE_ORDER),
        ("%Y-%m-%d", SHORT, "26-03-31", Cause.SHORT_YEAR),
        ("%Y-%m-%d", SHORT, "20-Sep-19", Cause.DATE_FORMAT),
    ],
)
def test_and_no_further(date_format: str, repairs: Repairs, text: str, cause: Cause) -> None:
    found = reader(date_format, repairs).read(text)
    assert isinstance(found, Trouble), found
    assert found.cause is cause


def test_typed_days_are_days_and_bare_numbers_are_not() -> None:
    assert reader("%d/%m/%Y").read(date(2026, 3, 31)) == date(2026, 3, 31)
    assert reader().read(datetime(2026, 3, 31, 17)) == date(2026, 3, 31)  # noqa: DTZ001 - as a spreadsheet gives it
    found = reader().read(46112.0)
    assert isinstance(found, Trouble)
    assert "format the column as a date" in found.remedy


@given(
    st.dates(date(1950, 1, 1), date(2098, 12, 31)), st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%m.%d.%Y", "%d %b %Y"])
)
def test_what_is_written_in_the_format_is_read_back(day: date, date_format: str) -> None:
    assert reader(date_format).read(day.strftime(date_format)) == day


@given(st.dates(date(1950, 1, 1), date(2098, 12, 31)))
def test_a_day_is_never_read_as_its_mirror_image(day: date) -> None:
    """Whatever the two orders make of a day, without a word from a person one of them at most is believed."""
    text = day.strftime("%d/%m/%Y")
    assert reader("%d/%m/%Y").read(text) == day
    other = reader().read(text)
    assert isinstance(other, Trouble)


@given(st.text(max_size=40))
def test_any_text_is_a_day_no_day_or_a_reason(text: str) -> None:
    for date_format in ("%Y-%m-%d", "%d/%m/%Y", "%d%m%Y", "%b %d, %Y"):
        found = reader(date_format).read(text)
        assert found is None or isinstance(found, date | Trouble)
