"""Small facts about the product itself, and how targets stood."""

from __future__ import annotations

from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import select, update

from lifecycle.store.tables import LeaseRow, RosterImportRow, StateRow, TargetHealthRow, TargetHourRow
from lifecycle.store.types import Instant
from lifecycle.store.unit import Unit

WATERMARK, MANUAL_CLOCK, SETUP_CODE = "clock.watermark", "clock.manual", "setup.code"
RULES, CLOCK_ALARM, REVISION = "rules.fingerprint", "clock.alarm", "revision"
REQUEST_NUMBER, NUDGE = "request.number", "engine.nudge"
ROSTERS = "rosters.applied"
"""Written by whoever applies a roster, so that two wait for each other."""
DEVICE_KEY = "device.key"
"""Signs what browsers keep after a sign-in; whoever read it could only guess passwords less slowly."""
_instant = Instant()
_imports = RosterImportRow.__table__.c


def get(unit: Unit, name: str) -> Any:
    """Read a fact; None when it was never set."""
    row = unit.session.get(StateRow, name)
    return None if row is None else row.value


def put(unit: Unit, name: str, value: Any) -> None:
    """Set a fact to a JSON value."""
    unit.put(name, value)


def locked(unit: Unit, name: str) -> Any:
    """Read a fact that nobody else changes before this unit has ended; None when it was never set."""
    query = select(StateRow).where(StateRow.__table__.c.name == name).execution_options(populate_existing=True)
    row = unit.session.scalars(unit.lock(query)).one_or_none()
    return None if row is None else row.value


def get_instant(unit: Unit, name: str) -> datetime | None:
    """Read an instant set with `put_instant`."""
    return _instant.process_result_value(get(unit, name), unit.session.get_bind().dialect)


def put_instant(unit: Unit, name: str, at: datetime) -> None:
    """Set an instant."""
    put(unit, name, _instant.process_bind_param(at, unit.session.get_bind().dialect))


def nudge(unit: Unit) -> None:
    """Have whoever leads look for due work within a second of this unit's commit."""
    put(unit, NUDGE, token_hex(8))  # drawn and not counted: two at once must not agree on the next number


def lease(unit: Unit, name: str) -> LeaseRow | None:
    """Read who leads."""
    return unit.session.get(LeaseRow, name)


def take_lease(unit: Unit, name: str, owner: str, seen: LeaseRow | None) -> int | None:
    """Become the owner if nothing has moved since *seen*; return the new epoch, or None when somebody was faster."""
    if seen is None:
        if unit.session.get(LeaseRow, name) is not None:
            return None
        unit.session.add(LeaseRow(name=name, owner=owner, epoch=1, beat=0))
        unit.session.flush()
        return 1
    result: Any = unit.session.execute(
        update(LeaseRow)
        .where(_lease(name), LeaseRow.__table__.c.epoch == seen.epoch, LeaseRow.__table__.c.beat == seen.beat)
        .values(owner=owner, epoch=seen.epoch + 1, beat=seen.beat + 1)
    )
    return seen.epoch + 1 if result.rowcount else None


def beat(unit: Unit, name: str, owner: str, epoch: int) -> bool:
    """Show that the owner lives; False when somebody else leads now."""
    mine = (_lease(name), LeaseRow.__table__.c.owner == owner, LeaseRow.__table__.c.epoch == epoch)
    result: Any = unit.session.execute(update(LeaseRow).where(*mine).values(beat=LeaseRow.__table__.c.beat + 1))
    return bool(result.rowcount)


def give_up(unit: Unit, name: str, owner: str, epoch: int) -> None:
    """Stop leading, so that another may start at once."""
    mine = (_lease(name), LeaseRow.__table__.c.owner == owner, LeaseRow.__table__.c.epoch == epoch)
    unit.session.execute(update(LeaseRow).where(*mine).values(owner=""))


def _lease(name: str) -> Any:
    return LeaseRow.__table__.c.name == name


def health(unit: Unit) -> dict[str, TargetHealthRow]:
    """Read how every target stood."""
    return {row.target: row for row in unit.session.scalars(select(TargetHealthRow))}


def note_health(unit: Unit, target: str, at: datetime, *, state: str, message: str, **values: Any) -> str:
    """Store how a target stands; return how it stood before."""
    row = unit.session.get(TargetHealthRow, target)
    if row is None:
        row = TargetHealthRow(target=target, state=state, since=at, message=message, capabilities=[], findings=[])
        unit.session.add(row)
        before = ""
    else:
        before = row.state
        if row.state != state:
            row.state, row.since = state, at
        row.message = message
    if state == "up":
        row.answered_at = at
    for name, value in values.items():
        setattr(row, name, value)
    hour = at.replace(minute=0, second=0, microsecond=0)
    count = unit.session.get(TargetHourRow, (target, hour))
    if count is None:
        count = TargetHourRow(target=target, hour=hour)
        unit.session.add(count)
    if state == "up":
        count.answered += 1
    else:
        count.failed += 1
    unit.session.flush()
    return before


def hours(unit: Unit, since: datetime) -> dict[str, dict[datetime, tuple[int, int]]]:
    """Read answered and failed calls for each target and hour from *since* on."""
    table = TargetHourRow.__table__.c
    found: dict[str, dict[datetime, tuple[int, int]]] = {}
    for row in unit.session.scalars(select(TargetHourRow).where(table.hour >= since - timedelta(hours=1))):
        found.setdefault(row.target, {})[row.hour] = (row.answered, row.failed)
    return found


def last_imports(unit: Unit) -> dict[str, RosterImportRow]:
    """Read the last confirmed roster of each profile."""
    found: dict[str, RosterImportRow] = {}
    for row in unit.session.scalars(select(RosterImportRow).order_by(_imports.confirmed_at, _imports.number)):
        found[row.profile] = row
    return found


def imports(unit: Unit, ids: set[str]) -> dict[str, RosterImportRow]:
    """Read confirmed rosters by id."""
    query = select(RosterImportRow).where(RosterImportRow.__table__.c.id.in_(ids))
    return {row.id: row for row in unit.session.scalars(query)}
