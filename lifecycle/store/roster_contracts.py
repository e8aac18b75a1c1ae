"""Stored contracts as rosters are compared with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, func, select, text, update

from lifecycle.domain.known_contracts import StoredContract
from lifecycle.domain.party import key_of
from lifecycle.domain.roster import Standing
from lifecycle.store.people import OWNER, chunks, stored_contract, stored_contract_columns
from lifecycle.store.tables import EngagementRow, IdentityRow
from lifecycle.store.unit import Unit

_E, _I = EngagementRow.__table__.c, IdentityRow.__table__.c


def stated(unit: Unit, source: str, since: date) -> Iterator[list[tuple[Any, ...]]]:
    """
    Stream what a roster can say again of the contracts of a source.

    Returns:
        The digest of the row that last spoke of it (empty: not known), its id (empty: it is not running, or its last
        day is before *since*), and whether it is missing.
    """
    running = (_E.last_day >= since) & (_E.standing == Standing.RUNNING.value)
    query = select(_E.row_digest, case((running, _E.id), else_=""), _E.missing_since.is_not(None))
    return unit.stream(query.where(_E.source == source))


def missing_since(unit: Unit, source: str, since: date) -> dict[str, datetime]:
    """Return, by vendor, since when the first of a source's running contracts is missing; last days from *since* on."""
    running = (_E.last_day >= since, _E.standing == Standing.RUNNING.value, _E.missing_since.is_not(None))
    query = select(_E.vendor, func.min(_E.missing_since)).where(_E.source == source, *running).group_by(_E.vendor)
    return {row[0]: row[1] for row in unit.session.execute(query)}


def contracts_about(
    unit: Unit, source: str, worker_ids: Collection[str], references: Collection[str]
) -> list[StoredContract]:
    """Load the contracts of some workers, and those with some numbers."""
    found: dict[str, StoredContract] = {}
    query = select(*stored_contract_columns()).join_from(EngagementRow, IdentityRow, OWNER)
    for chunk in chunks(sorted({key_of(worker_id) for worker_id in worker_ids} - {""})):
        # in two steps, and the source looked at here: else SQLite walks all contracts, or all people, of the source
        owners = unit.session.execute(select(_I.id, _I.source).where(_I.worker_key.in_(chunk)))
        for ids in chunks(sorted(row.id for row in owners if row.source == source)):
            theirs = unit.session.execute(query.where(_E.identity_id.in_(ids)))
            found |= {row.id: stored_contract(row) for row in theirs}
    for chunk in chunks(sorted(set(references) - {s.engagement.reference for s in found.values()} - {""})):
        numbered = query.where(_E.source == source, _E.reference.in_(chunk))
        found |= {row.id: stored_contract(row) for row in unit.session.execute(numbered)}
    return list(found.values())


def contracts(unit: Unit, ids: Collection[str]) -> list[StoredContract]:
    """Load stored contracts by id."""
    query = select(*stored_contract_columns()).join_from(EngagementRow, IdentityRow, OWNER)
    return [
        stored_contract(row) for chunk in chunks(ids) for row in unit.session.execute(query.where(_E.id.in_(chunk)))
    ]


def owners(unit: Unit, source: str, references: Iterable[str]) -> dict[str, str]:
    """Return the worker ids of those who have the contracts with some numbers, by number."""
    query = select(_E.reference, _I.worker_id).join_from(EngagementRow, IdentityRow, OWNER)
    found: dict[str, str] = {}
    for chunk in chunks(sorted(set(references))):
        rows = unit.session.execute(query.where(_E.source == source, _E.reference.in_(chunk)))
        found |= {row.reference: row.worker_id for row in rows}
    return found


def running_contracts(unit: Unit, today: date) -> dict[str, int]:
    """Count people with a running contract by vendor (`key_of`); the empty key counts everybody."""
    by_vendor = select(_E.vendor, func.count(_E.identity_id.distinct())).where(*_running(today)).group_by(_E.vendor)
    found: dict[str, int] = defaultdict(int)
    for vendor, count in unit.session.execute(by_vendor):
        found[key_of(vendor)] += count
    found[""] = unit.session.scalar(select(func.count(_E.identity_id.distinct())).where(*_running(today))) or 0
    return found


def count_running(unit: Unit, source: str, today: date) -> int:
    """Count the running contracts of a source."""
    return unit.session.scalar(select(func.count()).where(_E.source == source, *_running(today))) or 0


def still_running(unit: Unit, identity_ids: Collection[str], today: date) -> set[tuple[str, str]]:
    """Return who of some people has a running contract, with its vendor (`key_of`)."""
    query = select(_E.identity_id, _E.vendor).where(*_running(today))
    rows = (
        row for chunk in chunks(identity_ids) for row in unit.session.execute(query.where(_E.identity_id.in_(chunk)))
    )
    return {(identity_id, key_of(vendor)) for identity_id, vendor in rows}


def _running(today: date) -> tuple[ColumnElement[bool], ...]:
    return (_E.first_day <= today, _E.last_day >= today, _E.standing == Standing.RUNNING.value)


def flag_rows(unit: Unit, digests_of: Mapping[str, str]) -> None:
    """Store the digests of the rows that contracts were last spoken of by."""
    if digests_of:
        statement = update(EngagementRow.__table__).where(_E.id == bindparam("key"))
        statement = statement.values(row_digest=bindparam("new"))
        rows = [{"key": key, "new": digest} for key, digest in digests_of.items()]
        unit.session.connection().execute(statement, rows)


def forget_rows(unit: Unit, identity_ids: Iterable[str]) -> None:
    """Forget which rows spoke of the contracts of some people, so that the next roster is compared fact by fact."""
    for chunk in chunks(identity_ids):
        unit.session.execute(update(EngagementRow).where(_E.identity_id.in_(chunk)).values(row_digest=""))


def ids_with_zeros(unit: Unit, source: str) -> dict[str, str]:
    """Return the worker ids of a source that begin with zeros, by what is left without them."""
    query = select(_I.worker_id).where(_I.source == source, _I.worker_id >= "0", _I.worker_id < "1")
    return {id_.lstrip("0"): id_ for id_ in unit.session.scalars(query) if id_.lstrip("0") not in {"", id_}}


def look_over(unit: Unit) -> None:
    """
    Have PostgreSQL look over what many new people and contracts are like.

    Its plans are made for the tables as they were until it does so by itself, minutes later: a search took a second.
    """
    if unit.dialect == "postgresql":
        unit.session.execute(text(f"ANALYZE {IdentityRow.__tablename__}, {EngagementRow.__tablename__}"))
