"""What rosters mean: contracts, gaps, ends and absences, in the words of those who suffered from other systems."""

import io
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from lifecycle.domain.comparison import Kind
from lifecycle.domain.errors import NotFound, RosterRefused
from lifecycle.domain.roster import Cause, Choice, DateOrder, Repairs
from lifecycle.feed import csv_file
from lifecycle.services.upload_views import State, Upload
from lifecycle.services.uploads import UploadClosed
from lifecycle.store import people, roster_uploads
from tests.services.rosters import apply, release, take
from tests.services.world import COLUMNS, World, line, roster_bytes, utc

BEFORE = date(2026, 2, 27)
"""The Friday before the world's first Monday."""
PROFILES: dict[str, Any] = {
    "plain": {"columns": COLUMNS},
    "delta": {"columns": COLUMNS, "scope": "delta"},
    "status": {"columns": {**COLUMNS, "status": "status"}, "source": "plain"},
    "fill": {
        "columns": {**COLUMNS, "last_day": "estimated end", "actual_last_day": "actual end"},
        "source": "wand",
        "scope": "delta",
    },
    "edit": {
        "columns": {"reference": "contract", "name": "name", "last_day": "last"},
        "source": "plain",
        "scope": "delta",
        "partial": True,
    },
    "northgate": {"columns": COLUMNS, "source": "plain", "vendor": "Northgate"},
    "close": {
        "columns": {"reference": "contract", "actual_last_day": "actual end"},
        "source": "wand",
        "scope": "delta",
        "partial": True,
    },
}


@pytest.fixture(autouse=True)
def recalling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have lines recalled in these small files too, in which otherwise all would be among the first, always read."""
    monkeypatch.setattr(csv_file, "FIRST_LINES", 1)


@pytest.fixture
def world(ready_url: str) -> Iterator[World]:
    world = World(ready_url, changes={"profiles": PROFILES})
    for worker in ("w1", "w2"):
        world.account(worker)
    yield world
    world.close()


def rows(world: World, upload: Upload, *kinds: Kind) -> list[tuple[str, str, str]]:
    """Kind, worker and what it does, of an upload's rows."""
    items = world.runtime.uploads.items(upload.id, kinds=kinds or list(Kind))
    return [(i.kind.value, i.worker_id, i.said) for i in items]


def take_in(world: World, *lines: str, profile: str = "plain") -> Upload:
    return take(world.runtime, roster_bytes(*lines), profile=profile)


def live(world: World, worker: str = "w1") -> set[str]:
    world.tick()
    return world.held(worker)


# --- renewals, gaps, returners --------------------------------------------------------------------------------------


def test_a_following_contract_keeps_access_without_a_gap(world: World) -> None:
    first = line("w1", "agent", contract="C-1")
    world.roster(first, line("w1", "agent", date(2026, 4, 1), date(2026, 9, 30), contract="C-2"))
    for moment in (utc(2026, 3, 31, 21, 59), utc(2026, 3, 31, 22), utc(2026, 4, 1, 9)):
        world.clock.move(to=moment)
        assert live(world) == {"agent"}


def test_a_gap_takes_access_away_until_the_next_contract_begins(world: World) -> None:
    second = line("w1", "agent", date(2026, 4, 2), date(2026, 9, 30), contract="C-2")
    world.roster(line("w1", "agent", contract="C-1"), second)
    assert live(world) == {"agent"}
    world.clock.move(to=utc(2026, 4, 1, 9))
    assert live(world) == set()
    world.clock.move(to=utc(2026, 4, 1, 22))
    assert live(world) == {"agent"}


def test_another_vendor_with_overlap_keeps_the_living_contract(world: World) -> None:
    old = line("w1", "agent", contract="C-1")
    new = line("w1", "agent", date(2026, 3, 1), date(2026, 12, 31), contract="C-2", vendor="Brightline")
    world.roster(old, new)
    assert live(world) == {"agent"}
    world.roster(line("w1", "agent", last=BEFORE, contract="C-1"), new)  # the old vendor closes its contract
    assert live(world) == {"agent"}
    world.clock.move(to=utc(2026, 12, 31, 23))
    assert live(world) == set()


