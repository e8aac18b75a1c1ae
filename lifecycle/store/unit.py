"""The database and its units of work: one transaction each, with the trail appended as its last step."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm.util import identity_key
from sqlmodel import Session

from lifecycle.domain.audit import AuditRecord, digest_of
from lifecycle.store.tables import AuditHeadRow, AuditRow, StateRow

BUSY_MILLISECONDS = 30_000
POOL_SIZE = 20
RECORDS_AT_ONCE = 2_000
ROWS_STREAMED = 20_000


@dataclass(frozen=True, slots=True)
class Record:
    """What happened, for the trail; *before* and *after* are JSON, never a secret."""

    at: datetime
    actor: str
    action: str
    object_: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    request: str = ""
    on_behalf: str = ""


@dataclass
class Unit:
    """
    One transaction. Everything done through ``session`` commits together with what `audit` recorded, or not at all.
    """

    session: Session
    _records: list[Record] = field(default_factory=list)
    _later: list[Callable[[], Iterator[Record]]] = field(default_factory=list)
    _shown: bool = False

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.session.get_bind().dialect.name

    def audit(
        self,
        *,
        at: datetime,
        actor: str,
        action: str,
        object_: str,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        request: str = "",
        on_behalf: str = "",
    ) -> None:
        """Record what happened; it is written when the unit commits. *before* and *after* are JSON, never a secret."""
        self._records.append(
            Record(at, actor, action, object_, dict(before or {}), dict(after or {}), request, on_behalf)
        )
        self.shows()

    def audit_all(self, records: Callable[[], Iterator[Record]]) -> None:
        """Record many things; they are asked for when the unit commits, and never all held at once."""
        self._later.append(records)
        self.shows()

    def shows(self) -> None:
        """Say that pages look different after this unit, so that watching browsers fetch them again."""
        self._shown = True

    def memo(self, name: str) -> dict[Any, Any]:
        """Lend the dictionary of this name, in which use cases keep what this unit has loaded and does not change."""
        kept: dict[Any, Any] = self.session.info.setdefault(name, {})
        return kept

    def stream(self, query: Any) -> Iterator[list[tuple[Any, ...]]]:
        """
        Yield the rows of *query*, some thousands at a time, as the driver gives them: instants are whole microseconds.

        It is for reading a million; a row through SQLAlchemy's result takes ten times as long as the driver needs.
        """
        connection = self.session.connection()
        statement = str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
        raw: Any = connection.connection.driver_connection
        # the server keeps a cursor with a name, and would else send everything at once
        with closing(
            raw.cursor(name=f"stream_{token_hex(4)}") if self.dialect == "postgresql" else raw.cursor()
        ) as cursor:
            cursor.execute(statement.replace("%%", "%"))
            while rows := cursor.fetchmany(ROWS_STREAMED):
                yield rows

    def lock(self, statement: Any) -> Any:
        """
        Lock the selected rows on PostgreSQL; on SQLite the unit has the whole database already.

        The lock lets others insert rows that refer to these, as a tick does while it holds what we want next.
        """
        return statement.with_for_update(key_share=True) if self.dialect == "postgresql" else statement

    def seal(self) -> None:
        """Append the records to the chain. Called once, last, so that the head is locked for as short as possible."""
        self.session.flush()
        if self._shown:
            self._renew_revision()
        if not (self._records or self._later):
            return
        head = self.session.execute(self.lock(select(AuditHeadRow))).scalar_one()
        seq, hash_ = head.seq, head.hash
        for records in _slices(chain(self._records, *(later() for later in self._later))):
            rows = []
            for r in records:
                values: dict[str, Any] = {
                    "at": r.at, "actor": r.actor, "on_behalf": r.on_behalf, "action": r.action, "object": r.object_,
                    "before": dict(r.before), "after": dict(r.after), "request": r.request,
                }  # fmt: skip
                record = AuditRecord(seq=seq + 1, prev=hash_, **values)
                seq, hash_ = record.seq, digest_of(record)
                rows.append({**values, "seq": seq, "prev": record.prev, "hash": hash_})
            self.session.connection().execute(insert(AuditRow.__table__), rows)
        self.session.execute(update(AuditHeadRow).values(seq=seq, hash=hash_))
        self.session.flush()

    def _renew_revision(self) -> None:
        """Write a new one, drawn and not counted: two units that commit at once must not agree on the next number."""
        self.put("revision", token_hex(8))

    def put(self, name: str, value: Any) -> None:
        """Set a fact about the product itself to a JSON value, whoever else sets it at the same time."""
        insert_or_update = (sqlite if self.dialect == "sqlite" else postgresql).insert(StateRow)
        values = {"name": name, "value": value}
        self.session.execute(
            insert_or_update.values(**values).on_conflict_do_update(index_elements=["name"], set_={"value": value})
        )
        known = self.session.identity_map.get(identity_key(StateRow, name))
        if known is not None:
            self.session.expire(known)


def _slices(records: Iterator[Record]) -> Iterator[list[Record]]:
    while part := list(islice(records, RECORDS_AT_ONCE)):
        yield part


class Store:
    """The database behind *url*. Making one touches nothing; the first unit connects."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)
        self._gate = FairGate() if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded default."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Unit]:
        """Open a unit that sees one state of the database and changes nothing."""
        options = {"writes": False} if self.is_sqlite else {"writes": False, "isolation_level": "REPEATABLE READ"}
        with Session(self.engine.execution_options(**options), expire_on_commit=False) as session:
            yield Unit(session)

    @contextmanager
    def write(self) -> Iterator[Unit]:
        """Open a unit that commits when the block ends and rolls everything back when it raises."""
        if self._gate is not None:
            self._gate.enter()
        try:
            with Session(self.engine, expire_on_commit=False) as session:
                unit = Unit(session)
                yield unit
                unit.seal()
                session.commit()
        finally:
            if self._gate is not None:
                self._gate.leave()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


class FairGate:
    """First come, first served, in front of SQLite's only writer: its own waiting is unfair and starves pages."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._busy = False

    def enter(self) -> None:
        """Wait for the turn."""
        with self._lock:
            if not self._busy:
                self._busy = True
                return
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()

    def leave(self) -> None:
        """Give the turn to the one who has waited longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._busy = False


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=POOL_SIZE, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in (
            "journal_mode=wal",
            "synchronous=full",
            f"busy_timeout={BUSY_MILLISECONDS}",
            "foreign_keys=on",
            "cache_size=-65536",
        ):
            connection.execute(f"PRAGMA {pragma}")
        # SQLite's own knows ASCII only, and people are called Özge and Łukasz
        connection.create_function("lower", 1, lambda text: text and text.casefold(), deterministic=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred BEGIN that turns into a write fails with "database is locked", whatever the time-out.
        writes = connection.get_execution_options().get("writes", True)
        connection.execute(text("BEGIN IMMEDIATE" if writes else "BEGIN"))

    return engine
