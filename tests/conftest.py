"""Fixtures for real servers. Where one is missing its tests are skipped with a reason; in CI that is a failure."""

import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy.engine import make_url

from lifecycle.store import schema
from lifecycle.store.unit import Store
from tests.servers import postgres as postgres_server
from tests.servers import slapd as slapd_server
from tests.servers import sshd as sshd_server
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.postgres import Postgres
from tests.servers.slapd import Slapd
from tests.servers.sshd import Sshd

settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


def need(missing: str) -> None:
    """Skip when *missing* names something; fail instead where servers are promised (CI)."""
    if not missing:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{missing} is not installed, and in CI nothing may be skipped")
    pytest.skip(f"{missing} is not installed")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A CA and a server certificate."""
    need(slapd_server.missing())
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def slapd(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Slapd]:
    """An OpenLDAP with refint and ppolicy."""
    server = Slapd(tmp_path_factory.mktemp("slapd"), certificates).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def plain_slapd(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Slapd]:
    """An OpenLDAP without refint, without ppolicy, and with a small size limit."""
    folder: Path = tmp_path_factory.mktemp("plain-slapd")
    server = Slapd(folder, certificates, refint=False, ppolicy=False, size_limit=50).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """An OpenSSH server that offers SFTP and nothing else."""
    need(sshd_server.missing())
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL cluster."""
    need(postgres_server.missing())
    server = Postgres(tmp_path_factory.mktemp("postgres"))
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/lifecycle.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.fresh_database()


@pytest.fixture(scope="session")
def migrated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Make a database of each kind at this release's schema, once, for others to be copied from."""

    @cache
    def make(kind: str) -> str:
        if kind == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('migrated')}/lifecycle.db"
        else:
            url = request.getfixturevalue("postgres").fresh_database()
        store = Store(url)
        schema.prepare(store)
        store.close()
        return url

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def ready_url(request: pytest.FixtureRequest, tmp_path: Path, migrated: Callable[[str], str]) -> str:
    """A database of each kind in which nothing is stored yet, at this release's schema."""
    template = make_url(migrated(request.param)).database or ""
    if request.param == "sqlite":
        shutil.copy(template, tmp_path / "lifecycle.db")
        return f"sqlite:///{tmp_path}/lifecycle.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.fresh_database(template)