def test_a_last_day_in_the_past_at_first_sight_never_grants(world: World) -> None:
    upload = take_in(world, line("w1", "agent", last=BEFORE))
    assert rows(world, upload) == [("new", "w1", "ended 2026-02-27 23:00 UTC; nothing is given")]
    world.roster(line("w1", "agent", last=BEFORE))
    assert live(world) == set()


def test_an_end_moved_earlier_acts_now_and_moved_later_again_gives_nothing_back(world: World) -> None:
    world.roster(line("w1", "agent"))
    assert live(world) == {"agent"}
    world.roster(line("w1", "agent", last=BEFORE))
    assert live(world) == set()
    again = take_in(world, line("w1", "agent", last=date(2026, 6, 30)))
    assert rows(world, again) == [("later", "w1", "extended after access had ended: nothing is given back by itself")]
    world.roster(line("w1", "agent", last=date(2026, 6, 30)))
    assert live(world) == set()


def test_what_was_shown_is_the_same_a_minute_later(world: World) -> None:
    world.roster(line("w1", "agent"))
    world.roster(line("w1", "agent", last=BEFORE))
    shown = take_in(world, line("w1", "agent", last=date(2026, 6, 30)), line("w2", "agent"))
    world.clock.move(minutes=1)
    assert world.runtime.confirmations.confirm(shown.id, actor="hr", digest=shown.digest).state is State.APPLIED


# --- what files say beside days -------------------------------------------------------------------------------------


def status(*lines: tuple[str, str]) -> bytes:
    header = roster_bytes().decode().strip() + ",status\n"
    return (header + "".join(f"{text},{word}\n" for text, word in lines)).encode()


def test_a_contract_that_is_closed_ends_now_whatever_its_last_day_says(world: World) -> None:
    open_row = line("w1", "agent", last=date(2026, 12, 31))
    apply(world.runtime, status((open_row, "Active"), (line("w2", "agent"), "Active")), profile="status")
    assert live(world) == {"agent"}
    closed = status((open_row, "Closed"), (line("w2", "agent"), "Active"))
    apply(world.runtime, closed, profile="status")
    assert live(world) == set()
    world.clock.move(days=3)
    same = take(world.runtime, closed.replace(b"w2@", b"W2@"), profile="status")
    assert [kind for kind, worker, _ in rows(world, same) if worker == "w1"] == []


def test_what_is_withdrawn_before_it_began_never_begins(world: World) -> None:
    coming = line("w1", "agent", date(2026, 3, 9), date(2026, 12, 31))
    apply(world.runtime, status((coming, "Approved")), profile="status")
    apply(world.runtime, status((coming, "Withdrawn")), profile="status")
    world.clock.move(to=utc(2026, 3, 10))
    assert live(world) == set()


def test_becoming_an_employee_needs_the_word_of_hr(world: World) -> None:
    apply(world.runtime, status((line("w1", "god"), "Active")), profile="status")
    assert live(world) == {"god", "wiki"}
    upload = take(world.runtime, status((line("w1", "god"), "Converted")), profile="status")
    problem = world.runtime.uploads.problems(upload.id)[0]
    assert (problem.cause, problem.rows, problem.blocks) == (Cause.CONVERSION, 1, True)
    world.runtime.uploads.repair(upload.id, lambda _: Repairs(converted=frozenset({"w1"})), actor="hr")
    upload = world.runtime.intake.advance(upload.id)
    assert upload.unusable == 0
    confirm(world, upload)
    assert live(world) == set()
    assert not world.tool.accounts["id-w1"].disabled


def test_an_expected_end_never_moves_an_actual_one(world: World) -> None:
    header = "contract,worker,name,vendor,role,site,first,email,sponsor,estimated end,actual end\n"

    def fill(estimated: str, actual: str = "") -> bytes:
        person = "C-1,w1,Ada,Northgate,agent,berlin,2026-01-01,w1@example.com,boss@example.com"
        return f"{header}{person},{estimated},{actual}\n".encode()

    apply(world.runtime, fill("2026-12-31"), profile="fill")
    assert live(world) == {"agent"}
    apply(world.runtime, b"contract,actual end\nC-1,2026-02-27\n", profile="close")
    assert live(world) == set()
    later = take(world.runtime, fill("2027-03-31"), profile="fill")
    assert later.changes_nothing
    unknown = take(world.runtime, b"contract,actual end\nC-9,2026-02-27\n", profile="close")
    assert world.runtime.uploads.problems(unknown.id)[0].cause is Cause.NOT_KNOWN


