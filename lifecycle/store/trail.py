"""Finding records of the trail. Every query walks one index in the order of the chain, newest first."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select

from lifecycle.store.tables import AuditHeadRow, AuditRow
from lifecycle.store.unit import Unit

_A = AuditRow.__table__.c
COLUMNS: dict[str, Any] = {name: _A[name] for name in ("actor", "action", "object", "request")}
PROBED = 100_000
"""A value that is found so often is not rare; nobody counts on."""


@dataclass(frozen=True)
class Wanted:
    """What records must be: every column one of its values, and the instant from ``since`` to before ``until``."""

    values: Mapping[str, Collection[str]]
    """By name in `COLUMNS`; a column that is not named may be anything, one without values nothing."""
    since: datetime | None = None
    """Aware, inclusive."""
    until: datetime | None = None
    """Aware, exclusive."""
    hidden: Collection[str] = ()
    """Nothing that belongs to these requests."""


def find(unit: Unit, wanted: Wanted, *, before: int | None, limit: int) -> list[AuditRow]:
    """
    Load the newest records that are as *wanted*, newest first.

    The rarest of the columns leads: for each of its values the index gives records in order, and what else is
    wanted is looked at in the record itself. Databases without statistics choose worse.

    Args:
        unit: Any unit.
        wanted: What they must be.
        before: Only records with a lower sequence number.
        limit: How many at most.
    """
    if any(not values for values in wanted.values.values()):
        return []
    conditions = _window(unit, wanted)
    if conditions is None:
        return []
    if before is not None:
        conditions.append(_A.seq < before)
    if wanted.hidden:
        conditions.append(_unindexed(_A.request).not_in(list(wanted.hidden)))
    leading = _rarest(unit, wanted.values)
    conditions += [_unindexed(COLUMNS[n]).in_(list(v)) for n, v in wanted.values.items() if n != leading]
    query = select(AuditRow).where(*conditions).order_by(_A.seq.desc()).limit(limit)
    if leading is None:
        return list(unit.session.scalars(query))
    each = [unit.session.scalars(query.where(COLUMNS[leading] == value)) for value in set(wanted.values[leading])]
    return list(islice(heapq.merge(*each, key=lambda row: -row.seq), limit))


def _window(unit: Unit, wanted: Wanted) -> list[ColumnElement[bool]] | None:
    """Turn days into sequence numbers, which every index is ordered by; None where no record lies between them."""
    if wanted.since is None and wanted.until is None:
        return []
    within: list[ColumnElement[bool]] = []
    exact: list[ColumnElement[bool]] = []
    for at, conditions in ((_A.at, within), (_unindexed(_A.at), exact)):
        if wanted.since is not None:
            conditions.append(at >= wanted.since)
        if wanted.until is not None:
            conditions.append(at < wanted.until)
    first, last = unit.session.execute(select(func.min(_A.seq), func.max(_A.seq)).where(*within)).one()
    # a record may be a little out of the order of instants, so both are asked
    return None if first is None else [_A.seq >= first, _A.seq <= last, *exact]


def _unindexed(column: Any) -> Any:
    """Write *column* so that no index on it is considered."""
    return column.op("+")(literal_column("0")) if column is _A.at else column.concat("")


def _rarest(unit: Unit, values: Mapping[str, Collection[str]]) -> str | None:
    """Return the column whose values are found least often."""
    if len(values) < 2:
        return next(iter(values), None)

    def often(name: str) -> int:
        found = select(_A.seq).where(COLUMNS[name].in_(list(values[name]))).limit(PROBED).subquery()
        return unit.session.scalar(select(func.count()).select_from(found)) or 0

    return min(values, key=often)


def known(unit: Unit, column: str, candidates: Collection[str]) -> list[str]:
    """Return those of *candidates* that a record has in *column*."""
    query = select(_A.seq).limit(1)
    return [c for c in candidates if unit.session.scalar(query.where(COLUMNS[column] == c)) is not None]


def actions(unit: Unit) -> list[str]:
    """List every action that was ever recorded, from one to the next in the index."""
    found: list[str] = []
    following: str | None = unit.session.scalar(select(func.min(_A.action)))
    while following is not None:
        found.append(following)
        following = unit.session.scalar(select(func.min(_A.action)).where(_A.action > following))
    return found


def last(unit: Unit) -> int:
    """Return the sequence number of the newest record; 0 where there is none."""
    return unit.session.scalar(select(AuditHeadRow.__table__.c.seq)) or 0
