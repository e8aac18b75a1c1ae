"""The outbox: what is to be told, put in with the change it tells of."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lifecycle.store.people_tables import NoticeRow
from lifecycle.store.types import Instant
from lifecycle.store.unit import Unit

_N = NoticeRow.__table__.c
_WAITING = (_N.delivered_at.is_(None), _N.dropped_at.is_(None))
KEPT = timedelta(days=90)


def add(unit: Unit, row: NoticeRow) -> bool:
    """Insert a notice unless the same was put in before; say whether it was."""
    values = row.model_dump(exclude={"id"})
    statement = (sqlite if unit.dialect == "sqlite" else postgresql).insert(NoticeRow).values(**values)
    result: Any = unit.session.execute(statement.on_conflict_do_nothing(index_elements=["dedupe"]))
    return bool(result.rowcount)


def due(unit: Unit, now: datetime, limit: int = 500, channel: str = "") -> list[NoticeRow]:
    """Load what is to be told by *now*, oldest first; over one channel, if it is named."""
    query = select(NoticeRow).where(*_WAITING, _N.retry_at <= now).order_by(_N.id).limit(limit)
    return list(unit.session.scalars(query.where(_N.channel == channel) if channel else query))


def delivered(unit: Unit, ids: Collection[int], at: datetime) -> None:
    """Store that these were told."""
    values = {"delivered_at": at, "error": "", "failing_since": None}
    unit.session.execute(update(NoticeRow).where(_N.id.in_(list(ids))).values(**values))


def failed(unit: Unit, ids: Collection[int], at: datetime, error: str, retry_at: datetime) -> None:
    """Store why these could not be told, and when to try again."""
    values = {
        "attempts": _N.attempts + 1,
        "error": error,
        "retry_at": retry_at,
        "failing_since": func.coalesce(_N.failing_since, literal(at, Instant())),
    }
    unit.session.execute(update(NoticeRow).where(_N.id.in_(list(ids))).values(**values))


def drop(unit: Unit, about: str, at: datetime, topics: Collection[str] = ()) -> None:
    """Leave unsaid what is no longer true about something."""
    statement = update(NoticeRow).where(*_WAITING, _N.about == about)
    if topics:
        statement = statement.where(_N.topic.in_(list(topics)))
    unit.session.execute(statement.values(dropped_at=at))


def failing(unit: Unit) -> list[tuple[str, str, int, datetime, str]]:
    """List channels and recipients that cannot be told anything: how many wait, since when, and why."""
    query = (
        select(_N.channel, _N.recipient, func.count(), func.min(_N.failing_since), func.max(_N.error))
        .where(*_WAITING, _N.attempts > 0)
        .group_by(_N.channel, _N.recipient)
        .order_by(func.min(_N.failing_since))
        .limit(20)
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in unit.session.execute(query)]


def waiting(unit: Unit, channel: str) -> int:
    """Count what waits to be told."""
    query = select(func.count()).select_from(NoticeRow).where(*_WAITING, _N.channel == channel)
    return unit.session.scalar(query) or 0


def prune(unit: Unit, now: datetime) -> None:
    """Forget what was told long ago."""
    unit.session.execute(delete(NoticeRow).where(_N.delivered_at < now - KEPT))
    unit.session.execute(delete(NoticeRow).where(_N.dropped_at < now - KEPT))
