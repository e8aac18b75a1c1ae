"""Identities, engagements and grants: what a person's access is computed from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from lifecycle.domain.engagement import Engagement, EngagementId, Measures
from lifecycle.domain.grant import Grant
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.domain.known_contracts import StoredContract
from lifecycle.domain.party import key_of
from lifecycle.domain.roster import Standing
from lifecycle.store.searching import has_all
from lifecycle.store.tables import EngagementRow, GrantRow, IdentityRow
from lifecycle.store.unit import Unit

CHUNK = 500
"""Values in one IN list; both databases take more, neither gets faster."""

_I, _E, _G = IdentityRow.__table__.c, EngagementRow.__table__.c, GrantRow.__table__.c
_ENGAGEMENT = [
    _E[name]
    for name in (
        "id", "identity_id", "source", "reference", "first_day", "last_day", "zone", "vendor", "sponsor", "role",
        "site", "import_id", "line", "standing", "actual",
    )
]  # fmt: skip
_MEASURES = [
    _I.cut_off_at, _I.god_withheld, _E.bridged_day, _E.bridge_until, _E.lapsed_at, _E.god_ends_at, _I.employee_since
]  # fmt: skip
_CONTRACT = (*_ENGAGEMENT, *_MEASURES)
OWNER = _I.id == _E.identity_id
"""Joins a contract with the person it belongs to."""
_WANTED = _E.standing != Standing.WITHDRAWN.value
_IDENTITY = [_I[name] for name in ("id", "name", "worker_id", "source", "email")]


def chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Cut *items* into lists that fit an IN list."""
    every = list(items)
    for start in range(0, len(every), CHUNK):
        yield every[start : start + CHUNK]


def _identity(row: Any) -> Identity:
    return Identity(IdentityId(row.id), row.name, row.worker_id, row.source, row.email)


def _engagement(row: Any) -> Engagement:
    return Engagement(
        EngagementId(row.id),
        IdentityId(row.identity_id),
        row.source,
        row.reference,
        row.first_day,
        row.last_day,
        row.zone,
        row.vendor,
        row.sponsor,
        row.role,
        row.site,
        row.import_id,
        row.line,
        Standing(row.standing),
        bool(row.actual),
        Measures(
            row.cut_off_at,
            bool(row.god_withheld),
            row.bridged_day,
            row.bridge_until,
            row.lapsed_at,
            row.god_ends_at,
            row.employee_since,
        ),
    )


def identities(unit: Unit, ids: Collection[str]) -> dict[IdentityId, Identity]:
    """Load identities by id."""
    found = {}
    for chunk in chunks(ids):
        for row in unit.session.execute(select(*_IDENTITY).where(_I.id.in_(chunk))):
            found[IdentityId(row.id)] = _identity(row)
    return found


def engagements_of(unit: Unit, identity_ids: Collection[str]) -> dict[IdentityId, list[Engagement]]:
    """Load all engagements of some identities, past and future ones too."""
    found: dict[IdentityId, list[Engagement]] = defaultdict(list)
    for chunk in chunks(identity_ids):
        query = select(*_CONTRACT).join_from(EngagementRow, IdentityRow, OWNER).where(_E.identity_id.in_(chunk))
        for row in unit.session.execute(query.order_by(_E.first_day)):
            found[IdentityId(row.identity_id)].append(_engagement(row))
    return found


def engagements(unit: Unit, ids: Collection[str]) -> dict[EngagementId, Engagement]:
    """Load engagements by id."""
    found = {}
    for chunk in chunks(ids):
        query = select(*_CONTRACT).join_from(EngagementRow, IdentityRow, OWNER).where(_E.id.in_(chunk))
        for row in unit.session.execute(query):
            found[EngagementId(row.id)] = _engagement(row)
    return found


