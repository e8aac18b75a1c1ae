"""Tables of what people ask for and decide: requests, reviews, renewal questions, cut-offs and hand-over."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, Date, Index, Integer, String, text
from sqlalchemy import UniqueConstraint as Unique
from sqlmodel import Field

from lifecycle.store.tables import ROW_ID, STRICT, Table, count, id_of, instant, words


class RequestRow(Table, table=True):
    """What somebody asked for. Every edit of the terms raises ``revision``."""

    __tablename__ = "access_request"
    __table_args__ = (
        Index("ix_access_request_pending", "expires_at", postgresql_where=text("resolution = 'pending'"),
              sqlite_where=text("resolution = 'pending'")),
        Index("ix_access_request_resolved", "resolution", "created_at"),
        Index("uq_access_request_pending", "identity_id", "entitlement", "kind", unique=True,
              postgresql_where=text("resolution = 'pending'"), sqlite_where=text("resolution = 'pending'")),
        STRICT,
    )  # fmt: skip
    id: str = Field(sa_column=Column(String(36), primary_key=True))
    kind: str = words()
    identity_id: str = id_of("identity.id", index=True)
    engagement_id: str = id_of("engagement.id")
    entitlement: str = words()
    requester_id: str = id_of("member.id", index=True)
    asked_seconds: int = count()
    at_once: int = count()
    window_seconds: int = count()
    """How long after the approval it may be activated."""
    reason: str = words()
    grant_id: str = words()
    """The grant that is to be extended or renewed."""
    until_day: date | None = Field(default=None, sa_column=Column(Date))
    """Last day of a bridge, inclusive."""
    approvals_needed: int = Field(sa_column=Column(Integer, nullable=False))
    god: int = count()
    exception: int = count()
    terms: str = words()
    revision: int = count(1)
    resolution: str = words("pending")
    batch: str = words()
    """Set where one person asked for several at once."""
    created_at: datetime = instant(required=True)
    expires_at: datetime = instant(required=True)
    resolved_at: datetime | None = instant()
    eligible_until: datetime | None = instant()
    activated_at: datetime | None = instant()
    made_grant: str = words()
    seen_by: str = words()
    seen_at: datetime | None = instant()
    escalated_at: datetime | None = instant()


class ReviewRow(Table, table=True):
    """One person's verdict on one revision of a request."""

    __tablename__ = "request_review"
    __table_args__ = (Unique("request_id", "revision", "reviewer_id"), STRICT)
    id: int | None = Field(default=None, sa_column=Column(ROW_ID, primary_key=True))
    request_id: str = id_of("access_request.id")
    revision: int = count(1)
    reviewer_id: str = id_of("member.id")
    verdict: str = words()
    note: str = words()
    longest_seconds: int | None = Field(default=None, sa_column=Column(BigInteger))
    terms: str = words()
    at: datetime = instant(required=True)


class RenewalRow(Table, table=True):
    """The question whether a contract goes on, and its answer; asked once for each last day."""

    __tablename__ = "renewal"
    __table_args__ = (
        Unique("engagement_id", "last_day"), Index("ix_renewal_sponsor_key", "sponsor_key", "last_day"), STRICT,
    )  # fmt: skip
    id: int | None = Field(default=None, sa_column=Column(ROW_ID, primary_key=True))
    engagement_id: str = id_of("engagement.id")
    last_day: date = Field(sa_column=Column(Date, nullable=False))
    sponsor_key: str = words()
    asked_at: datetime = instant(required=True)
    answer: str = words()
    """Empty until answered; no answer means that it lapses."""
    proposed_day: date | None = Field(default=None, sa_column=Column(Date))
    note: str = words()
    answered_by: str = words()
    answered_at: datetime | None = instant()
    told_days: int = Field(default=31, sa_column=Column(Integer, nullable=False, server_default="31"))
    """Days before the last day of the last message to the sponsor."""
    worker_told_days: int = Field(default=31, sa_column=Column(Integer, nullable=False, server_default="31"))
    """The same for the person whose contract it is."""
    handled_by: str = words()
    handled_at: datetime | None = instant()


class CutOffRow(Table, table=True):
    """That a person ended somebody's access at once, and who undid it."""

    __tablename__ = "cut_off"
    __table_args__ = (Index("ix_cut_off_by_member", "by_member", "at"), STRICT)
    id: int | None = Field(default=None, sa_column=Column(ROW_ID, primary_key=True))
    identity_id: str = id_of("identity.id", index=True)
    by_member: str = id_of("member.id")
    at: datetime = instant(required=True)
    reason: str = words()
    request_id: str = words()
    undone_by: str = words()
    undone_at: datetime | None = instant()
    undo_reason: str = words()


class HandoverRow(Table, table=True):
    """Something to be handed over before a contract ends."""

    __tablename__ = "handover"
    __table_args__ = (STRICT,)
    id: int | None = Field(default=None, sa_column=Column(ROW_ID, primary_key=True))
    engagement_id: str = id_of("engagement.id", index=True)
    task: str = words()
    receiver: str = words()
    added_by: str = words()
    added_at: datetime = instant(required=True)
    done_by: str = words()
    done_at: datetime | None = instant()
