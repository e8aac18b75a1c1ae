"""Requests and reviews: rows in and out. What they mean is decided in ``lifecycle.domain.approval``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from lifecycle.store import state
from lifecycle.store.people import chunks
from lifecycle.store.request_tables import RequestRow, ReviewRow
from lifecycle.store.tables import EngagementRow, GrantRow, StateRow
from lifecycle.store.unit import Unit

_R, _V = RequestRow.__table__.c, ReviewRow.__table__.c


def next_id(unit: Unit) -> str:
    """Return the number of a new request, one after the other."""
    query = select(StateRow).where(StateRow.__table__.c.name == state.REQUEST_NUMBER)
    row = unit.session.scalars(unit.lock(query.execution_options(populate_existing=True))).one()
    number = int(row.value)
    row.value = number + 1
    unit.session.add(row)
    unit.session.flush()
    return f"GR-{number}"


def add(unit: Unit, row: RequestRow) -> None:
    """Insert a request."""
    unit.session.add(row)
    unit.session.flush()


def sponsors_of(unit: Unit, rows: Collection[RequestRow]) -> dict[str, str]:
    """Map each of some requests to the key of who answers for its contract."""
    found: dict[str, str] = {}
    for chunk in chunks([row.id for row in rows]):
        query = select(_R.id, EngagementRow.__table__.c.sponsor_key).join(
            EngagementRow, EngagementRow.__table__.c.id == _R.engagement_id
        )
        found |= {row.id: row.sponsor_key for row in unit.session.execute(query.where(_R.id.in_(chunk)))}
    return found


def get(unit: Unit, request_id: str) -> RequestRow | None:
    """Load a request without locking it."""
    return unit.session.get(RequestRow, request_id)


def locked(unit: Unit, request_id: str) -> RequestRow | None:
    """Load a request so that nobody else changes it before this unit has ended."""
    query = select(RequestRow).where(_R.id == request_id).execution_options(populate_existing=True)
    row: RequestRow | None = unit.session.scalars(unit.lock(query)).one_or_none()
    return row


def reviews_of(unit: Unit, rows: Collection[RequestRow]) -> dict[str, list[ReviewRow]]:
    """Load the reviews of the present revision of some requests, in the order given."""
    revisions = {row.id: row.revision for row in rows}
    found: dict[str, list[ReviewRow]] = defaultdict(list)
    for chunk in chunks(revisions):
        query = select(ReviewRow).where(_V.request_id.in_(chunk)).order_by(_V.id)
        for review in unit.session.scalars(query):
            if review.revision == revisions[review.request_id]:
                found[review.request_id].append(review)
    return found


def add_review(unit: Unit, row: ReviewRow) -> None:
    """Insert a review; the database refuses a second one by the same person."""
    unit.session.add(row)
    unit.session.flush()


def pending(unit: Unit, limit: int = 1000) -> list[RequestRow]:
    """Load requests that wait for a word, those that expire first on top."""
    query = select(RequestRow).where(_R.resolution == "pending").order_by(_R.expires_at, _R.id).limit(limit)
    return list(unit.session.scalars(query))


def expired(unit: Unit, now: datetime, limit: int = 500) -> list[RequestRow]:
    """Load pending requests whose time is over at *now*."""
    query = select(RequestRow).where(_R.resolution == "pending", _R.expires_at <= now).order_by(_R.id).limit(limit)
    return list(unit.session.scalars(unit.lock(query)))


def pending_for(unit: Unit, identity_id: str, entitlement: str, kind: str = "") -> RequestRow | None:
    """Load the request that waits already for the same person and right."""
    query = select(RequestRow).where(
        _R.identity_id == identity_id, _R.entitlement == entitlement, _R.resolution == "pending"
    )
    if kind:
        query = query.where(_R.kind == kind)
    return unit.session.scalars(query.limit(1)).one_or_none()


def pending_of_kind(unit: Unit, identity_ids: Collection[str], kind: str) -> dict[str, RequestRow]:
    """Map people to the request of one kind that waits for its reviews, where no single right is asked for."""
    found: dict[str, RequestRow] = {}
    for chunk in chunks(identity_ids):
        query = select(RequestRow).where(
            _R.identity_id.in_(chunk), _R.entitlement == "", _R.kind == kind, _R.resolution == "pending"
        )
        found |= {row.identity_id: row for row in unit.session.scalars(query)}
    return found


def open_for(unit: Unit, identity_ids: Collection[str], entitlement: str, now: datetime) -> dict[str, RequestRow]:
    """Map people to the request for one right that waits for reviews, or is approved and can be activated still."""
    waits = (_R.resolution == "pending") | (
        (_R.resolution == "approved") & _R.activated_at.is_(None) & (_R.eligible_until > now)
    )
    found: dict[str, RequestRow] = {}
    for chunk in chunks(identity_ids):
        query = select(RequestRow).where(_R.identity_id.in_(chunk), _R.entitlement == entitlement, waits)
        found |= {row.identity_id: row for row in unit.session.scalars(query)}
    return found


def of_identity(unit: Unit, identity_id: str, limit: int = 50) -> list[RequestRow]:
    """Load what was asked for one person, newest first."""
    query = select(RequestRow).where(_R.identity_id == identity_id).order_by(_R.created_at.desc(), _R.id).limit(limit)
    return list(unit.session.scalars(query))


def by_requester(unit: Unit, member_id: str, limit: int = 50) -> list[RequestRow]:
    """Load what one member asked for, newest first."""
    query = select(RequestRow).where(_R.requester_id == member_id).order_by(_R.created_at.desc(), _R.id).limit(limit)
    return list(unit.session.scalars(query))


def extensions(unit: Unit, identity_id: str) -> list[RequestRow]:
    """Load the requests of one person that have extended a grant, in the order of their activation."""
    query = select(RequestRow).where(_R.identity_id == identity_id, _R.kind == "extend", _R.made_grant != "")
    return list(unit.session.scalars(query.order_by(_R.activated_at, _R.id)))


def asked_to_extend(unit: Unit, identity_id: str, grant_ids: Collection[str]) -> list[RequestRow]:
    """Load the requests of one person that ask for more time of some grants and have not been used, locked."""
    query = select(RequestRow).where(
        _R.identity_id == identity_id,
        _R.kind == "extend",
        _R.grant_id.in_(list(grant_ids)),
        _R.resolution.in_(("pending", "approved")),
        _R.activated_at.is_(None),
    )
    return list(unit.session.scalars(unit.lock(query.order_by(_R.id))))


def extended(unit: Unit, identity_id: str, grant_id: str, now: datetime) -> RequestRow | None:
    """Load the approved request of one person that extends a grant, or can still be activated to."""
    grants = select(GrantRow.__table__.c.id)
    query = select(RequestRow).where(
        _R.identity_id == identity_id,
        _R.kind == "extend",
        _R.grant_id == grant_id,
        _R.resolution == "approved",
        (_R.activated_at.is_(None) & (_R.eligible_until > now)) | _R.made_grant.in_(grants),
    )
    return unit.session.scalars(query.limit(1)).one_or_none()


def close_all(unit: Unit, identity_id: str, now: datetime) -> list[str]:
    """Cancel what is pending for one person, and let nothing that was approved be activated; return their ids."""
    query = select(RequestRow).where(_R.identity_id == identity_id, _R.activated_at.is_(None)).order_by(_R.id)
    closed = []
    for row in unit.session.scalars(unit.lock(query)):
        if row.kind != "cut-off" and (row.resolution == "pending" or (row.eligible_until or now) > now):
            row.resolution = "cancelled" if row.resolution == "pending" else row.resolution
            row.resolved_at, row.eligible_until = row.resolved_at or now, now
            unit.session.add(row)
            closed.append(row.id)
    return closed


def withdraw_all(unit: Unit, member_ids: Collection[str], now: datetime) -> list[str]:
    """Cancel what some members have asked for others and nobody has decided yet; return the ids."""
    query = select(RequestRow).where(_R.requester_id.in_(list(member_ids)), _R.resolution == "pending")
    query = query.order_by(_R.id)
    closed = []
    for row in unit.session.scalars(unit.lock(query)):
        row.resolution, row.resolved_at = "cancelled", now
        unit.session.add(row)
        closed.append(row.id)
    return closed


def grant_row(unit: Unit, grant_id: str) -> GrantRow | None:
    """Load a grant by id."""
    return unit.session.get(GrantRow, grant_id)
