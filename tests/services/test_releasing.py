"""Who releases a held roster, whose word counts when, and how what is held ends otherwise."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

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
from lifecycle.domain.role import Role
from lifecycle.services.upload_views import State
from lifecycle.services.uploads import UploadClosed
from lifecycle.store import members, roster_imports, roster_uploads
from tests.services.guarded import WORKERS, held, leaving, review, send, staff
from tests.services.rosters import apply, take
from tests.services.world import World, line, roster_bytes, utc


@pytest.fixture
def world(guarded: World) -> World:
    return guarded


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


def test_a_source_that_is_stopped_applies_nothing_that_is_held(world: World) -> None:
    upload = send(world, leaving(6))
    world.runtime.sources.freeze("plain", actor="member:petra", why="wait")
    review(world, upload, "hans")
    with pytest.raises(RosterRefused, match="stopped: wait"):
        review(world, upload, "petra")
    assert held(world) == 12


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
