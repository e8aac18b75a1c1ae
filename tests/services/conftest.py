"""The small world, on both databases."""

from collections.abc import Iterator

import pytest

from tests.services.guarded import guarded_world
from tests.services.team import CHANGES, Staff
from tests.services.world import World, settings_dict


@pytest.fixture
def world(ready_url: str) -> Iterator[World]:
    world = World(ready_url)
    yield world
    world.close()


@pytest.fixture
def guarded(ready_url: str) -> Iterator[World]:
    """The world of `tests.services.guarded`."""
    world = guarded_world(ready_url)
    yield world
    world.close()


@pytest.fixture
def staff(ready_url: str) -> Iterator[Staff]:
    """The world with people who ask and review; Ravi owns god mode."""
    entitlements = settings_dict()["entitlements"]
    entitlements["tool.god"]["owners"] = ["ravi"]
    entitlements["tool.wiki"]["dual"] = True
    world = World(ready_url, changes={**CHANGES, "entitlements": entitlements})
    yield Staff(world)
    world.close()
