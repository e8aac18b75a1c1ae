"""What was shown is what is done: rows that belong together, rosters that overtake each other, processes that pause."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from lifecycle.domain.comparison import Kind
from lifecycle.domain.errors import RosterRefused
from lifecycle.domain.roster import Choice, Repairs
from lifecycle.feed import csv_file
from lifecycle.runtime import Runtime
from lifecycle.services.claims import Superseded
from lifecycle.services.comparing import Comparer
from lifecycle.services.intake import Intake
from lifecycle.services.upload_views import State, Upload, document_of
from lifecycle.store import people, roster_uploads
from tests.services.rosters import apply, release, take
from tests.services.world import COLUMNS, World, line, roster_bytes

WORKERS = [f"w{n}" for n in range(1, 8)]
OTHERS = [line(worker, "agent") for worker in WORKERS[1:]]
MARCH, JUNE = date(2026, 3, 31), date(2026, 6, 30)


@pytest.fixture
def world(ready_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(csv_file, "FIRST_LINES", 1)
    profiles = {"plain": {"columns": COLUMNS}, "delta": {"columns": COLUMNS, "source": "plain", "scope": "delta"}}
    world = World(ready_url, changes={"profiles": profiles})
    world.roster(line("w1", "agent"), *OTHERS)
    world.clock.move(hours=1)
    yield world
    world.close()


def contracts(world: World) -> dict[str, date]:
    with world.runtime.store.read() as unit:
        owners = [i.id for i in people.search_identities(unit, "", 100)]
        return {e.reference: e.last_day for found in people.engagements_of(unit, owners).values() for e in found}


def repaired(world: World, upload: Upload, **said: Any) -> Upload:
    world.runtime.uploads.repair(upload.id, lambda repairs: replace(repairs, **said), actor="hr")
    return world.runtime.intake.advance(upload.id)


def confirmed(world: World, upload: Upload) -> Upload:
    confirmations = world.runtime.confirmations
    upload = confirmations.confirm(upload.id, actor="hr", digest=upload.digest)
    return release(world.runtime, upload) if upload.state is State.HELD else upload


# --- rows that belong together ----------------------------------------------------------------------------------------


def test_a_row_that_hr_has_overruled_by_one_that_stands_already_changes_nothing(world: World) -> None:
    shorter = line("w1", "agent", last=date(2026, 3, 5))
    upload = take(world.runtime, roster_bytes(line("w1", "agent"), shorter, *OTHERS))
    upload = repaired(world, upload, choice=Choice.LATER_END)
    assert confirmed(world, upload).state is State.APPLIED
    assert contracts(world)["C-w1"] == MARCH


def test_of_two_rows_about_a_new_contract_only_the_chosen_one_is_applied(world: World) -> None:
    both = [line("x1", "agent", last=JUNE), line("x1", "agent", last=date(2026, 4, 30))]
    upload = take(world.runtime, roster_bytes(*both, line("w1", "agent"), *OTHERS))
    upload = repaired(world, upload, choice=Choice.LATER_END)
    assert upload.counts["new"] == 1
    assert confirmed(world, upload).state is State.APPLIED
    assert contracts(world)["C-x1"] == JUNE


def test_of_two_people_with_one_id_only_the_chosen_one_comes_in(world: World) -> None:
    both = [line("x1", "god", name="Ada", contract="C-1"), line("x1", "god", name="Grace", contract="C-2")]
    upload = take(world.runtime, roster_bytes(*both, line("w1", "agent"), *OTHERS))
    upload = repaired(world, upload, lines={"worker:x1": 3})
    assert confirmed(world, upload).state is State.APPLIED
    assert contracts(world).keys() & {"C-1", "C-2"} == {"C-2"}


def test_what_is_new_beside_what_changes_is_applied_as_it_was_shown(world: World) -> None:
    following = line("w1", "agent", contract="C-next", first=date(2026, 7, 1), last=date(2026, 8, 1))
    rows = [line("w1", "agent", last=JUNE), following]
    upload = take(world.runtime, roster_bytes(*rows, *OTHERS))
    assert (upload.counts["new"], upload.counts["later"]) == (1, 1)
    assert confirmed(world, upload).state is State.APPLIED
    assert (contracts(world)["C-w1"], contracts(world)["C-next"]) == (JUNE, date(2026, 8, 1))


def test_what_was_said_is_the_same_in_every_process() -> None:
    ids = [f"w{n}" for n in range(50)]
    assert document_of(Repairs(converted=frozenset(ids)))["converted"] == sorted(ids)


# --- rosters that overtake each other ---------------------------------------------------------------------------------


def overtake(monkeypatch: pytest.MonkeyPatch, world: World, first: Upload, second_id: list[str]) -> None:
    """Have *first* confirmed just before the next other roster is compared."""
    original, done = Intake._compare, []

    def hooked(self: Intake, upload: Upload, *arguments: Any) -> Any:
        if not done and upload.id != first.id:
            done.append(upload.id)
            second_id.append(upload.id)
            world.runtime.confirmations.confirm(first.id, actor="hr", digest=first.digest)
        return original(self, upload, *arguments)

    monkeypatch.setattr(Intake, "_compare", hooked)


def test_a_roster_that_was_read_while_another_was_applied_is_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    delta = take(world.runtime, roster_bytes(line("w1", "agent", last=JUNE)), profile="delta")
    world.clock.move(hours=1)
    overtake(monkeypatch, world, delta, [])
    full = take(world.runtime, roster_bytes(line("w1", "agent"), *OTHERS, line("x1", "agent")))
    with pytest.raises(RosterRefused, match="has changed since it was shown"):
        confirmed(world, full)
    again = world.runtime.uploads.find(full.id)
    assert again.counts["sooner"] == 1
    assert confirmed(world, again).state is State.APPLIED
    assert contracts(world)["C-w1"] == MARCH


def test_a_roster_that_is_overtaken_while_it_is_confirmed_is_shown_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    delta = take(world.runtime, roster_bytes(line("x1", "agent", last=date(2026, 3, 20))), profile="delta")
    world.clock.move(hours=1)
    full = take(world.runtime, roster_bytes(line("w1", "agent"), *OTHERS, line("x1", "agent", last=JUNE)))
    with monkeypatch.context() as patch:
        overtake(patch, world, delta, [])
        with pytest.raises(RosterRefused, match="Another roster of this source was confirmed meanwhile"):
            confirmed(world, full)
    with pytest.raises(RosterRefused, match="has changed since it was shown"):
        confirmed(world, world.runtime.uploads.find(full.id))
    again = world.runtime.uploads.find(full.id)
    assert again.counts.get("new", 0) == 0
    assert confirmed(world, again).state is State.APPLIED
    assert contracts(world)["C-x1"] == JUNE


def test_a_process_that_wakes_after_another_took_over_writes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, content = world.runtime, roster_bytes(line("w1", "agent"), *OTHERS, line("x1", "agent"))
    original, woke = Comparer._settle, []

    def pausing(self: Comparer, *arguments: Any) -> Any:
        found = list(original(self, *arguments))
        if not woke:
            woke.append(True)
            take_over(world.start(), first)
        return iter(found)

    def take_over(second: Runtime, paused: Runtime) -> None:
        with second.store.write() as unit:
            [row] = roster_uploads.uploads(unit, states=["reading"])
            silent = second.intake.claims.wall() - timedelta(seconds=61)
            roster_uploads.change_upload(unit, row.id, ["reading"], beat_at=silent)
        apply(second, roster_bytes(line("x1", "agent")), profile="delta")
        [upload_id] = second.intake.claims.take_back()
        assert second.intake.advance(upload_id).state is State.READY

    monkeypatch.setattr(Comparer, "_settle", pausing)
    with pytest.raises(Superseded):
        take(first, content)
    world.runtime = first
    [upload] = [u for u in first.uploads.listed() if u.state is State.READY]
    assert upload.counts["untouched"] == 8
    assert first.uploads.items(upload.id, kinds=list(Kind)) == []
    assert confirmed(world, upload).state is State.APPLIED
