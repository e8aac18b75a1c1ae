"""The small world, on both databases."""

from collections.abc import Iterator

import pytest

from tests.services.world import World


@pytest.fixture
def world(store_url: str) -> Iterator[World]:
    world = World(store_url)
    yield world
    world.close()
