"""The contract on the access file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from connectors.base import AccountRef, EntitlementRef, TargetRefused, TargetUnavailable
from connectors.local import AccessFile
from connectors.testing import ConnectorContract


class LocalTarget:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.connector = AccessFile.create("tool", path)

    def add_account(self, name: str) -> AccountRef:
        return self.connector.add_account(name, worker_id=f"W-{name}")

    def match(self, name: str) -> dict[str, str]:
        return {"login": name, "worker_id": f"W-{name}"}

    def add_entitlement(self, name: str) -> tuple[EntitlementRef, str]:
        return self.connector.add_entitlement(name), name

    def _sql(self, statement: str, *values: str) -> None:
        with closing(sqlite3.connect(self.path)) as db, db:
            db.execute("PRAGMA foreign_keys = on")
            db.execute(statement, values)

    def rename_account(self, account: AccountRef, name: str) -> None:
        self._sql("UPDATE account SET login = ? WHERE id = ?", name, account.native_id)

    def remove_account(self, account: AccountRef) -> None:
        self._sql("DELETE FROM account WHERE id = ?", account.native_id)

    @contextmanager
    def outage(self) -> Iterator[None]:
        away = self.path.with_suffix(".away")
        self.path.rename(away)
        yield
        away.rename(self.path)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        self._sql("CREATE TRIGGER frozen BEFORE DELETE ON membership BEGIN SELECT RAISE(ABORT, 'frozen'); END")
        yield
        self._sql("DROP TRIGGER frozen")

    def open_session(self, account: AccountRef) -> None:
        self._sql("INSERT INTO session VALUES (?, ?)", f"session-{account.native_id}", account.native_id)


class TestAccessFile(ConnectorContract):
    @pytest.fixture
    def target(self, tmp_path: Path) -> LocalTarget:
        return LocalTarget(tmp_path / "a #1 %20?.db")


def test_a_missing_file_is_an_outage_and_is_not_created(tmp_path: Path) -> None:
    path = tmp_path / "gone.db"
    with pytest.raises(TargetUnavailable, match=r"gone\.db"):
        AccessFile("tool", path).held_by(AccountRef("x"))
    assert not path.exists()


def test_a_file_that_is_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("this is no database" * 100)
    with pytest.raises((TargetRefused, TargetUnavailable), match=r"text\.db"):
        AccessFile("tool", path).preflight()
