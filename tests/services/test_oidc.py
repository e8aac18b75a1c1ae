"""Signing in at OpenID providers: real ones, and one that lies."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest

from lifecycle.domain.errors import InvalidSettings
from lifecycle.domain.identity import Identity
from lifecycle.domain.role import Role
from lifecycle.services.admission import AmbiguousPerson
from lifecycle.services.authorisation import Actor, StepUpNeeded, check_fresh
from lifecycle.services.oidc import Departure, Oidc, ProviderRefused
from lifecycle.services.sessions import Browser, NotSignedIn
from lifecycle.settings import OidcSettings
from lifecycle.store import members, people
from tests.conftest import need
from tests.servers import canaille
from tests.servers.liar import CLIENT, Provider, liar
from tests.servers.ports import free_port, wait_until_open
from tests.services.world import World, line

HERE = Browser("test", "pytest")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with liar() as provider:
        yield provider


def world_with(issuer: str, tmp_path: Path, **options: Any) -> World:
    oidc = {"issuer": issuer, "client_id": CLIENT, **options}
    roles = {"it-ops": ["it-operator"], "bosses": ["manager", "it-administrator"]}
    return World(f"sqlite:///{tmp_path}/oidc.db", changes={"sign_in": {"oidc": oidc, "roles": roles}})


@pytest.fixture
def world(provider: Provider, tmp_path: Path) -> Iterator[World]:
    world = world_with(provider.url, tmp_path, algorithms=["RS256", "ES256"])
    world.wall.at = datetime.now(UTC)  # tokens carry the real time
    yield world
    world.close()


def oidc_of(world: World) -> Oidc:
    oidc = world.runtime.oidc
    assert oidc is not None
    return oidc


def state_of(departure: Departure) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(departure.url).query))


def come_back(world: World, provider: Provider, **answer: str) -> Actor:
    """Leave, have the provider agree, and return."""
    departure = oidc_of(world).depart("/people")
    sent = state_of(departure)
    provider.nonce = sent["nonce"]
    arrival = oidc_of(world).arrive({"state": sent["state"], "code": "c", **answer}, departure.browser_secret, HERE)
    assert arrival.target == "/people"
    return world.runtime.sessions.actor(arrival.token)


def test_an_honest_provider_gives_name_and_roles_by_group(world: World, provider: Provider) -> None:
    ada = come_back(world, provider)
    assert (ada.name, ada.roles) == ("Ada", {Role.IT_OPERATOR})
    provider.claims = {"groups": ["bosses", "others"], "name": "Ada L"}
    again = come_back(world, provider)
    assert again.id == ada.id
    assert again.roles == {Role.MANAGER, Role.IT_ADMINISTRATOR}
    provider.claims = {"groups": None}
    assert come_back(world, provider).roles == set()


def test_the_code_is_bound_to_this_client_by_pkce(world: World, provider: Provider) -> None:
    come_back(world, provider)
    departure = state_of(oidc_of(world).depart("/"))
    assert departure["code_challenge_method"] == "S256"
    assert departure["response_type"] == "code"
    assert len(provider.asked[0]["code_verifier"]) >= 43
    assert "code_verifier" not in departure


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "somebody-else"},
        {"aud": [CLIENT, "somebody-else"]},
        {"aud": None},
        {"nonce": "replayed"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"at_hash": "AAAA"},
        {"nbf": 4102444800},
    ],
)
def test_what_an_id_token_must_not_say(world: World, provider: Provider, lie: dict[str, Any]) -> None:
    provider.claims = lie
    with pytest.raises(ProviderRefused):
        come_back(world, provider)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS512"])
def test_only_signatures_of_the_allow_list(world: World, provider: Provider, algorithm: str) -> None:
    provider.algorithm = algorithm
    with pytest.raises(ProviderRefused):
        come_back(world, provider)


def test_another_key_under_the_same_name_is_refused(world: World, provider: Provider) -> None:
    provider.foreign_key = True
    with pytest.raises(ProviderRefused):
        come_back(world, provider)
    provider.foreign_key = False
    come_back(world, provider)


def test_another_audience_is_fine_when_we_are_the_authorised_party(world: World, provider: Provider) -> None:
    provider.claims = {"aud": [CLIENT, "api"], "azp": CLIENT}
    come_back(world, provider)
    provider.claims = {"aud": [CLIENT, "api"], "azp": "api"}
    with pytest.raises(ProviderRefused):
        come_back(world, provider)


def test_an_answer_of_another_provider_is_refused(world: World, provider: Provider) -> None:
    with pytest.raises(ProviderRefused, match="another provider"):
        come_back(world, provider, iss="https://other.example")


def test_a_return_works_once_in_the_browser_that_left_and_in_time(world: World, provider: Provider) -> None:
    oidc = oidc_of(world)
    departure = oidc.depart("/")
    sent = state_of(departure)
    provider.nonce = sent["nonce"]
    answer = {"state": sent["state"], "code": "c"}
    with pytest.raises(ProviderRefused, match="another browser"):
        oidc.arrive(answer, "another secret", HERE)
    with pytest.raises(ProviderRefused, match="finished already"):
        oidc.arrive(answer, departure.browser_secret, HERE)
    for made_up in ({}, {"state": "x", "code": "c"}):
        with pytest.raises(ProviderRefused):
            oidc.arrive(made_up, departure.browser_secret, HERE)
    late = oidc.depart("/")
    world.wall.move(minutes=11)
    with pytest.raises(ProviderRefused, match="ten minutes"):
        oidc.arrive({"state": state_of(late)["state"], "code": "c"}, late.browser_secret, HERE)


def test_a_refusal_by_the_provider_is_told(world: World, provider: Provider) -> None:
    departure = oidc_of(world).depart("/")
    answer = {"state": state_of(departure)["state"], "error": "access_denied", "error_description": "not today"}
    with pytest.raises(ProviderRefused, match="not today"):
        oidc_of(world).arrive(answer, departure.browser_secret, HERE)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "http://127.0.0.1:1"},
        {"token_endpoint": None},
        {"jwks_uri": "ftp://elsewhere"},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
def test_a_provider_that_describes_itself_wrongly_is_not_asked(
    world: World, provider: Provider, metadata: dict[str, Any]
) -> None:
    provider.metadata = metadata
    with pytest.raises(ProviderRefused):
        oidc_of(world).depart("/")


def test_a_provider_that_is_down_leaves_local_accounts(world: World, provider: Provider) -> None:
    provider.fails = True
    with pytest.raises(ProviderRefused, match="Local accounts still work"):
        oidc_of(world).depart("/")
    world.member("breaker", Role.IT_ADMINISTRATOR)
    world.sign_in("breaker")


def test_an_address_is_never_the_key(world: World, provider: Provider) -> None:
    ada = come_back(world, provider)
    provider.claims = {"sub": "mallory-2"}
    mallory = come_back(world, provider)
    assert mallory.id != ada.id
    provider.claims = {"sub": "eve-3", "email_verified": False, "email": "boss@example.com"}
    assert "boss@example.com" not in come_back(world, provider).keys
    provider.claims = {"sub": "eve-4", "email": "e@example.com", "preferred_username": "boss@example.com"}
    assert "boss@example.com" not in come_back(world, provider).keys


def test_a_contractor_is_recognised_by_the_verified_address_and_stays_who_they_are(
    world: World, provider: Provider
) -> None:
    world.roster(line("w1"), line("w2"))
    provider.claims = {"email": "W1@example.com", "groups": None, "sub": "c-1"}
    carl = come_back(world, provider)
    assert carl.roles == {Role.CONTRACTOR}
    assert carl.identity_id == world.person("w1")
    provider.claims = {"email": "w2@example.com", "groups": None, "sub": "c-1"}
    assert come_back(world, provider).identity_id == world.person("w1")
    world.clock.move(days=60)
    with pytest.raises(NotSignedIn):
        come_back(world, provider)


def test_nobody_is_let_in_on_a_guess_and_whoever_came_first_is_recognised_later(
    world: World, provider: Provider
) -> None:
    provider.claims = {"email": "w1@example.com", "sub": "early-1"}
    early = come_back(world, provider)
    assert early.roles == {Role.IT_OPERATOR}
    world.roster(line("w1"), line("w2"))
    assert Role.CONTRACTOR in come_back(world, provider).roles
    with world.runtime.store.write() as unit:
        people.update_identities(unit, [replace(p, email="same@example.com") for p in everybody(world)])
    provider.claims = {"email": "same@example.com", "sub": "late-2", "groups": None}
    with pytest.raises(AmbiguousPerson):
        come_back(world, provider)
    provider.claims = {"email": "same@example.com", "sub": "late-3"}
    employee = come_back(world, provider)  # two rows with an employee's address lock nobody out
    assert employee.identity_id == ""
    with world.runtime.store.read() as unit:
        member = members.get(unit, employee.id)
        assert member is not None
        assert not world.runtime.parties.of_member(unit, member).employee, "though it counts against them"


def everybody(world: World) -> list[Identity]:
    with world.runtime.store.read() as unit:
        return list(people.identities(unit, [world.person("w1"), world.person("w2")]).values())


def test_a_silent_sign_in_is_not_a_fresh_one(world: World, provider: Provider) -> None:
    check_fresh(come_back(world, provider), world.wall.now())
    for auth_time in (1_700_000_000, None, "soon", True, -5, 1e30):
        provider.claims = {"auth_time": auth_time}
        try:
            actor = come_back(world, provider)
        except ProviderRefused:
            continue
        with pytest.raises(StepUpNeeded):
            check_fresh(actor, world.wall.now())


def test_confirming_asks_again_and_takes_nobody_else(world: World, provider: Provider) -> None:
    oidc, sessions = oidc_of(world), world.runtime.sessions

    def leave_and_return(token: str, other_browser: str = "") -> str:
        departure = oidc.depart("/back", session_token=token)
        sent = state_of(departure)
        assert (sent["prompt"], sent["max_age"]) == ("login", "0")
        provider.nonce = sent["nonce"]
        answer = {"state": sent["state"], "code": "c"}
        return oidc.arrive(answer, departure.browser_secret, HERE, other_browser or token).token

    departure = oidc.depart("/")
    sent = state_of(departure)
    provider.nonce = sent["nonce"]
    token = oidc.arrive({"state": sent["state"], "code": "c"}, departure.browser_secret, HERE).token
    provider.claims = {"auth_time": 1}
    with pytest.raises(ProviderRefused, match="did not ask"):
        leave_and_return(token)
    provider.claims = {"sub": "mallory"}
    with pytest.raises(ProviderRefused, match="Somebody else"):
        leave_and_return(token)
    provider.claims = {}
    fresh = leave_and_return(token)
    assert fresh != token
    sessions.actor(fresh)
    with pytest.raises(NotSignedIn):
        sessions.actor(token)


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://idp.example.com"},
        {"issuer": "https://idp.example.com?x=1"},
        {"algorithms": ["none"]},
        {"algorithms": ["HS256"]},
        {"algorithms": []},
        {"scopes": ["profile"]},
        {"client_secret": "written down"},
    ],
)
def test_unsafe_settings_stop_the_program(wrong: dict[str, Any]) -> None:
    with pytest.raises((ValueError, InvalidSettings)):
        OidcSettings.model_validate({"issuer": "https://idp.example.com", "client_id": "c", **wrong})


def test_oidc_provider_mock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that others wrote, from the first page to the session."""
    port = free_port()
    claims = '{"sub": "ada", "name": "Ada", "email": "ada@example.com", "email_verified": true, "groups": ["it-ops"]}'
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), "--user-claims", claims]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        world = None
        try:
            wait_until_open(port)
            monkeypatch.setenv("MOCK_SECRET", "any")
            world = world_with(f"http://127.0.0.1:{port}", tmp_path, client_secret={"env": "MOCK_SECRET"})
            oidc = oidc_of(world)
            departure = oidc.depart("/people")
            with httpx2.Client(trust_env=False) as client:
                form = client.post(departure.url, data={"sub": "ada"})
            assert form.status_code == 302, form.text
            answer = {k: v[0] for k, v in parse_qs(urlsplit(form.headers["location"]).query).items()}
            arrival = oidc.arrive(answer, departure.browser_secret, HERE)
            ada = world.runtime.sessions.actor(arrival.token)
            assert (ada.name, ada.roles) == ("Ada", {Role.IT_OPERATOR})
        finally:
            process.terminate()
            process.wait(10)
            if world is not None:
                world.close()


def test_canaille(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one, in an environment of its own: from its forms to a role by group, and out when it locks the user."""
    need(canaille.missing())
    redirect_uri = "http://localhost:8731/sign-in/return"
    provider = canaille.Canaille(tmp_path, redirect_uri)
    world = None
    try:
        monkeypatch.setenv("CANAILLE_SECRET", canaille.SECRET)
        scopes = ["openid", "profile", "email", "groups"]
        world = world_with(provider.issuer, tmp_path, client_secret={"env": "CANAILLE_SECRET"}, scopes=scopes)
        oidc = oidc_of(world)
        departure = oidc.depart("/people")
        arrival = oidc.arrive(provider.agree(departure.url, redirect_uri), departure.browser_secret, HERE)
        ada = world.runtime.sessions.actor(arrival.token)
        assert (ada.name, ada.roles) == ("Ada Lovelace", {Role.IT_OPERATOR})
        provider.lock_user()
        departure = oidc.depart("/people")
        with pytest.raises(AssertionError, match="did not agree"):
            provider.agree(departure.url, redirect_uri)
    finally:
        provider.stop()
        if world is not None:
            world.close()