# --- absence and age ------------------------------------------------------------------------------------------------


def test_absence_counts_only_in_a_second_full_roster_a_day_later(world: World) -> None:
    both, one = (line("w1", "agent"), line("w2", "agent")), (line("w2", "agent"),)
    world.roster(*both)
    assert live(world) == {"agent"}
    first = apply(world.runtime, roster_bytes(*one))
    assert first.counts["missing"] == 1
    world.clock.move(hours=23)
    soon = take_in(world, *one, line("w3", "agent"))
    assert "gone" not in soon.counts
    assert soon.counts["missing"] == 1, "it is shown again, and the first absence counts"
    assert live(world) == {"agent"}
    world.clock.move(hours=1)
    second = take_in(world, *one, line("w4", "agent"))
    assert rows(world, second, Kind.GONE) == [("gone", "w1", "loses tool.agent at once")]
    assert live(world) == {"agent"}
    confirm(world, second)
    assert live(world) == set()


def test_whoever_is_back_in_the_next_roster_is_missing_no_more(world: World) -> None:
    both, one = (line("w1", "agent"), line("w2", "agent")), (line("w2", "agent"),)
    world.roster(*both)
    world.roster(*one)
    world.clock.move(days=2)
    world.roster(*both)
    world.clock.move(days=2)
    assert take_in(world, *one).counts.get("missing") == 1


def test_a_row_that_cannot_be_used_makes_nobody_missing(world: World) -> None:
    world.roster(line("w1", "agent"), line("w2", "agent"))
    broken = line("w1", "agent").replace("2026-03-31", "31/02/2026")
    upload = take_in(world, broken, line("w2", "agent"))
    assert (upload.unusable, upload.counts.get("missing", 0)) == (1, 0)
    nobody = take_in(world, "rubbish,in,a,row", line("w2", "agent"))
    assert (nobody.unusable, nobody.counts.get("missing", 0)) == (1, 0)


def test_the_same_file_again_changes_nothing_and_shows_the_first_result(world: World) -> None:
    first = apply(world.runtime, roster_bytes(line("w1", "agent")))
    world.clock.move(hours=1)
    again = take_in(world, line("w1", "agent"))
    assert (again.state, again.import_id) == (State.APPLIED, first.import_id)
    assert "This very file was confirmed on 2 March 2026, 09:00 UTC" in again.note


def test_an_older_file_after_a_newer_one_is_refused(world: World) -> None:
    old, new = roster_bytes(line("w1", "agent")), roster_bytes(line("w1", "agent"), line("w2", "agent"))
    apply(world.runtime, old)
    apply(world.runtime, new)

    def send(content: bytes, made: Any) -> Upload:
        receive = world.runtime.uploads.receive
        upload_id = receive(io.BytesIO(content), file_name="r.csv", way="cli", actor="hr", profile="plain", as_of=made)
        return world.runtime.intake.advance(upload_id)

    assert send(old, None).state is State.REFUSED
    earlier = send(roster_bytes(line("w9", "agent")), world.clock.at - timedelta(hours=1))
    assert (earlier.state, "before the last confirmed one" in earlier.error) == (State.REFUSED, True)
    assert send(old, world.clock.at + timedelta(minutes=1)).state is State.READY


def test_a_file_that_was_overtaken_is_read_again_before_it_is_applied(world: World) -> None:
    june = line("w1", "agent", last=date(2026, 6, 30))
    world.roster(line("w1", "agent"), line("w2", "agent"))
    waiting = take_in(world, line("w1", "agent"), line("w2", "clerk"))
    world.roster(june, line("w2", "agent"))
    with pytest.raises(RosterRefused, match="changed since it was shown"):
        world.runtime.confirmations.confirm(waiting.id, actor="hr", digest=waiting.digest)
    again = world.runtime.uploads.find(waiting.id)
    assert [(k, w) for k, w, _ in rows(world, again)] == [("sooner", "w1"), ("changed", "w2")]


