"""
The access file: for in-house tools that have no directory.

One SQLite file holds accounts, rights, memberships and sessions; a tool asks it before it acts
(``docs/access-file.md`` gives the queries). This connector is the only thing that changes memberships.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from connectors.base import (
    AccountRef,
    AccountState,
    AmbiguousAccount,
    Capability,
    EntitlementRef,
    Finding,
    NoSuchAccount,
    NoSuchEntitlement,
    Outcome,
    Severity,
    TargetRefused,
    TargetUnavailable,
    described,
)

BUSY_SECONDS = 5.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    id TEXT PRIMARY KEY, login TEXT NOT NULL UNIQUE, worker_id TEXT NOT NULL DEFAULT '',
    email TEXT NOT NULL DEFAULT '', disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    expires_at INTEGER  -- UTC epoch seconds, exclusive; NULL for never
) STRICT;
CREATE TABLE IF NOT EXISTS entitlement (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS membership (
    account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    entitlement_id TEXT NOT NULL REFERENCES entitlement (id) ON DELETE CASCADE,
    PRIMARY KEY (account_id, entitlement_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS membership_by_entitlement ON membership (entitlement_id);
CREATE TABLE IF NOT EXISTS session (
    id TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX IF NOT EXISTS session_by_account ON session (account_id);
"""
MATCHABLE = frozenset({"login", "worker_id", "email"})


