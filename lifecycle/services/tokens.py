"""Tokens of other programs: a prefix to be recognised by, a checksum against slips, a digest at rest, an end."""

from __future__ import annotations

import binascii
import re
import secrets
import uuid
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from lifecycle.domain.errors import LifecycleError, NotFound
from lifecycle.services.authorisation import SCOPES, Action, Actor, authorize, check_fresh, may
from lifecycle.services.secrets import digest
from lifecycle.services.sessions import NotSignedIn, Sessions, actor_of
from lifecycle.store import members
from lifecycle.store.people_tables import ServiceTokenRow
from lifecycle.store.unit import Unit

PREFIX = "lcy_"
LONGEST_DAYS = 90
SHAPE = re.compile(rf"{PREFIX}[0-9a-f]{{48}}[0-9a-f]{{8}}")
"""What a secret scanner looks for: the prefix, 24 random bytes, and their CRC-32."""
USED_EVERY = timedelta(minutes=1)


class TokenRefused(LifecycleError):
    """Unknown, mistyped, expired or revoked."""

    code = "token-refused"


class TokenInvalid(LifecycleError):
    """The token asked for cannot be made."""

    code = "token-invalid"


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """A token as administrators see it."""

    id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


def _described(row: ServiceTokenRow) -> ServiceToken:
    return ServiceToken(
        row.id, row.name, row.prefix, tuple(row.scopes), row.created_at, row.expires_at, row.used_at, row.revoked_at
    )


@dataclass
class ServiceTokens:
    """Makes, checks and revokes them. Their lives are counted on the wall clock."""

    sessions: Sessions

    def list(self, actor: Actor) -> list[ServiceToken]:
        """
        List all of them, newest first.

        Raises:
            NotPermitted: If the actor is no administrator.
        """
        authorize(actor, Action.MANAGE_TOKENS)
        query = select(ServiceTokenRow).order_by(ServiceTokenRow.__table__.c.created_at.desc())
        with self.sessions.store.read() as unit:
            return [_described(row) for row in unit.session.scalars(query)]

    def make(self, actor: Actor, name: str, scopes: Collection[str], days: int) -> tuple[str, ServiceToken]:
        """
        Make a token.

        Returns:
            The token itself, which is shown this once, and its description.

        Raises:
            TokenInvalid: No name, an unknown scope or none, or a life not within 1 to 90 days.
            StepUpNeeded: If the actor's authentication is older than five minutes.
        """
        authorize(actor, Action.MANAGE_TOKENS)
        now = self.sessions.wall()
        check_fresh(actor, now)
        unknown = sorted(set(scopes) - SCOPES.keys())
        if not name.strip() or not scopes or unknown:
            raise TokenInvalid(f"Give it a name and scopes out of {', '.join(SCOPES)}.")
        if not 1 <= days <= LONGEST_DAYS:
            raise TokenInvalid(f"A token lives 1 to {LONGEST_DAYS} days.")
        body = secrets.token_hex(24)
        token = f"{PREFIX}{body}{_checksum(body)}"
        row = ServiceTokenRow(
            id=str(uuid.uuid4()),
            name=name.strip()[:80],
            prefix=token[: len(PREFIX) + 6],
            token_hash=digest(token),
            scopes=sorted(set(scopes)),
            created_by=actor.id,
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
        with self.sessions.store.write() as unit:
            unit.session.add(row)
            unit.audit(
                at=now, actor=actor.trail_name, action="token-made", object_=f"token:{row.id}",
                after={"name": row.name, "scopes": row.scopes, "expires_at": row.expires_at.isoformat()},
            )  # fmt: skip
        return token, _described(row)

    def revoke(self, actor: Actor, token_id: str) -> None:
        """
        End a token at once.

        Raises:
            NotFound: If there is none, or it was revoked before.
        """
        authorize(actor, Action.MANAGE_TOKENS)
        with self.sessions.store.write() as unit:
            row = unit.session.get(ServiceTokenRow, token_id)
            if row is None or row.revoked_at is not None:
                raise NotFound("There is no such token, or it was revoked already.")
            row.revoked_at = self.sessions.wall()
            unit.session.add(row)
            unit.audit(
                at=row.revoked_at, actor=actor.trail_name, action="token-revoked", object_=f"token:{token_id}",
                before={"name": row.name},
            )  # fmt: skip

    def actor(self, token: str) -> Actor:
        """
        Say which program holds *token*.

        Raises:
            TokenRefused: Unknown, mistyped, expired or revoked; the message does not say which.
        """
        now = self.sessions.wall()
        row = self._find(token)
        if row is None or row.revoked_at is not None or now >= row.expires_at or not self._vouched(row):
            raise TokenRefused("This token is not valid.")
        if row.used_at is None or now - row.used_at > USED_EVERY:
            # a full disk costs the note of it, and not what the program has come for
            with suppress(OperationalError), self.sessions.store.write() as unit:
                _used(unit, row.id, now)
        return Actor(row.id, row.name, row.name, scopes=frozenset(row.scopes), kind="token")

    def _vouched(self, row: ServiceTokenRow) -> bool:
        """Say whether whoever made the token could still make it: it does not outlive them or their role here."""
        with self.sessions.store.read() as unit:
            maker = members.get(unit, row.created_by)
            try:
                if maker is not None:
                    self.sessions.check_active(unit, maker)
            except NotSignedIn:
                return False
        return maker is not None and may(actor_of(maker), Action.MANAGE_TOKENS)

    def _find(self, token: str) -> ServiceTokenRow | None:
        if not SHAPE.fullmatch(token) or _checksum(token[len(PREFIX) : -8]) != token[-8:]:
            return None
        query = select(ServiceTokenRow).where(ServiceTokenRow.__table__.c.token_hash == digest(token))
        with self.sessions.store.read() as unit:
            return unit.session.scalars(query).one_or_none()


def _used(unit: Unit, token_id: str, at: datetime) -> None:
    row = unit.session.get(ServiceTokenRow, token_id)
    if row is not None:
        row.used_at = at
        unit.session.add(row)


def _checksum(body: str) -> str:
    return f"{binascii.crc32(body.encode()):08x}"
