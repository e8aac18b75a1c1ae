"""Sources are looked at when they are due, each for itself; what goes wrong on one is said and stops no other."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from lifecycle.domain.errors import NotFound
from lifecycle.services.arrivals import SETTLE_SECONDS, Arrivals
from lifecycle.services.visits import MOST_AT_ONCE
from lifecycle.services.ways.deadline import Deadline
from lifecycle.services.ways.way import CannotFetch, Look, TakenFile
from tests.services.intake import Recorder, Unusable, visits


@dataclass
class Place:
    """A way in that does what it is told to."""

    act: Callable[[Deadline], Look] = lambda _: Look()
    looks: int = 0
    deadlines: list[Deadline] = field(default_factory=list)
    place: str = "somewhere"

    def look(self, seen: Mapping[str, Any], copy: BinaryIO, deadline: Deadline) -> Look:
        self.looks += 1
        self.deadlines.append(deadline)
        return self.act(deadline)

    def problems(self) -> list[str]:
        return []


@dataclass
class Seconds:
    """A clock that is moved by hand."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Bench:
    """Three sources, looked at every ten, ten and sixty minutes."""

    folder: Path
    recorder: Recorder = field(default_factory=Recorder)
    elapsed: Seconds = field(default_factory=Seconds)
    places: dict[str, Place] = field(default_factory=lambda: {name: Place() for name in ("a", "b", "c")})

    def __post_init__(self) -> None:
        def source(minutes: int, number: int) -> dict[str, Any]:
            return {"profile": "plain", "every_minutes": minutes, "location": {"path": f"inbox-{number}"}}

        sources = {"a": source(10, 1), "b": source(10, 2), "c": source(60, 3)}
        for each in sources.values():
            each["location"]["way"] = "folder"
        self.visits = visits(self.folder, self.recorder, sources)
        self.visits.open = lambda _, name: self.places[name]
        self.arrivals = Arrivals(self.visits, self.elapsed)

    def run(self, seconds: float = 0.0) -> None:
        """Let time pass, run as the scheduler does, and wait for what was begun."""
        self.elapsed.at += seconds
        self.arrivals.run()
        self.wait()

    def wait(self) -> None:
        for future in list(self.arrivals._under_way.values()):
            future.exception(timeout=20)

    @property
    def looks(self) -> dict[str, int]:
        return {name: place.looks for name, place in self.places.items()}


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    bench = Bench(tmp_path)
    yield bench
    bench.arrivals.close()


def test_each_source_is_looked_at_at_once_and_then_when_it_is_due(bench: Bench) -> None:
    bench.run()
    assert bench.looks == {"a": 1, "b": 1, "c": 1}
    for _ in range(3):
        bench.run(1)
    assert bench.looks == {"a": 1, "b": 1, "c": 1}
    bench.run(600)
    assert bench.looks == {"a": 2, "b": 2, "c": 1}
    for _ in range(5):
        bench.run(300)
        bench.run(301)
    assert bench.looks == {"a": 7, "b": 7, "c": 2}


def test_a_file_that_may_be_written_to_is_looked_at_again_soon(bench: Bench) -> None:
    bench.places["c"].act = lambda _: Look(settling=True)
    bench.run()
    bench.run(1)
    bench.run(SETTLE_SECONDS)
    assert bench.looks == {"a": 1, "b": 1, "c": 2}


def test_a_slow_source_keeps_no_other_waiting_and_is_not_looked_at_twice(bench: Bench) -> None:
    begun, let_go = threading.Event(), threading.Event()

    def slow(_: Deadline) -> Look:
        begun.set()
        let_go.wait(20)
        return Look()

    bench.places["a"].act = slow
    bench.arrivals.run()
    assert begun.wait(20)
    for name in ("b", "c"):
        bench.arrivals._under_way[name].result(timeout=20)
    for _ in range(3):
        bench.elapsed.at += 601
        bench.arrivals.run()
        bench.arrivals._under_way["b"].result(timeout=20)
    assert bench.looks["a"] == 1
    assert bench.looks["b"] == 4
    let_go.set()
    bench.wait()


def test_what_goes_wrong_on_one_is_noted_and_stops_no_other(bench: Bench) -> None:
    def fails(_: Deadline) -> Look:
        raise CannotFetch("The host key has changed.")

    def breaks(_: Deadline) -> Look:
        raise RuntimeError("a mistake of ours")

    bench.places["a"].act, bench.places["b"].act = fails, breaks
    bench.run()
    bench.run(1)
    notes = {note for note in bench.recorder.notes if note[0] != "checked"}
    assert ("failed", "a", "The host key has changed.") in notes
    assert ("failed", "b", "This product has failed: a mistake of ours. Its log says more.") in notes
    assert ("answered", "c") in notes
    bench.places["a"].act = bench.places["b"].act = lambda _: Look()
    bench.recorder.notes.clear()
    bench.run(600)
    assert {("answered", "a"), ("answered", "b")} <= set(bench.recorder.notes)


