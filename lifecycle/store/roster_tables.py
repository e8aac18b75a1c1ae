"""Tables of rosters on their way: files received, what each of their rows would do, sources, and who releases what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, String, Text
from sqlmodel import Field

from lifecycle.store.tables import ROW_ID, STRICT, Table, count, instant, words
from lifecycle.store.types import Document


def _document() -> Any:
    return Field(sa_column=Column(Document, nullable=False))


class RosterUploadRow(Table, table=True):
    """A file that was received, from its arrival until it is applied, discarded or refused."""

    __tablename__ = "roster_upload"
    __table_args__ = (
        Index("ix_roster_upload_state", "state", "received_at"),
        Index("ix_roster_upload_source", "source", "received_at"),
        STRICT,
    )
    id: str = Field(sa_column=Column(String(36), primary_key=True))
    state: str = words()
    """One of `lifecycle.services.upload_views.State`."""
    way: str = words()
    """``browser``, ``cli``, ``folder``, ``sftp``, ``https``, ``push`` or ``scim``."""
    actor: str = words()
    """Whoever sent it, as the trail names them."""
    member_id: str = words()
    """Of whoever sent it in a browser; they release nothing of it."""
    file_name: str = words()
    sha256: str = words()
    size: int = count()
    received_at: datetime = instant(required=True)
    as_of: datetime | None = instant()
    """When the file was made, as far as that is known."""
    canary: str = words()
    """Worker id that must be in it."""
    profile: str = words()
    """Name of the profile; empty until one is chosen or recognised."""
    source: str = words()
    """Whose numbering it uses; empty until there is a layout."""
    layout: dict[str, Any] = _document()
    """The profile as it was when it was chosen, so that changing the profile changes no upload under way."""
    repairs: dict[str, Any] = _document()
    header: list[str] = _document()
    last_line: str = words()
    """``ended``, or ``open`` where it has no end; empty until it is read, and for files not made of lines."""
    lines: int = count()
    """Lines of the file with something in them, the header not counted; while it is read, those read so far."""
    octets: int = count()
    """Of the file, read so far."""
    counts: dict[str, int] = _document()
    totals: dict[str, int] = _document()
    """`lifecycle.domain.consequence.Weight` to rows."""
    guard: list[dict[str, Any]] = _document()
    """Why two more people must agree; empty when nobody must."""
    digest: str = words()
    """Of everything that was shown; a confirmation names it."""
    digest_of_new: str = words()
    """Of what new contracts would be; with the same `base` it need not be worked out again."""
    base: str = words()
    """Id of the last import of the source that it was compared with."""
    shown_at: datetime | None = instant()
    import_id: str = words()
    note: str = words()
    error: str = words()
    confirmer_id: str = words()
    """Of the member who has confirmed what is held; they release nothing of it either."""
    shapers: list[str] = Field(sa_column=Column(Document, nullable=False, server_default="[]"), default=[])
    """Ids of members who have matched its columns or repaired its rows; they release nothing of it either."""
    god_ends: dict[str, str] = Field(sa_column=Column(Document, nullable=False, server_default="{}"), default={})
    """Contract id to the instant at which god mode ends because of it, though it is held."""
    settled_at: datetime | None = instant()
    """When somebody rejected it."""
    held: int = count()
    """Whether the guard has held it; it stays so until two people have released it."""
    worker: str = words()
    """Who reads or applies it just now; whoever finds another name here stops."""
    beat_at: datetime | None = instant()
    """When that one last showed that it lives; wall time."""


class RosterItemRow(Table, table=True):
    """One row of an upload that changes something or cannot be used; rows that change nothing are not kept."""

    __tablename__ = "roster_item"
    __table_args__ = (
        Index("ix_roster_item_kind", "upload_id", "kind", "n"),
        Index("ix_roster_item_worker_id", "upload_id", "worker_id", "n"),
        STRICT,
    )
    upload_id: str = Field(sa_column=Column(String(36), primary_key=True))
    n: int = Field(sa_column=Column(ROW_ID, primary_key=True, autoincrement=False))
    kind: str = words()
    """One of `lifecycle.services.comparison.Kind`; empty between reading and comparing."""
    cause: str = words()
    line: int = count()
    worker_id: str = words()
    reference: str = words()
    name: str = words()
    search: str = words()
    identity_id: str = words()
    engagement_id: str = words()
    weight: str = words()
    said: str = words()
    """What it does to access, or why it cannot be used, in words."""
    facts: Any = _document()
    """The row as read, the changes, or the complaint."""
    digest: str = words()
    """Of the row's facts; a later file that says the same changes nothing."""


class RosterProfileRow(Table, table=True):
    """A layout that somebody has matched in a browser, beside those in the configuration."""

    __tablename__ = "roster_profile"
    __table_args__ = (STRICT,)
    name: str = Field(sa_column=Column(Text, primary_key=True))
    document: dict[str, Any] = _document()
    saved_by: str = words()
    saved_at: datetime = instant(required=True)


class RosterSourceRow(Table, table=True):
    """How a source of rosters stands."""

    __tablename__ = "roster_source"
    __table_args__ = (STRICT,)
    name: str = Field(sa_column=Column(Text, primary_key=True))
    checked_at: datetime | None = instant()
    """When it was last looked for something new."""
    answered_at: datetime | None = instant()
    """When that last succeeded, whether or not there was anything new."""
    error: str = words()
    failing_since: datetime | None = instant()
    accepted_at: datetime | None = instant()
    """When a file of it was last confirmed, or found to be the one confirmed already."""
    as_of: datetime | None = instant()
    """When the newest confirmed file was made, as far as that is known."""
    import_id: str = words()
    headers: dict[str, list[str]] = _document()
    """Profile to the header of its last confirmed file."""
    frozen_at: datetime | None = instant()
    frozen_by: str = words()
    frozen_because: str = words()
    seen: dict[str, Any] = _document()
    """What the way in remembers, such as the mark of the file it took last."""


class SurpriseRow(Table, table=True):
    """That a roster took access from somebody sooner than anybody had known a day before."""

    __tablename__ = "surprise_removal"
    __table_args__ = (Index("ix_surprise_removal_at", "at"), STRICT)
    import_id: str = Field(sa_column=Column(String(36), primary_key=True))
    identity_id: str = Field(sa_column=Column(String(36), primary_key=True))
    vendor: str = words()
    lost: list[str] = _document()
    """Keys of the entitlements."""
    at: datetime = instant(required=True)


class BatchReviewRow(Table, table=True):
    """One person's verdict on a held roster."""

    __tablename__ = "batch_review"
    __table_args__ = (STRICT,)
    upload_id: str = Field(sa_column=Column(String(36), primary_key=True))
    member_id: str = Field(sa_column=Column(String(36), primary_key=True))
    verdict: str = words()
    note: str = words()
    digest: str = words()
    """`RosterUploadRow.digest` as it was shown to them."""
    at: datetime = instant(required=True)
