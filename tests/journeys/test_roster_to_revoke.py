"""The first walk of the design: a roster row comes in, access narrows at exact instants, and is proven gone."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from tests.services.world import World, line, utc


@pytest.fixture
def world(ready_url: str) -> Iterator[World]:
    world = World(ready_url)
    yield world
    world.close()


def test_access_follows_the_contract_instant_by_instant(world: World) -> None:
    """A contract in Berlin that ends on Tuesday 31 March 2026; summer time began on the 29th."""
    world.account("w1")
    world.roster(line("w1"))
    world.tick()
    assert world.held("w1") == {"god", "wiki"}
    assert world.tool.accounts["id-w1"].expires_at == utc(2026, 3, 31, 22)

    for instant, held in (
        (utc(2026, 3, 23, 23), {"power", "wiki"}),  # 00:00 on 24 March in Berlin: narrowing
        (utc(2026, 3, 30, 22), {"agent", "wiki"}),  # 00:00 on 31 March: the last working day
        (utc(2026, 3, 31, 22), set()),  # its midnight
    ):
        before = world.held("w1")
        world.clock.move(instant - timedelta(seconds=1))
        world.tick()
        assert world.held("w1") == before
        world.clock.move(instant)
        world.tick()
        assert world.held("w1") == held
    assert world.tool.accounts["id-w1"].disabled
    assert world.runtime.trail.verify().fault is None


def test_a_second_tick_changes_nothing(world: World) -> None:
    world.account("w1")
    world.roster(line("w1"))
    assert world.tick() > 0
    assert world.tick() == 0
    records = world.runtime.trail.verify().records
    world.tick()
    assert world.runtime.trail.verify().records == records


def test_ended_at_first_sight_never_grants_and_takes_away_what_is_there(world: World) -> None:
    world.account("w1")
    world.account("w2")
    world.tool.members["god"].add("id-w1")
    world.roster(line("w1", last=date(2026, 2, 27)), line("w2", last=date(2026, 2, 27)))
    world.tick()
    assert world.held("w1") == world.held("w2") == set()
    assert world.tool.accounts["id-w1"].disabled


def test_an_earlier_end_acts_at_once_and_a_later_one_gives_nothing_back_by_itself(world: World) -> None:
    world.account("w1")
    world.roster(line("w1", "agent"))
    world.tick()
    world.roster(line("w1", "agent", last=date(2026, 3, 1)))
    world.tick()
    assert world.held("w1") == set()
    assert world.tool.accounts["id-w1"].disabled
    world.roster(line("w1", "agent", last=date(2026, 6, 30)))
    world.tick()
    assert world.held("w1") == set()
    assert world.tool.accounts["id-w1"].disabled


def test_a_renewal_keeps_access_without_a_gap(world: World) -> None:
    world.account("w1")
    first = line("w1", "agent", contract="C1")
    second = line("w1", "agent", first=date(2026, 4, 1), last=date(2026, 12, 31), contract="C2")
    world.roster(first, second)
    world.tick()
    assert world.tool.accounts["id-w1"].expires_at == utc(2026, 12, 31, 23)
    world.clock.move(utc(2026, 3, 31, 22))
    world.tick()
    assert world.held("w1") == {"agent"}
    assert not world.tool.accounts["id-w1"].disabled


def test_somebody_who_is_not_in_the_next_full_roster_is_flagged_and_keeps_access(world: World) -> None:
    world.account("w1")
    world.account("w2")
    world.roster(line("w1", "agent"), line("w2", "agent"))
    world.tick()
    world.roster(line("w1", "agent"))
    world.tick()
    assert world.held("w2") == {"agent"}


def test_the_night_ends_when_it_ends_there(world: World) -> None:
    """The same last day in Auckland and in Honolulu ends 23 hours apart."""
    for worker in ("w1", "w2"):
        world.account(worker)
    world.roster(line("w1", "agent", site="auckland"), line("w2", "agent", site="honolulu"))
    world.tick()
    world.clock.move(utc(2026, 3, 31, 11))
    world.tick()
    assert (world.held("w1"), world.held("w2")) == (set(), {"agent"})
    world.clock.move(utc(2026, 4, 1, 10))
    world.tick()
    assert world.held("w2") == set()


def test_an_account_that_comes_later_gets_its_access_then(world: World) -> None:
    world.roster(line("w1", "agent"))
    world.tick()
    world.account("w1")
    world.clock.move(minutes=10)
    world.tick()
    assert world.held("w1") == {"agent"}
