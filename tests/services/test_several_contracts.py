"""Several contracts of one worker, with and without numbers: what one row takes another may give, and none hides."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from lifecycle.domain.comparison import Kind
from lifecycle.domain.consequence import Weight
from lifecycle.domain.roster import Cause, Choice
from lifecycle.services.rulebook import Rulebook
from lifecycle.services.upload_views import State, Upload
from tests.services.rosters import apply, take
from tests.services.world import COLUMNS, World, line, roster_bytes

WITHOUT_NUMBERS = {name: header for name, header in COLUMNS.items() if name != "reference"}
PROFILES: dict[str, Any] = {
    "plain": {"columns": COLUMNS},
    "numberless": {"columns": WITHOUT_NUMBERS, "source": "plain", "scope": "delta"},
}
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
BEFORE = date(2026, 2, 27)
"""The Friday before the world's first Monday."""


@pytest.fixture
def world(ready_url: str) -> Iterator[World]:
    world = World(ready_url, changes={"profiles": PROFILES})
    for worker in ("w1", "w2"):
        world.account(worker)
    yield world
    world.close()


def send(world: World, *lines: str, profile: str = "plain", **said: Any) -> Upload:
    upload = take(world.runtime, roster_bytes(*lines), profile=profile)
    if said:
        world.runtime.uploads.repair(upload.id, lambda repairs: replace(repairs, **said), actor="hr")
        upload = world.runtime.intake.advance(upload.id)
    return upload


def said(world: World, upload: Upload) -> list[tuple[str, str]]:
    return [(i.kind.value, i.said) for i in world.runtime.uploads.items(upload.id, kinds=list(Kind))]


def live(world: World, worker: str = "w1") -> set[str]:
    world.tick()
    return world.held(worker)


def test_a_renewal_that_begins_on_the_last_day_interrupts_nothing(world: World) -> None:
    apply(world.runtime, roster_bytes(line("w1", "agent")), profile="numberless")
    assert live(world) == {"agent"}
    upload = send(world, line("w1", "agent", date(2026, 3, 31), LAST), profile="numberless")
    assert (upload.counts["later"], upload.totals.get(Weight.REMOVED_NOW)) == (1, None)
    world.runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest)
    assert live(world) == {"agent"}


@pytest.mark.parametrize("profile", ["plain", "numberless"])
def test_what_goes_on_with_another_contract_is_no_loss(world: World, profile: str) -> None:
    apply(world.runtime, roster_bytes(line("w1", "agent"), line("w2", "agent")), profile=profile)
    assert live(world) == {"agent"}
    ends = line("w1", "agent", last=BEFORE)
    goes_on = line("w1", "agent", date(2026, 3, 2), LAST, contract="C-2", vendor="Brightline")
    upload = send(world, ends, goes_on, line("w2", "agent"), profile=profile)
    assert said(world, upload)[0] == ("sooner", "what it gave goes on with another contract")
    assert (upload.totals.get(Weight.REMOVED_NOW), upload.guard) == (None, ())
    world.runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest)
    assert live(world) == {"agent"}


def test_what_goes_on_in_part_is_lost_in_part(world: World) -> None:
    apply(world.runtime, roster_bytes(line("w1", "god", last=LAST)))
    assert live(world) == {"god", "wiki"}
    ends = line("w1", "god", last=BEFORE)
    upload = send(world, ends, line("w1", "agent", date(2026, 3, 2), LAST, contract="C-2"))
    assert said(world, upload)[0] == ("sooner", "loses tool.god, tool.wiki at once")
    assert upload.totals[Weight.GOD_SOONER] == 1


@pytest.mark.parametrize("sent", ["c-W1", "c-w1"])
def test_a_contract_number_in_other_case_is_the_same(world: World, sent: str) -> None:
    apply(world.runtime, roster_bytes(line("w1", "agent")))
    upload = send(world, line("w1", "agent", last=BEFORE, contract=sent))
    assert (upload.counts["sooner"], upload.counts.get("new"), upload.counts.get("missing")) == (1, None, None)
    world.runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest)
    assert live(world) == set()


