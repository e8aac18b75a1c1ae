"""Pushes on their way, in the order in which they came."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, select

from lifecycle.domain.known_contracts import number_of
from lifecycle.store.people_tables import ServiceTokenRow
from lifecycle.store.push_tables import PushRow, ScimUserRow
from lifecycle.store.tables import EngagementRow, IdentityRow
from lifecycle.store.unit import Unit

_P = PushRow.__table__.c


def unsettled(unit: Unit, limit: int, *, after: int = 0) -> list[PushRow]:
    """Load pushes that have not come to their end, oldest first."""
    query = select(PushRow).where(_P.settled_at.is_(None), _P.n > after).order_by(_P.n).limit(limit)
    return list(unit.session.scalars(query))


def is_held(unit: Unit, worker_id: str, before: int) -> bool:
    """Say whether a push before number *before* says something of a worker that waits for people."""
    query = select(_P.operations).where(_P.settled_at.is_(None), _P.n < before)
    return any(
        said["external_id"] == worker_id and said["state"] == "held" and not said["ends"]
        for operations in unit.session.scalars(query)
        for said in operations
    )


def found(unit: Unit, push_id: str, token_id: str) -> PushRow | None:
    """Load a push of one token; *push_id* is whatever a stranger put into an address."""
    if "\0" in push_id:  # no database can be asked for it
        return None
    query = select(PushRow).where(_P.id == push_id, _P.token_id == token_id)
    return unit.session.scalars(query).one_or_none()


def maker_of(unit: Unit, token_id: str) -> str:
    """Return the id of the member who made a token; empty if there is no such token."""
    row = unit.session.get(ServiceTokenRow, token_id)
    return row.created_by if row is not None else ""


def prune(unit: Unit, before: datetime) -> int:
    """Delete what came to its end before *before*, and return how many there were."""
    result: Any = unit.session.execute(delete(PushRow).where(_P.settled_at < before))
    return int(result.rowcount)


def running_contracts(unit: Unit, source: str, worker_id: str, today: date) -> list[str]:
    """Return the numbers, as they came, of a worker's contracts that have not ended by *today*."""
    engagement, identity = EngagementRow.__table__.c, IdentityRow.__table__.c
    query = (
        select(engagement.reference)
        .join(IdentityRow.__table__, identity.id == engagement.identity_id)
        .where(engagement.source == source, identity.source == source, identity.worker_id == worker_id)
        .where(engagement.standing == "running", engagement.last_day >= today)
        .order_by(engagement.reference)
    )
    return list(dict.fromkeys(number_of(reference) for reference in unit.session.scalars(query)))


def scim_user(unit: Unit, user_id: str, *, lock: bool = False) -> ScimUserRow | None:
    """Load a person of a SCIM client."""
    query = select(ScimUserRow).where(ScimUserRow.__table__.c.id == user_id)
    return unit.session.scalars(unit.lock(query) if lock else query).one_or_none()
