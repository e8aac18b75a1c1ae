"""What each row of an upload would do, from comparing until its time is over."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, case, delete, func, insert, select, tuple_, update

from lifecycle.domain.comparison import SPEAKS_OF_KNOWN, WEIGHED, Kind
from lifecycle.domain.engagement import Engagement, EngagementId, Measures
from lifecycle.domain.identity import IdentityId
from lifecycle.domain.roster import RosterRow, Standing
from lifecycle.store.people import OWNER, chunks
from lifecycle.store.roster_tables import RosterItemRow, RosterUploadRow
from lifecycle.store.searching import has_all, search_text
from lifecycle.store.tables import EngagementRow, IdentityRow, RosterImportRow
from lifecycle.store.unit import Unit

_E = EngagementRow.__table__.c
_I = IdentityRow.__table__.c
_T = RosterItemRow.__table__.c
_U = RosterUploadRow.__table__.c

AT_ONCE = 20_000
"""Rows fetched from the database at a time where there may be a million."""


def absences(unit: Unit, upload_id: str) -> dict[str, int]:
    """Return the contracts that an upload lacks, as it was compared last, to the numbers of their items."""
    kinds = (Kind.MISSING.value, Kind.GONE.value)
    query = select(_T.engagement_id, _T.n).where(_T.upload_id == upload_id, _T.kind.in_(kinds), _T.line == 0)
    return {row.engagement_id: row.n for row in unit.session.execute(query.order_by(_T.engagement_id))}


def spoken_of(unit: Unit, upload_id: str, source: str) -> frozenset[str]:
    """Return the ids of stored contracts that rows of an upload speak of, whether or not they can be used."""
    settled = select(_T.engagement_id).where(_T.upload_id == upload_id, _T.engagement_id != "")
    found = set(unit.session.scalars(settled))
    useless = select(_T.worker_id, _T.reference).where(_T.upload_id == upload_id, _T.kind == Kind.UNUSABLE.value)
    rows = list(unit.session.execute(useless))
    for chunk in chunks({r.worker_id for r in rows} - {""}):
        theirs = select(_E.id).join_from(EngagementRow, IdentityRow, OWNER)
        found |= set(unit.session.scalars(theirs.where(_I.source == source, _I.worker_id.in_(chunk))))
    for chunk in chunks({r.reference for r in rows} - {""}):
        found |= set(unit.session.scalars(select(_E.id).where(_E.source == source, _E.reference.in_(chunk))))
    return frozenset(found)


def spoken_of_later(unit: Unit, source: str, upload_id: str, made: datetime) -> frozenset[str]:
    """Return the ids of contracts that uploads of a source have spoken of which are applied and were made later."""
    # the last file that came again said nothing anew, whenever it came
    own = select(_U.id, _U.import_id).join(RosterImportRow, RosterImportRow.__table__.c.upload_id == _U.id)
    later = own.where(_U.source == source, _U.id != upload_id, func.coalesce(_U.as_of, _U.received_at) > made)
    kinds = [kind.value for kind in SPEAKS_OF_KNOWN]
    found: set[str] = set()
    for chunk in chunks(unit.session.execute(later).all()):
        said = select(_T.engagement_id).where(_T.upload_id.in_([upload.id for upload in chunk]), _T.kind.in_(kinds))
        found |= set(unit.session.scalars(said.where(_T.engagement_id != "")))
        added = select(_E.id).where(_E.import_id.in_([upload.import_id for upload in chunk]))
        found |= set(unit.session.scalars(added))
    return frozenset(found)


def have_contracts_in_common(unit: Unit, one: str, other: str) -> bool:
    """Say whether two uploads speak of one contract, be it known or new."""
    mine, theirs = _T, RosterItemRow.__table__.alias("theirs").c
    same_contract = (mine.engagement_id == theirs.engagement_id) & (mine.engagement_id != "")
    same_number = (mine.reference == theirs.reference) & (mine.reference != "")
    both = select(mine.n).where(mine.upload_id == one, theirs.upload_id == other, same_contract | same_number)
    return unit.session.execute(both.limit(1)).first() is not None


def changes_of(unit: Unit, upload_id: str, identity_ids: Collection[str]) -> list[Any]:
    """List the rows of an upload that change or add contracts of some people who are known."""
    kinds = [kind.value for kind in WEIGHED if kind is not Kind.GONE]
    query = select(_T.kind, _T.identity_id, _T.engagement_id, _T.facts).where(_T.upload_id == upload_id)
    query = query.where(_T.kind.in_(kinds))
    return [
        row for chunk in chunks(identity_ids) for row in unit.session.execute(query.where(_T.identity_id.in_(chunk)))
    ]


def left_of(unit: Unit, upload_id: str, source: str, without: Collection[str]) -> bool:
    """Say whether an upload changes, or adds, any contract but those of some ids."""
    query = select(_T.engagement_id, _T.reference).where(_T.upload_id == upload_id)
    changes = unit.session.execute(query.where(_T.kind.in_([kind.value for kind in WEIGHED]))).all()
    new = {row.reference for row in changes if not row.engagement_id}
    there: dict[str, str] = {}
    for chunk in chunks(new - {""}):
        known = select(_E.reference, _E.id).where(_E.source == source, _E.reference.in_(chunk))
        there |= {row.reference: row.id for row in unit.session.execute(known)}
    return any((row.engagement_id or there.get(row.reference)) not in without for row in changes)


def delete_items(unit: Unit, upload_id: str, numbers: Iterable[int]) -> None:
    """Delete some items of an upload."""
    for chunk in chunks(numbers):
        unit.session.execute(delete(RosterItemRow).where(_T.upload_id == upload_id, _T.n.in_(chunk)))


def clear_items(unit: Unit, upload_id: str, *, limit: int = 50_000) -> int:
    """Delete some items of an upload; return how many there were."""
    some = select(_T.n).where(_T.upload_id == upload_id).order_by(_T.n).limit(limit)
    result: Any = unit.session.execute(
        delete(RosterItemRow).where(_T.upload_id == upload_id, _T.n.in_(some.scalar_subquery()))
    )
    return int(result.rowcount)


def add_items(unit: Unit, items: Sequence[Mapping[str, Any]]) -> None:
    """Insert items; each mapping has every column."""
    if items:
        unit.session.connection().execute(insert(RosterItemRow), list(items))


def settle_items(unit: Unit, upload_id: str, items: Sequence[Mapping[str, Any]]) -> None:
    """Store what comparing has found about staged items; each mapping has ``n`` and the columns that change."""
    if not items:
        return
    names = [name for name in items[0] if name != "n"]
    statement = (
        update(RosterItemRow.__table__)
        .where(_T.upload_id == upload_id, _T.n == bindparam("key"))
        .values({name: bindparam(f"new_{name}") for name in names})
    )
    rows = [{"key": item["n"]} | {f"new_{name}": item[name] for name in names} for item in items]
    unit.session.connection().execute(statement, rows)


@dataclass
class Staged:
    """A row as it was read, and what was found about it before."""

    n: int
    worker_id: str
    """Its own, or where it names none, that of whoever has the contract that it names."""
    row: RosterRow
    digest: str
    seen: Mapping[Any, int] = field(default_factory=dict)
    """Contracts of the same worker that other rows of the file state exactly as they are stored, with their lines."""
    found: Mapping[str, Any] = field(default_factory=dict)
    """The columns that comparing decides, where it was compared before."""
    alone: bool = True
    """Whether nothing else in the file is about the same worker."""


DECIDED = ("kind", "cause", "identity_id", "engagement_id", "weight", "said", "name", "facts")

_STAGED = select(_T.n, _T.worker_id, _T.line, _T.digest, *[_T[name] for name in DECIDED])
TOUCHED = (Kind.SOONER, Kind.LATER, Kind.CHANGED, Kind.SAME, Kind.UNUSABLE)
"""Kinds of rows about what is stored, and of those that contradict others."""


def touched(
    unit: Unit, upload_id: str, after: tuple[str, int], limit: int | None, worker_id: str | None = None
) -> list[Staged]:
    """
    List rows that were compared before and concern what is stored, those of one worker together.

    Args:
        unit: To read in.
        upload_id: Whose.
        after: Worker id and number of the last one of the page before.
        limit: How many at most; None for all.
        worker_id: Only those of this worker.
    """
    query = _STAGED.where(
        _T.upload_id == upload_id,
        _T.digest != "",
        _T.kind.in_([kind.value for kind in TOUCHED]),
        tuple_(_T.worker_id, _T.n) > tuple_(*after),
    )
    if worker_id is not None:
        query = query.where(_T.worker_id == worker_id)
    return [_staged(row) for row in unit.session.execute(query.order_by(_T.worker_id, _T.n).limit(limit))]


def new_beside(unit: Unit, upload_id: str, worker_ids: Collection[str]) -> list[Staged]:
    """List new contracts of some workers, of whom other rows speak too."""
    new = (_T.upload_id == upload_id, _T.kind == Kind.NEW.value)
    queries = (_STAGED.where(*new, _T.worker_id.in_(chunk)) for chunk in chunks(sorted(worker_ids)))
    rows = (row for query in queries for row in unit.session.execute(query))
    return [_staged(row) for row in rows if "row" in row.facts]


def _staged(row: Any) -> Staged:
    decided = dict(zip(DECIDED, row[-len(DECIDED) :], strict=True))
    return Staged(
        row.n, row.worker_id, row_of(row.facts["row"], row.line), row.digest, row.facts.get("seen", {}), decided
    )


def contested_references(unit: Unit, upload_id: str) -> frozenset[str]:
    """Return the contract numbers that several workers have in one upload."""
    query = (
        select(_T.reference)
        .where(_T.upload_id == upload_id, _T.reference != "", _T.worker_id != "", _T.digest != "")
        .group_by(_T.reference)
        .having(func.min(_T.worker_id) < func.max(_T.worker_id))
    )
    return frozenset(unit.session.scalars(query))


def count_rows(unit: Unit, upload_id: str, *columns: str) -> dict[tuple[str, ...], int]:
    """Count the rows of an upload by the values of some columns; a row with several complaints is one row."""
    chosen = [_T[name] for name in columns]
    rows = func.count(case((_T.line > 0, _T.line), else_=-_T.n).distinct())
    query = select(*chosen, rows).where(_T.upload_id == upload_id).group_by(*chosen)
    return {tuple(row[:-1]): row[-1] for row in unit.session.execute(query)}


def count_contracts(unit: Unit, upload_id: str, kinds: Collection[str]) -> int:
    """Count the stored contracts that items of some kinds are about, each once."""
    query = select(func.count(_T.engagement_id.distinct())).where(_T.upload_id == upload_id, _T.engagement_id != "")
    return unit.session.scalar(query.where(_T.kind.in_(list(kinds)))) or 0


def count_weights(unit: Unit, upload_id: str, kinds: Collection[str]) -> dict[str, int]:
    """Count the items of some kinds by what they do to access."""
    query = select(_T.weight, func.count()).where(_T.upload_id == upload_id, _T.kind.in_(list(kinds)), _T.weight != "")
    return {row[0]: row[1] for row in unit.session.execute(query.group_by(_T.weight))}


def items(
    unit: Unit,
    upload_id: str,
    *,
    kinds: Collection[str],
    cause: str = "",
    words: str = "",
    after: int = -1,
    limit: int = AT_ONCE,
) -> list[Any]:
    """List items of some kinds in the order of ``n``, after the number *after*: rows with `RosterItemRow`'s columns."""
    query = select(RosterItemRow.__table__).where(_T.upload_id == upload_id, _T.kind.in_(list(kinds)), _T.n > after)
    if cause:
        query = query.where(_T.cause == cause)
    query = query.where(*has_all(_T.search, search_text(words)))
    return list(unit.session.execute(query.order_by(_T.n).limit(limit)))


