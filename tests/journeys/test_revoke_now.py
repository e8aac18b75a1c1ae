"""Revoke now against a real OpenLDAP, with the scheduler ticking once a minute: the nudge has to do it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lifecycle.app import make_scheduler
from lifecycle.domain.role import Role
from tests.servers.certificates import Certificates
from tests.servers.slapd import GROUPS, PEOPLE, SERVICE, SERVICE_PASSWORD, Slapd, group_ldif, people_ldif
from tests.services.world import World, line

NUMBER = "RN1"


@pytest.fixture
def world(slapd: Slapd, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world whose directory is slapd, in which somebody holds two groups."""
    slapd.stop()
    slapd.load(people_ldif([NUMBER]) + group_ldif("rn-god", [NUMBER]) + group_ldif("rn-agents", [NUMBER]))
    slapd.start()
    monkeypatch.setenv("LDAP_SECRET", SERVICE_PASSWORD)
    directory = {
        "connector": "ldap", "url": slapd.url, "ca_file": str(certificates.ca), "bind_dn": SERVICE,
        "password": {"env": "LDAP_SECRET"}, "accounts_base": PEOPLE, "groups_base": GROUPS,
        "match": {"employeeNumber": "worker_id"},
    }  # fmt: skip
    rights = {
        "dir.god": {"target": "directory", "locator": f"cn=rn-god,{GROUPS}", "tier": "god"},
        "dir.agent": {"target": "directory", "locator": f"cn=rn-agents,{GROUPS}", "tier": "standard"},
    }
    baseline = [{"name": "all", "entitlements": ["dir.god", "dir.agent"]}]
    changes = {
        "targets": {"directory": directory}, "entitlements": rights, "baseline": baseline,
        "engine": {"tick_seconds": 60, "reconcile_god_seconds": 3600},
    }  # fmt: skip
    world = World(f"sqlite:///{tmp_path}/now.db", changes=changes)
    made: list[Any] = []
    connect = world.runtime._connect("directory", world.runtime.settings.targets["directory"])

    def remembered() -> Any:
        made.append(connect())  # each thread has its own, and none of them outlives the test
        return made[-1]

    world.runtime.connectors["directory"] = remembered
    yield world
    world.close()
    for connector in made:
        connector.close()


def test_ldap_is_empty_and_read_back_within_ten_seconds(world: World, slapd: Slapd) -> None:
    runtime = world.runtime
    world.roster(line(NUMBER, name="Carl Jones"))
    world.member("petra", Role.IT_ADMINISTRATOR)
    person = world.person(NUMBER)
    world.tick()
    assert runtime.persons.standing(person).held == {"dir.god", "dir.agent"}
    scheduler = make_scheduler(runtime)
    scheduler.start()
    try:
        time.sleep(2)  # the first tick is over; the next one of its own would be in a minute
        world.clock.move(seconds=5)
        petra = world.actor("petra")
        began = time.monotonic()
        runtime.cut_offs.end_now(petra, person, typed="Carl Jones", reason="left with the laptop")
        decided = time.monotonic() - began
        while not runtime.cut_offs.view(petra, person).proven and time.monotonic() - began < 20:
            time.sleep(0.1)
        proven = time.monotonic() - began
    finally:
        scheduler.stop()
    assert runtime.cut_offs.view(petra, person).proven
    assert decided < 1
    assert proven < 10
    admin = slapd.admin()
    for group in ("rn-god", "rn-agents"):
        assert not any(NUMBER.lower() in member.lower() for member in slapd.members(admin, f"cn={group},{GROUPS}"))
    admin.unbind()
