"""Worker ids, contract numbers and first days that come back for somebody else, and rows that are somebody else's."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from connectors.memory import MemoryConnector
from lifecycle.domain.comparison import Kind
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.domain.roster import Cause
from lifecycle.services.targets import Target
from lifecycle.services.upload_views import State, Upload
from lifecycle.store import people, pushes, roster_imports
from tests.services.rosters import apply, release, take
from tests.services.world import COLUMNS, World, line, roster_bytes, utc

WITHOUT_NUMBERS = {name: header for name, header in COLUMNS.items() if name != "reference"}
PROFILES: dict[str, Any] = {
    "plain": {"columns": COLUMNS},
    "delta": {"columns": COLUMNS, "scope": "delta", "source": "plain"},
    "close": {
        "columns": {"reference": "contract", "actual_last_day": "actual end"},
        "source": "plain",
        "scope": "delta",
        "partial": True,
    },
    "numberless": {"columns": WITHOUT_NUMBERS, "source": "plain", "scope": "delta"},
}
OVER, NEXT = utc(2026, 4, 2, 9), date(2026, 4, 7)
LAST = date(2026, 12, 31)


@pytest.fixture
def world(ready_url: str) -> Iterator[World]:
    world = World(ready_url, changes={"profiles": PROFILES})
    world.account("w1")
    yield world
    world.close()


def stored(world: World) -> list[tuple[str, str, str]]:
    """Reference, person and vendor of every contract, in the order of their first days."""
    with world.runtime.store.read() as unit:
        persons = people.search_identities(unit, "", 100)
        found = people.engagements_of(unit, [i.id for i in persons])
        names = {i.id: i.name for i in persons}
    contracts = sorted((e for own in found.values() for e in own), key=lambda e: e.first_day)
    return [(e.reference, names[e.identity_id], e.vendor) for e in contracts]


def lasts(world: World) -> dict[str, date]:
    """The last day of every contract, by reference."""
    with world.runtime.store.read() as unit:
        persons = people.search_identities(unit, "", 100)
        found = people.engagements_of(unit, [i.id for i in persons])
    return {e.reference: e.last_day for own in found.values() for e in own}


def send(world: World, *lines: str, profile: str = "plain", **said: Any) -> Upload:
    upload = take(world.runtime, roster_bytes(*lines), profile=profile)
    if said:
        world.runtime.uploads.repair(upload.id, lambda repairs: replace(repairs, **said), actor="hr")
        upload = world.runtime.intake.advance(upload.id)
    if upload.state is State.READY and not upload.unusable:
        upload = world.runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest)
    return release(world.runtime, upload) if upload.state is State.HELD else upload


def bob(first: date = NEXT, last: date = LAST, **more: Any) -> str:
    return line("w1", "agent", first, last, name="Bob Other", vendor="Bright", **more).replace("w1@", "bob@")


def alice(last: date = date(2026, 3, 31), **more: Any) -> str:
    return line("w1", "god", last=last, name="Alice Amber", **more)


def test_an_id_and_a_number_that_come_back_together_are_another_persons(world: World) -> None:
    """Bob got Alice's identity, with her account and her trail."""
    apply(world.runtime, roster_bytes(alice()))
    world.clock.move(to=OVER)
    assert send(world, bob()).state is State.APPLIED
    assert stored(world) == [("C-w1", "Alice Amber", "Northgate"), ("C-w1\u2063(2)", "Bob Other", "Bright")]
    with world.runtime.store.read() as unit:
        assert pushes.running_contracts(unit, "plain", "w1", OVER.date()) == ["C-w1"], "as whoever ends it knows it"
    world.clock.move(hours=1)
    assert send(world, alice(), bob(last=date(2026, 10, 31))).counts["sooner"] == 1, "each row finds its own"
    world.clock.move(hours=1)
    assert send(world, bob(last=date(2026, 9, 30))).counts["sooner"] == 1
    assert len(stored(world)) == 2
    world.clock.move(to=utc(2026, 10, 5, 9))
    cleo = line("w1", "agent", date(2026, 10, 12), LAST, name="Cleo Third").replace("w1@", "cleo@")
    assert send(world, cleo).state is State.APPLIED
    assert [reference for reference, *_ in stored(world)] == ["C-w1", "C-w1\u2063(2)", "C-w1\u2063(3)"]


def test_a_new_name_with_the_same_first_day_is_the_same_person(world: World) -> None:
    """It was a new person whose contract had the same key: the source was jammed, and nobody's end acted."""
    apply(world.runtime, roster_bytes(alice(), line("w2", "agent")), profile="numberless")
    world.clock.move(to=OVER)
    married = line("w1", "god", last=LAST, name="Alice Miller")
    upload = send(world, married, line("w2", "agent", last=date(2026, 4, 1)), profile="numberless")
    assert upload.state is State.APPLIED
    assert {name for _, name, _ in stored(world)} == {"Alice Miller", "Person w2"}
    world.tick()
    assert world.held("w1") == set(), "an extension after the end gives nothing back by itself"


@pytest.mark.parametrize("profile", ["plain", "numberless"])
def test_somebody_elses_facts_on_a_contract_that_runs_ask(world: World, profile: str) -> None:
    apply(world.runtime, roster_bytes(alice()), profile=profile)
    world.clock.move(hours=1)
    stranger = bob(first=date(2026, 1, 1))
    upload = send(world, stranger, profile=profile)
    assert upload.state is State.READY
    (item,) = world.runtime.uploads.items(upload.id, kinds=[Kind.UNUSABLE])
    assert (item.cause, "Alice Amber" in item.said) == (Cause.RENAMED, True)
    said = send(world, stranger, profile=profile, same_people=True)
    assert said.state is State.APPLIED, "a person has said that it is the same one"