class AccessFile:
    """The connector. ``path`` must exist: a file that is missing is an outage, not "nobody holds anything"."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path

    @classmethod
    def create(cls, name: str, path: Path) -> AccessFile:
        """Make an empty access file, or open the one that is there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = wal")
            connection.executescript(SCHEMA)
        return cls(name, path)

    def add_account(self, login: str, *, worker_id: str = "", email: str = "") -> AccountRef:
        """Create an account, as the tool's own administrator would."""
        native_id = str(uuid.uuid4())
        with self._write() as db:
            row = (native_id, login, worker_id, email)
            db.execute("INSERT INTO account (id, login, worker_id, email) VALUES (?, ?, ?, ?)", row)
        return AccountRef(native_id, login)

    def add_entitlement(self, name: str) -> EntitlementRef:
        """Create a right, as the tool's own administrator would."""
        native_id = str(uuid.uuid4())
        with self._write() as db:
            db.execute("INSERT INTO entitlement (id, name) VALUES (?, ?)", (native_id, name))
        return EntitlementRef(native_id)

    def resolve(self, attributes: Mapping[str, str]) -> AccountRef:
        """See `Connector.resolve`; attributes are login, worker_id and email."""
        if not attributes or not attributes.keys() <= MATCHABLE or not all(attributes.values()):
            raise NoSuchAccount(
                f"accounts are matched by {', '.join(sorted(MATCHABLE))}, not by {described(attributes)}"
            )
        where = " AND ".join(f"{column} = ?" for column in attributes)
        with self._read() as db:
            query = f"SELECT id, login FROM account WHERE {where} LIMIT 2"  # noqa: S608 - columns are from MATCHABLE
            found = db.execute(query, tuple(attributes.values())).fetchall()
        if len(found) != 1:
            raise (AmbiguousAccount if found else NoSuchAccount)(
                f"{'no' if not found else 'more than one'} account has {described(attributes)}"
            )
        return AccountRef(*found[0])

    def entitlement(self, locator: str) -> EntitlementRef:
        """See `Connector.entitlement`; rights are named by their ``name``."""
        with self._read() as db:
            row = db.execute("SELECT id FROM entitlement WHERE name = ?", (locator,)).fetchone()
        if row is None:
            raise NoSuchEntitlement(f"there is no right {locator!r} in {self._path.name}")
        return EntitlementRef(row[0])

    def held_by(self, account: AccountRef) -> frozenset[EntitlementRef]:
        """See `Connector.held_by`."""
        query = "SELECT entitlement_id FROM membership WHERE account_id = ?"
        with self._read() as db:
            return frozenset(EntitlementRef(i) for (i,) in db.execute(query, (account.native_id,)))

    def holders_of(self, entitlements: Collection[EntitlementRef]) -> Mapping[EntitlementRef, frozenset[AccountRef]]:
        """See `Connector.holders_of`."""
        query = "SELECT a.id, a.login FROM membership m JOIN account a ON a.id = m.account_id WHERE entitlement_id = ?"
        with self._read() as db:
            for entitlement in entitlements:
                self._must_exist(db, entitlement)
            return {e: frozenset(AccountRef(*row) for row in db.execute(query, (e.native_id,))) for e in entitlements}

    def state_of(self, account: AccountRef) -> AccountState:
        """See `Connector.state_of`."""
        with self._read() as db:
            disabled, expires_at = self._row(db, account)
        return AccountState(bool(disabled), datetime.fromtimestamp(expires_at, UTC) if expires_at else None)

    def grant(self, account: AccountRef, entitlement: EntitlementRef) -> Outcome:
        """See `Connector.grant`."""
        with self._write() as db:
            self._row(db, account)
            self._must_exist(db, entitlement)
            return _outcome(
                db.execute(
                    "INSERT OR IGNORE INTO membership VALUES (?, ?)",
                    (account.native_id, entitlement.native_id),
                )
            )

    def revoke(self, account: AccountRef, entitlement: EntitlementRef) -> Outcome:
        """See `Connector.revoke`."""
        statement = "DELETE FROM membership WHERE account_id = ? AND entitlement_id = ?"
        with self._write() as db:
            return _outcome(db.execute(statement, (account.native_id, entitlement.native_id)))

    def disable(self, account: AccountRef) -> Outcome:
        """See `AccountDisabler.disable`."""
        with self._write() as db:
            statement = "UPDATE account SET disabled = 1 WHERE id = ? AND disabled = 0"
            return _outcome(db.execute(statement, (account.native_id,)))

    def enable(self, account: AccountRef) -> Outcome:
        """See `AccountDisabler.enable`."""
        with self._write() as db:
            self._row(db, account)
            statement = "UPDATE account SET disabled = 0 WHERE id = ? AND disabled = 1"
            return _outcome(db.execute(statement, (account.native_id,)))

    def end_sessions(self, account: AccountRef) -> Outcome:
        """See `SessionEnder.end_sessions`."""
        with self._write() as db:
            return _outcome(db.execute("DELETE FROM session WHERE account_id = ?", (account.native_id,)))

    def open_sessions(self, account: AccountRef) -> int:
        """See `SessionEnder.open_sessions`."""
        with self._read() as db:
            query = "SELECT count(*) FROM session WHERE account_id = ?"
            return int(db.execute(query, (account.native_id,)).fetchone()[0])

    def set_expiry(self, account: AccountRef, at: datetime | None) -> Outcome:
        """See `NativeExpiry.set_expiry`; tools compare ``expires_at`` with their clock."""
        epoch = int(at.timestamp()) if at else None
        with self._write() as db:
            self._row(db, account)
            statement = "UPDATE account SET expires_at = ? WHERE id = ? AND expires_at IS NOT ?"
            return _outcome(db.execute(statement, (epoch, account.native_id, epoch)))

    def capabilities(self) -> frozenset[Capability]:
        """Everything: it is our own file."""
        return frozenset(Capability)

    def preflight(self) -> Sequence[Finding]:
        """See `Connector.preflight`."""
        with self._read() as db:
            (accounts,) = db.execute("SELECT count(*) FROM account").fetchone()
            (check,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if check != "ok":
            return (Finding("access file", Severity.ERROR, str(check), "Restore the file from its last backup."),)
        return (Finding("access file", Severity.OK, f"{self._path.name} holds {accounts} accounts"),)

    @staticmethod
    def _row(db: sqlite3.Connection, account: AccountRef) -> tuple[int, int | None]:
        query = "SELECT disabled, expires_at FROM account WHERE id = ?"
        row: tuple[int, int | None] | None = db.execute(query, (account.native_id,)).fetchone()
        if row is None:
            raise NoSuchAccount(f"account {account.native_id} is gone")
        return row

    @staticmethod
    def _must_exist(db: sqlite3.Connection, entitlement: EntitlementRef) -> None:
        if db.execute("SELECT 1 FROM entitlement WHERE id = ?", (entitlement.native_id,)).fetchone() is None:
            raise NoSuchEntitlement(f"right {entitlement.native_id} is gone")

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with _translated(self._path), closing(self._open()) as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with _translated(self._path), closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        uri = f"{self._path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        connection.execute("PRAGMA foreign_keys = on")
        return connection


def _outcome(cursor: sqlite3.Cursor) -> Outcome:
    return Outcome.CHANGED if cursor.rowcount > 0 else Outcome.UNCHANGED


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Let no sqlite3 exception escape this module."""
    try:
        yield
    except sqlite3.OperationalError as exc:
        raise TargetUnavailable(f"the access file {path.name} cannot be used: {exc}") from exc
    except sqlite3.Error as exc:
        raise TargetRefused(f"the access file {path.name} refused: {exc}") from exc