def numbers_by_line(unit: Unit, upload_id: str, kind: str) -> Sequence[int]:
    """Return the numbers of the items of one kind, those of one line together and in the order of the lines."""
    query = select(_T.n).where(_T.upload_id == upload_id, _T.kind == kind).order_by(_T.line, _T.n)
    return array("q", (n for rows in unit.stream(query) for (n,) in rows))  # eight bytes each, of up to a million


def numbered(unit: Unit, upload_id: str, numbers: Sequence[int]) -> list[Any]:
    """Load the items with some numbers, in the order of *numbers*; those that are gone are not among them."""
    query = select(RosterItemRow.__table__).where(_T.upload_id == upload_id, _T.n.in_(list(numbers)))
    found = {row.n: row for row in unit.session.execute(query)}
    return [found[n] for n in numbers if n in found]


def row_of(facts: Sequence[Any], line: int) -> RosterRow:
    """Return a row from what was staged of it."""
    *texts, first, last, standing, actual = facts
    days = (date.fromisoformat(day) if day else None for day in (first, last))
    return RosterRow._make((line, *texts, *days, Standing(standing), bool(actual)))


def facts_of(row: RosterRow) -> list[Any]:
    """Return what is staged of a row."""
    _, *texts, first, last, standing, actual = row
    return [*texts, str(first or ""), str(last or ""), standing.value, int(actual)]


