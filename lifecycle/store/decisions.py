"""What people decide about contracts: cut-offs, renewal questions and hand-over."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, or_, select, update

from lifecycle.domain.roster import Standing
from lifecycle.store.people import chunks
from lifecycle.store.request_tables import CutOffRow, HandoverRow, RenewalRow
from lifecycle.store.tables import EngagementRow, IdentityRow
from lifecycle.store.unit import Unit

_C, _Q, _H = CutOffRow.__table__.c, RenewalRow.__table__.c, HandoverRow.__table__.c
_E, _I = EngagementRow.__table__.c, IdentityRow.__table__.c
_WANTED = _E.standing != Standing.WITHDRAWN.value
_CURRENT = (_E.id == _Q.engagement_id) & (_E.last_day == _Q.last_day) & (_WANTED)
"""A question counts as long as the roster names the same last day, and has not withdrawn the contract."""


def people_cut_off(unit: Unit, member_ids: Collection[str], since: datetime) -> set[str]:
    """Return the people whom some members have cut off after *since*."""
    query = select(_C.identity_id).where(_C.by_member.in_(list(member_ids)), _C.at > since)
    return set(unit.session.scalars(query))


def add_cut_off(unit: Unit, row: CutOffRow) -> None:
    """Insert a cut-off."""
    unit.session.add(row)
    unit.session.flush()


def cut_off_in_force(unit: Unit, identity_id: str) -> CutOffRow | None:
    """Load the cut-off of one person that nobody has undone."""
    query = select(CutOffRow).where(_C.identity_id == identity_id, _C.undone_at.is_(None)).order_by(_C.id.desc())
    row: CutOffRow | None = unit.session.scalars(query.limit(1)).one_or_none()
    return row


def cut_off_undone(unit: Unit, identity_id: str, since: datetime) -> CutOffRow | None:
    """Load the cut-off of one person that was undone last, if that was after *since*."""
    query = select(CutOffRow).where(_C.identity_id == identity_id, _C.undone_at > since).order_by(_C.id.desc())
    row: CutOffRow | None = unit.session.scalars(query.limit(1)).one_or_none()
    return row


def cut_offs_in_force(unit: Unit, limit: int = 20) -> list[tuple[CutOffRow, str]]:
    """Load the latest cut-offs that nobody has undone, each with the person's name."""
    query = select(CutOffRow, _I.name).join(IdentityRow, _I.id == _C.identity_id).where(_C.undone_at.is_(None))
    return [(row[0], row[1]) for row in unit.session.execute(query.order_by(_C.id.desc()).limit(limit))]


def unasked(unit: Unit, today: date, until: date, limit: int) -> list[EngagementRow]:
    """Load contracts that end from *today* to *until* (inclusive) and about which nobody was asked yet."""
    asked = (_Q.engagement_id == _E.id) & (_Q.last_day == _E.last_day)
    query = select(EngagementRow).outerjoin(RenewalRow, asked).where(
        _E.last_day >= today, _E.last_day <= until, _E.first_day <= today, _Q.id.is_(None),
        _WANTED,
    )  # fmt: skip
    return list(unit.session.scalars(query.order_by(_E.last_day).limit(limit)))


def ask(unit: Unit, rows: Sequence[dict[str, Any]]) -> None:
    """Insert renewal questions."""
    if rows:
        unit.session.connection().execute(insert(RenewalRow), list(rows))


def to_be_told(unit: Unit, today: date, steps: Sequence[tuple[int, date]], limit: int) -> list[RenewalRow]:
    """
    Load unanswered questions about which a message is due.

    Args:
        unit: Any unit.
        today: Contracts that ended before are left out.
        steps: Days before the last day, and the latest last day for which that is reached.
        limit: How many at most.
    """
    due = or_(*((_Q.told_days > days) & (_Q.last_day <= latest) for days, latest in steps))
    query = select(RenewalRow).join(EngagementRow, _CURRENT).where(_Q.answer == "", _Q.last_day >= today, due)
    return list(unit.session.scalars(query.order_by(_Q.last_day, _Q.id).limit(limit)))


