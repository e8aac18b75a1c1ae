"""Work items: opened, claimed under a lease, finished only by whoever still holds it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, insert, literal, not_, or_, select, update

from lifecycle.domain.drift import Verb
from lifecycle.domain.identity import IdentityId
from lifecycle.store.people import chunks
from lifecycle.store.tables import WorkItemRow
from lifecycle.store.types import Instant
from lifecycle.store.unit import Unit

ACCOUNT, EXPIRY, OBSERVE = "@account", "@expiry", "@observe"
"""Aspects that are no entitlement."""
NEEDS_A_PERSON = ("refused", "no-account")
"""Kinds of failure that waiting alone does not mend."""

_W = WorkItemRow.__table__.c
_FIRST = WorkItemRow.__table__.alias("first").c
"""Items that another one may have to wait for."""


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A queued change, as it was when it was read."""

    id: int
    identity_id: IdentityId
    target: str
    aspect: str
    verb: Verb
    version: int
    state: str
    cause: str
    priority: int
    expires_at: datetime | None
    created_at: datetime
    due_at: datetime
    retry_at: datetime
    attempts: int
    lease_owner: str
    lease_until: datetime | None
    error: str
    error_kind: str
    failing_since: datetime | None
    finished_at: datetime | None
    outcome: str


_COLUMNS = [_W[name] for name in WorkItem.__slots__]


def _item(row: Any) -> WorkItem:
    values = row._asdict()
    return WorkItem(**{**values, "verb": Verb(values["verb"]), "identity_id": IdentityId(values["identity_id"])})


def open_items(unit: Unit, identity_ids: Collection[str]) -> list[WorkItem]:
    """Load the open items of some identities."""
    found: list[WorkItem] = []
    for chunk in chunks(identity_ids):
        query = select(*_COLUMNS).where(_W.identity_id.in_(chunk), _W.state == "open")
        found += [_item(row) for row in unit.session.execute(query)]
    return found


def add(unit: Unit, rows: Sequence[dict[str, Any]]) -> None:
    """Insert open items."""
    if rows:
        unit.session.connection().execute(insert(WorkItemRow), list(rows))


def redirect(unit: Unit, item_id: int, at: datetime, **values: Any) -> None:
    """Change what an open item is to do. Whoever works on it keeps the lease, but can no longer finish it."""
    unit.session.execute(
        update(WorkItemRow)
        .where(_W.id == item_id, _W.state == "open")
        .values(version=_W.version + 1, attempts=0, retry_at=at, error="", error_kind="", failing_since=None, **values)
    )


def supersede(unit: Unit, item_ids: Collection[int], at: datetime) -> None:
    """Close items that facts have made pointless."""
    for chunk in chunks(item_ids):
        unit.session.execute(
            update(WorkItemRow)
            .where(_W.id.in_(chunk), _W.state == "open")
            .values(state="superseded", finished_at=at, outcome="superseded")
        )


def _other(state: str, *conditions: Any) -> Any:
    """Say that there is another item of the same account, in *state*, that meets *conditions*."""
    same = (_FIRST.identity_id == _W.identity_id, _FIRST.target == _W.target, _FIRST.state == state)
    return select(_FIRST.id).where(*same, *conditions).exists()


def claim(unit: Unit, *, target: str, owner: str, now: datetime, until: datetime, limit: int) -> list[WorkItem]:
    """
    Lease up to *limit* items of one target, most urgent first; this is the recorded intent.

    A grant waits until the account's native expiry and its enabling are done: access is never given without its
    end. Nothing is begun for an account in which a call of a superseded item may still be under way.
    """
    claimable = (
        select(_W.id)
        .where(
            _W.state == "open",
            _W.target == target,
            _W.retry_at <= now,
            or_(_W.lease_until.is_(None), _W.lease_until < now),
            or_(_W.verb != Verb.GRANT.value, not_(_other("open", _FIRST.aspect.in_([ACCOUNT, EXPIRY])))),
            not_(_other("superseded", _FIRST.lease_until >= now)),
        )
        .order_by(_W.priority.desc(), _W.aspect, _W.due_at, _W.id)
        .limit(limit)
    )
    if unit.dialect == "postgresql":
        claimable = claimable.with_for_update(skip_locked=True)
    ids = list(unit.session.scalars(claimable))
    if not ids:
        return []
    unit.session.execute(
        update(WorkItemRow)
        .where(_W.id.in_(ids))
        .values(lease_owner=owner, lease_until=until, intent_at=now, attempts=_W.attempts + 1)
    )
    rows = unit.session.execute(select(*_COLUMNS).where(_W.id.in_(ids)))
    place = {item_id: n for n, item_id in enumerate(ids)}
    return sorted(map(_item, rows), key=lambda item: place[item.id])


