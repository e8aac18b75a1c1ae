"""A watched folder: files that are finished, in their order, each once, whatever happens meanwhile."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecycle.services.visits import Visit, Visits
from lifecycle.services.ways.deadline import Deadline
from lifecycle.services.ways.folder import FolderWay
from lifecycle.services.ways.way import CannotFetch, Outcome, is_wanted
from tests.services.intake import Recorder, Unusable, visits
from tests.services.world import MONDAY

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def watching(tmp_path: Path, inbox: Path, recorder: Recorder) -> Visits:
    return visits(tmp_path, recorder, {"agency": {"way": "folder", "path": "inbox", "pattern": "*.csv"}})


def put(folder: Path, name: str, text: str = "", at: datetime = MONDAY) -> Path:
    path = folder / name
    path.write_text(text or f"content of {name}")
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def two_looks(watching: Visits) -> Visit:
    watching.look("agency")
    return watching.look("agency")


def beside(folder: Path) -> dict[str, list[str]]:
    """What lies in the folder and in those beside."""
    return {
        place.name: sorted(path.name for path in place.iterdir() if path.is_file())
        for place in (folder, *(path for path in folder.iterdir() if path.is_dir()))
    }


def test_a_file_is_taken_at_the_second_look_and_put_away(watching: Visits, inbox: Path, recorder: Recorder) -> None:
    put(inbox, "roster.csv")
    first = watching.look("agency")
    assert (first.settling, recorder.delivered) == (True, [])
    assert "taken once it no longer changes" in first.words[0]
    second = watching.look("agency")
    assert second.words == ("roster.csv was applied.", "There is nothing new.")
    assert recorder.delivered == [("roster.csv", b"content of roster.csv")]
    expected = {"file_name": "roster.csv", "way": "folder", "profile": "plain", "as_of": MONDAY, "canary": ""}
    expected["sender"] = "agency"
    assert recorder.calls == [expected]
    assert beside(inbox) == {"inbox": [], "accepted": ["roster.csv"]}
    assert watching.look("agency").words == ("There is nothing new.",)
    assert [note for note in recorder.notes if note[0] != "checked"] == [("answered", "agency")] * 3


def test_a_file_that_is_written_to_waits(watching: Visits, inbox: Path, recorder: Recorder) -> None:
    path = put(inbox, "roster.csv", "a")
    for text in ("ab", "abc"):
        assert watching.look("agency").settling
        path.write_text(text)
    os.utime(path, (0, 0))
    assert watching.look("agency").settling, "an older time of change is a change too"
    watching.look("agency")
    assert recorder.delivered == [("roster.csv", b"abc")]


def test_a_file_that_is_replaced_by_another_of_the_same_size_and_time_waits(
    watching: Visits, inbox: Path, recorder: Recorder
) -> None:
    put(inbox, "roster.csv", "aaa")
    watching.look("agency")
    put(inbox, "new", "bbb").replace(inbox / "roster.csv")
    assert watching.look("agency").settling
    watching.look("agency")
    assert recorder.delivered == [("roster.csv", b"bbb")]


class Meddling(BytesIO):
    """A copy during whose making something happens."""

    def __init__(self, what: Any) -> None:
        super().__init__()
        self.what = what

    def write(self, data: Any) -> int:
        self.what()
        return super().write(data)


@pytest.mark.parametrize("what", ["grows", "shrinks", "vanishes", "is replaced"])
def test_a_file_that_changes_while_it_is_read_is_not_taken(inbox: Path, what: str) -> None:
    way = FolderWay(inbox, "*", 1000)
    path = put(inbox, "roster.csv", "a" * 100)
    happens = {
        "grows": lambda: path.write_text("a" * 101),
        "shrinks": lambda: path.write_text("a" * 99),
        "vanishes": lambda: path.unlink(missing_ok=True),
        "is replaced": lambda: put(inbox, ".other", "b" * 100).replace(path),
    }
    with Deadline(20) as deadline:
        seen = way.look({}, BytesIO(), deadline).seen
        look = way.look(seen, Meddling(happens[what]), deadline)
    assert look.file is None
    assert "changed while it was read" in look.words


def test_what_becomes_of_a_file_says_where_it_is_put(watching: Visits, inbox: Path, recorder: Recorder) -> None:
    recorder.states = {"b.csv": "refused", "c.csv": "held", "d.csv": "ready", "e.csv": "discarded", "f.csv": "received"}
    for name in "abcdef":
        put(inbox, f"{name}.csv")
    words = two_looks(watching).words
    assert beside(inbox) == {
        "inbox": [], "accepted": ["a.csv"], "refused": ["b.csv", "e.csv"], "waiting": ["c.csv", "d.csv", "f.csv"],
    }  # fmt: skip
    assert words[1] == "b.csv was refused: older than the last"
    assert words[2] == "c.csv waits for a person (held)."


def test_the_oldest_comes_first_and_nothing_overtakes(watching: Visits, inbox: Path, recorder: Recorder) -> None:
    put(inbox, "a.csv", at=MONDAY.replace(hour=12))
    put(inbox, "c.csv", at=MONDAY.replace(hour=11))
    put(inbox, "b.csv", at=MONDAY.replace(hour=11))
    watching.look("agency")
    put(inbox, "b.csv", "written to once more", at=MONDAY.replace(hour=11))
    assert watching.look("agency").settling
    assert recorder.names == []
    watching.look("agency")
    assert recorder.names == ["b.csv", "c.csv", "a.csv"]


def test_what_comes_during_a_look_is_new_to_the_next(watching: Visits, inbox: Path, recorder: Recorder) -> None:
    put(inbox, "a.csv")
    watching.look("agency")
    put(inbox, "b.csv", at=MONDAY.replace(hour=12))
    assert watching.look("agency").settling
    assert recorder.names == ["a.csv"]
    watching.look("agency")
    assert recorder.names == ["a.csv", "b.csv"]


def test_hidden_and_unfinished_files_links_folders_and_pipes_are_left_alone(
    watching: Visits, inbox: Path, recorder: Recorder, tmp_path: Path
) -> None:
    secret = put(tmp_path, "secret.csv")
    for name in (".hidden.csv", "a.csv.part", "b.csv.tmp", "c.csv.filepart", "d.xlsx", "e.csv~", "F.CSV.PART"):
        put(inbox, name)
    (inbox / "link.csv").symlink_to(secret)
    (inbox / "folder.csv").mkdir()
    os.mkfifo(inbox / "pipe.csv")
    assert two_looks(watching).words == ("There is nothing new.",)
    assert recorder.calls == []
    assert secret.exists()


def test_a_link_put_in_the_place_of_a_file_is_not_followed(inbox: Path, tmp_path: Path) -> None:
    secret = put(tmp_path, "secret.csv", "x" * 10)
    path = put(inbox, "roster.csv", "y" * 10)
    way = FolderWay(inbox, "*", 1000)
    mark = way._marks()["roster.csv"]
    path.unlink()
    path.symlink_to(secret)
    copy = BytesIO()
    assert not way._take("roster.csv", mark, copy)
    assert copy.getvalue() == b""


def test_a_full_disk_is_said_so(inbox: Path) -> None:
    put(inbox, "roster.csv")
    way = FolderWay(inbox, "*", 1000)
    with Deadline(20) as deadline, open("/dev/full", "w+b", buffering=0) as full:  # noqa: PTH123
        seen = way.look({}, BytesIO(), deadline).seen
        with pytest.raises(CannotFetch, match="No space left on device"):
            way.look(seen, full, deadline)


def test_a_name_that_is_taken_gets_a_number(watching: Visits, inbox: Path) -> None:
    for day in (2, 3, 4):
        put(inbox, "roster.csv", f"of day {day}", MONDAY.replace(day=day))
        two_looks(watching)
    accepted = inbox / "accepted"
    assert {path.name: path.read_text() for path in accepted.iterdir()} == {
        "roster.csv": "of day 2", "roster-2.csv": "of day 3", "roster-3.csv": "of day 4",
    }  # fmt: skip


def test_a_newer_file_that_takes_its_place_while_it_is_delivered_is_not_lost(
    watching: Visits, inbox: Path, recorder: Recorder
) -> None:
    put(inbox, "roster.csv", "old")
    watching.look("agency")
    recorder.on_deliver = lambda: put(inbox, ".new", "new!").replace(inbox / "roster.csv") and None
    watching.look("agency")
    recorder.on_deliver = lambda: None
    watching.look("agency")
    assert [content for _, content in recorder.delivered] == [b"old", b"new!"]


def test_a_file_that_somebody_puts_away_by_hand_is_no_failure(
    watching: Visits, inbox: Path, recorder: Recorder
) -> None:
    path = put(inbox, "roster.csv")
    recorder.on_deliver = path.unlink
    assert not two_looks(watching).failed


@pytest.mark.parametrize("name", ["ünïcode 名簿.csv", "e\u0301tat.csv", "a'b\"c;d.csv", "[x].csv", "-rf.csv"])
def test_names_of_all_kinds(watching: Visits, inbox: Path, recorder: Recorder, name: str) -> None:
    put(inbox, name)
    two_looks(watching)
    assert recorder.names == [name]
    assert [path.name for path in (inbox / "accepted").iterdir()] == [name]


@pytest.mark.parametrize("name", [b"\xff\xfe.csv", b"line\nbreak.csv", "evil\u202egpj.csv".encode(), b"a\\b.csv"])
def test_a_name_that_cannot_be_shown_is_named_in_plain_characters(
    watching: Visits, inbox: Path, recorder: Recorder, name: bytes
) -> None:
    (inbox / os.fsdecode(name)).write_text("x")
    visit = two_looks(watching)
    assert visit.failed
    assert "has a name with unusable characters" in visit.words[0]
    assert visit.words[0].isascii()
    assert recorder.calls == []


def test_a_file_over_the_limit_is_not_read(tmp_path: Path, inbox: Path, recorder: Recorder) -> None:
    watching = visits(tmp_path, recorder, {"agency": {"way": "folder", "path": "inbox"}}, rosters={"largest_mib": 1})
    with (inbox / "huge.csv").open("wb") as file:
        file.truncate(2**20 + 1)
    visit = two_looks(watching)
    assert visit.failed
    assert recorder.failures() == [
        "huge.csv is larger than 1 MiB. If it is a roster, raise rosters.largest_mib in config.toml."
    ]
    (inbox / "huge.csv").unlink()
    with (inbox / "large.csv").open("wb") as file:
        file.truncate(2**20)
    two_looks(watching)
    assert len(recorder.delivered[0][1]) == 2**20


def test_a_file_that_cannot_be_delivered_stays_and_is_tried_again(
    watching: Visits, inbox: Path, recorder: Recorder
) -> None:
    put(inbox, "roster.csv")
    recorder.raises = Unusable("The disk is full.")
    assert two_looks(watching).failed
    assert watching.look("agency").words == ("The disk is full.",)
    assert recorder.failures() == ["The disk is full."] * 2
    recorder.raises = None
    assert not watching.look("agency").failed
    assert recorder.notes[-1] == ("answered", "agency")
    assert beside(inbox)["accepted"] == ["roster.csv"]


def test_a_folder_that_is_gone_or_cannot_be_written_says_so(watching: Visits, inbox: Path, recorder: Recorder) -> None:
    (inbox / "accepted").write_text("in the way")
    put(inbox, "roster.csv")
    visit = two_looks(watching)
    assert visit.failed
    assert "roster.csv was read, but cannot be moved to" in visit.words[1]
    assert watching.look("agency").failed, "it goes on failing until somebody has seen to it"
    assert len(recorder.delivered) == 1
    for path in inbox.iterdir():
        path.unlink()
    inbox.rmdir()
    assert watching.look("agency").words == (f"The folder {inbox} is not there.",)
    assert watching.problems("agency") == [f"the folder {inbox} is not there"]


KILLED = """
import os, sys
from pathlib import Path
from tests.services.intake import Recorder, visits