def told(unit: Unit, ids: Collection[int], days: int) -> None:
    """Store that sponsors were sent the message of so many days before."""
    unit.session.execute(update(RenewalRow).where(_Q.id.in_(list(ids))).values(told_days=days))


def workers_to_be_told(unit: Unit, today: date, days: int, latest: date, limit: int) -> list[RenewalRow]:
    """Load the contracts ending from *today* to *latest* whose holders were not told *days* before the end."""
    query = select(RenewalRow).join(EngagementRow, _CURRENT)
    query = query.where(_Q.last_day >= today, _Q.last_day <= latest, _Q.worker_told_days > days)
    return list(unit.session.scalars(query.order_by(_Q.last_day, _Q.id).limit(limit)))


def workers_told(unit: Unit, ids: Collection[int], days: int) -> None:
    """Store that people were sent the message of so many days before the end of their own contracts."""
    unit.session.execute(update(RenewalRow).where(_Q.id.in_(list(ids))).values(worker_told_days=days))


def renewal(unit: Unit, renewal_id: int) -> RenewalRow | None:
    """Load a question, locked on PostgreSQL."""
    query = select(RenewalRow).where(_Q.id == renewal_id).execution_options(populate_existing=True)
    row: RenewalRow | None = unit.session.scalars(unit.lock(query)).one_or_none()
    return row


_Asked = tuple[RenewalRow, EngagementRow, str]


def _questions() -> Any:
    return (
        select(RenewalRow, EngagementRow, _I.name)
        .join(EngagementRow, _E.id == _Q.engagement_id)
        .join(IdentityRow, _I.id == _E.identity_id)
    )


def questions_for(unit: Unit, keys: Collection[str], since: date, limit: int) -> list[_Asked]:
    """Load the questions to these sponsors about access until *since* or later, with contract and name."""
    lasting = (_Q.last_day >= since) | (_E.bridge_until >= since)
    query = _questions().where(_E.sponsor_key.in_(list(keys)), lasting, _CURRENT)
    return [tuple(row) for row in unit.session.execute(query.order_by(_Q.last_day, _Q.id).limit(limit))]


def proposals(unit: Unit, limit: int = 200) -> list[_Asked]:
    """Load what sponsors propose to HR and HR has not handled, with contract and name."""
    query = _questions().where(_Q.answer.in_(("extend", "convert")), _Q.handled_at.is_(None))
    return [tuple(row) for row in unit.session.execute(query.order_by(_Q.last_day, _Q.id).limit(limit))]


def renewals_of(unit: Unit, engagement_ids: Collection[str]) -> list[RenewalRow]:
    """Load every question about some contracts."""
    return list(unit.session.scalars(select(RenewalRow).where(_Q.engagement_id.in_(list(engagement_ids)))))


def proposed_days(unit: Unit, engagement_ids: Collection[str]) -> dict[str, date]:
    """Map contracts to the last day (inclusive) that their sponsors propose, as long as the roster has not moved it."""
    found: dict[str, date] = {}
    for chunk in chunks(engagement_ids):
        query = select(_Q.engagement_id, _Q.proposed_day).join(EngagementRow, _CURRENT)
        query = query.where(_Q.engagement_id.in_(chunk), _Q.answer == "extend", _Q.proposed_day.is_not(None))
        found |= {row.engagement_id: row.proposed_day for row in unit.session.execute(query)}
    return found


def handover_of(unit: Unit, engagement_ids: Collection[str]) -> list[HandoverRow]:
    """Load what is to be handed over, open first."""
    query = select(HandoverRow).where(_H.engagement_id.in_(list(engagement_ids)))
    return list(unit.session.scalars(query.order_by(_H.done_at.is_not(None), _H.id)))


def handover(unit: Unit, handover_id: int) -> HandoverRow | None:
    """Load one thing to be handed over."""
    return unit.session.get(HandoverRow, handover_id)
