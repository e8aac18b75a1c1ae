"""What was seen in targets: accounts, what each held and when, and accounts that belong to nobody."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, or_, select, update

from lifecycle.domain.identity import IdentityId
from lifecycle.store.people import chunks
from lifecycle.store.tables import AccountRow, BindingRow, HoldingRow, IdentityRow, StrayRow
from lifecycle.store.unit import Unit

_A, _H, _S = AccountRow.__table__.c, HoldingRow.__table__.c, StrayRow.__table__.c


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account as last observed, with the keys of the entitlements it was seen to hold."""

    id: str
    identity_id: IdentityId
    target: str
    native_id: str
    name: str
    observed_at: datetime | None
    disabled: bool | None
    disabled_here: bool
    expires_at: datetime | None
    held: frozenset[str]


@dataclass(frozen=True, slots=True)
class Held:
    """That somebody held an entitlement from ``since`` (inclusive) to ``until`` (exclusive; None: still)."""

    entitlement: str
    target: str
    account_name: str
    native_id: str
    identity_id: IdentityId | None
    """None for an account that belongs to nobody known here."""
    since: datetime
    until: datetime | None


def _account(row: AccountRow, held: frozenset[str]) -> StoredAccount:
    return StoredAccount(
        row.id, IdentityId(row.identity_id), row.target, row.native_id, row.name, row.observed_at,
        None if row.disabled is None else bool(row.disabled), bool(row.disabled_here), row.expires_at, held,
    )  # fmt: skip


def _with_holdings(unit: Unit, rows: list[AccountRow]) -> list[StoredAccount]:
    held: dict[str, set[str]] = defaultdict(set)
    for chunk in chunks(row.id for row in rows):
        query = select(_H.account_id, _H.entitlement).where(_H.account_id.in_(chunk), _H.until.is_(None))
        for account_id, entitlement in unit.session.execute(query):
            held[account_id].add(entitlement)
    return [_account(row, frozenset(held[row.id])) for row in rows]


def accounts_of(unit: Unit, identity_ids: Collection[str]) -> dict[IdentityId, dict[str, StoredAccount]]:
    """Load the accounts of some identities, by target."""
    found: dict[IdentityId, dict[str, StoredAccount]] = defaultdict(dict)
    for chunk in chunks(identity_ids):
        rows = list(unit.session.scalars(select(AccountRow).where(_A.identity_id.in_(chunk))))
        for account in _with_holdings(unit, rows):
            found[account.identity_id][account.target] = account
    return found


def accounts_in(unit: Unit, target: str) -> list[StoredAccount]:
    """Load every known account of one target."""
    return _with_holdings(unit, list(unit.session.scalars(select(AccountRow).where(_A.target == target))))


def without_account(unit: Unit, target: str) -> list[IdentityId]:
    """List identities that have no known account in *target*."""
    has = select(_A.identity_id).where(_A.target == target)
    identity_id = IdentityRow.__table__.c.id
    query = select(identity_id).where(identity_id.not_in(has))
    return [IdentityId(i) for i in unit.session.scalars(query)]


def link_account(unit: Unit, identity_id: str, target: str, native_id: str, name: str) -> str:
    """Store that an account belongs to an identity and return our id for it; nothing is said of what it holds."""
    row = unit.session.scalars(
        select(AccountRow).where(_A.identity_id == identity_id, _A.target == target)
    ).one_or_none()
    if row is None:
        row = AccountRow(id=str(uuid.uuid4()), identity_id=identity_id, target=target, native_id=native_id, name=name)
        unit.session.add(row)
    elif row.native_id != native_id:
        row.native_id, row.disabled_here, row.observed_at = native_id, 0, None
    row.name = name
    unit.session.flush()
    return row.id


def owner_of(unit: Unit, target: str, native_id: str) -> IdentityId | None:
    """Say whose account it is, if anybody's known here."""
    found = unit.session.scalar(select(_A.identity_id).where(_A.target == target, _A.native_id == native_id))
    return IdentityId(found) if found else None


def note_state(unit: Unit, account_id: str, at: datetime, **values: Any) -> None:
    """Store how an account was seen to stand; *values* are columns of the account table."""
    unit.session.execute(update(AccountRow).where(_A.id == account_id).values(observed_at=at, **values))


