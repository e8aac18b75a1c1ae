"""The tables. Ids never change; instants are aware UTC; anything that holds a rule lives in the domain instead."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy import UniqueConstraint as Unique
from sqlmodel import Field, MetaData, SQLModel

from lifecycle.store.types import Document, Instant

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)
STRICT = {"sqlite_strict": True}
ROW_ID = BigInteger().with_variant(Integer, "sqlite")


class Table(SQLModel):
    """Base of every table."""

    metadata = metadata
    __table__: ClassVar[Any]


# The kinds of columns that the tables are made of, here and in the modules beside this one.


def id_of(references: str = "", *, index: bool = False) -> Any:
    return Field(sa_column=Column(String(36), ForeignKey(references), nullable=False, index=index))


def words(default: str = "") -> Any:
    return Field(default=default, sa_column=Column(Text, nullable=False, server_default=default))


def count(default: int = 0) -> Any:
    return Field(default=default, sa_column=Column(BigInteger, nullable=False, server_default=str(default)))


def instant(*, required: bool = False) -> Any:
    if required:
        return Field(sa_column=Column(Instant, nullable=False))
    return Field(default=None, sa_column=Column(Instant))


class IdentityRow(Table, table=True):
    """A person. ``version`` rises with every change of facts that could change what the person should hold."""

    __tablename__ = "identity"
    __table_args__ = (
        Index("ix_identity_source_worker_id", "source", "worker_id"),
        Index("ix_identity_name", "name", "id"),
        Index("ix_identity_email_key", "email_key"),
        Index("ix_identity_worker_key", "worker_key"),
        STRICT,
    )
    id: str = Field(sa_column=Column(String(36), primary_key=True))
    source: str = words()
    worker_id: str = words()
    name: str = words()
    email: str = words()
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    created_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    cut_off_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    god_withheld: int = count()
    employee_since: datetime | None = instant()
    """When HR confirmed that the person had become an employee: accounts are theirs now, nothing disables them."""
    search: str = words()
    """Name, worker id and e-mail address, folded, for finding people by part of them."""
    email_key: str = words()
    worker_key: str = words()
    """E-mail address and worker id as they are compared, see `lifecycle.domain.party.key_of`."""


class EngagementRow(Table, table=True):
    """A contract, and the next instant at which its owner's desired access could differ."""

    __tablename__ = "engagement"
    __table_args__ = (
        Unique("source", "reference"),
        CheckConstraint("first_day <= last_day", name="days_in_order"),
        Index("ix_engagement_due", "next_change_at", postgresql_where=text("next_change_at IS NOT NULL"),
              sqlite_where=text("next_change_at IS NOT NULL")),
        Index("ix_engagement_last_day", "last_day"),
        Index("ix_engagement_sponsor_key", "sponsor_key", "last_day"),
        STRICT,
    )  # fmt: skip
    id: str = Field(sa_column=Column(String(36), primary_key=True))
    identity_id: str = id_of("identity.id", index=True)
    source: str = words()
    reference: str = words()
    first_day: date = Field(sa_column=Column(Date, nullable=False))
    last_day: date = Field(sa_column=Column(Date, nullable=False))
    zone: str = words()
    vendor: str = words()
    sponsor: str = words()
    role: str = words()
    site: str = words()
    import_id: str = words()
    line: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    next_change_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    missing_since: datetime | None = Field(default=None, sa_column=Column(Instant))
    sponsor_key: str = words()
    """``sponsor`` as it is compared, see ``lifecycle.domain.party.key_of``."""
    bridged_day: date | None = Field(default=None, sa_column=Column(Date))
    bridge_until: date | None = Field(default=None, sa_column=Column(Date))
    standing: str = words("running")
    """One of `lifecycle.domain.roster.Standing`."""
    actual: int = count()
    """Whether ``last_day`` is the day on which the contract did end."""
    row_digest: str = words()
    """Of the roster row that last spoke of it: a row with the same digest says nothing new. Empty: not known."""
    lapsed_at: datetime | None = instant()
    """When a roster extended it after it had ended; it gives nothing until two people have given it back."""
    god_ends_at: datetime | None = instant()
    """From this instant on it gives no god mode, whatever its days say."""