_KEPT = ("reference", "vendor", "sponsor", "role", "site", "zone", "line")


def kept(engagement: Engagement) -> dict[str, Any]:
    """Return what an item keeps of the contract that it leads to."""
    measures = engagement.measures
    return {name: getattr(engagement, name) for name in _KEPT} | {
        "first_day": engagement.first_day.isoformat(),
        "last_day": engagement.last_day.isoformat(),
        "standing": engagement.standing.value,
        "actual": engagement.actual,
        "lapsed_at": measures.lapsed_at.isoformat() if measures.lapsed_at else None,
        "god_ends_at": measures.god_ends_at.isoformat() if measures.god_ends_at else None,
        "god_withheld": measures.god_withheld,
    }


def engagement_of(facts: Mapping[str, Any], *, id_: str, identity_id: str, source: str, import_id: str) -> Engagement:
    """Return the contract that an item leads to, from what it keeps."""
    instants = (datetime.fromisoformat(at) if at else None for at in (facts["lapsed_at"], facts["god_ends_at"]))
    lapsed_at, god_ends_at = instants
    return Engagement(
        id=EngagementId(id_),
        identity_id=IdentityId(identity_id),
        source=source,
        **{name: facts[name] for name in _KEPT},
        first_day=date.fromisoformat(facts["first_day"]),
        last_day=date.fromisoformat(facts["last_day"]),
        standing=Standing(facts["standing"]),
        actual=facts["actual"],
        import_id=import_id,
        measures=Measures(lapsed_at=lapsed_at, god_ends_at=god_ends_at, god_withheld=facts["god_withheld"]),
    )