def test_a_file_that_waited_is_not_applied_after_a_newer_one(world: World) -> None:
    world.roster(line("w1", "agent"), profile="delta")
    world.clock.move(hours=1)
    old = take_in(world, line("w1", "agent", last=date(2027, 6, 30)), profile="delta")
    world.clock.move(hours=1)
    world.roster(line("w1", "agent", last=date(2026, 3, 20)), profile="delta")
    for _ in range(2):
        with pytest.raises(RosterRefused):
            again = world.runtime.uploads.find(old.id)
            world.runtime.confirmations.confirm(old.id, actor="hr", digest=again.digest)
    world.clock.move(to=utc(2026, 3, 21))
    assert live(world) == set()


def test_an_id_that_somebody_else_holds_gives_nobody_their_access(world: World) -> None:
    world.roster(line("w1", "agent"))
    other = take_in(world, line("w1", "agent"), line("w1", "god", contract="C-bob", name="Bob Other"))
    assert [p.cause for p in world.runtime.uploads.problems(other.id)] == [Cause.SHARED_ID]
    delta = take_in(world, line("W1", "god", contract="C-2", name="Person w1"))
    assert "w1 is that of Person w1" in rows(world, delta, Kind.UNUSABLE)[0][2]


def test_whoever_had_an_id_before_keeps_nothing_from_whoever_has_it_now(world: World) -> None:
    alice = line("w1", "agent", last=BEFORE, contract="C-1", name="Alice")
    bob = line("w1", "agent", date(2026, 3, 1), contract="C-2", name="Bob")
    world.roster(alice, bob)
    assert live(world) == {"agent"}
    ended = line("w1", "agent", date(2026, 3, 1), date(2026, 3, 1), contract="C-2", name="Bob")
    upload = take_in(world, alice, ended)
    assert (upload.unusable, upload.counts["sooner"]) == (0, 1)


def test_an_extension_of_one_contract_takes_no_god_mode_from_another(world: World) -> None:
    other = line("w1", "god", last=date(2026, 12, 31), contract="B-1")
    world.roster(line("w1", "god", last=date(2026, 3, 6), contract="A-1"), other)
    assert "god" in live(world)
    world.roster(line("w1", "god", last=date(2026, 3, 20), contract="A-1"), other)
    assert "god" in live(world)


def test_a_file_of_changes_without_worker_ids_loses_nobodys_id(world: World) -> None:
    world.roster(line("w1", "agent"))
    content = b"contract,name,last\nC-w1,Person Newname,2026-06-30\n"
    apply(world.runtime, content, profile="edit")
    assert world.person("w1")
    assert rows(world, take(world.runtime, content.replace(b"06-30", b"07-31"), profile="edit"))[0][0] == "later"


def test_the_absence_of_other_vendors_means_nothing_to_a_file_of_one(world: World) -> None:
    world.roster(line("w1", "agent"), line("w2", "agent", vendor="Brightline"))
    one = take_in(world, line("w3", "agent", vendor="NORTHGATE"), profile="northgate")
    assert [worker for _, worker, _ in rows(world, one, Kind.MISSING)] == ["w1"]


def test_a_contract_that_follows_keeps_what_is_elevated_on_the_last_day_of_the_one_before(world: World) -> None:
    """It was taken away for the last working day, and given back the morning after."""
    first = line("w1", "god")
    world.roster(first, line("w1", "god", date(2026, 4, 1), date(2026, 12, 31), contract="C-2"))
    for at, held in (
        (utc(2026, 3, 20, 12), {"god", "wiki"}),
        (utc(2026, 3, 30, 12), {"power", "wiki"}),
        (utc(2026, 3, 31, 12), {"power", "wiki"}),
        (utc(2026, 4, 1, 12), {"god", "wiki"}),
    ):
        world.clock.move(to=at)
        assert live(world) == held, at


# --- repairs --------------------------------------------------------------------------------------------------------


def repaired(world: World, upload: Upload, **said: Any) -> Upload:
    world.runtime.uploads.repair(upload.id, lambda _: Repairs(**said), actor="hr")
    return world.runtime.intake.advance(upload.id)


def confirm(world: World, upload: Upload, **more: Any) -> Upload:
    done = world.runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest, **more)
    return done if done.state is State.APPLIED else release(world.runtime, upload)