class Writing(Recorder):
    def deliver(self, stream, **facts):
        with (folder / "delivered").open("ab") as file:
            file.write(stream.read() + b"\\n")
        return super().deliver(stream, **facts)

def die_at(line):
    left = [line]
    def trace(frame, event, argument):
        if event == "line" and "/lifecycle/services/" in frame.f_code.co_filename:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), 9)
        return trace
    return trace

line, status = 0, 9
while status:
    line += 1
    folder = Path(sys.argv[1]) / str(line)
    (folder / "inbox").mkdir(parents=True)
    (folder / "inbox/roster.csv").write_text("the content")
    child = os.fork()
    if not child:
        looking = visits(folder, Writing(), {"agency": {"way": "folder", "path": "inbox"}})
        looking.look("agency")
        sys.settrace(die_at(line))
        looking.look("agency")
        os._exit(0)
    status = os.waitpid(child, 0)[1]
"""


def test_being_killed_at_any_line_delivers_the_same_and_loses_nothing(tmp_path: Path) -> None:
    """Killed before line after line of a look, then looked at anew: the content is delivered, and put away once."""
    killing = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=CHECKOUT, capture_output=True)
    assert killing.returncode == 0, killing.stderr.decode()
    lives = sorted(tmp_path.iterdir(), key=lambda path: int(path.name))
    assert len(lives) > 50, "the look was not traced"
    for folder in lives:
        log, recorder = folder / "delivered", Recorder()
        two_looks(visits(folder, recorder, {"agency": {"way": "folder", "path": "inbox"}}))
        told = log.read_bytes().splitlines() if log.exists() else []
        assert {*told, *(content for _, content in recorder.delivered)} == {b"the content"}, folder.name
        left = [path.read_text() for path in (folder / "inbox").rglob("*.csv") if path.stat().st_size]
        assert left == ["the content"], folder.name
        assert not (folder / "inbox/roster.csv").exists(), folder.name


@pytest.mark.parametrize("name", ["x" * 250 + ".csv", "ö" * 125 + ".csv", "x." + "y" * 250])
def test_the_longest_name_gets_a_number_too(inbox: Path, name: str) -> None:
    way = FolderWay(inbox, "*", 1000)
    for number in range(3):
        put(inbox, name, f"{number}")
        with Deadline(20) as deadline:
            look = way.look(way.look({}, BytesIO(), deadline).seen, BytesIO(), deadline)
        assert look.file is not None
        look.file.put_away(Outcome.ACCEPTED)
    assert sorted(path.read_text() for path in (inbox / "accepted").iterdir()) == ["0", "1", "2"]


@given(st.text(min_size=1))
def test_nothing_hidden_or_unfinished_is_ever_wanted(name: str) -> None:
    assert not is_wanted(f".{name}", "*")
    assert not is_wanted(f"{name}.part", "*")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(Outcome)), max_size=6))
def test_nothing_is_ever_overwritten(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, Outcome]]
) -> None:
    inbox = tmp_path_factory.mktemp("inbox")
    way = FolderWay(inbox, "*", 1000)
    for number, (name, outcome) in enumerate(moves):
        put(inbox, name, f"{number}")
        with Deadline(20) as deadline:
            look = way.look(way.look({}, BytesIO(), deadline).seen, BytesIO(), deadline)
        assert look.file is not None
        look.file.put_away(outcome)
    kept = [path.read_text() for path in inbox.rglob("*") if path.is_file()]
    assert sorted(kept) == sorted(f"{n}" for n in range(len(moves)))


def test_a_file_from_the_future_is_as_of_now(watching: Visits, inbox: Path, recorder: Recorder) -> None:
    put(inbox, "future.csv", at=datetime(2099, 1, 1, tzinfo=UTC))
    two_looks(watching)
    assert recorder.calls[0]["as_of"] == MONDAY, "a file from the future would make every later one seem older"