def test_which_row_of_a_contract_counts_does_not_say_who_holds_an_id(world: World) -> None:
    lines = (
        line("w1", "agent", contract="C-1"), line("w1", "agent", contract="C-1", last=LAST),
        line("w2", "agent", contract="C-2", name="Alice"), line("w2", "agent", contract="C-3", name="Bob"),
    )  # fmt: skip
    both = send(world, *lines, choice=Choice.LAST_ROW)
    assert [p.cause for p in world.runtime.uploads.problems(both.id)] == [Cause.SHARED_ID]
    holder = send(world, *lines, holder=Choice.LAST_ROW)
    assert [p.cause for p in world.runtime.uploads.problems(holder.id)] == [Cause.DUPLICATE]


def test_two_contracts_of_one_worker_without_numbers_are_asked_about_apart(world: World) -> None:
    later = date(2026, 7, 1)
    lines = (
        line("w1", "agent"), line("w1", "agent", last=BEFORE),
        line("w1", "agent", later, LAST), line("w1", "agent", later, date(2026, 11, 30)),
    )  # fmt: skip
    upload = send(world, *lines, profile="numberless")
    asked = {i.complaint["about"] for i in world.runtime.uploads.items(upload.id, kinds=[Kind.UNUSABLE])}
    assert asked == {"contract:w1 from 2026-01-01", "contract:w1 from 2026-07-01"}
    chosen = {"contract:w1 from 2026-01-01": 2, "contract:w1 from 2026-07-01": 5}
    upload = send(world, *lines, profile="numberless", lines=chosen)
    assert (upload.unusable, upload.counts["new"]) == (0, 2)


def test_rows_that_contradict_each_other_are_counted_where_they_end_god_mode(world: World) -> None:
    apply(world.runtime, roster_bytes(line("w1", "god", last=LAST)))
    upload = send(world, line("w1", "god", last=BEFORE), line("w1", "god", last=date(2027, 1, 31)))
    assert (upload.unusable, upload.totals[Weight.GOD_SOONER], upload.changes_nothing) == (2, 1, False)


def test_an_id_that_somebody_holds_is_nothing_to_choose_between_rows(world: World) -> None:
    apply(world.runtime, roster_bytes(line("w1", "agent", name="Zoe Amber")), profile="numberless")
    for id_, words in (("w1", "ask the vendor"), ("W1", "differs in case only")):
        stranger = line(id_, "agent", date(2026, 5, 1), LAST, name="Bob Brown", contract="C-9")
        upload = send(world, stranger, holder=Choice.LAST_ROW)
        [item] = world.runtime.uploads.items(upload.id, kinds=[Kind.UNUSABLE])
        assert (item.cause, words in item.said.lower()) == (Cause.HELD_ID, True)


def test_a_row_and_an_absence_do_not_hide_each_other(world: World) -> None:
    """Each was weighed as if the contract that the other ends went on: twelve people lost all, held by nothing."""
    workers, rest = [f"p{n}" for n in range(12)], [line(f"z{n}", "agent", last=LAST) for n in range(40)]
    for worker in workers:
        world.account(worker)
    first = {w: line(w, "agent", last=LAST, contract=f"A-{w}") for w in workers}
    second = [line(w, "agent", last=LAST, contract=f"B-{w}") for w in workers]
    for lines in ([*first.values(), *second, *rest], [*first.values(), *rest]):
        apply(world.runtime, roster_bytes(*lines))
        world.clock.move(days=1, hours=1)
    ended = [line(w, "agent", last=BEFORE, contract=f"A-{w}") for w in workers]
    upload = send(world, *ended, *rest)
    assert upload.totals[Weight.REMOVED_NOW] == 24
    assert "12 people of 52 lose access sooner than was known a day before" in [f["words"] for f in upload.guard]
    again = world.runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest)
    assert (again.state, again.totals) == (State.HELD, upload.totals), "worked out anew it says the same"


def test_many_contracts_of_one_worker_are_each_weighed_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    many = 150
    apply(world.runtime, roster_bytes(*(line("w1", "agent", last=LAST, contract=f"C-{n}") for n in range(many))))
    made, original = [0], Rulebook.contract

    def counted(*args: Any) -> Any:
        made[0] += 1
        return original(*args)

    monkeypatch.setattr(Rulebook, "contract", counted)
    lines = (line("w1", "agent", last=date(2026, 12, 30), contract=f"C-{n}") for n in range(many))
    assert send(world, *lines).counts["sooner"] == many
    assert made[0] < 30 * many, "not each for each of the others"
