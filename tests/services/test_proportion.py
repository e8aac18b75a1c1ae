"""Whether a file is in proportion: how many rows it has, and how many last days it moves, of how many."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from lifecycle.domain.comparison import Change, Kind
from lifecycle.domain.engagement import Engagement, EngagementId
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.domain.known_contracts import StoredContract
from lifecycle.domain.roster import RosterRow
from lifecycle.services.tally import SPEAKS_OF_KNOWN, Tally
from lifecycle.services.upload_views import Upload
from lifecycle.store import roster_imports
from tests.services.rosters import apply, take
from tests.services.world import COLUMNS, World, line, roster_bytes

LAST = date(2026, 12, 31)
WORKERS = [f"w{n}" for n in range(12)]
QUIET = {"people": 100, "share": 1.0, "vendor_share": 1.0, "group_share": 1.0, "moved_share": 0.5}
PROFILES: dict[str, Any] = {
    "plain": {"columns": COLUMNS},
    "new": {"columns": COLUMNS, "source": "plain"},
    "northgate": {"columns": COLUMNS, "source": "plain", "vendor": "Northgate"},
    "elsewhere": {"columns": COLUMNS},
}


@pytest.fixture
def world(ready_url: str) -> Iterator[World]:
    world = World(ready_url, changes={"rosters": {"guard": QUIET}, "profiles": PROFILES})
    world.roster(*staff())
    yield world
    world.close()


def staff(moved: int = 0, *, sponsor: str = "boss@example.com", last: date = LAST) -> list[str]:
    """Everybody, the last day of the first *moved* much later."""
    days = [LAST + timedelta(days=90) if n < moved else last for n in range(len(WORKERS))]
    return [line(w, "agent", last=day, sponsor=sponsor) for w, day in zip(WORKERS, days, strict=True)]


def held_for(upload: Upload) -> list[str]:
    return [finding["words"] for finding in upload.guard if finding["scope"] == "feed"]


# --- last days that are moved ---------------------------------------------------------------------------------------


def test_ends_by_absence_are_no_last_days_that_the_file_moves(world: World) -> None:
    for new in ("x1", "x2"):
        world.clock.move(days=2)
        upload = apply(world.runtime, roster_bytes(*staff()[:1], line(new, "agent")))
    assert upload.counts[Kind.GONE] == 11
    assert not [words for words in held_for(upload) if "moved" in words]


@pytest.mark.parametrize("times", [1, 3])
def test_the_share_is_that_of_contracts_and_not_of_rows(world: World, times: int) -> None:
    words = "7 of 12 contracts get a last day that is moved by more than 30 days"
    assert held_for(take(world.runtime, roster_bytes(*staff(7) * times))) == [words]
    assert held_for(take(world.runtime, roster_bytes(*staff(6) * times))) == []


def test_notes_and_absences_take_nothing_from_what_the_file_speaks_of(world: World) -> None:
    slips = staff(0, sponsor="bos@example.com", last=LAST - timedelta(days=90))[:7]
    upload = take(world.runtime, roster_bytes(*slips, *staff()[7:10], line("x1", "agent")))
    assert (upload.counts[Kind.NOTE], upload.counts[Kind.MISSING]) == (7, 2)
    assert "7 of 10 contracts get a last day that is moved by more than 30 days" in held_for(upload)


def test_what_was_worked_out_again_is_counted_the_same(world: World) -> None:
    upload = take(world.runtime, roster_bytes(*staff(7)))
    held = world.runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest)
    assert held_for(held) == held_for(upload) != []


@pytest.mark.parametrize("kind", list(Kind))
def test_a_contract_counts_once_and_only_where_a_row_speaks_of_it(kind: Kind) -> None:
    person = Identity(IdentityId("i1"), "Ada", "w1", "s")
    days = {"first_day": date(2026, 1, 1), "last_day": LAST, "zone": "UTC", "vendor": "V"}
    before = Engagement(EngagementId("e1"), person.id, "s", "C1", **days)
    after = replace(before, last_day=LAST + timedelta(days=31))
    tally = Tally(moved_days=30)
    for number in (2, 3):
        tally.add(Change(kind, RosterRow(number, "w1"), StoredContract(before, person), after), f"{number}")
    assert tally.moved == ({before.id} if kind in SPEAKS_OF_KNOWN else set())


# --- rows -----------------------------------------------------------------------------------------------------------


def test_rows_that_repeat_each_other_are_one(world: World) -> None:
    half = take(world.runtime, roster_bytes(*staff()[:6] * 2))
    assert held_for(half) == ["6 rows, 50% fewer than the 12 of the last file"]
    new = [line(f"x{n}", "agent") for n in range(6)]
    assert held_for(take(world.runtime, roster_bytes(*new, *new))) == held_for(half)


def test_rows_that_repeated_each_other_were_one(world: World) -> None:
    world.clock.move(days=1)
    apply(world.runtime, roster_bytes(*staff() * 2))
    with world.runtime.store.read() as unit:
        last = roster_imports.last_full_import(unit, "plain")
    assert last is not None
    assert last.rows == 12
    assert held_for(take(world.runtime, roster_bytes(*staff()[:11]))) == []


def test_a_profile_without_a_file_before_is_measured_by_its_source(world: World) -> None:
    few = roster_bytes(*staff()[:3])
    assert held_for(take(world.runtime, few, profile="new")) == ["3 rows, 75% fewer than the 12 of the last file"]
    assert held_for(take(world.runtime, few, profile="elsewhere")) == []
    assert held_for(take(world.runtime, few, profile="northgate")) == [], "a vendor's file is shorter by nature"


def test_a_source_is_not_measured_by_the_file_of_one_vendor(world: World) -> None:
    world.clock.move(days=1)
    apply(world.runtime, roster_bytes(*staff()[:6]), profile="northgate")
    held = take(world.runtime, roster_bytes(*staff()[:6], line("x1", "agent")), profile="new")
    assert held_for(held) == ["7 rows, 42% fewer than the 12 of the last file"]


def test_a_profile_with_a_file_before_is_measured_by_its_own(world: World) -> None:
    world.clock.move(days=1)
    apply(world.runtime, roster_bytes(*staff()[:6]), profile="new")
    assert held_for(take(world.runtime, roster_bytes(*staff()[:6]), profile="new")) == []
    assert held_for(take(world.runtime, roster_bytes(*staff()[:6]))) != []
