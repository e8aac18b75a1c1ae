"""Tables of those who sign in: members, their sessions, passkeys and feeds, and tokens of other programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, String, Text, text
from sqlalchemy import UniqueConstraint as Unique
from sqlmodel import Field

from lifecycle.store.tables import ROW_ID, STRICT, Table, count, id_of, instant, words
from lifecycle.store.types import Document


def _key(length: int = 36) -> Any:
    return Field(sa_column=Column(String(length), primary_key=True))


class MemberRow(Table, table=True):
    """Somebody who may sign in here, known by the provider's own subject and never by an e-mail address."""

    __tablename__ = "member"
    __table_args__ = (
        Unique("provider", "subject"),
        Index("ix_member_email_key", "email_key"),
        Index("ix_member_login_key", "login_key"),
        Index("ix_member_claimed_key", "claimed_key"),
        Index("ix_member_employee_key", "employee_key"),
        Index("ix_member_identity_id", "identity_id"),
        STRICT,
    )
    id: str = _key()
    provider: str = words()
    """``local``, ``directory``, or the issuer of an OpenID provider."""
    subject: str = words()
    login: str = words()
    login_key: str = words()
    name: str = words()
    email: str = words()
    email_key: str = words()
    """Verified e-mail address as it is compared; empty where the provider vouches for none."""
    claimed_key: str = words()
    """Address that the provider names without vouching for it: it only ever counts against the member."""
    employee_id: str = words()
    employee_key: str = words()
    supervisor: str = words()
    roles: list[str] = Field(sa_column=Column(Document, nullable=False))
    roles_since: datetime = instant(required=True)
    password_hash: str = words()
    invited_by: str = words()
    """Id of whoever has seen the code with which the password was set, and when that was."""
    invited_at: datetime | None = instant()
    identity_id: str | None = Field(default=None, sa_column=Column(String(36), ForeignKey("identity.id")))
    """Set for whoever is here on a contract."""
    employee_since: datetime | None = instant()
    """When an administrator said that they are an employee: contracts from before mean nothing any more."""
    created_at: datetime = instant(required=True)
    seen_at: datetime | None = instant()
    disabled_at: datetime | None = instant()


class SessionRow(Table, table=True):
    """A signed-in browser; only the digest of its token is stored."""

    __tablename__ = "web_session"
    __table_args__ = (Unique("id"), STRICT)
    token_hash: str = _key(64)
    id: str = words()
    """What the session is called where its owner lists it."""
    member_id: str = id_of("member.id", index=True)
    method: str = words()
    address: str = words()
    agent: str = words()
    created_at: datetime = instant(required=True)
    seen_at: datetime = instant(required=True)
    authenticated_at: datetime = instant(required=True)
    challenge: str = words()
    """What a passkey has to sign next; used once."""
    ended_at: datetime | None = instant()


class PasskeyRow(Table, table=True):
    """A public key that a person's own device vouches with."""

    __tablename__ = "passkey"
    __table_args__ = (STRICT,)
    id: str = Field(sa_column=Column(Text, primary_key=True))
    member_id: str = id_of("member.id", index=True)
    public_key: str = words()
    sign_count: int = count()
    name: str = words()
    created_at: datetime = instant(required=True)
    used_at: datetime | None = instant()


class PendingSignInRow(Table, table=True):
    """A sign-in that is under way at an OpenID provider; good for one return."""

    __tablename__ = "pending_sign_in"
    __table_args__ = (STRICT,)
    state_hash: str = _key(64)
    browser_hash: str = words()
    nonce: str = words()
    verifier: str = words()
    target: str = words()
    session_hash: str = words()
    """Session whose owner confirms who they are; empty at a first sign-in."""
    created_at: datetime = instant(required=True)


class ServiceTokenRow(Table, table=True):
    """Lets another program in; only the digest is stored."""

    __tablename__ = "service_token"
    __table_args__ = (Unique("token_hash"), STRICT)
    id: str = _key()
    name: str = words()
    prefix: str = words()
    token_hash: str = words()
    scopes: list[str] = Field(sa_column=Column(Document, nullable=False))
    created_by: str = id_of("member.id")
    created_at: datetime = instant(required=True)
    expires_at: datetime = instant(required=True)
    used_at: datetime | None = instant()
    revoked_at: datetime | None = instant()


class CalendarFeedRow(Table, table=True):
    """A secret address under which last days can be read as a calendar."""

    __tablename__ = "calendar_feed"
    __table_args__ = (Unique("token_hash"), STRICT)
    id: str = _key()
    member_id: str = id_of("member.id", index=True)
    token_hash: str = words()
    everybody: int = count()
    """1: all last days; 0: those of the member's own contractors."""
    created_at: datetime = instant(required=True)
    revoked_at: datetime | None = instant()


class NoticeRow(Table, table=True):
    """One thing to tell one recipient. What is due for a recipient goes out as one message."""

    __tablename__ = "notice"
    __table_args__ = (
        Unique("dedupe"),
        Index("ix_notice_waiting", "retry_at", postgresql_where=text("delivered_at IS NULL AND dropped_at IS NULL"),
              sqlite_where=text("delivered_at IS NULL AND dropped_at IS NULL")),
        Index("ix_notice_about", "about"),
        STRICT,
    )  # fmt: skip
    id: int | None = Field(default=None, sa_column=Column(ROW_ID, primary_key=True))
    channel: str = words()
    """``mail``, ``hook`` or ``apprise``."""
    recipient: str = words()
    """E-mail address, or name of the hook in the configuration."""
    topic: str = words()
    subject: str = words()
    body: str = words()
    link: str = words()
    about: str = words()
    """What it is about, for example ``request:GR-2041``."""
    dedupe: str | None = Field(default=None, sa_column=Column(Text))
    created_at: datetime = instant(required=True)
    retry_at: datetime = instant(required=True)
    attempts: int = count()
    error: str = words()
    failing_since: datetime | None = instant()
    delivered_at: datetime | None = instant()
    dropped_at: datetime | None = instant()
    """No longer true before it could be told."""