def grants_of(unit: Unit, identity_ids: Collection[str]) -> dict[EngagementId, tuple[Grant, ...]]:
    """Load all grants that hang on engagements of some identities."""
    found: dict[EngagementId, list[Grant]] = defaultdict(list)
    for chunk in chunks(identity_ids):
        query = select(GrantRow).join(EngagementRow, _E.id == _G.engagement_id).where(_E.identity_id.in_(chunk))
        for row in unit.session.scalars(query):
            found[EngagementId(row.engagement_id)].append(
                Grant(
                    row.id,
                    EngagementId(row.engagement_id),
                    row.entitlement,
                    row.starts_at,
                    row.ends_at,
                    row.reason,
                    row.request,
                    tuple(row.approved_by),
                    bool(row.exception),
                )
            )
    return {engagement_id: tuple(grants) for engagement_id, grants in found.items()}


def due_identities(unit: Unit, now: datetime, limit: int) -> dict[IdentityId, datetime]:
    """
    Find identities whose desired access could have changed by *now*, longest overdue first.

    Returns:
        Identity to the earliest instant that was due. On PostgreSQL the rows are locked, and rows that another
        worker has locked are passed over.
    """
    query = select(_E.identity_id, _E.next_change_at).where(_E.next_change_at <= now).order_by(_E.next_change_at)
    if unit.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    due: dict[IdentityId, datetime] = {}
    for row in unit.session.execute(query.limit(limit)):
        due.setdefault(IdentityId(row.identity_id), row.next_change_at)
    return due


def schedule(unit: Unit, next_changes: dict[EngagementId, datetime | None]) -> None:
    """Store the next instant at which each engagement could change what its owner should hold."""
    if next_changes:
        statement = update(EngagementRow.__table__).where(_E.id == bindparam("key"))
        rows = [{"key": key, "next_change_at": at} for key, at in next_changes.items()]
        unit.session.connection().execute(statement.values(next_change_at=bindparam("next_change_at")), rows)


def make_due(unit: Unit, now: datetime, identity_ids: Collection[str] | None = None) -> None:
    """Have the access of some identities (None: of everybody) computed anew by the next tick."""
    statement = update(EngagementRow).values(next_change_at=now)
    if identity_ids is None:
        unit.session.execute(statement)
        return
    for chunk in chunks(identity_ids):
        unit.session.execute(statement.where(_E.identity_id.in_(chunk)))


def stored_contract_columns() -> list[Any]:
    """Return the columns that `stored_contract` reads."""
    named = [column.label(f"i_{column.name}") for column in _IDENTITY]
    return [*_CONTRACT, _E.missing_since, _E.row_digest, *named]


def stored_contract(row: Any) -> StoredContract:
    """Return a contract with the person it belongs to from a row of `stored_contract_columns`."""
    person = Identity(IdentityId(row.i_id), row.i_name, row.i_worker_id, row.i_source, row.i_email)
    return StoredContract(_engagement(row), person, row.missing_since, row.row_digest)


def add_identities(unit: Unit, people: Sequence[Identity], at: datetime) -> None:
    """Insert new people."""
    if people:
        rows = [
            {"id": p.id, "source": p.source, "worker_id": p.worker_id, "name": p.name, "email": p.email,
             **_found_by(p), "version": 1, "created_at": at}
            for p in people
        ]  # fmt: skip
        unit.session.connection().execute(insert(IdentityRow), rows)


def update_identities(unit: Unit, people: Sequence[Identity]) -> None:
    """Store changed names and addresses."""
    if people:
        statement = update(IdentityRow.__table__).where(_I.id == bindparam("key"))
        changed = [{"name": p.name, "email": p.email, **_found_by(p)} for p in people]
        rows = [
            {"key": p.id} | {f"new_{name}": value for name, value in values.items()}
            for p, values in zip(people, changed, strict=True)
        ]
        new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in changed[0]}
        unit.session.connection().execute(statement.values(**new, version=_I.version + 1), rows)


def _found_by(person: Identity) -> dict[str, str]:
    """Return the columns that people are searched and recognised by."""
    return {
        "search": f"{person.name} {person.worker_id} {person.email}".casefold(),
        "email_key": key_of(person.email),
        "worker_key": key_of(person.worker_id),
    }


