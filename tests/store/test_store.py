"""Both databases: migrations from empty and from the version before, aware instants, writers, and the trail."""

import re
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import DBAPIError, StatementError

from lifecycle.domain.errors import InvalidSettings
from lifecycle.store import members, schema, state
from lifecycle.store.tables import EngagementRow, IdentityRow, StateRow, metadata
from lifecycle.store.unit import Store

COUNTER = select(StateRow).where(StateRow.__table__.c.name == "counter")
AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def store(store_url: str) -> Any:
    store = Store(store_url)
    schema.prepare(store)
    yield store
    store.close()


def person(n: int, at: datetime = AT) -> IdentityRow:
    return IdentityRow(id=f"i{n}", source="f", worker_id=f"w{n}", name="N", email="", version=1, created_at=at)


def test_migrations_make_exactly_the_tables_of_the_code(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        assert compare_metadata(context, metadata) == []


def test_checks_and_partial_indexes_are_the_same_as_in_the_code(tmp_path: Path) -> None:
    migrated, made = Store(f"sqlite:///{tmp_path}/migrated.db"), Store("sqlite:///:memory:")
    schema.prepare(migrated)
    with made.engine.begin() as connection:
        metadata.create_all(connection)
        expected = _definitions(connection)
    with migrated.engine.connect() as connection:
        found = _definitions(connection)
    assert {k: v for k, v in found.items() if k in expected} == expected
    migrated.close()
    made.close()


def _definitions(connection: Any) -> dict[str, set[str]]:
    query = text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('table', 'index')")
    return {
        name: {part for part in re.split(r"[\s,()]+", sql.replace('"', "")) if part}
        for name, sql in connection.execute(query)
        if name != "alembic_version"
    }


OLD_ROWS = (
    "INSERT INTO identity (id, source, worker_id, name, email, version, created_at) "
    "VALUES ('i1', 'f', 'w1', 'N', '', 1, 5)",
    "INSERT INTO engagement (id, identity_id, source, reference, first_day, last_day, zone, sponsor, line) "
    "VALUES ('e1', 'i1', 'f', 'r', '2026-01-01', '2026-02-01', 'UTC', ' Boss@Example.com', 2)",
    "INSERT INTO operator (id, login, name, role, password_hash, created_at) "
    "VALUES ('o1', 'Ada', 'Ada L', 'it-administrator', 'hash', 7)",
)


def test_the_version_before_is_migrated_with_its_rows(store_url: str) -> None:
    store = Store(store_url)
    schema.prepare(store, "0002")
    with store.engine.begin() as connection:
        for statement in OLD_ROWS:
            connection.execute(text(statement))
    schema.prepare(store)
    with store.read() as unit:
        identity = unit.session.get(IdentityRow, "i1")
        assert identity is not None
        assert identity.search == "n w1 "
        engagement, ada = unit.session.get(EngagementRow, "e1"), members.by_subject(unit, "local", "ada")
        assert engagement is not None
        assert engagement.sponsor_key == "boss@example.com"
        assert ada is not None
        assert (ada.id, ada.login, ada.roles, ada.password_hash) == ("o1", "Ada", ["it-administrator"], "hash")
    store.close()


def test_the_trail_of_the_first_version_only_grows_too(store_url: str) -> None:
    store = Store(store_url)
    schema.prepare(store, "0001")
    with store.write() as unit:
        unit.audit(at=AT, actor="a", action="b", object_="c")
    schema.prepare(store)
    with pytest.raises(DBAPIError, match="only grows"), store.write() as unit:
        unit.session.execute(text("DELETE FROM audit"))
    store.close()


def test_preparing_twice_changes_nothing_and_a_later_schema_is_refused(store: Store) -> None:
    schema.prepare(store)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InvalidSettings, match="newer than this program"):
        schema.prepare(store)


def test_instants_come_back_aware_and_naive_ones_are_refused(store: Store) -> None:
    with store.write() as unit:
        unit.session.add(person(1))
    with store.read() as unit:
        row = unit.session.get(IdentityRow, "i1")
        assert row is not None
        assert row.created_at == AT
        assert row.created_at.tzinfo is UTC
    with pytest.raises(StatementError, match="no time zone"), store.write() as unit:
        unit.session.add(person(2, datetime(2026, 1, 1)))  # noqa: DTZ001


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'me'", "DELETE FROM audit"])
def test_the_trail_refuses_to_be_changed(store: Store, statement: str) -> None:
    with store.write() as unit:
        unit.audit(at=AT, actor="a", action="b", object_="c")
    with pytest.raises(DBAPIError, match="only grows"), store.write() as unit:
        unit.session.execute(text(statement))


def test_a_change_without_its_audit_record_cannot_exist(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> str:
        raise RuntimeError("the trail cannot be written")

    monkeypatch.setattr("lifecycle.store.unit.digest_of", fail)
    with pytest.raises(RuntimeError), store.write() as unit:
        unit.session.add(person(1))
        unit.audit(at=AT, actor="a", action="b", object_="c")
    with store.read() as unit:
        assert unit.session.get(IdentityRow, "i1") is None


def test_writers_lose_no_update_and_no_record(store: Store) -> None:
    def write() -> None:
        for _ in range(15):
            with store.write() as unit:
                head = unit.session.execute(unit.lock(COUNTER)).scalar_one_or_none()
                state.put(unit, "counter", (head.value if head else 0) + 1)
                unit.audit(at=AT, actor="a", action="b", object_="c")

    with store.write() as unit:
        state.put(unit, "counter", 0)
    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as unit:
        assert state.get(unit, "counter") == 60
        assert unit.session.execute(text("SELECT count(*), max(seq) FROM audit")).one() == (60, 60)


def test_of_two_units_at_once_each_leaves_a_revision_of_its_own(store: Store) -> None:
    """A browser that fetched between the two commits would otherwise keep showing the page of the first."""
    with store.write() as unit:
        unit.shows()
    if store.is_sqlite:  # writers take turns there
        first = _shown_after_another_write(store)
        second = _shown_after_another_write(store)
    else:
        with store.write() as late:
            late.session.get(StateRow, state.REVISION)
            first = _shown_after_another_write(store)
            late.shows()
        with store.read() as unit:
            second = state.get(unit, state.REVISION)
    assert first != second


def _shown_after_another_write(store: Store) -> Any:
    with store.write() as unit:
        unit.shows()
    with store.read() as unit:
        return state.get(unit, state.REVISION)


def test_every_foreign_key_is_enforced(store: Store) -> None:
    with pytest.raises(DBAPIError), store.write() as unit:
        unit.session.execute(
            text("INSERT INTO account (id, identity_id, target, native_id, name) VALUES ('a', 'nobody', 't', 'n', 'x')")
        )
    assert inspect(store.engine).get_foreign_keys("account")