def values_found(unit: Unit, upload_id: str, kind: str, cause: str, limit: int = 100) -> dict[str, int]:
    """Return what was found in the rows of one cause, most frequent first."""
    count = func.count()
    query = select(_T.weight, count).where(_T.upload_id == upload_id, _T.kind == kind, _T.cause == cause)
    query = query.group_by(_T.weight).order_by(count.desc(), _T.weight).limit(limit)
    return {row[0]: row[1] for row in unit.session.execute(query)}


def clear_notes(unit: Unit, upload_id: str, cause: str) -> None:
    """Delete the notes of one cause."""
    unit.session.execute(
        delete(RosterItemRow).where(_T.upload_id == upload_id, _T.kind == Kind.NOTE.value, _T.cause == cause)
    )


def last_number(unit: Unit, upload_id: str) -> int:
    """Return the highest number of an item."""
    return unit.session.scalar(select(func.max(_T.n)).where(_T.upload_id == upload_id)) or 0


def vendors_touched(unit: Unit, upload_id: str) -> list[str]:
    """List the vendors whose people an upload concerns in any other way than by being new."""
    kinds = (Kind.SOONER.value, Kind.LATER.value, Kind.CHANGED.value, Kind.GONE.value)
    query = select(_E.vendor).distinct().join_from(RosterItemRow, EngagementRow, _E.id == _T.engagement_id)
    return list(unit.session.scalars(query.where(_T.upload_id == upload_id, _T.kind.in_(kinds))))