class GrantRow(Table, table=True):
    """An approved interval of one entitlement."""

    __tablename__ = "access_grant"
    __table_args__ = (CheckConstraint("starts_at < ends_at", name="interval"), STRICT)
    id: str = Field(sa_column=Column(String(36), primary_key=True))
    engagement_id: str = id_of("engagement.id", index=True)
    entitlement: str = words()
    starts_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    ends_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    reason: str = words()
    request: str = words()
    approved_by: list[str] = Field(sa_column=Column(Document, nullable=False))
    exception: int = count()


class AccountRow(Table, table=True):
    """One identity's login in one target, as last observed there."""

    __tablename__ = "account"
    __table_args__ = (Unique("target", "native_id"), Unique("identity_id", "target"), STRICT)
    id: str = Field(sa_column=Column(String(36), primary_key=True))
    identity_id: str = id_of("identity.id")
    target: str = words()
    native_id: str = words()
    name: str = words()
    observed_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    disabled: int | None = Field(default=None, sa_column=Column(Integer))
    disabled_here: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    expires_at: datetime | None = Field(default=None, sa_column=Column(Instant))


class HoldingRow(Table, table=True):
    """That an account was seen to hold an entitlement, from ``since`` (inclusive) to ``until`` (exclusive)."""

    __tablename__ = "holding"
    __table_args__ = (
        Index("uq_holding_open", "account_id", "entitlement", unique=True,
              postgresql_where=text("until IS NULL"), sqlite_where=text("until IS NULL")),
        Index("ix_holding_entitlement", "entitlement", "until"),
        STRICT,
    )  # fmt: skip
    id: int | None = Field(default=None, sa_column=Column(ROW_ID, primary_key=True))
    account_id: str = id_of("account.id", index=True)
    entitlement: str = words()
    since: datetime = Field(sa_column=Column(Instant, nullable=False))
    until: datetime | None = Field(default=None, sa_column=Column(Instant))


class StrayRow(Table, table=True):
    """An account that belongs to nobody known here and was seen to hold an entitlement."""

    __tablename__ = "stray"
    __table_args__ = (
        Index("uq_stray_open", "entitlement", "native_id", unique=True,
              postgresql_where=text("until IS NULL"), sqlite_where=text("until IS NULL")),
        STRICT,
    )  # fmt: skip
    id: int | None = Field(default=None, sa_column=Column(ROW_ID, primary_key=True))
    target: str = words()
    entitlement: str = words()
    native_id: str = words()
    name: str = words()
    since: datetime = Field(sa_column=Column(Instant, nullable=False))
    until: datetime | None = Field(default=None, sa_column=Column(Instant))


class WorkItemRow(Table, table=True):
    """A queued change. At most one is open for each identity, target and aspect."""

    __tablename__ = "work_item"
    __table_args__ = (
        Index("uq_work_item_open", "identity_id", "target", "aspect", unique=True,
              postgresql_where=text("state = 'open'"), sqlite_where=text("state = 'open'")),
        Index("ix_work_item_claim", "target", "priority", "retry_at",
              postgresql_where=text("state = 'open'"), sqlite_where=text("state = 'open'")),
        Index("ix_work_item_finished", "finished_at"),
        CheckConstraint("state IN ('open', 'done', 'superseded')", name="state"),
        STRICT,
    )  # fmt: skip
    id: int | None = Field(default=None, sa_column=Column(ROW_ID, primary_key=True))
    identity_id: str = id_of("identity.id", index=True)
    target: str = words()
    aspect: str = words()
    """Key of the entitlement, or ``@account``, ``@expiry``, ``@observe``."""
    verb: str = words()
    priority: int = Field(sa_column=Column(Integer, nullable=False))
    """What is done first; see ``lifecycle.services.promotion.priority_of``."""
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    state: str = words("open")
    cause: str = words()
    expires_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    created_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    due_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    """When it should have been so: what lateness is counted from."""
    retry_at: datetime = Field(sa_column=Column(Instant, nullable=False))
    attempts: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    lease_owner: str = words()
    lease_until: datetime | None = Field(default=None, sa_column=Column(Instant))
    intent_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    error: str = words()
    error_kind: str = words()
    failing_since: datetime | None = Field(default=None, sa_column=Column(Instant))
    finished_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    outcome: str = words()


