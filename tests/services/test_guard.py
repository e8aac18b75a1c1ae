"""The guard: what holds a roster, what adds up, and what is no surprise."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lifecycle.domain.approval import Verdict
from lifecycle.domain.errors import RosterRefused
from lifecycle.services.guarding import scopes
from lifecycle.services.upload_views import State
from lifecycle.store.people_tables import NoticeRow
from tests.services.guarded import BEFORE, WORKERS, held, leaving, review, send, staff
from tests.services.rosters import apply, take
from tests.services.world import World, line, roster_bytes, utc


@pytest.fixture
def world(guarded: World) -> World:
    return guarded


def test_few_removals_run_and_many_are_held_before_the_first(world: World) -> None:
    assert send(world, leaving(2)).state is State.APPLIED
    assert held(world) == 10
    world.clock.move(days=2)
    many = send(world, leaving(8))
    assert many.state is State.HELD
    assert any("6 people of 10 lose access" in finding["words"] for finding in many.guard)
    assert held(world) == 10


def test_the_dashboard_says_what_is_held_and_what_is_stopped(world: World) -> None:
    upload = send(world, leaving(6))
    alerts = {alert.title: alert for alert in world.runtime.overview.dashboard().alerts}
    assert alerts["A roster of plain is held: two people must agree"].link == f"/rosters/{upload.id}"
    review(world, upload, "petra", Verdict.DENY, note="wrong file")
    alerts = {alert.title: alert for alert in world.runtime.overview.dashboard().alerts}
    assert alerts["Rosters of plain are stopped"].detail.endswith(": roster.csv was rejected: wrong file.")


def test_two_sources_at_the_same_moment_are_too_much_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(
        world.runtime,
        roster_bytes(*(line(f"x{n}", "agent", last=date(2026, 12, 31)) for n in range(4))),
        profile="delta",
    )
    second = roster_bytes(*(line(f"x{n}", "agent", last=BEFORE) for n in range(4)))
    first = take(world.runtime, leaving(4))
    work_out, confirm = world.runtime.intake.work_out_anew, world.runtime.confirmations.confirm

    def meanwhile(*arguments: Any) -> Any:
        worked = work_out(*arguments)
        monkeypatch.undo()
        apply(world.runtime, second, profile="delta")
        return worked

    monkeypatch.setattr(world.runtime.intake, "work_out_anew", meanwhile)
    with pytest.raises(RosterRefused, match="too much"):
        confirm(first.id, actor="hr", digest=first.digest)
    assert confirm(first.id, actor="hr", digest=world.runtime.uploads.find(first.id).digest).state is State.HELD


def test_many_small_rosters_add_up(world: World) -> None:
    assert send(world, leaving(2)).state is State.APPLIED
    assert send(world, leaving(4)).state is State.APPLIED
    assert send(world, leaving(5)).state is State.HELD
    world.clock.move(hours=25)
    assert send(world, leaving(5, BEFORE - timedelta(days=1))).state is State.APPLIED


def test_what_was_known_a_day_before_is_no_surprise(world: World) -> None:
    known = send(world, leaving(10, date(2026, 3, 20)))
    assert [f["scope"] for f in known.guard] == ["feed"]
    review(world, known, "petra")
    review(world, known, "hans")
    world.clock.move(to=utc(2026, 3, 20, 23, 30))
    assert held(world) == 2


def test_a_vendor_that_goes_to_nothing_is_held(world: World) -> None:
    last = {w: BEFORE if int(w[1:]) % 3 == 1 else date(2026, 12, 31) for w in WORKERS}
    upload = send(world, roster_bytes(*(staff(w, last[w]) for w in WORKERS)))
    assert upload.state is State.HELD
    assert [f["vendor"] for f in upload.guard if f["scope"] == "vendor"] == ["Vendor 1"]


def test_a_file_out_of_proportion_is_held_whatever_it_removes(world: World) -> None:
    fewer = send(world, roster_bytes(*(staff(w) for w in WORKERS[:10])))
    assert [f["scope"] for f in fewer.guard] == ["feed"]
    assert "10 rows, 17% fewer than the 12 of the last file" in fewer.guard[0]["words"]
    moved = send(world, leaving(12, date(2027, 6, 30)), by="hans")
    assert "12 of 12 contracts get a last day that is moved by more than 30 days" in moved.guard[0]["words"]
    assert held(world) == 12


def test_columns_in_another_order_are_held(world: World) -> None:
    text = leaving(0).decode()
    swapped = "\n".join(
        ",".join([cells[1], cells[0], *cells[2:]]) for cells in (row.split(",") for row in text.splitlines())
    )
    upload = send(world, f"{swapped}\n".encode())
    assert upload.guard[0]["words"] == "the columns are not those of the last file"


def test_a_held_roster_is_told_of_until_somebody_decides(world: World) -> None:
    upload = send(world, leaving(6))
    for hours in (0.5, 1, 4, 30):
        world.clock.move(hours=hours)
        world.runtime.batches.remind(world.clock.at)
        world.runtime.batches.remind(world.clock.at)
    with world.runtime.store.read() as unit:
        told = unit.session.scalars(select(NoticeRow).where(NoticeRow.recipient == "it@example.com")).all()
    about = [n.subject for n in told if n.about == f"upload:{upload.id}"]
    assert about[0].startswith("A roster of plain is held")
    assert len(about) == 4


def test_another_group_that_loses_too_many_is_another_limit() -> None:
    power, god = ({"scope": "group", "words": "", "vendor": "", "group": group} for group in ("tool.power", "tool.god"))
    assert scopes([power, god]) - scopes([power]) == scopes([god])
    assert scopes([{"scope": "feed", "words": "stored before groups were named", "vendor": ""}]) == {("feed", "", "")}


@pytest.mark.parametrize("spelt", [str, str.upper])
def test_few_at_a_time_are_counted_among_those_who_were_there(ready_url: str, spelt: Callable[[str], str]) -> None:
    """Whoever had lost access stood in both halves of the share, so that five of six went one by one."""
    limits = {"people": 100, "share": 1, "vendor_share": 0.5, "group_share": 1, "moved_share": 1}
    world = World(ready_url, changes={"rosters": {"guard": limits}})
    small, large = [f"s{n}" for n in range(6)], [f"b{n}" for n in range(30)]

    def roster(left: int) -> bytes:
        # their last day is today, and so they count as running until midnight
        lasts = [date(2026, 3, 2) if n < left else date(2026, 12, 31) for n in range(6)]
        vendors = ["Small", spelt("Small")] * 3
        three = zip(small, lasts, vendors, strict=True)
        few = [line(worker, "agent", last=last, vendor=vendor) for worker, last, vendor in three]
        return roster_bytes(*(line(w, "agent", vendor="Big") for w in large), *few)

    apply(world.runtime, roster(0))
    states = []
    for left in range(1, 5):
        world.clock.move(hours=1)
        upload = take(world.runtime, roster(left))
        states.append(world.runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest).state)
        if states[-1] is State.HELD:
            break
    world.close()
    assert states == [State.APPLIED, State.APPLIED, State.APPLIED, State.HELD]
