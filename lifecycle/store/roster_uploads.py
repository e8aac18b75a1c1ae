"""Files of rosters on their way in, and what people have said about them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from lifecycle.store.people import chunks
from lifecycle.store.roster_tables import BatchReviewRow, RosterUploadRow
from lifecycle.store.unit import Unit

_U = RosterUploadRow.__table__.c


def upload(unit: Unit, upload_id: str) -> RosterUploadRow | None:
    """Load an upload."""
    return unit.session.get(RosterUploadRow, upload_id)


def uploads(unit: Unit, *, states: Collection[str] = (), source: str = "", limit: int = 50) -> list[RosterUploadRow]:
    """List uploads, newest first."""
    query = select(RosterUploadRow).order_by(_U.received_at.desc(), _U.id).limit(limit)
    if states:
        query = query.where(_U.state.in_(list(states)))
    if source:
        query = query.where(_U.source == source)
    return list(unit.session.scalars(query))


def of_same_file(unit: Unit, like: RosterUploadRow, states: Collection[str]) -> list[RosterUploadRow]:
    """List the uploads in *states* of the same file by the same sender and way as *like*, first come first."""
    query = select(RosterUploadRow).where(_U.way == like.way, _U.actor == like.actor, _U.sha256 == like.sha256)
    return list(unit.session.scalars(query.where(_U.state.in_(list(states))).order_by(_U.received_at, _U.id)))


def change_upload(
    unit: Unit, upload_id: str, states: Collection[str], *, worker_is: str | None = None, **values: Any
) -> bool:
    """
    Change an upload; return whether it was changed, so that of two who act at once only one does.

    Args:
        unit: To write in.
        upload_id: Which.
        states: Only if it is in one of these.
        worker_is: Only if it is this one who works on it.
        values: Column to value.
    """
    statement = update(RosterUploadRow).where(_U.id == upload_id, _U.state.in_(list(states))).values(**values)
    if worker_is is not None:
        statement = statement.where(_U.worker == worker_is)
    result: Any = unit.session.execute(statement.execution_options(synchronize_session="fetch"))
    unit.shows()
    return bool(result.rowcount)


def locked_upload(unit: Unit, upload_id: str) -> RosterUploadRow | None:
    """Load an upload that nobody else changes before this unit has ended."""
    query = select(RosterUploadRow).where(_U.id == upload_id).execution_options(populate_existing=True)
    return unit.session.scalars(unit.lock(query)).one_or_none()


def try_upload(unit: Unit, upload_id: str) -> RosterUploadRow | None:
    """Load an upload that nobody else changes before this unit has ended; None when somebody is at it just now."""
    query = select(RosterUploadRow).where(_U.id == upload_id).execution_options(populate_existing=True)
    if unit.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return unit.session.scalars(query).one_or_none()


def reviews(unit: Unit, upload_id: str) -> list[BatchReviewRow]:
    """List what people have said about a held roster, first come first."""
    columns = BatchReviewRow.__table__.c
    return list(unit.session.scalars(select(BatchReviewRow).where(columns.upload_id == upload_id).order_by(columns.at)))


def clear_reviews(unit: Unit, upload_id: str) -> None:
    """Forget what people have said about a roster that is not any more what they saw."""
    unit.session.execute(delete(BatchReviewRow).where(BatchReviewRow.__table__.c.upload_id == upload_id))


def known(unit: Unit, upload_ids: Collection[str]) -> set[str]:
    """Return those of some ids that uploads have."""
    return {id_ for chunk in chunks(upload_ids) for id_ in unit.session.scalars(select(_U.id).where(_U.id.in_(chunk)))}


def held_since(unit: Unit) -> datetime | None:
    """Return when the first of the rosters that are held was received; None if none is."""
    return unit.session.scalar(select(func.min(_U.received_at)).where(_U.state == "held"))


def settled_before(unit: Unit, at: datetime, limit: int) -> list[str]:
    """List ids of uploads that nothing comes of any more and that arrived before *at*."""
    states = ("applied", "discarded", "refused")
    query = select(_U.id).where(_U.state.in_(states), _U.received_at < at, _U.size > 0).limit(limit)
    return list(unit.session.scalars(query))


def forget_file(unit: Unit, upload_id: str) -> None:
    """Note that the file of an upload is deleted; what it did stays in the trail."""
    unit.session.execute(update(RosterUploadRow).where(_U.id == upload_id).values(size=0))


def senders_refused_since(unit: Unit, source: str, at: datetime) -> frozenset[str]:
    """Return the ids of members who had a hand in a roster of a source that was held, and rejected from *at* on."""
    refused = (_U.source == source, _U.state == "refused", _U.settled_at >= at)
    rows = unit.session.execute(select(_U.member_id, _U.confirmer_id, _U.shapers).where(*refused))
    return frozenset(id_ for sent, confirmed, shapers in rows for id_ in (sent, confirmed, *shapers)) - {""}
