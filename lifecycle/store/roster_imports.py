"""Confirmed rosters, who lost access by surprise with them, and profiles that people have saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select

from lifecycle.store.roster_tables import RosterProfileRow, RosterUploadRow, SurpriseRow
from lifecycle.store.tables import RosterImportRow
from lifecycle.store.unit import Unit

_M = RosterImportRow.__table__.c

NEWEST = (_M.number.desc(),)
"""By their numbers: clocks are set back."""


def last_import(unit: Unit, source: str) -> RosterImportRow | None:
    """Return the last confirmed roster of a source."""
    query = select(RosterImportRow).where(_M.source == source).order_by(*NEWEST).limit(1)
    return unit.session.scalars(query).first()


def last_upload(unit: Unit, source: str, profile: str) -> str:
    """Return the id of the upload that the last confirmed roster of a profile came in; empty if there is none."""
    query = select(_M.upload_id).where(_M.source == source, _M.profile == profile)
    return unit.session.scalar(query.order_by(*NEWEST).limit(1)) or ""


def last_line_before(unit: Unit, source: str, profile: str) -> str:
    """Return `RosterUploadRow.last_line` of the last confirmed roster of a profile; empty if nobody knows."""
    row = unit.session.get(RosterUploadRow, last_upload(unit, source, profile))
    return row.last_line if row else ""


def upload_of(unit: Unit, import_id: str) -> str:
    """Return the id of the upload that a confirmed roster came in; empty if there is no such roster."""
    return unit.session.scalar(select(_M.upload_id).where(_M.id == import_id)) or ""


def last_full_import(unit: Unit, profile: str) -> RosterImportRow | None:
    """Return the last confirmed full roster of a profile."""
    query = select(RosterImportRow).where(_M.profile == profile, _M.scope == "full")
    return unit.session.scalars(query.order_by(*NEWEST).limit(1)).first()


def last_full_imports(unit: Unit, source: str) -> list[RosterImportRow]:
    """List the last confirmed full roster of each profile of a source, newest first."""
    full = (_M.source == source, _M.scope == "full")
    last = select(func.max(_M.number)).where(*full).group_by(_M.profile)
    return list(unit.session.scalars(select(RosterImportRow).where(*full, _M.number.in_(last)).order_by(*NEWEST)))


def import_of_file(unit: Unit, source: str, sha256: str) -> RosterImportRow | None:
    """Return the last import of this very file."""
    query = select(RosterImportRow).where(_M.source == source, _M.sha256 == sha256)
    return unit.session.scalars(query.order_by(*NEWEST).limit(1)).first()


def surprises_since(unit: Unit, since: datetime) -> list[SurpriseRow]:
    """List who has lost access by surprise from *since* on."""
    return list(unit.session.scalars(select(SurpriseRow).where(SurpriseRow.__table__.c.at >= since)))


def counts_since(unit: Unit, source: str, since: datetime) -> list[dict[str, int]]:
    """List the counts of the rosters of a source that were confirmed from *since* on."""
    return list(unit.session.scalars(select(_M.counts).where(_M.source == source, _M.confirmed_at >= since)))


def add_surprises(unit: Unit, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note who loses access by surprise."""
    if rows:
        unit.session.connection().execute(insert(SurpriseRow), list(rows))


def profiles(unit: Unit) -> list[RosterProfileRow]:
    """List the profiles that people have saved."""
    return list(unit.session.scalars(select(RosterProfileRow).order_by(RosterProfileRow.__table__.c.name)))


def sources(unit: Unit) -> frozenset[str]:
    """Return every source that a roster was confirmed from."""
    return frozenset(unit.session.scalars(select(_M.source).distinct())) - {""}


def imports_of(unit: Unit, source: str, limit: int) -> list[RosterImportRow]:
    """List the confirmed rosters of a source, newest first."""
    query = select(RosterImportRow).where(_M.source == source).order_by(*NEWEST)
    return list(unit.session.scalars(query.limit(limit)))


def next_import_number(unit: Unit) -> int:
    """Return the number of the next import."""
    return (unit.session.scalar(select(func.max(_M.number))) or 0) + 1


def newest_full(unit: Unit, source: str) -> datetime | None:
    """Return when the newest confirmed full roster of a source was made; None if unknown."""
    return unit.session.scalar(select(func.max(_M.as_of)).where(_M.source == source, _M.scope == "full"))


def newest(unit: Unit, source: str, profile: str = "") -> datetime | None:
    """
    Return when the newest confirmed roster of a source was made; None if unknown.

    With a *profile* that of this profile or a full one: of others that only tell changes each may come when it likes.
    """
    query = select(func.max(_M.as_of)).where(_M.source == source)
    return unit.session.scalar(query.where((_M.profile == profile) | (_M.scope == "full")) if profile else query)