def _values(engagement: Engagement) -> dict[str, Any]:
    values = {column.name: getattr(engagement, column.name) for column in _ENGAGEMENT}
    said = {"standing": engagement.standing.value, "actual": int(engagement.actual)}
    decided = {"lapsed_at": engagement.measures.lapsed_at, "god_ends_at": engagement.measures.god_ends_at}
    return {**values, **said, **decided, "sponsor_key": key_of(engagement.sponsor)}


def add_engagements(
    unit: Unit, engagements: Sequence[Engagement], due_at: datetime, digests: Mapping[str, str] | None = None
) -> None:
    """Insert new contracts, due at once, each with the digest of the roster row that speaks of it (by contract id)."""
    if engagements:
        same = {"next_change_at": due_at, "missing_since": None}
        rows = [{**_values(e), **same, "row_digest": (digests or {}).get(e.id, "")} for e in engagements]
        unit.session.connection().execute(insert(EngagementRow), rows)


def update_engagements(
    unit: Unit, engagements: Sequence[Engagement], due_at: datetime, digests: Mapping[str, str] | None = None
) -> None:
    """Store changed facts of contracts, due at once, no longer missing; digests as in `add_engagements`."""
    if not engagements:
        return
    fixed = {"id", "identity_id", "source", "reference", "lapsed_at", "god_ends_at"}
    rows = []
    for e in engagements:
        changed = {f"new_{name}": value for name, value in _values(e).items() if name not in fixed}
        digest = (digests or {}).get(e.id, "")
        rows.append({"key": e.id, **changed, "new_row_digest": digest, "new_next_change_at": due_at})
    values: dict[str, Any] = {name.removeprefix("new_"): bindparam(name) for name in rows[0] if name != "key"}
    statement = update(EngagementRow.__table__).where(_E.id == bindparam("key"))
    unit.session.connection().execute(statement.values({**values, "missing_since": None}), rows)


def flag_missing(unit: Unit, engagement_ids: Collection[str], at: datetime) -> None:
    """Note that contracts were not in the last full roster."""
    for chunk in chunks(engagement_ids):
        first = _E.missing_since.is_(None)  # that it lacks them again says nothing new
        unit.session.execute(update(EngagementRow).where(_E.id.in_(chunk), first).values(missing_since=at))


def add_grant(unit: Unit, grant: Grant) -> None:
    """Insert a grant."""
    unit.session.add(
        GrantRow(
            id=grant.id,
            engagement_id=grant.engagement_id,
            entitlement=grant.entitlement,
            starts_at=grant.starts_at,
            ends_at=grant.ends_at,
            reason=grant.reason,
            request=grant.request,
            approved_by=list(grant.approved_by),
            exception=int(grant.exception),
        )
    )
    unit.session.flush()


def lock_identity(unit: Unit, identity_id: str) -> None:
    """Let nobody else decide about this person before this unit has ended."""
    unit.session.execute(unit.lock(select(_I.id).where(_I.id == identity_id)))


def owner_of(unit: Unit, engagement_id: str) -> str:
    """Return the id of the person whose contract it is; empty if there is no such contract."""
    return unit.session.scalar(select(_E.identity_id).where(_E.id == engagement_id)) or ""


def end_grant(unit: Unit, grant: Grant, at: datetime) -> Grant:
    """
    Have a grant end at *at* (exclusive) and return it as it is then; one that has not begun is deleted.

    What has not begun must not live for an instant, and the trail keeps what it was.
    """
    if at <= grant.starts_at:
        unit.session.execute(delete(GrantRow).where(_G.id == grant.id))
        return grant
    ended = replace(grant, ends_at=at)
    unit.session.execute(update(GrantRow).where(_G.id == grant.id).values(ends_at=ended.ends_at))
    return ended


