"""Signing in with a password: the first administrator, sessions and their ends, invitations."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from lifecycle.domain.errors import NotFound, NotPermitted
from lifecycle.domain.role import Role
from lifecycle.services.authorisation import FRESH, StepUpNeeded, check_fresh
from lifecycle.services.membership import MemberInvalid
from lifecycle.services.secrets import TooManyAttempts
from lifecycle.services.sessions import NotSignedIn
from lifecycle.services.signin import SignInRefused
from lifecycle.store import people
from tests.services.world import PASSWORD, World, line

GOOD: dict[str, Any] = {"login": "ada", "name": "Ada", "password": PASSWORD, "address": "here"}


def test_the_code_works_once_and_within_the_hour(world: World) -> None:
    sign_in = world.runtime.sign_in
    void, code = sign_in.new_setup_code(), sign_in.new_setup_code()
    for wrong in ({"code": void}, {"code": code, "password": "short"}, {"code": code, "login": " "}):
        with pytest.raises(SignInRefused):
            sign_in.set_up(**{**GOOD, **wrong})
    world.wall.move(minutes=61)
    with pytest.raises(SignInRefused):
        sign_in.set_up(code=code, **GOOD)
    code = sign_in.new_setup_code()
    token = sign_in.set_up(code=code, **GOOD)
    assert world.runtime.sessions.actor(token).roles == {Role.IT_ADMINISTRATOR}
    with pytest.raises(SignInRefused):
        sign_in.set_up(code=code, **GOOD)
    assert not sign_in.needs_setup()


def test_a_session_ends_when_idle_and_in_any_case_after_a_day_s_work(world: World) -> None:
    sign_in, sessions = world.runtime.sign_in, world.runtime.sessions
    session = sign_in.set_up(code=sign_in.new_setup_code(), **GOOD)
    for _ in range(28):
        world.wall.move(minutes=25)
        sessions.actor(session)
    world.wall.move(minutes=25)
    with pytest.raises(NotSignedIn):
        sessions.actor(session)
    session = sign_in.sign_in(login="ADA ", password=PASSWORD, address="here")
    world.wall.move(minutes=31)
    with pytest.raises(NotSignedIn):
        sessions.actor(session)
    for made_up in ("made up", ""):
        with pytest.raises(NotSignedIn):
            sessions.actor(made_up)


def test_confirming_gives_a_new_token_and_the_old_one_is_worth_nothing(world: World) -> None:
    petra = world.member("petra", Role.IT_ADMINISTRATOR)
    token = world.sign_in("petra")
    world.wall.move(minutes=5)
    with pytest.raises(StepUpNeeded):
        check_fresh(world.runtime.sessions.actor(token), world.wall.now())
    with pytest.raises(SignInRefused):
        world.runtime.sign_in.confirm(petra, token, "wrong", "here")
    fresh = world.runtime.sign_in.confirm(petra, token, PASSWORD, "here")
    assert fresh != token
    check_fresh(world.runtime.sessions.actor(fresh), world.wall.now() + FRESH - timedelta(seconds=1))
    with pytest.raises(NotSignedIn):
        world.runtime.sessions.actor(token)


def test_a_member_who_is_disabled_is_out_at_once(world: World) -> None:
    petra, oskar = world.member("petra", Role.IT_ADMINISTRATOR), world.member("oskar", Role.IT_OPERATOR)
    token = world.sign_in("oskar")
    assert world.runtime.sessions.actor(token).id == oskar.id
    world.runtime.membership.disable(petra, oskar.id)
    with pytest.raises(NotSignedIn):
        world.runtime.sessions.actor(token)
    with pytest.raises(NotSignedIn):
        world.sign_in("oskar")
    with pytest.raises(MemberInvalid):
        world.runtime.membership.disable(petra, petra.id)
    world.runtime.membership.enable(petra, oskar.id)
    with pytest.raises(NotSignedIn):
        world.runtime.sessions.actor(token)
    world.sign_in("oskar")


def test_a_contractor_is_out_when_the_contract_ends_whatever_the_session_says(world: World) -> None:
    world.roster(line("w1"))
    carl = world.member("carl", worker="w1")
    token = world.sign_in("carl")
    assert world.runtime.sessions.actor(token).roles == {Role.CONTRACTOR}
    with world.runtime.store.read() as unit:
        ends_at = world.runtime.parties.contracts(unit, carl.identity_id)[0].timeline.ends_at
    world.clock.move(to=ends_at - timedelta(microseconds=1))
    world.runtime.sessions.actor(token)
    world.clock.move(to=ends_at)
    with pytest.raises(NotSignedIn):
        world.runtime.sessions.actor(token)
    with pytest.raises(NotSignedIn, match="contract has ended"):
        world.sign_in("carl")


def test_sessions_are_listed_and_ended_by_their_owner_only(world: World) -> None:
    petra, oskar = world.member("petra", Role.IT_ADMINISTRATOR), world.member("oskar", Role.IT_OPERATOR)
    first, second = world.sign_in("petra"), world.sign_in("petra")
    sessions = world.runtime.sessions
    listed = sessions.list(petra, second)
    assert [s.current for s in listed].count(True) == 1
    other = next(s for s in listed if not s.current)
    with pytest.raises(NotFound):
        sessions.end_one(oskar, other.id)
    sessions.end_one(petra, other.id)
    with pytest.raises(NotSignedIn):
        sessions.actor(first)
    third = world.sign_in("petra")
    assert sessions.end_others(petra, third) == 1
    with pytest.raises(NotSignedIn):
        sessions.actor(second)
    sessions.actor(third)


def test_an_invitation_works_once_for_its_own_name_and_ends_older_sessions(world: World) -> None:
    petra = world.member("petra", Role.IT_ADMINISTRATOR)
    membership, sign_in = world.runtime.membership, world.runtime.sign_in
    details = {"name": "Nora", "email": "nora@example.com", "supervisor": "", "roles": ["hr"]}
    code = membership.invite(petra, login="nora", **details)
    world.member("other", Role.HR)
    with pytest.raises(MemberInvalid):
        membership.invite(petra, login="Nora", **details)
    with pytest.raises(SignInRefused):
        world.sign_in("nora")
    for wrong in ({"login": "other"}, {"code": "000000-000000-000000"}, {"password": "short"}):
        with pytest.raises(SignInRefused):
            sign_in.accept(**{"code": code, "login": "nora", "password": PASSWORD, "address": "a", **wrong})
    token = sign_in.accept(code=code, login="nora", password=PASSWORD, address="b")
    with pytest.raises(SignInRefused):
        sign_in.accept(code=code, login="nora", password=PASSWORD, address="c")
    nora = world.runtime.sessions.actor(token)
    assert nora.roles == {Role.HR}
    login, again = membership.invite_again(petra, nora.id)
    sign_in.accept(code=again, login=login, password=PASSWORD + "2", address="d")
    with pytest.raises(NotSignedIn):
        world.runtime.sessions.actor(token)


def test_roles_are_given_by_another_administrator_with_a_fresh_sign_in(world: World) -> None:
    petra, oskar = world.member("petra", Role.IT_ADMINISTRATOR), world.member("oskar", Role.IT_OPERATOR)
    membership = world.runtime.membership
    with pytest.raises(MemberInvalid):
        membership.set_roles(petra, petra.id, ["hr"])
    with pytest.raises(MemberInvalid):
        membership.set_roles(petra, oskar.id, ["contractor"])
    with pytest.raises(NotPermitted):
        membership.set_roles(oskar, petra.id, ["hr"])
    world.wall.move(minutes=6)
    with pytest.raises(StepUpNeeded):
        membership.set_roles(petra, oskar.id, ["hr"])
    membership.set_roles(world.actor("petra"), oskar.id, ["hr", "auditor"])
    assert world.actor("oskar").roles == {Role.HR, Role.AUDITOR}


def test_nobody_is_found_by_an_empty_address(world: World) -> None:
    world.roster(line("w1"))
    with world.runtime.store.read() as unit:
        assert people.identities_called(unit) == []


def test_others_guesses_keep_nobody_out_of_a_browser_they_know_or_a_session_they_have(world: World) -> None:
    """One who guessed from the same address once kept an administrator out for as long as it pleased him."""
    world.member("petra", Role.IT_ADMINISTRATOR)
    sign_in, sessions = world.runtime.sign_in, world.runtime.sessions
    token = world.sign_in("petra")
    known, strange = sign_in.new_device("Petra "), sign_in.new_device("oskar")
    for _ in range(40):
        with pytest.raises((SignInRefused, TooManyAttempts)):
            sign_in.sign_in(login="petra", password="guess", address="test", device=strange)
    with pytest.raises(TooManyAttempts):
        world.sign_in("petra")
    for forged in ("", "x.y", strange, known[:-1], known.upper()):
        with pytest.raises(TooManyAttempts):
            sign_in.sign_in(login="petra", password=PASSWORD, address="test", device=forged)
    assert sign_in.sign_in(login="petra", password=PASSWORD, address="test", device=known)
    assert sign_in.confirm(sessions.actor(token), token, PASSWORD, "test")
    for _ in range(5):
        with pytest.raises(SignInRefused):
            sign_in.sign_in(login="petra", password="guess", address="elsewhere", device=known)
    with pytest.raises(TooManyAttempts):
        sign_in.sign_in(login="petra", password="guess", address="anywhere", device=known)


def test_guessing_leaves_a_trace_and_no_password_in_it(world: World) -> None:
    petra = world.member("petra", Role.IT_ADMINISTRATOR)
    for _ in range(3):
        for login in ("petra", "my secret typed into the wrong field"):
            with pytest.raises(SignInRefused):
                world.runtime.sign_in.sign_in(login=login, password="guess", address="192.0.2.7")
    found = world.runtime.trail.search(action="sign-in-refused")
    assert {(r.object, r.after["address"]) for r in found} == {
        (f"member:{petra.id}", "192.0.2.7"), ("sign-in", "192.0.2.7"),
    }  # fmt: skip
    assert len(found) == 2, "once a minute each"
    assert "secret" not in repr(found)


def test_a_code_makes_one_administrator_however_often_it_is_sent_at_once(world: World) -> None:
    sign_in = world.runtime.sign_in
    code = sign_in.new_setup_code()

    def set_up(login: str) -> object:
        try:
            return sign_in.set_up(code=code, login=login, name="", password=PASSWORD, address="here")
        except SignInRefused:
            return None

    with ThreadPoolExecutor(4) as pool:
        tokens = list(pool.map(set_up, ["a", "b", "c", "d"]))
    assert len([token for token in tokens if token]) == 1