def renew(unit: Unit, item_ids: Collection[int], *, owner: str, until: datetime) -> set[int]:
    """Prolong a lease before a call; return the items that are still ours and still open."""
    ours = and_(_W.id.in_(list(item_ids)), _W.lease_owner == owner, _W.state == "open")
    unit.session.execute(update(WorkItemRow).where(ours).values(lease_until=until))
    return set(unit.session.scalars(select(_W.id).where(ours)))


def finish(unit: Unit, item: WorkItem, *, owner: str, at: datetime, outcome: str) -> bool:
    """Close an item; False when the lease was lost or the item has changed since it was claimed."""
    result: Any = unit.session.execute(
        update(WorkItemRow)
        .where(_W.id == item.id, _W.lease_owner == owner, _W.version == item.version, _W.state == "open")
        .values(
            state="done", outcome=outcome, finished_at=at, lease_owner="", lease_until=None, error="", error_kind=""
        )
    )
    return bool(result.rowcount)


def release(unit: Unit, item: WorkItem, *, owner: str, retry_at: datetime) -> None:
    """Give a lease back without an attempt having been made."""
    unit.session.execute(
        update(WorkItemRow)
        .where(_W.id == item.id, _W.lease_owner == owner)
        .values(lease_owner="", lease_until=None, retry_at=retry_at, attempts=func.max(_W.attempts - 1, 0)
                if unit.dialect == "sqlite" else func.greatest(_W.attempts - 1, 0))
    )  # fmt: skip


def fail(unit: Unit, item: WorkItem, *, owner: str, at: datetime, retry_at: datetime, error: str, kind: str) -> bool:
    """Give a lease back after an attempt that failed; False when it was no longer ours."""
    result: Any = unit.session.execute(
        update(WorkItemRow)
        .where(_W.id == item.id, _W.lease_owner == owner, _W.version == item.version, _W.state == "open")
        .values(
            lease_owner="",
            lease_until=None,
            retry_at=retry_at,
            error=error[:1000],
            error_kind=kind,
            failing_since=func.coalesce(_W.failing_since, literal(at, Instant)),
        )
    )
    return bool(result.rowcount)


def recover(unit: Unit, is_dead: Callable[[str], bool]) -> int:
    """Take leases back from owners that surely run no more; return how many items that frees."""
    owners = unit.session.scalars(select(_W.lease_owner).where(_W.lease_owner != "").distinct())
    dead = [owner for owner in owners if is_dead(owner)]
    if not dead:
        return 0
    result: Any = unit.session.execute(
        update(WorkItemRow).where(_W.lease_owner.in_(dead)).values(lease_owner="", lease_until=None)
    )
    return int(result.rowcount)


def claimable_targets(unit: Unit, now: datetime) -> list[str]:
    """List the targets with something to do at *now*."""
    query = select(_W.target).where(
        _W.state == "open", _W.retry_at <= now, or_(_W.lease_until.is_(None), _W.lease_until < now)
    )
    return sorted(unit.session.scalars(query.distinct()))


def wake(unit: Unit, target: str, now: datetime) -> None:
    """Try everything that waits for *target* at once, because it answers again."""
    unit.session.execute(
        update(WorkItemRow).where(_W.target == target, _W.state == "open", _W.retry_at > now).values(retry_at=now)
    )


def busy_since(unit: Unit, target: str, at: datetime) -> set[tuple[str, str]]:
    """
    List (identity, aspect) that were worked on since *at*, are being worked on, or were tried with unknown result.

    The item itself finds out what became of them; nobody else shall take its work for drift.
    """
    query = select(_W.identity_id, _W.aspect).where(
        _W.target == target,
        or_(_W.finished_at >= at, _W.lease_until >= at, and_(_W.state == "open", _W.attempts > 0)),
    )
    return {(row.identity_id, row.aspect) for row in unit.session.execute(query)}


def waiting(unit: Unit, limit: int) -> list[WorkItem]:
    """List open items, those that failed first, then the longest overdue."""
    query = select(*_COLUMNS).where(_W.state == "open").order_by(_W.failing_since.is_(None), _W.due_at).limit(limit)
    return [_item(row) for row in unit.session.execute(query)]


def count_open(unit: Unit) -> dict[str, tuple[int, int]]:
    """Count open items for each target: all, and those whose last attempt failed."""
    failing = func.count(_W.failing_since)
    query = select(_W.target, func.count(), failing).where(_W.state == "open").group_by(_W.target)
    return {target: (total, failed) for target, total, failed in unit.session.execute(query)}


def count_late(unit: Unit, due_before: datetime) -> tuple[int, int]:
    """Count open items due before an instant: all, and those that need a person."""
    late = and_(_W.state == "open", or_(_W.due_at < due_before, _W.failing_since.is_not(None)))
    query = select(func.count(), func.count().filter(_W.error_kind.in_(NEEDS_A_PERSON))).where(late)
    total, refused = unit.session.execute(query).one()
    return int(total), int(refused)
