"""A roster whose lines are recalled does what one does that is read line by line, whatever became of what was kept."""

from collections.abc import Callable, Iterator
from datetime import date
from errno import ENOSPC
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from lifecycle.domain.comparison import Kind
from lifecycle.feed import csv_file
from lifecycle.feed.quick import QuickReader, Taken
from lifecycle.services.known import Known
from lifecycle.services.upload_views import State, Upload
from tests.services.rosters import apply, take
from tests.services.world import COLUMNS, World, line, roster_bytes

WORKERS = [f"w{n}" for n in range(1, 8)]
FIRST = [line(worker, "agent") for worker in WORKERS]
SECOND = [line("w1", "agent", last=date(2026, 3, 20)), *FIRST[2:], line("w9", "agent")]
"""One sooner, one (w2) absent, five as they were, one new."""
EXPECTED = {"aside": 0, "lines": 7, "missing": 1, "new": 1, "sooner": 1, "untouched": 5}


@pytest.fixture
def world(ready_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(csv_file, "FIRST_LINES", 1)
    profiles = {"plain": {"columns": COLUMNS}, "same": {"columns": COLUMNS, "source": "plain", "scope": "delta"}}
    world = World(ready_url, changes={"profiles": profiles})
    yield world
    world.close()


@pytest.fixture
def read_lines(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lines were read, block by block."""
    counts: list[int] = []
    original: Callable[..., Taken] = QuickReader.read

    def read(self: QuickReader, numbers: list[int], lines: list[list[str]]) -> Taken:
        counts.append(len(lines))
        return original(self, numbers, lines)

    monkeypatch.setattr(QuickReader, "read", read)
    return counts


def kept(world: World, upload: Upload) -> Path:
    return world.runtime.intake.files.lines_path(upload.id)


def second(world: World) -> Upload:
    world.clock.move(hours=1)
    return take(world.runtime, roster_bytes(*SECOND))


def test_only_what_is_new_is_read(world: World, read_lines: list[int]) -> None:
    apply(world.runtime, roster_bytes(*FIRST))
    read_lines.clear()
    assert second(world).counts == EXPECTED
    assert sum(read_lines) == 2


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        lambda path: path.write_bytes(path.read_bytes()[:-3] + b"abc"),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"x" * 200),
    ],
)
def test_what_was_kept_of_lines_may_be_lost_or_damaged(
    world: World, read_lines: list[int], damage: Callable[[Path], None]
) -> None:
    first = apply(world.runtime, roster_bytes(*FIRST))
    damage(kept(world, first))
    read_lines.clear()
    upload = second(world)
    assert (upload.counts, sum(read_lines)) == (EXPECTED, len(SECOND))


def test_it_is_the_same_roster_to_whoever_confirms_it(world: World) -> None:
    first = apply(world.runtime, roster_bytes(*FIRST))
    recalled = second(world)
    kept(world, first).unlink()
    world.runtime.uploads.discard(recalled.id, actor="hr")
    world.clock.move(hours=-1)
    assert second(world).digest == recalled.digest


def test_a_contract_that_was_changed_elsewhere_is_read_again(world: World, read_lines: list[int]) -> None:
    apply(world.runtime, roster_bytes(*FIRST))
    changed = line("w3", "agent", last=date(2026, 3, 25))
    apply(world.runtime, roster_bytes(changed), profile="same")
    read_lines.clear()
    upload = second(world)
    assert (upload.counts["later"], sum(read_lines)) == (1, 3)
    [item] = world.runtime.uploads.items(upload.id, kinds=[Kind.LATER])
    assert (item.worker_id, item.line) == ("w3", SECOND.index(FIRST[2]) + 2)


def test_a_line_that_comes_twice_counts_once(world: World) -> None:
    apply(world.runtime, roster_bytes(*FIRST))
    world.clock.move(hours=1)
    upload = take(world.runtime, roster_bytes(*FIRST, FIRST[0], FIRST[0]))
    assert upload.counts == {"aside": 0, "lines": 9, "repeated": 2, "untouched": 7}


def test_a_worker_that_must_be_in_the_file_may_be_on_a_recalled_line(world: World) -> None:
    apply(world.runtime, roster_bytes(*FIRST))
    for lines, state in ((SECOND, State.READY), ([*FIRST[:3]], State.RECEIVED)):
        world.clock.move(hours=1)
        upload_id = world.runtime.uploads.receive(
            BytesIO(roster_bytes(*lines)), file_name="roster.csv", way="https", actor="feed", profile="plain",
            as_of=world.clock.now(), canary="w7",
        )  # fmt: skip
        upload = world.runtime.intake.advance(upload_id)
        assert (upload.state, "w7" in upload.error) == (state, state is State.RECEIVED)


def test_a_worker_that_must_be_in_the_file_is_no_other_in_other_letters(world: World) -> None:
    apply(world.runtime, roster_bytes(*FIRST, line("X7", "agent")))
    world.clock.move(hours=1)
    upload_id = world.runtime.uploads.receive(
        BytesIO(roster_bytes(*SECOND, line("X7", "agent"))), file_name="roster.csv", way="https", actor="feed",
        profile="plain", as_of=world.clock.now(), canary="x7",
    )  # fmt: skip
    assert "x7" in world.runtime.intake.advance(upload_id).error


def test_what_was_kept_goes_with_the_file(world: World) -> None:
    first = apply(world.runtime, roster_bytes(*FIRST))
    assert kept(world, first).stat().st_mode & 0o777 == 0o600
    world.runtime.intake.files.delete(first.id)
    assert not kept(world, first).exists()


def test_a_disk_that_is_full_costs_no_roster(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Path.open

    def full(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.name.endswith(".lines.arriving"):
            raise OSError(ENOSPC, "No space left on device")
        return original(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        first = apply(world.runtime, roster_bytes(*FIRST))
    assert not kept(world, first).exists()
    assert [path.name for path in kept(world, first).parent.iterdir()] == [first.id]
    assert second(world).counts == EXPECTED


def test_two_contracts_that_were_spoken_of_in_the_same_words_are_both_stated_by_them() -> None:
    digest, other = "ab" * 16, "cd" * 16
    known = Known([[(digest, "a", 0), (other, "b", 0)], [(digest, "c", 0), ("", "d", 0), (other, "e", 1)]])
    assert sorted(known.unstated()) == ["a", "b", "c", "d", "e"]
    place = known.place_of(digest)
    assert place is not None
    assert known.state([place, place], [7, 8]) == 1
    assert known.line_of(digest) == 7
    assert sorted(known.unstated()) == ["b", "d", "e"]
