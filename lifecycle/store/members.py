"""Those who sign in, and their sessions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Text, cast, delete, func, or_, select, update

from lifecycle.store.people import chunks
from lifecycle.store.people_tables import MemberRow, PasskeyRow, SessionRow
from lifecycle.store.searching import part
from lifecycle.store.unit import Unit

_M, _S = MemberRow.__table__.c, SessionRow.__table__.c


def count(unit: Unit) -> int:
    """Count those who can sign in."""
    return unit.session.scalar(select(func.count()).select_from(MemberRow)) or 0


def get(unit: Unit, member_id: str) -> MemberRow | None:
    """Load one by id."""
    return unit.session.get(MemberRow, member_id)


def lock(unit: Unit, member_ids: Collection[str]) -> None:
    """Let the decisions of these members come one after the other."""
    unit.session.execute(unit.lock(select(_M.id).where(_M.id.in_(list(member_ids))).order_by(_M.id)))


def by_subject(unit: Unit, provider: str, subject: str) -> MemberRow | None:
    """Load one by what the provider knows them by."""
    query = select(MemberRow).where(_M.provider == provider, _M.subject == subject)
    return unit.session.scalars(query).one_or_none()


def by_ids(unit: Unit, ids: Collection[str]) -> dict[str, MemberRow]:
    """Load several by id."""
    found = {}
    for chunk in chunks(ids):
        for row in unit.session.scalars(select(MemberRow).where(_M.id.in_(chunk))):
            found[row.id] = row
    return found


def by_keys(unit: Unit, keys: Collection[str]) -> list[MemberRow]:
    """Load everybody whom one of *keys* names, as `lifecycle.services.parties.keys_of` lists what names a member."""
    names = list(keys)
    if not names:
        return []
    vouched = _M.provider.in_(("local", "directory"))
    own = (_M.id, _M.identity_id, _M.email_key, _M.employee_key)
    matches = or_(*(column.in_(names) for column in own), vouched & _M.login_key.in_(names))
    return list(unit.session.scalars(select(MemberRow).where(matches).order_by(_M.created_at)))


def by_names(unit: Unit, names: Collection[str]) -> list[MemberRow]:
    """Load everybody who is or may be called one of *names*, or was invited by one; nobody needs to vouch for it."""
    wanted = list(names)
    columns = (_M.id, _M.identity_id, _M.email_key, _M.employee_key, _M.login_key, _M.claimed_key, _M.invited_by)
    return list(unit.session.scalars(select(MemberRow).where(or_(*(column.in_(wanted) for column in columns)))))


def names(unit: Unit, logins: Collection[str]) -> list[tuple[str, str]]:
    """List sign-in name and name of everybody who signs in under one of *logins*, exactly so written."""
    found = []
    for chunk in chunks(logins):
        found += [
            (row.login, row.name) for row in unit.session.execute(select(_M.login, _M.name).where(_M.login.in_(chunk)))
        ]
    return found


def listed(unit: Unit) -> list[Any]:
    """List id, login, name and email of everybody who signs in, as light as so many can be."""
    return list(unit.session.execute(select(_M.id, _M.login, _M.name, _M.email).order_by(_M.name, _M.id)))


def of_identities(unit: Unit, identity_ids: Collection[str]) -> dict[str, list[MemberRow]]:
    """Load everybody who signs in as some people on the roster; people without an account are left out."""
    found: dict[str, list[MemberRow]] = defaultdict(list)
    for chunk in chunks(identity_ids):
        for row in unit.session.scalars(select(MemberRow).where(_M.identity_id.in_(chunk))):
            found[row.identity_id or ""].append(row)
    return found


def with_roles(unit: Unit, roles: Collection[str]) -> list[MemberRow]:
    """Load those who hold one of *roles*, in the order of names: few, however many work here."""
    stored = cast(_M.roles, Text)
    named = or_(*(stored.like(f'%"{role}"%') for role in roles))
    return list(unit.session.scalars(select(MemberRow).where(named).order_by(_M.name, _M.id)))


def not_on_roster(unit: Unit) -> list[MemberRow]:
    """Load those who are not known to be on the roster."""
    return list(unit.session.scalars(select(MemberRow).where(_M.identity_id.is_(None))))


def search(unit: Unit, words: str, limit: int, after: tuple[str, str] = ("", "")) -> list[MemberRow]:
    """
    Load those who sign in and whose name, sign-in name or address has every one of *words* in it.

    Args:
        unit: Any unit.
        words: None for everybody.
        limit: How many at most, in the order of names.
        after: Name and id of the last one of the page before.
    """
    query = select(MemberRow).order_by(_M.name, _M.id).limit(limit)
    for word in words.split():
        named = (column.ilike(part(word), escape="\\") for column in (_M.name, _M.login, _M.email))
        query = query.where(or_(*named))
    if after != ("", ""):
        query = query.where((_M.name > after[0]) | ((_M.name == after[0]) & (_M.id > after[1])))
    return list(unit.session.scalars(query))


def has_passkey(unit: Unit, member_id: str) -> bool:
    """Say whether a member has registered a passkey."""
    query = select(PasskeyRow.__table__.c.id).where(PasskeyRow.__table__.c.member_id == member_id).limit(1)
    return unit.session.execute(query).first() is not None


def session(unit: Unit, token_hash: str) -> SessionRow | None:
    """Load a session by the digest of its token."""
    return unit.session.get(SessionRow, token_hash)


def locked_session(unit: Unit, token_hash: str) -> SessionRow | None:
    """Load a session so that nobody else answers its challenge before this unit has ended."""
    query = select(SessionRow).where(_S.token_hash == token_hash).execution_options(populate_existing=True)
    row: SessionRow | None = unit.session.scalars(unit.lock(query)).one_or_none()
    return row


def sessions_of(unit: Unit, member_id: str) -> list[SessionRow]:
    """Load the sessions of one member that were not ended, latest first."""
    query = select(SessionRow).where(_S.member_id == member_id, _S.ended_at.is_(None)).order_by(_S.seen_at.desc())
    return list(unit.session.scalars(query))


def change_session(unit: Unit, token_hash: str, /, **values: Any) -> None:
    """Change a session that has not ended."""
    unit.session.execute(update(SessionRow).where(_S.token_hash == token_hash, _S.ended_at.is_(None)).values(**values))


def forget_sessions(unit: Unit, before: datetime) -> None:
    """Delete sessions that ended, or were last used, before an instant."""
    unit.session.execute(delete(SessionRow).where((_S.ended_at < before) | (_S.seen_at < before)))


def end_sessions(unit: Unit, at: datetime, *, member_ids: Collection[str], session_id: str = "", but: str = "") -> int:
    """
    End sessions of members.

    Args:
        unit: A unit that writes.
        at: When they ended; wall time.
        member_ids: Whose.
        session_id: Only this one.
        but: Digest of the token of one that goes on.

    Returns:
        How many there were.
    """
    statement = update(SessionRow).where(_S.member_id.in_(list(member_ids)), _S.ended_at.is_(None))
    if session_id:
        statement = statement.where(_S.id == session_id)
    if but:
        statement = statement.where(_S.token_hash != but)
    result: Any = unit.session.execute(statement.values(ended_at=at))
    return int(result.rowcount)


def addresses(unit: Unit) -> frozenset[str]:
    """Return the e-mail keys of everybody who may sign in."""
    query = select(_M.email_key).where(_M.email_key != "", _M.disabled_at.is_(None))
    return frozenset(unit.session.scalars(query))
