"""Finding rows of a roster by name or number, however they are written."""

from collections.abc import Sequence

import pytest

from lifecycle.domain.comparison import Kind
from tests.services.rosters import take
from tests.services.world import World, line, roster_bytes

COMPOSED, DECOMPOSED = "Zo\u00e9 \u00c9clair", "Zoe\u0301 E\u0301clair"


@pytest.mark.parametrize("stored", [COMPOSED, DECOMPOSED])
@pytest.mark.parametrize(
    "words", ["\u00e9clair", "e\u0301clair", "ZO\u00c9", "Zoe\u0301 E\u0301CLAIR w1", "\uff57\uff11"]
)
def test_letters_meet_however_their_accents_are_written(world: World, stored: str, words: str) -> None:
    def found(content: bytes, kinds: Sequence[Kind]) -> list[str]:
        upload = take(world.runtime, content)
        return [item.worker_id for item in world.runtime.uploads.items(upload.id, kinds=kinds, words=words)]

    own, other = line("w1", name=stored), line("w2", name="Zo\u00eb Eclair")
    assert found(roster_bytes(own, other), [Kind.NEW]) == ["w1"]
    unusable = own.replace("2026-03-31", "soon")
    assert found(roster_bytes(unusable, other), [Kind.UNUSABLE]) == ["w1"]
    world.roster(own, other)
    assert found(roster_bytes(other, line("w3")), [Kind.MISSING]) == ["w1"]
