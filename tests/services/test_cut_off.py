"""A transfer that breaks in the middle of the last line changes no contract before two people have looked."""

from datetime import date
from typing import Any

from sqlalchemy import select

from lifecycle.domain.comparison import Kind
from lifecycle.services.upload_views import State, Upload
from lifecycle.store.tables import EngagementRow
from tests.services.rosters import apply, take
from tests.services.world import World, line, roster_bytes

WORKERS = [f"w{n}" for n in range(1, 7)]
CUT = "it may be cut off"


def roster(sponsor: str = "boss@example.com", last: date = date(2026, 12, 31)) -> bytes:
    return roster_bytes(*(line(worker, "agent", last=last, sponsor=sponsor) for worker in WORKERS))


def said(upload: Upload) -> list[str]:
    return [finding["words"] for finding in upload.guard if CUT in finding["words"]]


def changes(world: World, upload: Upload) -> set[Any]:
    """Return what an upload would do to contracts; that one is missing for the first time does nothing."""
    items = world.runtime.uploads.items(upload.id, kinds=[kind for kind in Kind if kind is not Kind.MISSING], limit=100)
    return {(item.kind, item.worker_id, item.changes) for item in items}


def test_a_last_line_without_an_end_is_held_and_changes_nothing(world: World) -> None:
    world.roster(*roster().decode().splitlines()[1:])
    later = roster("chief@example.com")
    cut = take(world.runtime, later[: later.rindex(b"le.com")])
    assert (cut.unusable, len(said(cut))) == (0, 1)
    held = world.runtime.confirmations.confirm(cut.id, actor="hr", digest=cut.digest)
    assert (held.state, len(said(held))) == (State.HELD, 1)
    whole = take(world.runtime, later)
    assert not said(whole)
    with world.runtime.store.read() as unit:
        assert {row.sponsor for row in unit.session.scalars(select(EngagementRow))} == {"boss@example.com"}


def test_a_file_that_never_ends_so_is_held_once(world: World) -> None:
    first = take(world.runtime, roster().rstrip(b"\n"))
    assert not said(first)
    apply(world.runtime, roster("chief@example.com"))
    assert said(take(world.runtime, roster("boss@example.com").rstrip(b"\n")))
    apply(world.runtime, roster("boss@example.com").rstrip(b"\n"))
    assert not said(take(world.runtime, roster("chief@example.com").rstrip(b"\n")))


def test_every_prefix_of_a_later_file_is_refused_or_held_or_says_what_that_file_says(world: World) -> None:
    world.roster(*roster().decode().splitlines()[1:])
    later = roster("chief@example.com", date(2026, 11, 30))
    expected = changes(world, take(world.runtime, later))
    assert len(expected) == len(WORKERS)
    open_ones = 0
    for length in [*range(1, len(later), 23), *range(later.rindex(b"C-w6"), len(later))]:
        upload = take(world.runtime, later[:length])
        if upload.state is not State.READY or said(upload):
            open_ones += upload.state is State.READY
            continue
        assert changes(world, upload) <= expected, later[:length][-40:]
    assert open_ones > 20
