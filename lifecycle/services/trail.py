"""The trail: verified, and read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from lifecycle.domain.audit import AuditRecord, ChainFault, find_fault
from lifecycle.services.names import names_of_actors
from lifecycle.store.tables import AuditHeadRow, AuditRow
from lifecycle.store.trail import Wanted, find
from lifecycle.store.unit import Store, Unit

READ_AT_ONCE = 5_000


@dataclass(frozen=True)
class Verification:
    """Whether the trail holds, and how far it goes."""

    records: int
    head: str
    fault: ChainFault | None


@dataclass
class Trail:
    """Reads the trail. Nothing here writes: records are appended by units of work."""

    store: Store

    def verify(self, progress: Callable[[int], None] = lambda _: None) -> Verification:
        """Check every record from the first to the head, in one consistent view of the database."""
        with self.store.read() as unit:
            head = unit.session.execute(select(AuditHeadRow)).scalar_one()
            fault = find_fault(_stored(unit, progress), (head.seq, head.hash))
        return Verification(head.seq, head.hash, fault)

    def about(self, objects: list[str], limit: int = 50) -> list[AuditRecord]:
        """List the newest records about any of *objects*, newest first."""
        with self.store.read() as unit:
            return records_about(unit, objects, limit=limit)

    def names(self, records: Sequence[AuditRecord]) -> dict[str, str]:
        """Return the names of the members among the actors of *records*, by how the trail calls them."""
        with self.store.read() as unit:
            return names_of_actors(unit, {r.actor for r in records})

    def search(
        self,
        *,
        actor: str = "",
        action: str = "",
        object: str = "",  # noqa: A002 - the word of the trail
        request: str = "",
        before: int | None = None,
        limit: int = 50,
    ) -> list[AuditRecord]:
        """
        List records, newest first.

        Args:
            actor: Exactly this one; so for *action*, *object* and *request*. Empty for any.
            action: See *actor*.
            object: See *actor*.
            request: See *actor*.
            before: Only records with a lower sequence number.
            limit: How many at most.
        """
        given = {"actor": actor, "action": action, "object": object, "request": request}
        wanted = Wanted({name: [value] for name, value in given.items() if value})
        with self.store.read() as unit:
            return [record_of(row) for row in find(unit, wanted, before=before, limit=limit)]


def records_about(
    unit: Unit, objects: Collection[str], *, actions: Collection[str] = (), limit: int = 200
) -> list[AuditRecord]:
    """List the newest records about any of *objects*, newest first; of *actions* only, if any are named."""
    columns = AuditRow.__table__.c  # one object has few records; `find` would first count which column is rarer
    query = select(AuditRow).where(columns.object.in_(objects)).order_by(columns.seq.desc()).limit(limit)
    if actions:
        query = query.where(columns.action.in_(actions))
    return [record_of(row) for row in unit.session.scalars(query)]


def _stored(unit: Unit, progress: Callable[[int], None]) -> Iterator[tuple[AuditRecord, str]]:
    query = select(AuditRow.__table__).order_by(AuditRow.__table__.c.seq)
    for row in unit.session.connection().execution_options(yield_per=READ_AT_ONCE).execute(query):
        if row.seq % READ_AT_ONCE == 0:
            progress(READ_AT_ONCE)
        yield record_of(row), row.hash


def record_of(row: Any) -> AuditRecord:
    """Read a record from its row."""
    return AuditRecord(
        row.seq, row.at, row.actor, row.action, row.object, row.on_behalf, row.before, row.after, row.request, row.prev
    )