def test_dates_that_can_be_read_both_ways_are_asked_for_once(world: World) -> None:
    unclear = [line(f"w{n}", "agent").replace("2026-03-31", f"0{n}/04/2026") for n in range(1, 4)]
    upload = take_in(world, *unclear)
    problem = world.runtime.uploads.problems(upload.id)[0]
    assert (problem.cause, problem.rows) == (Cause.DATE_ORDER, 3)
    day_first = repaired(world, upload, date_order=DateOrder.DAY_FIRST)
    assert day_first.unusable == 0
    assert [i.facts["last_day"] for i in world.runtime.uploads.items(upload.id)] == [
        "2026-04-01", "2026-04-02", "2026-04-03",
    ]  # fmt: skip
    month_first = repaired(world, day_first, date_order=DateOrder.MONTH_FIRST)
    assert world.runtime.uploads.items(month_first.id)[0].facts["last_day"] == "2026-01-04"


def test_of_two_rows_about_one_contract_a_person_chooses(world: World) -> None:
    world.roster(line("w1", "agent"))
    sooner, later = date(2026, 3, 10), date(2026, 9, 30)
    twice = (line("w1", "agent", last=later), line("w1", "agent", last=sooner))
    upload = take_in(world, *twice)
    assert upload.unusable == 2
    for said, expected in (
        ({"choice": Choice.SOONER_END}, sooner),
        ({"choice": Choice.LATER_END}, later),
        ({"choice": Choice.FIRST_ROW}, later),
        ({"choice": Choice.LAST_ROW}, sooner),
        ({"lines": {"contract:C-w1": 3}}, sooner),
    ):
        upload = repaired(world, upload, **said)
        assert upload.unusable == 0
        changes = [i.changes for i in world.runtime.uploads.items(upload.id)]
        assert next((c.field, c.new) for c in changes[0]) == ("last_day", expected.isoformat())


def test_a_row_that_contradicts_one_that_is_stored_as_it_stands_is_noticed(world: World) -> None:
    world.roster(line("w1", "agent"))
    upload = take_in(world, line("w1", "agent"), line("w1", "agent", last=date(2026, 9, 30)))
    assert upload.unusable == 1
    assert "2026-03-31 as on line 2" in rows(world, upload)[0][2]
    stays = repaired(world, upload, choice=Choice.SOONER_END)
    assert (stays.unusable, stays.changing) == (0, 0)
    moves = repaired(world, stays, choice=Choice.LATER_END)
    assert (moves.unusable, moves.changing) == (0, 1)


def test_one_id_for_two_people_is_nobodys_until_somebody_says_whose(world: World) -> None:
    upload = take_in(world, line("w1", name="Ada", contract="C-1"), line("w1", name="Grace", contract="C-2"))
    assert [p.cause for p in world.runtime.uploads.problems(upload.id)] == [Cause.SHARED_ID]
    chosen = repaired(world, upload, lines={"worker:w1": 3})
    assert [i.name for i in world.runtime.uploads.items(chosen.id)] == ["Grace"]


def test_a_site_without_a_zone_gets_one(world: World) -> None:
    upload = take_in(world, line("w1", "agent", site="atlantis"))
    assert world.runtime.uploads.problems(upload.id)[0].cause is Cause.UNKNOWN_ZONE
    assert repaired(world, upload, zones={"atlantis": "Atlantic/Azores"}).unusable == 0


def test_a_misspelt_sponsor_is_pointed_out_and_matched_once(world: World) -> None:
    world.roster(line("w1", "agent"))
    slips = [line(f"w{n}", "agent", sponsor="bos@example.com") for n in range(3, 6)]
    upload = take_in(world, line("w1", "agent"), *slips)
    problem = world.runtime.uploads.problems(upload.id)[0]
    assert (problem.cause, problem.rows, problem.blocks) == (Cause.SPONSOR, 3, False)
    assert "Did you mean boss@example.com?" in problem.examples[0].said
    matched = repaired(world, upload, sponsors={"bos@example.com": "boss@example.com"})
    assert world.runtime.uploads.problems(matched.id) == []


def test_what_was_said_of_spellings_is_remembered_with_a_saved_profile(world: World) -> None:
    document = {**PROFILES["plain"], "source": "ours"}
    upload = take_in(world, line("w1", "agent", site="atlantis"))
    world.runtime.uploads.lay_out(upload.id, document, actor="hr", profile="weekly", save=True)
    upload = world.runtime.intake.advance(upload.id)
    confirm(world, repaired(world, upload, zones={"atlantis": "Atlantic/Azores"}))
    world.clock.move(days=7)
    again = take_in(world, line("w1", "agent", site="atlantis"), line("w2", "agent", site="atlantis"), profile="weekly")
    assert (again.unusable, again.changing) == (0, 1)