def forget_observation(unit: Unit, identity_id: str, target: str, *, disabling: bool = False) -> None:
    """
    Have an account looked at anew before anything is concluded from what was stored.

    Args:
        disabling: Whether we were about to disable it: if it is seen disabled then, that was us, and we may enable it.
    """
    values: dict[str, Any] = {"observed_at": None} | ({"disabled_here": 1} if disabling else {})
    own = (_A.identity_id == identity_id, _A.target == target)
    unit.session.execute(update(AccountRow).where(*own).values(**values))


def note_held(unit: Unit, account_id: str, entitlement: str, at: datetime) -> None:
    """Store that an entitlement is held from *at* on, unless it is known already."""
    known = select(_H.id).where(_H.account_id == account_id, _H.entitlement == entitlement, _H.until.is_(None))
    if unit.session.scalar(known) is None:
        unit.session.execute(insert(HoldingRow).values(account_id=account_id, entitlement=entitlement, since=at))


def note_gone(unit: Unit, account_id: str, entitlement: str, at: datetime) -> None:
    """Store that an entitlement is no longer held from *at* on."""
    unit.session.execute(
        update(HoldingRow)
        .where(_H.account_id == account_id, _H.entitlement == entitlement, _H.until.is_(None))
        .values(until=at)
    )


def replace_strays(
    unit: Unit, target: str, entitlement: str, seen: dict[str, str], at: datetime
) -> tuple[list[str], list[str]]:
    """
    Store which accounts of nobody hold *entitlement* now.

    Args:
        seen: Native id to name.

    Returns:
        Names that are new and names that are gone.
    """
    open_rows = {
        row.native_id: row
        for row in unit.session.scalars(
            select(StrayRow).where(_S.target == target, _S.entitlement == entitlement, _S.until.is_(None))
        )
    }
    new = [native_id for native_id in seen if native_id not in open_rows]
    gone = [row for native_id, row in open_rows.items() if native_id not in seen]
    for row in gone:
        row.until = at
    for native_id in new:
        unit.session.add(
            StrayRow(target=target, entitlement=entitlement, native_id=native_id, name=seen[native_id], since=at)
        )
    unit.session.flush()
    return [seen[i] for i in new], [row.name for row in gone]


def held_at(unit: Unit, entitlements: Collection[str], at: datetime | None = None) -> list[Held]:
    """List who held any of *entitlements* at an instant (None: now), accounts of nobody included."""
    keys = list(entitlements)
    holding = select(_H.entitlement, _A.target, _A.name, _A.native_id, _A.identity_id, _H.since, _H.until).join_from(
        HoldingRow.__table__, AccountRow.__table__, _A.id == _H.account_id
    )
    stray = select(_S.entitlement, _S.target, _S.name, _S.native_id, _S.since, _S.until)
    if at is None:
        holding, stray = holding.where(_H.until.is_(None)), stray.where(_S.until.is_(None))
    else:
        holding = holding.where(_H.since <= at, or_(_H.until.is_(None), _H.until > at))
        stray = stray.where(_S.since <= at, or_(_S.until.is_(None), _S.until > at))
    found = [
        Held(row.entitlement, row.target, row.name, row.native_id, IdentityId(row.identity_id), row.since, row.until)
        for row in unit.session.execute(holding.where(_H.entitlement.in_(keys)))
    ]
    found += [
        Held(row.entitlement, row.target, row.name, row.native_id, None, row.since, row.until)
        for row in unit.session.execute(stray.where(_S.entitlement.in_(keys)))
    ]
    return found


def bindings(unit: Unit) -> dict[str, tuple[str, str]]:
    """Map entitlement keys to the locator they were found by and the native id it meant."""
    return {row.entitlement: (row.locator, row.native_id) for row in unit.session.scalars(select(BindingRow))}


def bind(unit: Unit, entitlement: str, locator: str, native_id: str) -> None:
    """Remember what a locator means."""
    unit.session.merge(BindingRow(entitlement=entitlement, locator=locator, native_id=native_id))


def holders(unit: Unit, entitlements: Collection[str]) -> dict[str, int]:
    """Count who was seen to hold each of some entitlements and is not known to have lost it; none: left out."""
    query = select(_H.entitlement, func.count()).where(_H.until.is_(None), _H.entitlement.in_(list(entitlements)))
    return {row[0]: row[1] for row in unit.session.execute(query.group_by(_H.entitlement))}
