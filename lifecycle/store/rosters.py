"""Rosters on their way: uploads, what their rows would do, and what is stored that they are compared with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, case, delete, func, insert, select, tuple_, update

from lifecycle.domain.comparison import Kind, StoredContract
from lifecycle.domain.engagement import Engagement, EngagementId, Measures
from lifecycle.domain.identity import IdentityId
from lifecycle.domain.party import key_of
from lifecycle.domain.roster import RosterRow, Standing
from lifecycle.store.people import OWNER, chunks, stored_contract, stored_contract_columns
from lifecycle.store.roster_tables import BatchReviewRow, RosterItemRow, RosterProfileRow, RosterUploadRow, SurpriseRow
from lifecycle.store.tables import EngagementRow, IdentityRow, RosterImportRow
from lifecycle.store.unit import Unit

_E, _I = EngagementRow.__table__.c, IdentityRow.__table__.c
_T, _U = RosterItemRow.__table__.c, RosterUploadRow.__table__.c
_M = RosterImportRow.__table__.c
NEWEST = (_M.confirmed_at.desc(), _M.number.desc())
AT_ONCE = 20_000
"""Rows fetched from the database at a time where there may be a million."""


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


def waiting_since(unit: Unit, profile: str, sha256: str, states: Collection[str]) -> str | None:
    """Return the id of the first upload of this very file that is in one of *states*."""
    query = select(_U.id).where(_U.profile == profile, _U.sha256 == sha256, _U.state.in_(list(states)))
    return unit.session.scalar(query.order_by(_U.received_at, _U.id).limit(1))


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


def stated(unit: Unit, source: str, since: date) -> Iterator[list[tuple[Any, ...]]]:
    """
    Stream what a roster can say again of the contracts of a source.

    Returns:
        The digest of the row that last spoke of it (empty: not known), its id (empty: it is not running, or its last
        day is before *since*), and whether it is missing.
    """
    running = (_E.last_day >= since) & (_E.standing == Standing.RUNNING.value)
    query = select(_E.row_digest, case((running, _E.id), else_=""), _E.missing_since.is_not(None))
    return unit.stream(query.where(_E.source == source))


def contracts_about(
    unit: Unit, source: str, worker_ids: Collection[str], references: Collection[str]
) -> list[StoredContract]:
    """Load the contracts of some workers, and those with some numbers."""
    found: dict[str, StoredContract] = {}
    query = select(*stored_contract_columns()).join_from(EngagementRow, IdentityRow, OWNER)
    for chunk in chunks(sorted({key_of(worker_id) for worker_id in worker_ids} - {""})):
        # in two steps, and the source looked at here: else SQLite walks all contracts, or all people, of the source
        owners = unit.session.execute(select(_I.id, _I.source).where(_I.worker_key.in_(chunk)))
        for ids in chunks(sorted(row.id for row in owners if row.source == source)):
            theirs = unit.session.execute(query.where(_E.identity_id.in_(ids)))
            found |= {row.id: stored_contract(row) for row in theirs}
    for chunk in chunks(sorted(set(references) - {s.engagement.reference for s in found.values()} - {""})):
        numbered = query.where(_E.source == source, _E.reference.in_(chunk))
        found |= {row.id: stored_contract(row) for row in unit.session.execute(numbered)}
    return list(found.values())


def contracts(unit: Unit, ids: Collection[str]) -> list[StoredContract]:
    """Load stored contracts by id."""
    query = select(*stored_contract_columns()).join_from(EngagementRow, IdentityRow, OWNER)
    return [
        stored_contract(row) for chunk in chunks(ids) for row in unit.session.execute(query.where(_E.id.in_(chunk)))
    ]


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


def owners(unit: Unit, source: str, references: Iterable[str]) -> dict[str, str]:
    """Return the worker ids of those who have the contracts with some numbers, by number."""
    query = select(_E.reference, _I.worker_id).join_from(EngagementRow, IdentityRow, OWNER)
    found: dict[str, str] = {}
    for chunk in chunks(sorted(set(references))):
        rows = unit.session.execute(query.where(_E.source == source, _E.reference.in_(chunk)))
        found |= {row.reference: row.worker_id for row in rows}
    return found


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


DECIDED = ("kind", "cause", "identity_id", "engagement_id", "weight", "said", "name", "facts")
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
    query = select(_T.n, _T.worker_id, _T.line, _T.digest, *[_T[name] for name in DECIDED]).where(
        _T.upload_id == upload_id,
        _T.digest != "",
        _T.kind.in_([kind.value for kind in TOUCHED]),
        tuple_(_T.worker_id, _T.n) > tuple_(*after),
    )
    if worker_id is not None:
        query = query.where(_T.worker_id == worker_id)
    found = []
    for r in unit.session.execute(query.order_by(_T.worker_id, _T.n).limit(limit)):
        decided = dict(zip(DECIDED, r[-len(DECIDED) :], strict=True))
        row = row_of(r.facts["row"], r.line)
        found.append(Staged(r.n, r.worker_id, row, r.digest, r.facts.get("seen", {}), decided))
    return found


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
    for word in words.split():
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").casefold()
        query = query.where(_T.search.like(f"%{escaped}%", escape="\\"))
    return list(unit.session.execute(query.order_by(_T.n).limit(limit)))


def last_import(unit: Unit, source: str) -> RosterImportRow | None:
    """Return the last confirmed roster of a source."""
    query = select(RosterImportRow).where(_M.source == source).order_by(*NEWEST).limit(1)
    return unit.session.scalars(query).first()


def last_upload(unit: Unit, source: str, profile: str) -> str:
    """Return the id of the upload that the last confirmed roster of a profile came in; empty if there is none."""
    query = select(_M.upload_id).where(_M.source == source, _M.profile == profile)
    return unit.session.scalar(query.order_by(*NEWEST).limit(1)) or ""


def last_full_import(unit: Unit, profile: str) -> RosterImportRow | None:
    """Return the last confirmed full roster of a profile."""
    query = select(RosterImportRow).where(_M.profile == profile, _M.scope == "full")
    return unit.session.scalars(query.order_by(*NEWEST).limit(1)).first()


def import_of_file(unit: Unit, source: str, sha256: str) -> RosterImportRow | None:
    """Return the last import of this very file."""
    query = select(RosterImportRow).where(_M.source == source, _M.sha256 == sha256)
    return unit.session.scalars(query.order_by(*NEWEST).limit(1)).first()


def surprises_since(unit: Unit, since: datetime) -> list[SurpriseRow]:
    """List who has lost access by surprise from *since* on."""
    return list(unit.session.scalars(select(SurpriseRow).where(SurpriseRow.__table__.c.at >= since)))


def add_surprises(unit: Unit, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note who loses access by surprise."""
    if rows:
        unit.session.connection().execute(insert(SurpriseRow), list(rows))


