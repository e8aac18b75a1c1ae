"""The guard: what holds a roster, who releases it, and what is never held."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lifecycle.domain.approval import (
    DuplicateReview,
    NotAReviewer,
    ReasonMissing,
    RequestChanged,
    ReviewerUnfit,
    ReviewRefused,
    SelfReview,
    Verdict,
)
from lifecycle.domain.errors import RosterRefused
from lifecycle.domain.identity import IdentityId
from lifecycle.domain.role import Role
from lifecycle.services.guarding import scopes
from lifecycle.services.upload_views import State, Upload
from lifecycle.services.uploads import UploadClosed
from lifecycle.store import members, people, roster_imports, roster_uploads
from lifecycle.store.people_tables import NoticeRow
from tests.services.rosters import apply, take
from tests.services.world import World, line, roster_bytes, utc

BEFORE = date(2026, 2, 27)
GUARD = {"people": 4, "share": 0.5, "vendor_share": 0.9, "group_share": 0.9, "moved_share": 0.5}
WORKERS = [f"w{n}" for n in range(1, 13)]


@pytest.fixture
def world(ready_url: str) -> Iterator[World]:
    """Twelve people of three vendors, and those who may release."""
    world = World(ready_url, changes={"rosters": {"guard": GUARD}, "notices": {"it": ["it@example.com"]}})
    for worker in WORKERS:
        world.account(worker)
    world.roster(*(staff(worker) for worker in WORKERS))
    world.tick()
    world.member("petra", Role.IT_ADMINISTRATOR, email="petra@example.com")
    world.member("oskar", Role.IT_OPERATOR, email="oskar@example.com")
    world.member("nora", Role.HR, email="nora@example.com")
    world.member("hans", Role.HR, email="hans@example.com")
    world.member("mia", Role.MANAGER, email="boss@example.com")
    yield world
    world.close()


def staff(worker: str, last: date = date(2026, 12, 31), **more: Any) -> str:
    number = int(worker[1:])
    return line(worker, "agent", last=last, vendor=f"Vendor {number % 3}", **more)


def leaving(count: int, last: date = BEFORE) -> bytes:
    """Everybody, the first *count* with another last day."""
    return roster_bytes(*(staff(w, last if n < count else date(2026, 12, 31)) for n, w in enumerate(WORKERS)))


def send(world: World, content: bytes, by: str = "nora") -> Upload:
    """Upload and confirm as somebody in a browser would."""
    actor = world.actor(by)
    upload = take(world.runtime, content)
    with world.runtime.store.write() as unit:
        roster_uploads.change_upload(unit, upload.id, (State.READY,), member_id=actor.id)
    return world.runtime.confirmations.confirm(upload.id, actor=actor.trail_name, digest=upload.digest)


def review(world: World, upload: Upload, by: str, verdict: Verdict = Verdict.APPROVE, **more: Any) -> Upload:
    now = world.runtime.uploads.find(upload.id)
    said = {"digest": now.digest, "note": "looked at", "typed": now.changing, **more}
    return world.runtime.confirmations.review(upload.id, actor=world.actor(by), verdict=verdict, **said)


def held(world: World) -> int:
    world.tick()
    return sum(world.held(worker) == {"agent"} for worker in WORKERS)


def test_few_removals_run_and_many_are_held_before_the_first(world: World) -> None:
    assert send(world, leaving(2)).state is State.APPLIED
    assert held(world) == 10
    world.clock.move(days=2)
    many = send(world, leaving(8))
    assert many.state is State.HELD
    assert any("6 people of 10 lose access" in finding["words"] for finding in many.guard)
    assert held(world) == 10


def test_two_uninvolved_people_release_it(world: World) -> None:
    upload = send(world, leaving(6))
    with pytest.raises(SelfReview):
        review(world, upload, "nora")
    with pytest.raises(NotAReviewer):
        review(world, upload, "mia")
    with pytest.raises(ReasonMissing, match="Type how many contracts change: 6"):
        review(world, upload, "petra", typed=5)
    with pytest.raises(RequestChanged):
        review(world, upload, "petra", digest="0123456789abcdef")
    assert review(world, upload, "petra").state is State.HELD
    assert held(world) == 12
    with pytest.raises(DuplicateReview):
        review(world, upload, "petra")
    assert review(world, upload, "hans").state is State.APPLIED
    assert held(world) == 6


@pytest.mark.parametrize("how", ["repaired", "laid out"])
def test_whoever_shaped_it_releases_nothing_of_it(world: World, how: str) -> None:
    hans, upload = world.actor("hans"), take(world.runtime, leaving(6))
    who = {"actor": hans.trail_name, "member_id": hans.id}
    if how == "repaired":
        world.runtime.uploads.repair(upload.id, lambda said: replace(said, short_years=True), **who)
    else:
        assert upload.layout is not None
        world.runtime.uploads.lay_out(upload.id, upload.layout.model_dump(mode="json"), profile="plain", **who)
    upload = world.runtime.intake.advance(upload.id)
    upload = world.runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest)
    assert upload.state is State.HELD
    with pytest.raises(SelfReview):
        review(world, upload, "hans")
    review(world, upload, "petra", Verdict.DENY)
    with world.runtime.store.read() as unit:
        assert roster_uploads.senders_refused_since(unit, upload.source, world.clock.now()) == {hans.id, "hr"}


def test_two_of_hr_are_not_enough(world: World) -> None:
    upload = send(world, leaving(6))
    world.member("heidi", Role.HR, email="heidi@example.com")
    review(world, upload, "hans")
    with pytest.raises(ReviewerUnfit, match="must be IT"):
        review(world, upload, "heidi")
    assert review(world, upload, "oskar").state is State.APPLIED


def test_nobody_of_an_affected_vendor_releases(world: World) -> None:
    upload = send(world, leaving(6))
    world.member("kim", Role.IT_OPERATOR, worker="w12")  # of Vendor 0, as are w3 and w6
    with pytest.raises(ReviewRefused, match="same vendor"):
        review(world, upload, "kim")
    standing = world.runtime.batches.standing(upload.id, world.actor("petra"))
    assert (standing.why_not, standing.missing, sorted(standing.candidates)) == ("", 2, ["Hans", "Oskar", "Petra"])


def test_whoever_confirmed_it_releases_nothing_of_it_either(world: World) -> None:
    upload = take(world.runtime, leaving(6))
    with world.runtime.store.write() as unit:
        roster_uploads.change_upload(unit, upload.id, (State.READY,), member_id=world.actor("nora").id)
    hans = world.actor("hans")
    confirm = world.runtime.confirmations.confirm
    held_one = confirm(upload.id, actor=hans.trail_name, digest=upload.digest, member_id=hans.id)
    for by in ("nora", "hans"):
        with pytest.raises(SelfReview):
            review(world, held_one, by)


def test_other_rosters_void_nobodys_word(world: World) -> None:
    upload = send(world, leaving(6))
    review(world, upload, "hans")
    apply(world.runtime, roster_bytes(line("z1", "agent")), profile="delta")
    assert review(world, upload, "petra").state is State.APPLIED


def test_whose_access_ends_by_another_role_has_colleagues_who_release_nothing(world: World) -> None:
    others = [staff(w).replace(",agent,", ",nobody,") if n < 6 else staff(w) for n, w in enumerate(WORKERS)]
    upload = send(world, roster_bytes(*others))
    world.member("kim", Role.IT_OPERATOR, worker="w12")
    with pytest.raises(ReviewRefused, match="same vendor"):
        review(world, upload, "kim")


def test_the_dashboard_says_what_is_held_and_what_is_stopped(world: World) -> None:
    upload = send(world, leaving(6))
    alerts = {alert.title: alert for alert in world.runtime.overview.dashboard().alerts}
    assert alerts["A roster of plain is held: two people must agree"].link == f"/rosters/{upload.id}"
    review(world, upload, "petra", Verdict.DENY, note="wrong file")
    alerts = {alert.title: alert for alert in world.runtime.overview.dashboard().alerts}
    assert alerts["Rosters of plain are stopped"].detail.endswith(": roster.csv was rejected: wrong file.")


def test_a_source_that_is_stopped_applies_nothing_that_is_held(world: World) -> None:
    upload = send(world, leaving(6))
    world.runtime.sources.freeze("plain", actor="member:petra", why="wait")
    review(world, upload, "hans")
    with pytest.raises(RosterRefused, match="stopped: wait"):
        review(world, upload, "petra")
    assert held(world) == 12


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


def test_a_rejection_stops_the_source(world: World) -> None:
    upload = send(world, leaving(6))
    with pytest.raises(ReasonMissing):
        review(world, upload, "petra", Verdict.DENY, note=" ")
    assert review(world, upload, "petra", Verdict.DENY, note="wrong file").state is State.REFUSED
    assert held(world) == 12
    with pytest.raises(RosterRefused, match=r"stopped: roster\.csv was rejected: wrong file"):
        send(world, leaving(1))
    with pytest.raises(RosterRefused, match="somebody else must let it go on"):
        nora = world.actor("nora")
        world.runtime.sources.thaw("plain", actor=nora.trail_name, member_id=nora.id, why="my own")
    petra = world.actor("petra")
    world.runtime.sources.thaw("plain", actor=petra.trail_name, member_id=petra.id, why="the vendor has sent a new one")
    with pytest.raises(RosterRefused, match="not stopped"):
        world.runtime.sources.thaw("plain", actor=petra.trail_name, member_id=petra.id, why="again")
    assert send(world, leaving(1)).state is State.APPLIED


def test_what_it_does_is_worked_out_again_when_it_is_released(world: World) -> None:
    upload = send(world, leaving(6, date(2026, 3, 2)))
    review(world, upload, "petra")
    world.clock.move(days=3)
    with pytest.raises(RosterRefused, match="something else by now"):
        review(world, upload, "hans")
    again = world.runtime.uploads.find(upload.id)
    assert (again.state, again.digest != upload.digest) == (State.HELD, True)
    review(world, again, "hans")
    assert held(world) == 12
    assert review(world, again, "petra").state is State.APPLIED


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


def test_god_mode_that_was_known_to_end_ends_while_a_roster_is_held(world: World) -> None:
    world.account("g1")
    apply(world.runtime, roster_bytes(line("g1", "god"), *(staff(w) for w in WORKERS)))
    world.tick()
    assert world.held("g1") == {"god", "wiki"}
    upload = send(world, roster_bytes(line("g1", "god"), *(staff(w, BEFORE) for w in WORKERS)))
    assert upload.state is State.HELD
    world.clock.move(to=utc(2026, 3, 23, 23))  # seven days before 31 March, in Berlin
    world.tick()
    assert world.held("g1") == {"power", "wiki"}


def test_two_who_release_at_once_apply_it_once(world: World) -> None:
    upload = send(world, leaving(6))
    review(world, upload, "petra")
    review(world, upload, "hans")
    with pytest.raises(UploadClosed):
        review(world, upload, "oskar")
    with world.runtime.store.read() as unit:
        assert len(roster_imports.imports_of(unit, "plain", 10)) == 2


def test_a_release_that_a_crash_cut_short_is_finished(world: World) -> None:
    upload = send(world, leaving(6))
    for by in ("petra", "hans"):
        now = world.runtime.uploads.find(upload.id)
        said = {"digest": now.digest, "note": "looked at", "typed": now.changing, "verdict": Verdict.APPROVE}
        world.runtime.batches.review(upload.id, actor=world.actor(by), **said)
    assert world.runtime.uploads.find(upload.id).state is State.HELD
    world.runtime.tidying.run()
    assert world.runtime.uploads.find(upload.id).state is State.APPLIED


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


# --- god mode is never held -------------------------------------------------------------------------------------------


def gods(count: int, last: date) -> bytes:
    """Everybody, all with god mode; the first *count* with another last day."""
    return roster_bytes(
        *(line(w, "god", last=last if n < count else date(2026, 12, 31)) for n, w in enumerate(WORKERS))
    )


def people_of(world: World) -> list[IdentityId]:
    return [IdentityId(world.person(worker)) for worker in WORKERS]


def with_god(world: World) -> set[str]:
    world.tick()
    return {worker for worker in WORKERS if "god" in world.held(worker)}


@pytest.fixture
def gods_world(world: World) -> World:
    apply(world.runtime, gods(0, BEFORE))
    assert with_god(world) == set(WORKERS)
    world.clock.move(days=2)
    return world


def test_god_mode_ends_by_the_word_of_a_roster_that_is_held_and_nothing_else_does(gods_world: World) -> None:
    world = gods_world
    upload = send(world, gods(6, BEFORE))
    assert upload.state is State.HELD
    told = [finding["words"] for finding in upload.guard[-2:]]
    lesser = "whoever holds tool.power in its place loses that with the rest"
    assert told == ["god mode of 6 contracts ends as it says, whoever releases the rest", lesser]
    assert with_god(world) == set(WORKERS[6:])
    assert [world.held(worker) for worker in WORKERS[:6]] == [{"power", "wiki"}] * 6, "the rest waits for two people"
    review(world, upload, "petra")
    assert review(world, upload, "hans").state is State.APPLIED, "it does what they were shown"
    world.tick()
    assert [world.held(worker) for worker in WORKERS[:6]] == [set()] * 6
    with world.runtime.store.read() as unit:
        stored = [e for found in people.engagements_of(unit, people_of(world)).values() for e in found]
    assert all(e.measures.god_ends_at is None for e in stored), "their days end god mode now"


def test_what_a_rejected_roster_would_have_ended_later_goes_on(gods_world: World) -> None:
    world = gods_world
    soon = (world.clock.now() + timedelta(days=10)).date()
    mixed = [line(w, "god", last=BEFORE if n < 6 else soon) for n, w in enumerate(WORKERS)]
    upload = send(world, roster_bytes(*mixed))
    assert upload.state is State.HELD
    assert with_god(world) == set(WORKERS[6:])
    review(world, upload, "petra", Verdict.DENY)
    assert with_god(world) == set(WORKERS[6:]), "what is gone comes back by other people's word only"
    world.clock.move(days=12)
    assert with_god(world) == set(WORKERS[6:])
    told = {r.action for r in world.runtime.trail.search()}
    assert {"god-ends", "god-goes-on"} <= told


def test_another_group_that_loses_too_many_is_another_limit() -> None:
    power, god = ({"scope": "group", "words": "", "vendor": "", "group": group} for group in ("tool.power", "tool.god"))
    assert scopes([power, god]) - scopes([power]) == scopes([god])
    assert scopes([{"scope": "feed", "words": "stored before groups were named", "vendor": ""}]) == {("feed", "", "")}


def test_the_sponsor_is_told_and_can_agree_to_the_days_that_stand(gods_world: World) -> None:
    world = gods_world
    send(world, gods(6, BEFORE))
    unagreed = world.runtime.extensions.unagreed(world.actor("mia"))
    assert {u.identity.worker_id for u in unagreed} == set(WORKERS[:6])
    with world.runtime.store.read() as unit:
        subjects = [n.subject for n in unit.session.scalars(select(NoticeRow)) if n.topic == "extension"]
    assert any(
        "6 contracts under your name were to end sooner, by a roster that is held or contradicts itself" in s
        for s in subjects
    )
    world.runtime.extensions.agree(world.actor("mia"), unagreed[0].engagement.id)
    assert with_god(world) == set(WORKERS[6:]), "the baseline gives none back by itself"


def test_the_second_absence_of_somebody_with_god_mode_is_nobodys_word(gods_world: World) -> None:
    world = gods_world
    few = [line(w, "god", last=date(2026, 12, 31)) for w in WORKERS[6:]]
    for days in (0, 2):
        world.clock.move(days=days)
        upload = send(world, roster_bytes(*few, line(f"w{20 + days}", "agent")))
        if upload.state is State.HELD and not days:
            review(world, upload, "petra")
            review(world, upload, "hans")
    assert upload.state is State.HELD
    assert with_god(world) == set(WORKERS)


def test_of_rows_that_contradict_each_other_god_mode_takes_the_sooner_end(gods_world: World) -> None:
    world = gods_world
    both = [line("w1", "god", last=BEFORE), line("w1", "god", last=date(2027, 6, 30))]
    rest = [line(w, "god", last=date(2026, 12, 31)) for w in WORKERS[1:]]
    upload = take(world.runtime, roster_bytes(*both, *rest))
    assert (upload.unusable, with_god(world)) == (2, set(WORKERS)), "nobody has confirmed it"
    confirmations = world.runtime.confirmations
    done = confirmations.confirm(upload.id, actor="hr", digest=upload.digest, leave_out=True)
    assert done.state is State.APPLIED
    assert with_god(world) == set(WORKERS[1:])
    assert world.held("w1") == {"power", "wiki"}, "which row counts, nobody knows: all else stays"
    assert [u.identity.worker_id for u in world.runtime.extensions.unagreed(world.actor("mia"))] == ["w1"]


# --- who stands today -------------------------------------------------------------------------------------------------


def lose(world: World, login: str, **values: Any) -> None:
    """Change a member as an administrator does."""
    with world.runtime.store.write() as unit:
        row = members.by_subject(unit, "local", login)
        assert row is not None
        for name, value in values.items():
            setattr(row, name, value)
        unit.session.add(row)


@pytest.mark.parametrize("lost", [{"disabled_at": utc(2026, 3, 2)}, {"roles": []}])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_whoever_left_after_agreeing_counts_no_more_and_stands_in_nobodys_way(
    world: World, lost: dict[str, Any], verdict: Verdict
) -> None:
    """One who had left made every later word fail, rejections too: the roster was held for ever."""
    upload = send(world, leaving(6))
    review(world, upload, "petra")
    lose(world, "petra", **lost)
    batches = world.runtime.batches
    shown = batches.standing(upload.id, world.actor("hans"))
    assert (shown.missing, [r.counts for r in shown.reviews]) == (2, [False])
    if verdict is Verdict.DENY:
        assert review(world, upload, "hans", verdict).state is State.REFUSED
        return
    assert review(world, upload, "hans").state is State.HELD
    assert held(world) == 12
    assert review(world, upload, "oskar").state is State.APPLIED
    assert held(world) == 6


def test_who_has_agreed_is_looked_at_again_when_it_is_applied(world: World) -> None:
    """Two agreed while the source was stopped; when it went on, both had left, and it was applied."""
    runtime, upload = world.runtime, send(world, leaving(6))
    runtime.sources.freeze(upload.source, actor="petra", why="looks odd")
    review(world, upload, "petra")
    with pytest.raises(RosterRefused, match="stopped"):
        review(world, upload, "hans")
    lose(world, "petra", disabled_at=utc(2026, 3, 2))
    lose(world, "hans", roles=[])
    runtime.sources.thaw(upload.source, actor="oskar", why="it is fine")
    runtime.tidying.run()
    with pytest.raises(ReviewerUnfit):
        runtime.confirmations.release(upload.id, actor="scheduler")
    assert held(world) == 12


def test_whoever_confirms_at_the_machine_is_not_the_second_person_in_the_browser(world: World) -> None:
    upload = take(world.runtime, leaving(6))
    world.runtime.confirmations.confirm(upload.id, actor="cli:petra", digest=upload.digest)
    with pytest.raises(SelfReview):
        review(world, upload, "petra")


def test_a_held_roster_is_over_once_a_newer_one_is_confirmed(world: World) -> None:
    """Nobody could release it, and whoever rejected it stopped the source of the good one."""
    upload = send(world, leaving(6))
    world.clock.move(hours=1)
    newer = send(world, leaving(1))
    assert newer.state is State.APPLIED
    upload = world.runtime.uploads.find(upload.id)
    assert (upload.state, "before the last confirmed one" in upload.error) == (State.REFUSED, True)
    world.clock.move(hours=1)
    assert send(world, leaving(2)).state is State.APPLIED, "its source goes on"


def test_whoever_sent_it_takes_it_back_and_nobody_else(world: World) -> None:
    upload = send(world, leaving(6))
    batches = world.runtime.batches
    with pytest.raises(ReviewerUnfit):
        batches.take_back(upload.id, world.actor("hans"))
    assert batches.standing(upload.id, world.actor("nora")).can_take_back
    batches.take_back(upload.id, world.actor("nora"))
    assert world.runtime.uploads.find(upload.id).state is State.DISCARDED
    with pytest.raises(UploadClosed):
        review(world, upload, "petra")
    world.clock.move(hours=1)
    assert send(world, leaving(1)).state is State.APPLIED, "its source goes on"


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


def test_two_accounts_of_one_person_are_one_whenever_they_agreed(world: World) -> None:
    """The second was let in while the first had lost its role, and counted beside it once that was back."""
    upload = send(world, leaving(6))
    review(world, upload, "petra")
    world.member("petra2", Role.IT_OPERATOR, email="petra@example.com")
    with pytest.raises(DuplicateReview):
        review(world, upload, "petra2")
    lose(world, "petra", roles=[])
    review(world, upload, "petra2")
    lose(world, "petra", roles=[Role.IT_ADMINISTRATOR.value])
    assert world.runtime.batches.agreed() == []
    with pytest.raises(ReviewRefused):
        world.runtime.confirmations.release(upload.id, actor="scheduler")
    assert held(world) == 12


def test_a_roster_that_it_no_longer_agrees_to_is_not_tried_again_and_again(world: World) -> None:
    upload = send(world, leaving(6))
    runtime = world.runtime
    runtime.sources.freeze(upload.source, actor="petra", why="looks odd")
    review(world, upload, "petra")
    with pytest.raises(RosterRefused, match="stopped"):
        review(world, upload, "hans")
    assert runtime.batches.agreed() == [upload.id]
    lose(world, "petra", roles=[Role.HR.value])
    assert runtime.batches.agreed() == [], "two of HR are not enough"