def cut_off(unit: Unit, identity_id: str, at: datetime | None) -> None:
    """Store that somebody's access ends at *at*, or (None) that it does no longer; god mode stays withheld."""
    values = {"cut_off_at": at, "god_withheld": 1, "version": _I.version + 1}
    unit.session.execute(update(IdentityRow).where(_I.id == identity_id).values(**values))


def bridge(unit: Unit, engagement_id: str, *, last_day: date | None, until: date | None) -> None:
    """Store that access goes on to *until* (inclusive) where the contract's last day is *last_day*; None: no more."""
    values = {"bridged_day": last_day, "bridge_until": until}
    unit.session.execute(update(EngagementRow).where(_E.id == engagement_id).values(**values))


def withhold_god(unit: Unit, identity_ids: Collection[str]) -> None:
    """Store that the baseline gives some people no god mode any more, on whatever contract; grants still do."""
    for chunk in chunks(identity_ids):
        withheld = {"god_withheld": 1, "version": _I.version + 1}
        unit.session.execute(update(IdentityRow).where(_I.id.in_(chunk)).values(**withheld))


def become_employee(unit: Unit, identity_ids: Collection[str], at: datetime) -> None:
    """Store that some people have become employees: no contract's end closes their accounts any more."""
    for chunk in chunks(identity_ids):
        employed = {"employee_since": at, "version": _I.version + 1}
        unit.session.execute(update(IdentityRow).where(_I.id.in_(chunk)).values(**employed))


def set_lapsed(unit: Unit, engagement_ids: Collection[str], at: datetime | None) -> None:
    """Store that contracts give nothing though they run, since *at*; None: that they were given back."""
    for chunk in chunks(engagement_ids):
        unit.session.execute(update(EngagementRow).where(_E.id.in_(chunk)).values(lapsed_at=at))


def set_god_ends(unit: Unit, engagement_ids: Collection[str], at: datetime | None) -> None:
    """Store that contracts give no god mode from *at* on, whatever their days say; None: that their days decide."""
    for chunk in chunks(engagement_ids):
        unit.session.execute(update(EngagementRow).where(_E.id.in_(chunk)).values(god_ends_at=at))


def end_god(unit: Unit, ends: Mapping[EngagementId, datetime], due_at: datetime) -> None:
    """Store that contracts give no god mode from an instant on, unless it ends sooner already; they are due."""
    later = _E.god_ends_at.is_(None) | (_E.god_ends_at > bindparam("at"))
    statement = update(EngagementRow.__table__).where(_E.id == bindparam("key"), later)
    rows = [{"key": key, "at": at} for key, at in ends.items()]
    unit.session.connection().execute(statement.values(god_ends_at=bindparam("at"), next_change_at=due_at), rows)


def let_god_go_on(unit: Unit, ends: Mapping[EngagementId, datetime], due_at: datetime) -> None:
    """Take back what `end_god` has stored, where nobody has decided anything else since; they are due."""
    statement = update(EngagementRow.__table__).where(_E.id == bindparam("key"), _E.god_ends_at == bindparam("at"))
    rows = [{"key": key, "at": at} for key, at in ends.items()]
    unit.session.connection().execute(statement.values(god_ends_at=None, next_change_at=due_at), rows)


def sponsored_by(
    unit: Unit, keys: Collection[str], *, since: date, after: tuple[str, str] = ("", ""), limit: int = CHUNK
) -> list[IdentityId]:
    """
    List people with a contract under one of these sponsors that ends on *since* or later, in the order of names.

    Args:
        keys: As `lifecycle.domain.party.key_of` makes them.
        since: Contracts that ended before are left out.
        after: Name and id of the last one of the page before.
        limit: How many at most.
    """
    if not keys:
        return []
    query = select(_I.id, _I.name).distinct().join_from(EngagementRow, IdentityRow, OWNER)
    query = query.where(_E.sponsor_key.in_(list(keys)), _E.last_day >= since).order_by(_I.name, _I.id).limit(limit)
    if after != ("", ""):
        query = query.where((_I.name > after[0]) | ((_I.name == after[0]) & (_I.id > after[1])))
    return [IdentityId(row.id) for row in unit.session.execute(query)]