class AuditRow(Table, table=True):
    """One record of the trail. Triggers refuse UPDATE and DELETE."""

    __tablename__ = "audit"
    __table_args__ = (
        Unique("prev"),
        Unique("hash"),
        *(Index(f"ix_audit_{column}", column, "seq") for column in ("actor", "action", "object", "request", "at")),
        STRICT,
    )
    seq: int = Field(sa_column=Column(ROW_ID, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_column=Column(Instant, nullable=False))
    actor: str = words()
    on_behalf: str = words()
    action: str = words()
    object: str = words()
    before: dict[str, Any] = Field(sa_column=Column(Document, nullable=False))
    after: dict[str, Any] = Field(sa_column=Column(Document, nullable=False))
    request: str = words()
    prev: str = Field(sa_column=Column(String(64), nullable=False))
    hash: str = Field(sa_column=Column(String(64), nullable=False))


class AuditHeadRow(Table, table=True):
    """Where the chain ends; one row, locked last in every transaction that appends."""

    __tablename__ = "audit_head"
    __table_args__ = (STRICT,)
    id: int = Field(default=1, sa_column=Column(Integer, primary_key=True, autoincrement=False))
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    hash: str = Field(sa_column=Column(String(64), nullable=False))


class RosterImportRow(Table, table=True):
    """A confirmed roster."""

    __tablename__ = "roster_import"
    __table_args__ = (
        Index("ix_roster_import_source", "source", "confirmed_at"),
        Index("ix_roster_import_sha256", "source", "sha256"),
        STRICT,
    )
    id: str = Field(sa_column=Column(String(36), primary_key=True))
    profile: str = words()
    number: int = count()
    """Rises with every import, so that two at one instant have an order."""
    source: str = words()
    upload_id: str = words()
    scope: str = words()
    file_name: str = words()
    as_of: datetime | None = instant()
    sha256: str = Field(sa_column=Column(String(64), nullable=False))
    rows: int = Field(sa_column=Column(Integer, nullable=False))
    """As `lifecycle.domain.guard.Feed.rows` counts them."""
    counts: dict[str, int] = Field(sa_column=Column(Document, nullable=False))
    actor: str = words()
    confirmed_at: datetime = Field(sa_column=Column(Instant, nullable=False))


class LeaseRow(Table, table=True):
    """Who leads. ``beat`` rises while the owner lives; ``epoch`` with every new owner."""

    __tablename__ = "lease"
    __table_args__ = (STRICT,)
    name: str = Field(sa_column=Column(Text, primary_key=True))
    owner: str = words()
    epoch: int = Field(sa_column=Column(Integer, nullable=False))
    beat: int = Field(sa_column=Column(BigInteger, nullable=False))


class StateRow(Table, table=True):
    """Small facts about the product itself: clock watermark, manual clock, setup code, revision of what is shown."""

    __tablename__ = "product_state"
    __table_args__ = (STRICT,)
    name: str = Field(sa_column=Column(Text, primary_key=True))
    value: Any = Field(sa_column=Column(Document, nullable=False))


class BindingRow(Table, table=True):
    """The native id that an entitlement's locator was found to mean, so that renaming a group dodges nothing."""

    __tablename__ = "entitlement_binding"
    __table_args__ = (STRICT,)
    entitlement: str = Field(sa_column=Column(Text, primary_key=True))
    locator: str = words()
    native_id: str = words()


class TargetHealthRow(Table, table=True):
    """How a target stood when it was last spoken to."""

    __tablename__ = "target_health"
    __table_args__ = (STRICT,)
    target: str = Field(sa_column=Column(Text, primary_key=True))
    state: str = words()
    since: datetime = Field(sa_column=Column(Instant, nullable=False))
    answered_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    reconciled_at: datetime | None = Field(default=None, sa_column=Column(Instant))
    message: str = words()
    capabilities: list[str] = Field(sa_column=Column(Document, nullable=False))
    findings: list[dict[str, str]] = Field(sa_column=Column(Document, nullable=False))


class TargetHourRow(Table, table=True):
    """How many calls to a target succeeded and failed in one hour."""

    __tablename__ = "target_hour"
    __table_args__ = (STRICT,)
    target: str = Field(sa_column=Column(Text, primary_key=True))
    hour: datetime = Field(sa_column=Column(Instant, primary_key=True))
    answered: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    failed: int = Field(default=0, sa_column=Column(Integer, nullable=False))