def running_contracts(unit: Unit, today: date) -> dict[str, int]:
    """Count people with a running contract by vendor; the empty name counts everybody."""
    running = (_E.first_day <= today, _E.last_day >= today, _E.standing == Standing.RUNNING.value)
    by_vendor = select(_E.vendor, func.count(_E.identity_id.distinct())).where(*running).group_by(_E.vendor)
    found = {row[0]: row[1] for row in unit.session.execute(by_vendor)}
    found[""] = unit.session.scalar(select(func.count(_E.identity_id.distinct())).where(*running)) or 0
    return found


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


def flag_rows(unit: Unit, digests_of: Mapping[str, str]) -> None:
    """Store the digests of the rows that contracts were last spoken of by."""
    if digests_of:
        statement = update(EngagementRow.__table__).where(_E.id == bindparam("key"))
        statement = statement.values(row_digest=bindparam("new"))
        rows = [{"key": key, "new": digest} for key, digest in digests_of.items()]
        unit.session.connection().execute(statement, rows)


def forget_rows(unit: Unit, identity_ids: Iterable[str]) -> None:
    """Forget which rows spoke of the contracts of some people, so that the next roster is compared fact by fact."""
    for chunk in chunks(identity_ids):
        unit.session.execute(update(EngagementRow).where(_E.identity_id.in_(chunk)).values(row_digest=""))


def profiles(unit: Unit) -> list[RosterProfileRow]:
    """List the profiles that people have saved."""
    return list(unit.session.scalars(select(RosterProfileRow).order_by(RosterProfileRow.__table__.c.name)))


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


def vendors_touched(unit: Unit, upload_id: str) -> list[str]:
    """List the vendors whose people an upload concerns in any other way than by being new."""
    kinds = (Kind.SOONER.value, Kind.LATER.value, Kind.CHANGED.value, Kind.GONE.value)
    query = select(_E.vendor).distinct().join_from(RosterItemRow, EngagementRow, _E.id == _T.engagement_id)
    return list(unit.session.scalars(query.where(_T.upload_id == upload_id, _T.kind.in_(kinds))))


def sources(unit: Unit) -> frozenset[str]:
    """Return every source that a roster was confirmed from."""
    return frozenset(unit.session.scalars(select(_M.source).distinct())) - {""}


def imports_of(unit: Unit, source: str, limit: int) -> list[RosterImportRow]:
    """List the confirmed rosters of a source, newest first."""
    query = select(RosterImportRow).where(_M.source == source).order_by(*NEWEST)
    return list(unit.session.scalars(query.limit(limit)))


def settled_before(unit: Unit, at: datetime, limit: int) -> list[str]:
    """List ids of uploads that nothing comes of any more and that arrived before *at*."""
    states = ("applied", "discarded", "refused")
    query = select(_U.id).where(_U.state.in_(states), _U.received_at < at, _U.size > 0).limit(limit)
    return list(unit.session.scalars(query))


def forget_file(unit: Unit, upload_id: str) -> None:
    """Note that the file of an upload is deleted; what it did stays in the trail."""
    unit.session.execute(update(RosterUploadRow).where(_U.id == upload_id).values(size=0))


def next_import_number(unit: Unit) -> int:
    """Return the number of the next import."""
    return (unit.session.scalar(select(func.max(_M.number))) or 0) + 1


def ids_with_zeros(unit: Unit, source: str) -> dict[str, str]:
    """Return the worker ids of a source that begin with zeros, by what is left without them."""
    query = select(_I.worker_id).where(_I.source == source, _I.worker_id >= "0", _I.worker_id < "1")
    return {id_.lstrip("0"): id_ for id_ in unit.session.scalars(query) if id_.lstrip("0") not in {"", id_}}


def newest(unit: Unit, source: str, profile: str = "") -> datetime | None:
    """Return when the newest confirmed roster of a source was made, or of one of its profiles; None if unknown."""
    query = select(func.max(_M.as_of)).where(_M.source == source)
    return unit.session.scalar(query.where(_M.profile == profile) if profile else query)


def senders_refused_since(unit: Unit, source: str, at: datetime) -> frozenset[str]:
    """Return the ids of members who had a hand in a roster of a source that was held, and rejected from *at* on."""
    refused = (_U.source == source, _U.state == "refused", _U.settled_at >= at)
    rows = unit.session.execute(select(_U.member_id, _U.confirmer_id, _U.shapers).where(*refused))
    return frozenset(id_ for sent, confirmed, shapers in rows for id_ in (sent, confirmed, *shapers)) - {""}
