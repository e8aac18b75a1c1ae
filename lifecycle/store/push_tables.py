"""Tables of what HR's systems push: the pushes on their way, and the people whom SCIM clients keep here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, String, Text, text
from sqlmodel import Field

from lifecycle.store.tables import ROW_ID, STRICT, Table, count, instant, words
from lifecycle.store.types import Document

_WAITING = text("settled_at IS NULL")


class PushRow(Table, table=True):
    """One call that pushed people, from its arrival until every one of its operations has come to its end."""

    __tablename__ = "hr_push"
    __table_args__ = (
        Index("ix_hr_push_waiting", "n", postgresql_where=_WAITING, sqlite_where=_WAITING),
        Index("ix_hr_push_settled_at", "settled_at"),
        STRICT,
    )
    n: int | None = Field(default=None, sa_column=Column(ROW_ID, primary_key=True))
    """Pushes are handed on in this order."""
    id: str = Field(sa_column=Column(String(36), nullable=False, unique=True))
    token_id: str = words()
    """Of the token it came with; nobody else is told about it."""
    actor: str = words()
    """Whoever pushed, as the trail names them."""
    way: str = words()
    """``push`` or ``scim``."""
    received_at: datetime = instant(required=True)
    state: str = words()
    """One of `lifecycle.services.push.PushState`."""
    operations: list[dict[str, Any]] = Field(sa_column=Column(Document, nullable=False))
    """One for each operation, see `lifecycle.services.push_bulk.Operation`; no rows once it is settled."""
    attempts: int = count()
    retry_at: datetime | None = instant()
    error: str = words()
    settled_at: datetime | None = instant()


class ScimUserRow(Table, table=True):
    """A person as a SCIM client keeps them."""

    __tablename__ = "scim_user"
    __table_args__ = (
        Index("uq_scim_user_external_id", "external_id", unique=True, postgresql_where=text("external_id <> ''"),
              sqlite_where=text("external_id <> ''")),
        STRICT,
    )  # fmt: skip
    id: str = Field(sa_column=Column(String(36), primary_key=True))
    external_id: str = words()
    user_name_key: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    """The user name as it is compared: normalised, without case."""
    document: dict[str, Any] = Field(sa_column=Column(Document, nullable=False))
    """What the client said, as far as it is of use here."""
    created_at: datetime = instant(required=True)
    modified_at: datetime = instant(required=True)
    version: int = count(1)
