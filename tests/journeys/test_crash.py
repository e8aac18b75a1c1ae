"""Fifty kills of a real worker against a real OpenLDAP; ``python -m tests.campaigns.crash`` runs a thousand."""

from pathlib import Path

from tests.campaigns import crash
from tests.conftest import need
from tests.servers import slapd


def test_thirty_kills_lose_nothing(tmp_path: Path) -> None:
    need(slapd.missing())
    assert crash.run(tmp_path, kills=30, seed=2017) > 0
