"""A million rows are read column by column, a thousand odd ones one by one; both make the same of a line."""

from datetime import date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.domain.roster import DateOrder, Repairs, RosterRow
from lifecycle.feed.careful import CarefulReader, Left
from lifecycle.feed.meaning import Meaning
from lifecycle.feed.profile import Profile
from lifecycle.feed.quick import QuickReader
from lifecycle.feed.table import Cell, Spoilt

FIELDS = (
    "worker_id", "reference", "name", "first_name", "last_name", "email", "vendor", "sponsor", "role", "site", "zone",
    "first_day", "last_day", "actual_last_day", "status", "worker_type",
)  # fmt: skip
DAYS = (
    "2026-01-01", "2026-03-31", "2026-12-31T00:00:00Z", "31/03/2026", "03/04/26", "", "n/a", "9999-12-31", "2026-02-30",
    "1 Feb 2026", "Feb 28, 2026", "13-02-2026", "01/02/2026 00:00", "02/28/2026", "2026-02-01 00:00:00",
    "31/03/2026 7:15 PM",
)  # fmt: skip
WORDS = {
    "worker_id": ("W1", "W2", "W¹", "1E5", "EMP1", "", "Ｗ1", "WС1", "=1+1", " W3 ", "12e3x"),
    "reference": ("C1", "C2", "", "1e5", "C\u200b3"),
    "name": ("Ada", "Zoë Ångström", "", "A\u202eda", "Иван Петров", "Iван Smіth", "x" * 501, "-", "@SUM(A1)", "+1(2)"),
    "first_name": ("Ada", "", "José"),
    "last_name": ("Byron", "", "\x07"),
    "email": ("a@b.example", "", "n/a", "a@b@c", "@b", "a@", "a b@c", "ä@b.example", "a@b;c@d"),
    "vendor": ("V", "", "N\ufeff"),
    "sponsor": ("Grace", "", "grace@example.com", "=x"),
    "role": ("Analyst", "", "#REF!"),
    "site": ("berlin", "", "atlantis", "manila"),
    "zone": ("Europe/Berlin", "", "CET/Nowhere", "UTC"),
    "first_day": DAYS,
    "last_day": DAYS,
    "actual_last_day": DAYS,
    "status": ("Active", "Closed", "Withdrawn", "Pending", "converted", "?", ""),
    "worker_type": ("Contractor", "Employee", "?", "robot"),
}
TYPED: tuple[Cell, ...] = (
    1001.0, 0.5, 1e16, float("nan"), date(2026, 3, 31), datetime(2026, 3, 31, 8), "TRUE",  # noqa: DTZ001
    Spoilt("#REF!", "Correct it."),
)  # fmt: skip


@st.composite
def layouts(draw: st.DrawFn) -> tuple[Profile, Repairs]:
    fields = draw(st.sets(st.sampled_from(FIELDS)))
    profile = Profile(
        "p",
        {field: field for field in FIELDS if field in fields},
        partial=draw(st.booleans()),
        vendor=draw(st.sampled_from(("", "House"))),
        zone=draw(st.sampled_from((None, "UTC"))),
        longest_days=draw(st.sampled_from((None, 100))),
        site_zones={"berlin": "Europe/Berlin"},
        worker_types={"robot": "aside"},
        date_format=draw(st.sampled_from(("%Y-%m-%d", "%d/%m/%Y"))),
    )
    repairs = Repairs(
        last_day=draw(st.sampled_from((None, date(2026, 6, 30)))),
        zones=draw(st.sampled_from(({}, {"atlantis": "UTC"}))),
        sponsors=draw(st.sampled_from(({}, {"grace": "grace@example.com"}))),
        date_order=draw(st.sampled_from(tuple(DateOrder))),
        short_years=draw(st.booleans()),
        clear_days=draw(st.booleans()),
    )
    return profile, repairs


@st.composite
def tables(draw: st.DrawFn) -> tuple[Profile, Repairs, bool, list[list[Cell]]]:
    profile, repairs = draw(layouts())
    typed = draw(st.booleans())
    columns = [*profile.columns, "surplus"]

    def cell(field: str) -> st.SearchStrategy[Cell]:
        likely = st.sampled_from(WORDS.get(field, ("", "x"))[:2])
        words: st.SearchStrategy[Cell] = st.one_of(likely, likely, likely, st.sampled_from(WORDS.get(field, ("", "x"))))
        return st.one_of(words, words, st.sampled_from(TYPED)) if typed else words

    line = st.tuples(*map(cell, columns)).map(list)
    blank: st.SearchStrategy[list[Cell]] = st.sampled_from(([], [""] * len(columns), ["x"]))
    return profile, repairs, typed, draw(st.lists(st.one_of(line, line, line, line, blank), min_size=1, max_size=6))


@settings(max_examples=1500)
@given(tables())
def test_the_quick_way_takes_exactly_what_the_careful_way_accepts(
    table: tuple[Profile, Repairs, bool, list[list[Cell]]],
) -> None:
    profile, repairs, typed, lines = table
    meaning = Meaning(profile, repairs, [*profile.columns, "surplus"])
    taken = QuickReader(meaning, typed=typed).read(range(2, len(lines) + 2), lines)
    careful = CarefulReader(meaning)
    expected = [careful.read(number, cells) for number, cells in enumerate(lines, start=2)]
    assert taken.rows == [found for found in expected if isinstance(found, RosterRow)]
    assert taken.aside == sum(found is Left.ASIDE for found in expected)
    odd = [at for at, found in enumerate(expected) if found is Left.BLANK or isinstance(found, list)]
    assert taken.odd == odd
    assert all(found for found in expected if isinstance(found, list))


def test_one_odd_line_does_not_hide_among_many() -> None:
    profile = Profile("p", {"worker_id": "a", "name": "b", "first_day": "c", "last_day": "d"}, vendor="V", zone="UTC")
    lines: list[list[Cell]] = [[f"W{n}", "Zoë", "2026-01-01", "2026-03-31"] for n in range(5_000)]
    lines[1234] = ["W1234", "Zoë", "2026-01-01", "31/03/2026"]
    lines[4999] = ["W4999", "Z\u2066oë", "2026-01-01", "2026-03-31"]
    taken = QuickReader(Meaning(profile, Repairs(), list("abcd")), typed=False).read(range(5_000), lines)
    assert (taken.odd, len(taken.rows)) == ([1234, 4999], 4_998)
