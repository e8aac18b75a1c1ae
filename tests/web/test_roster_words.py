"""Everything that can come of a row has words, and ways to write days are told apart by the days of the file."""

import pytest

from lifecycle.domain.comparison import Kind
from lifecycle.domain.roster import Cause, Choice, Repairs, Scope
from lifecycle.feed.suggest import FORMATS
from lifecycle.services.upload_views import State
from lifecycle.settings.rosters import FIELDS
from lifecycle.web import repairs, roster_words
from lifecycle.web.days import choices


def test_everything_has_words() -> None:
    assert set(roster_words.CAUSES) == set(Cause)
    assert set(roster_words.KINDS) == set(Kind)
    assert set(roster_words.STATES) == set(State)
    assert tuple(roster_words.FIELDS) == FIELDS
    assert set(roster_words.SCOPES) == set(Scope)
    assert set(repairs.CHOICES) == set(Choice) - {Choice.UNSAID}
    shown = {kind for tab in roster_words.TABS for kind in tab.kinds}
    assert shown == set(Kind) - {Kind.SAME}


@pytest.mark.parametrize(
    ("octets", "words"), [(0, "0 KiB"), (1, "1 KiB"), (2**20, "1 MiB"), (int(2.5 * 2**20), "2.5 MiB")]
)
def test_sizes(octets: int, words: str) -> None:
    assert roster_words.size_words(octets) == words


@pytest.mark.parametrize(("value", "words"), [("2026-03-31", "31 Mar 2026"), ("2026-02-31", "2026-02-31"), ("", "")])
def test_days_are_read_as_people_write_them(value: str, words: str) -> None:
    assert roster_words.value_words(value) == words


def test_both_orders_are_offered_where_both_read_every_day() -> None:
    found = choices(["03/04/2026", "05/06/2027", "Still in office", ""])
    assert [way.value for way in found.fitting] == ["%d/%m/%Y", "%m/%d/%Y"]
    assert {way.value for way in (*found.fitting, *found.others)} == set(FORMATS)
    assert {way.example for way in found.fitting} <= {
        "03/04/2026 is 3 April 2026", "03/04/2026 is 4 March 2026",
        "05/06/2027 is 5 June 2027", "05/06/2027 is 6 May 2027",
    }  # fmt: skip


def test_the_day_that_tells_is_the_example() -> None:
    (way,) = choices(["03/04/2026", "31/03/2026"]).fitting
    assert (way.value, way.example) == ("%d/%m/%Y", "31/03/2026 is 31 March 2026")
    assert choices([]).fitting == ()


def test_what_was_said_is_told_and_taken_back() -> None:
    said = Repairs(
        short_years=True, clear_days=True, sponsors={f"s{n}": f"t{n}" for n in range(6)}, choice=Choice.LATER_END,
        holder=Choice.FIRST_ROW,
    )  # fmt: skip
    told = {s.field: s.words for s in repairs.said(said)}
    assert told["sponsors"].endswith("; and 2 more")
    assert told["choice"] == "of rows about one contract, the later end counts"
    assert told["holder"] == "of rows with one worker id, the first row counts"
    for field in told:
        said = repairs.without(field)(said)
    assert said == Repairs()