def test_an_id_whose_zeros_a_spreadsheet_has_eaten_is_nobody_new(world: World) -> None:
    world.roster(line("0042", "agent"), line("42000", "agent"))
    upload = take_in(world, line("42", "agent", contract="C-42"), line("42000", "agent"))
    assert [p.cause for p in world.runtime.uploads.problems(upload.id)] == [Cause.SPOILT_ID]


def test_a_row_with_several_complaints_is_one_row(world: World) -> None:
    broken = line("w1", "agent", site="atlantis").replace("2026-03-31", "soon").replace("2026-01-01", "once")
    upload = take_in(world, broken, line("w2", "agent"))
    assert upload.unusable == 1
    assert {problem.rows for problem in world.runtime.uploads.problems(upload.id)} == {1}


def test_a_profile_is_recognised_by_how_its_files_are_written_too(world: World) -> None:
    columns = {"columns": COLUMNS, "source": "plain", "encoding": "windows-1252", "header": list(COLUMNS.values())}
    first = take(world.runtime, roster_bytes(line("w1", "agent", name="Zoë")), profile="plain")
    header = first.header
    world.runtime.uploads.lay_out(first.id, {**columns, "header": header}, actor="hr", profile="old", save=True)
    world.runtime.uploads.discard(first.id, actor="hr")

    def send(content: bytes) -> Upload:
        upload_id = world.runtime.uploads.receive(io.BytesIO(content), file_name="r.csv", way="cli", actor="hr")
        return world.runtime.intake.advance(upload_id)

    text = roster_bytes(line("w1", "agent", name="Zoë")).decode()
    assert send(text.encode("windows-1252")).profile == "old"
    assert send(text.encode()).profile != "old"


def test_unusable_rows_are_left_out_only_on_purpose(world: World) -> None:
    broken = line("w2", "agent").replace("2026-03-31", "soon")
    upload = take_in(world, line("w1", "agent"), broken)
    with pytest.raises(RosterRefused, match="1 rows cannot be used"):
        world.runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest)
    confirm(world, upload, leave_out=True)
    assert live(world) == {"agent"}
    with pytest.raises(NotFound):
        world.runtime.persons.find("w2", exact=True)


def test_what_was_discarded_is_applied_by_nobody(world: World) -> None:
    upload = take_in(world, line("w1", "agent"))
    world.runtime.uploads.discard(upload.id, actor="hr")
    with pytest.raises(UploadClosed):
        world.runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest)
    assert live(world) == set()


# --- all or nothing -------------------------------------------------------------------------------------------------


def test_a_failure_while_applying_leaves_everything_as_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.roster(line("w1", "agent"))
    upload = take_in(world, line("w1", "agent", last=BEFORE), line("w2", "agent"))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(people, "update_engagements", full)
        with pytest.raises(OSError, match="No space"):
            confirm(world, upload)
    assert live(world) == {"agent"}
    after = world.runtime.uploads.find(upload.id)
    assert after.state is State.READY
    assert confirm(world, after).state is State.APPLIED


def test_what_a_dead_process_was_at_is_taken_up_again(world: World) -> None:
    reading, applying = take_in(world, line("w1", "agent")), take_in(world, line("w2", "agent"))
    long_ago = world.runtime.intake.claims.wall() - timedelta(minutes=5)
    with world.runtime.store.write() as unit:
        dead = {"worker": "dead", "beat_at": long_ago}
        roster_uploads.change_upload(unit, reading.id, (State.READY,), state=State.READING.value, **dead)
        roster_uploads.change_upload(unit, applying.id, (State.READY,), state=State.APPLYING.value, **dead)
    world.runtime.intake.claims.take_back()
    assert world.runtime.uploads.find(applying.id).state is State.READY
    assert world.runtime.uploads.find(reading.id).state is State.RECEIVED
    again = world.runtime.intake.advance(reading.id)
    assert (again.state, again.digest) == (State.READY, reading.digest)