@pytest.mark.parametrize("name", ["Alice Miller", "AMBER, Alice", "Àlice Ämber"])
def test_who_is_known_by_a_word_of_their_name_or_by_their_address_is_the_same(world: World, name: str) -> None:
    apply(world.runtime, roster_bytes(alice()))
    world.clock.move(hours=1)
    assert send(world, line("w1", "god", name=f'"{name}"')).state is State.APPLIED


def test_of_two_people_with_one_id_god_mode_ends_by_the_soonest_row(world: World) -> None:
    apply(world.runtime, roster_bytes(alice(last=LAST), line("w2", "agent")))
    world.tick()
    assert "god" in world.held("w1")
    world.clock.move(hours=1)
    mistyped = line("w1", "god", last=date(2026, 2, 27), name="Alise Ambre")
    upload = take(world.runtime, roster_bytes(alice(last=LAST), mistyped, line("w2", "agent")))
    assert upload.unusable
    world.runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest, leave_out=True)
    world.tick()
    assert "god" not in world.held("w1")
    assert world.held("w1"), "nothing else follows from rows that contradict each other"


# --- older files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kinds", "refused"), [(("plain", "delta"), True), (("delta", "plain"), True)])
def test_what_is_older_than_a_full_roster_is_refused(world: World, kinds: tuple[str, str], refused: bool) -> None:
    """A file of changes from Sunday undid what Monday's full roster had said."""
    first, second = kinds
    apply(world.runtime, roster_bytes(alice(last=date(2026, 3, 20))), profile=first)
    world.clock.move(hours=-6)
    upload = take(world.runtime, roster_bytes(alice(last=LAST)), profile=second)
    assert (upload.state is State.REFUSED) is refused


# --- days moved away and back -----------------------------------------------------------------------------------------


def test_days_moved_into_the_future_and_back_give_nothing_back(world: World) -> None:
    """Two rosters on one day gave everything back at once."""
    apply(world.runtime, roster_bytes(alice()))
    world.clock.move(to=OVER)
    world.tick()
    assert world.held("w1") == set()
    for first in (OVER.date() + timedelta(days=1), date(2026, 1, 1)):
        world.clock.move(hours=1)
        send(world, line("w1", "god", first, LAST, name="Alice Amber"))
        world.tick()
        assert world.held("w1") == set()
    world.clock.move(days=2)
    world.tick()
    assert world.held("w1") == set()


def test_the_last_roster_is_the_last_one_whatever_the_clock_said(world: World) -> None:
    """A clock that ran ahead during one confirmation made every later roster look like an older one."""
    first = roster_bytes(alice(last=date(2026, 5, 31)))
    world.clock.move(hours=5)
    apply(world.runtime, first)
    world.clock.move(hours=-5)
    upload = take(world.runtime, roster_bytes(alice(last=LAST)))
    if upload.state is State.READY:
        apply(world.runtime, roster_bytes(alice(last=LAST)))
    with world.runtime.store.read() as unit:
        last = roster_imports.last_import(unit, "plain")
    assert last is not None
    assert last.number == 1 + (upload.state is not State.REFUSED)


def test_a_row_without_a_worker_means_the_last_contract_that_had_its_number(world: World) -> None:
    """The one that was over was closed again, and the one that runs went on with god mode."""
    apply(world.runtime, roster_bytes(alice()))
    world.clock.move(to=OVER)
    send(world, bob())
    world.clock.move(to=utc(2026, 4, 20, 9))
    closed = take(world.runtime, b"contract,actual end\nC-w1,2026-04-24\n", profile="close")
    apply(world.runtime, b"contract,actual end\nC-w1,2026-04-24\n", profile="close")
    assert closed.counts["sooner"] == 1
    with world.runtime.store.read() as unit:
        persons = people.search_identities(unit, "", 100)
        lasts = {
            e.reference: e.last_day
            for own in people.engagements_of(unit, [i.id for i in persons]).values()
            for e in own
        }
    assert lasts == {"C-w1": date(2026, 3, 31), "C-w1\u2063(2)": date(2026, 4, 24)}


def test_a_number_in_brackets_is_a_number(world: World) -> None:
    """PO-1 and PO-1 (2) were two real contracts of one worker, and rows about one changed the other."""
    both = [line("w1", "agent", contract="PO-1"), line("w1", "agent", date(2026, 2, 1), LAST, contract="PO-1 (2)")]
    apply(world.runtime, roster_bytes(*both))
    world.clock.move(hours=1)
    send(world, line("w1", "agent", last=date(2026, 3, 15), contract="PO-1"), profile="delta")
    assert [reference for reference, *_ in stored(world)] == ["PO-1", "PO-1 (2)"]
    assert lasts(world) == {"PO-1": date(2026, 3, 15), "PO-1 (2)": LAST}


def test_an_account_is_looked_for_by_the_number_as_it_came() -> None:
    """What tells two contracts of one number apart is ours alone: no target knows it."""
    target = Target("tool", "Tool", {"contract": "reference", "worker": "worker_id"}, MemoryConnector)
    person = Identity(IdentityId("i"), "Bob Other", "w1", "plain", "bob@example.com")
    assert target.attributes_of(person, ["C-w1\u2063(2)", "C-w0"]) == {"contract": "C-w1", "worker": "w1"}