def engagements_sponsored_by(unit: Unit, keys: Collection[str], first: date, last: date) -> list[Engagement]:
    """Load contracts of these sponsors with last days from *first* to *last*, both inclusive; none withdrawn."""
    query = select(*_CONTRACT).join_from(EngagementRow, IdentityRow, OWNER)
    query = query.where(_E.sponsor_key.in_(list(keys)), _E.last_day >= first, _E.last_day <= last, _WANTED)
    return [_engagement(row) for row in unit.session.execute(query.order_by(_E.last_day, _E.id))]


def unagreed(unit: Unit, keys: Collection[str], since: date) -> list[Engagement]:
    """Load contracts of these sponsors that end on *since* or later and whose god mode does not follow their days."""
    query = select(*_CONTRACT).join_from(EngagementRow, IdentityRow, OWNER)
    query = query.where(_E.sponsor_key.in_(list(keys)), _E.last_day >= since, _E.god_ends_at.is_not(None), _WANTED)
    return [_engagement(row) for row in unit.session.execute(query.order_by(_E.god_ends_at, _E.id))]


def identities_called(unit: Unit, *, emails: Collection[str] = (), worker_ids: Collection[str] = ()) -> list[Identity]:
    """Find people by any of some whole e-mail addresses or worker ids, compared as `key_of` does."""
    found = {}
    for column, names in ((_I.email_key, emails), (_I.worker_key, worker_ids)):
        for chunk in chunks({key_of(name) for name in names} - {""}):
            for row in unit.session.execute(select(*_IDENTITY).where(column.in_(chunk))):
                found[row.id] = _identity(row)
    return list(found.values())


def search_identities(unit: Unit, words: str, limit: int, after: tuple[str, str] = ("", "")) -> list[Identity]:
    """
    Find people by part of name, worker id or e-mail address, in the order of their names.

    Args:
        words: All of them must be found, in any of the three; none for everybody.
        limit: How many at most.
        after: Name and id of the last one of the page before.
    """
    query = select(*_IDENTITY).where(*has_all(_I.search, words)).order_by(_I.name, _I.id).limit(limit)
    if after != ("", ""):
        query = query.where((_I.name > after[0]) | ((_I.name == after[0]) & (_I.id > after[1])))
    return [_identity(row) for row in unit.session.execute(query)]


def ending_between(unit: Unit, first: date, last: date, limit: int) -> list[Engagement]:
    """Load contracts whose last day lies from *first* to *last*, both inclusive, soonest first; none withdrawn."""
    query = select(*_CONTRACT).join_from(EngagementRow, IdentityRow, OWNER)
    query = query.where(_E.last_day >= first, _E.last_day <= last, _WANTED).order_by(_E.last_day, _E.id)
    return [_engagement(row) for row in unit.session.execute(query.limit(limit))]


def due_between(unit: Unit, until: datetime, limit: int) -> list[IdentityId]:
    """List identities with a change to come before *until*, soonest first."""
    query = (
        select(_E.identity_id, func.min(_E.next_change_at).label("at"))
        .where(_E.next_change_at < until)
        .group_by(_E.identity_id)
        .order_by("at")
        .limit(limit)
    )
    return [IdentityId(row.identity_id) for row in unit.session.execute(query)]


def first_due(unit: Unit, after: datetime) -> datetime | None:
    """Return the first instant after *after* at which anybody's access could change."""
    return unit.session.scalar(
        select(_E.next_change_at).where(_E.next_change_at > after).order_by(_E.next_change_at).limit(1)
    )


def sponsors_in_use(unit: Unit) -> frozenset[str]:
    """Return the keys of everybody who sponsors a stored contract, whenever it ran."""
    return frozenset(unit.session.scalars(select(_E.sponsor_key).distinct())) - {""}
