"""Reports that are asked for: when they were made, what they are the same as, and what repairing the cause does."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from lifecycle.domain.identity import IdentityId
from lifecycle.services.upload_views import State
from lifecycle.store import people
from tests.services.rosters import apply, take
from tests.services.test_ways_https import Service, serve
from tests.services.world import World, line, roster_bytes

FIRST = roster_bytes(line("w1", "agent"), line("w2", "agent"))
SLIP = roster_bytes(line("w1", "agent", last=date(2026, 4, 2)), line("w2", "agent"))


@pytest.fixture
def report() -> Iterator[Service]:
    for service in serve():
        service.body = FIRST
        yield service


@pytest.fixture
def world(store_url: str, report: Service) -> Iterator[World]:
    location = {"way": "https", "url": f"http://127.0.0.1:{report.port}/report", "allow_private": True}
    sources = {"hr": {"profile": "plain", "location": location}}
    guard = {"share": 1, "vendor_share": 1, "group_share": 1, "fewer_rows": 1}
    world = World(store_url, changes={"sources": sources, "rosters": {"guard": guard}})
    yield world
    world.close()


def look(world: World, **changes: Any) -> str:
    """Look an hour later; with *changes*, after the source was configured otherwise."""
    world.clock.move(hours=1)
    if changes:
        world.changes["sources"]["hr"] |= changes
        world.start()
    visit = world.runtime.visits.look("hr")
    assert not visit.failed, visit.words
    return visit.words[0]


def last_day(world: World) -> date:
    with world.runtime.store.read() as unit:
        [contract] = people.engagements_of(unit, [IdentityId(world.person("w1"))]).popitem()[1]
    return contract.last_day


def test_a_slip_that_is_taken_back_is_applied_though_nobody_says_when_it_was_made(
    world: World, report: Service
) -> None:
    assert look(world) == "report.csv was applied."
    report.body = SLIP
    assert look(world) == "report.csv was applied."
    assert last_day(world) == date(2026, 4, 2)
    report.body = FIRST
    assert look(world) == "report.csv was applied."
    assert last_day(world) == date(2026, 3, 31)
    assert look(world) == "The report is the same as the last time."


def test_a_report_is_never_the_same_as_one_that_was_refused(world: World, report: Service) -> None:
    report.headers["Last-Modified"] = "Sun, 01 Mar 2026 09:00:00 GMT"
    assert look(world) == "report.csv was applied."
    report.body, report.headers["Last-Modified"] = SLIP, "Sat, 28 Feb 2026 09:00:00 GMT"
    assert "was refused: It was made 28 February 2026" in look(world)
    assert look(world) == "The report still is the one that was refused."
    report.headers["Last-Modified"] = "Sun, 01 Mar 2026 10:00:00 GMT"
    assert look(world) == "report.csv was applied.", "it is another report now"
    report.headers["Last-Modified"] = "Sat, 28 Feb 2026 09:00:00 GMT"
    report.body = FIRST
    assert "was refused" in look(world)
    report.body = SLIP
    fresh = world.runtime.sources.find("plain").row.accepted_at
    assert look(world) == "The report is the same as the last time."
    assert world.runtime.sources.find("plain").row.accepted_at == world.clock.now() != fresh


def test_what_was_never_accepted_is_looked_at_anew_once_its_cause_is_repaired(world: World) -> None:
    assert "waits for a person" in look(world, canary="w-wrong")
    [wrong] = world.runtime.uploads.listed()
    assert look(world) == "The report is the same as the last time."
    assert look(world, canary="w1") == "report.csv was applied."
    assert world.runtime.uploads.find(wrong.id).state is State.DISCARDED
    assert look(world) == "The report is the same as the last time."
    assert look(world, canary="w2") == "The report is the same as the last time.", "it was accepted"


@pytest.mark.parametrize("etag", ["", '"1"'])
def test_the_same_report_a_day_later_is_the_second_that_lacks_somebody(
    world: World, report: Service, etag: str
) -> None:
    """A small vendor's report does not change from day to day."""
    assert look(world) == "report.csv was applied."
    report.body = roster_bytes(line("w2", "agent"))
    report.headers["ETag"] = etag
    assert look(world) == "report.csv was applied."
    report.answer_same = bool(etag)
    assert look(world) == "The report is the same as the last time."
    world.clock.move(hours=22)
    assert look(world) == "report.csv was applied."
    assert last_day(world) < world.clock.now().date()
    assert look(world) == "The report is the same as the last time."


def test_a_report_of_before_lacks_nobody_once_more(world: World, report: Service) -> None:
    report.headers["Last-Modified"] = "Sun, 01 Mar 2026 09:00:00 GMT"
    assert look(world) == "report.csv was applied."
    report.body = roster_bytes(line("w2", "agent"))
    assert look(world) == "report.csv was applied."
    world.clock.move(hours=30)
    assert look(world) == "The report is the same as the last time."
    assert last_day(world) == date(2026, 3, 31)


def test_by_hand_the_same_file_again_changes_nothing(world: World) -> None:
    apply(world.runtime, FIRST)
    left = roster_bytes(line("w2", "agent"))
    apply(world.runtime, left)
    world.clock.move(hours=30)
    assert "nothing is to be done" in take(world.runtime, left).note
    assert last_day(world) == date(2026, 3, 31)