def test_a_database_that_is_gone_ends_no_looking(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def gone(*_: Any) -> None:
        raise OperationalError("select", {}, Exception("no connection"))

    checked, failed = bench.recorder.note_checked, bench.recorder.note_failed
    bench.recorder.note_checked = bench.recorder.note_failed = gone  # type: ignore[method-assign]
    bench.run()
    bench.run(1)
    assert "cannot be noted" in caplog.text
    bench.recorder.note_checked, bench.recorder.note_failed = checked, failed  # type: ignore[method-assign]
    bench.run(600)
    assert bench.looks == {"a": 1, "b": 1, "c": 0}


@pytest.mark.parametrize("name", ["a", "plain"])
def test_a_frozen_source_is_not_looked_at(bench: Bench, name: str) -> None:
    """Whether the source itself is frozen, or the feed that its profile belongs to."""
    bench.recorder.frozen_because[name] = "Grace rejected a roster of it."
    bench.run()
    assert bench.looks["a"] == 0
    assert ("checked", "a") not in bench.recorder.notes
    visit = bench.visits.look("a")
    assert visit.words == ("It is frozen, so it was not looked at: Grace rejected a roster of it.",)
    bench.recorder.frozen_because.clear()
    bench.run(601)
    assert bench.looks["a"] == 1


def test_stopping_breaks_off_what_is_under_way_and_calls_it_no_failure(bench: Bench) -> None:
    begun = threading.Event()

    def waits(deadline: Deadline) -> Look:
        begun.set()
        while not deadline.passed:
            time.sleep(0.01)
        raise CannotFetch("the connection ended")

    bench.places["a"].act = waits
    bench.arrivals.run()
    assert begun.wait(20)
    bench.arrivals.close()
    assert bench.recorder.failures() == []
    assert bench.visits.look("a").failed
    bench.elapsed.at += 10_000
    bench.arrivals.run()
    assert bench.places["a"].looks == 2


def test_what_is_delivered_only_counts_when_the_look_was_in_time(bench: Bench) -> None:
    def late(deadline: Deadline) -> Look:
        deadline.expire()
        return Look({}, TakenFile("roster.csv", None))

    bench.places["a"].act = late
    assert "took longer than 600 s" in bench.visits.look("a").words[0]
    assert bench.recorder.calls == []


def test_nothing_is_remembered_of_a_file_that_could_not_be_delivered(bench: Bench) -> None:
    bench.places["a"].act = lambda _: Look({"taken": "it"}, TakenFile("roster.csv", None))
    bench.recorder.raises = Unusable("The disk is full.")
    assert bench.visits.look("a").failed
    assert bench.recorder.memory == {}
    bench.recorder.raises = None
    bench.visits.look("a")
    assert bench.recorder.memory["a"]["taken"] == "it"
    assert bench.recorder.memory["a"]["upload"]


def test_one_look_delivers_only_so_many(bench: Bench) -> None:
    numbers = iter(range(10**6))
    bench.places["a"].act = lambda _: Look({"n": next(numbers)}, TakenFile("roster.csv", None))
    visit = bench.visits.look("a")
    assert visit.words[-1] == "There may be more; it follows at the next look."
    assert visit.settling
    assert len(bench.recorder.calls) == MOST_AT_ONCE


def test_an_unknown_source_is_named(bench: Bench) -> None:
    with pytest.raises(NotFound, match="there is no source 'x'; there are a, b, c"):
        bench.visits.look("x")


@pytest.mark.parametrize(
    ("sources", "says"),
    [
        ({"a": {"profile": "nope", "location": {"path": "x"}}}, "there is no profile 'nope'; there are plain, delta"),
        ({"a": {"path": "x"}, "b": {"path": "x"}}, "sources.a watches the same files already"),
        ({"a": {"path": "x", "pattern": "in/*.csv"}}, "no pattern of file names"),
        ({"a": {"path": ""}}, "at least 1 character"),
    ],
)
def test_a_wrong_configuration_is_named(tmp_path: Path, sources: dict[str, Any], says: str) -> None:
    for source in sources.values():
        source.get("location", source)["way"] = "folder"
    with pytest.raises(ValidationError, match=says):
        visits(tmp_path, Recorder(), sources)
