"""Signing in against a real OpenLDAP."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from ldap3 import MODIFY_REPLACE
from ldap3.core.exceptions import LDAPNoSuchObjectResult

from lifecycle.domain.role import Role
from lifecycle.services.sessions import NotSignedIn
from lifecycle.services.signin import DirectoryDown, SignInRefused
from tests.servers.certificates import Certificates
from tests.servers.slapd import GROUPS, PEOPLE, SERVICE, SERVICE_PASSWORD, Slapd
from tests.services.world import World, line


@pytest.fixture
def world(slapd: Slapd, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world whose directory is slapd, with Ada below Grace, in the group of IT operators."""
    monkeypatch.setenv("LDAP_SECRET", SERVICE_PASSWORD)
    admin = slapd.admin()
    clean(admin)
    for uid in ("ada", "grace"):
        dn = f"uid={uid},{PEOPLE}"
        slapd.add_person(admin, uid, number=f"E-{uid}")
        admin.modify(dn, {"mail": [(MODIFY_REPLACE, [f"{uid}@example.com"])]})
    admin.modify(f"uid=ada,{PEOPLE}", {"manager": [(MODIFY_REPLACE, [f"uid=grace,{PEOPLE}"])]})
    admin.add(f"cn=it-ops,{GROUPS}", "groupOfNames", {"member": [f"uid=ada,{PEOPLE}"]})
    admin.unbind()
    directory = {
        "url": slapd.url, "ca_file": str(certificates.ca), "bind_dn": SERVICE, "password": {"env": "LDAP_SECRET"},
        "people_base": PEOPLE, "groups_base": GROUPS,
    }  # fmt: skip
    settings = {
        "sign_in": {"directory": directory, "roles": {"it-ops": ["it-operator"]}, "contractors_by": "worker_id"}
    }
    world = World(f"sqlite:///{tmp_path}/directory.db", changes=settings)
    yield world
    world.close()
    admin = slapd.admin()
    clean(admin)
    admin.unbind()


def clean(admin: Any) -> None:
    """Leave nothing behind: others share the server."""
    for dn in (f"cn=it-ops,{GROUPS}", f"uid=ada,{PEOPLE}", f"uid=grace,{PEOPLE}"):
        with suppress(LDAPNoSuchObjectResult):
            admin.delete(dn)


def sign_in(world: World, login: str = "ada", password: str = "secret") -> str:
    return world.runtime.sign_in.sign_in(login=login, password=password, address="test")


def test_the_directory_says_who_it_is_what_they_may_do_and_who_is_above_them(world: World) -> None:
    ada = world.runtime.sessions.actor(sign_in(world))
    assert ada.roles == {Role.IT_OPERATOR}
    assert {"ada", "ada@example.com", "e-ada"} <= ada.keys
    sign_in(world, "grace")
    with world.runtime.store.read() as unit:
        assert "grace@example.com" in world.runtime.parties.line_above(unit, "ada@example.com")
    assert world.runtime.sessions.actor(sign_in(world, "ADA")).id == ada.id


@pytest.mark.parametrize("password", ["", "wrong", "secret ", "secret\0"])
def test_a_wrong_or_an_empty_password_is_refused(world: World, password: str) -> None:
    with pytest.raises(SignInRefused):
        sign_in(world, password=password)


@pytest.mark.parametrize("login", ["*", "a*", "ada)(uid=*", "nobody", "ada,ou=people", "(uid=ada)", "\\2a"])
def test_a_name_is_never_part_of_a_filter(world: World, login: str) -> None:
    with pytest.raises(SignInRefused):
        sign_in(world, login)


def test_a_group_left_is_a_role_lost_at_the_next_sign_in(world: World, slapd: Slapd) -> None:
    token = sign_in(world)
    admin = slapd.admin()
    admin.modify(f"cn=it-ops,{GROUPS}", {"member": [(MODIFY_REPLACE, [f"uid=grace,{PEOPLE}"])]})
    admin.unbind()
    assert world.runtime.sessions.actor(sign_in(world)).roles == set()
    assert world.runtime.sessions.actor(token).roles == set(), "and in sessions that are open already"


def test_a_contractor_is_recognised_by_number_and_goes_with_the_contract(world: World) -> None:
    world.roster(line("E-ada"))
    assert world.runtime.sessions.actor(sign_in(world)).roles == {Role.IT_OPERATOR, Role.CONTRACTOR}
    world.clock.move(days=60)
    with pytest.raises(NotSignedIn):
        sign_in(world)


def test_a_directory_that_is_down_says_so_and_leaves_local_accounts(world: World, slapd: Slapd) -> None:
    slapd.stop()
    try:
        with pytest.raises(DirectoryDown, match="Local accounts still work"):
            sign_in(world)
        world.member("breaker", Role.IT_ADMINISTRATOR)
        world.sign_in("breaker")
    finally:
        slapd.start()
    sign_in(world)


def test_confirming_asks_the_directory_again(world: World) -> None:
    token = sign_in(world)
    ada = world.runtime.sessions.actor(token)
    with pytest.raises(SignInRefused):
        world.runtime.sign_in.confirm(ada, token, "wrong", "test")
    fresh = world.runtime.sign_in.confirm(ada, token, "secret", "test")
    assert world.runtime.sessions.actor(fresh).id == ada.id
