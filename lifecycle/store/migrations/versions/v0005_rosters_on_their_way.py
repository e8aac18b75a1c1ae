"""Rosters on their way: files received, what their rows would do, sources, and who releases what is held."""

import sqlalchemy as sa
from alembic import op

from lifecycle.store.types import Document, Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _columns()
    _uploads()
    _sources()
    _guard()


def _columns() -> None:
    op.add_column("engagement", sa.Column("standing", sa.Text(), server_default="running", nullable=False))
    op.add_column("engagement", sa.Column("actual", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("engagement", sa.Column("row_digest", sa.Text(), server_default="", nullable=False))
    op.add_column("engagement", sa.Column("lapsed_at", Instant(), nullable=True))
    op.add_column("engagement", sa.Column("god_ends_at", Instant(), nullable=True))
    op.add_column("identity", sa.Column("employee_since", Instant(), nullable=True))
    op.add_column("roster_import", sa.Column("number", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("roster_import", sa.Column("source", sa.Text(), server_default="", nullable=False))
    op.add_column("roster_import", sa.Column("upload_id", sa.Text(), server_default="", nullable=False))
    op.add_column("roster_import", sa.Column("as_of", Instant(), nullable=True))
    op.drop_index(op.f("ix_roster_import_profile"), table_name="roster_import")
    op.create_index("ix_roster_import_sha256", "roster_import", ["source", "sha256"], unique=False)
    op.create_index("ix_roster_import_source", "roster_import", ["source", "confirmed_at"], unique=False)
    op.execute("UPDATE roster_import SET source = profile")


def _uploads() -> None:
    op.create_table(
        "roster_item",
        sa.Column("upload_id", sa.String(length=36), nullable=False),
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("cause", sa.Text(), server_default="", nullable=False),
        sa.Column("line", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("worker_id", sa.Text(), server_default="", nullable=False),
        sa.Column("reference", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("search", sa.Text(), server_default="", nullable=False),
        sa.Column("identity_id", sa.Text(), server_default="", nullable=False),
        sa.Column("engagement_id", sa.Text(), server_default="", nullable=False),
        sa.Column("weight", sa.Text(), server_default="", nullable=False),
        sa.Column("said", sa.Text(), server_default="", nullable=False),
        sa.Column("facts", Document(), nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("upload_id", "n", name=op.f("pk_roster_item")),
        sqlite_strict=True,
    )
    op.create_index("ix_roster_item_kind", "roster_item", ["upload_id", "kind", "n"], unique=False)
    op.create_index("ix_roster_item_reference", "roster_item", ["upload_id", "reference"], unique=False)
    op.create_index("ix_roster_item_worker_id", "roster_item", ["upload_id", "worker_id", "n"], unique=False)
    op.create_table(
        "roster_profile",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", Document(), nullable=False),
        sa.Column("saved_by", sa.Text(), server_default="", nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_roster_profile")),
        sqlite_strict=True,
    )
    op.create_table(
        "roster_upload",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("way", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("member_id", sa.Text(), server_default="", nullable=False),
        sa.Column("file_name", sa.Text(), server_default="", nullable=False),
        sa.Column("sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("as_of", Instant(), nullable=True),
        sa.Column("profile", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("layout", Document(), nullable=False),
        sa.Column("repairs", Document(), nullable=False),
        sa.Column("header", Document(), nullable=False),
        sa.Column("lines", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("octets", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("counts", Document(), nullable=False),
        sa.Column("totals", Document(), nullable=False),
        sa.Column("guard", Document(), nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("digest_of_new", sa.Text(), server_default="", nullable=False),
        sa.Column("base", sa.Text(), server_default="", nullable=False),
        sa.Column("shown_at", Instant(), nullable=True),
        sa.Column("import_id", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("confirmer_id", sa.Text(), server_default="", nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("held", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("canary", sa.Text(), server_default="", nullable=False),
        sa.Column("worker", sa.Text(), server_default="", nullable=False),
        sa.Column("beat_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_upload")),
        sqlite_strict=True,
    )
    op.create_index("ix_roster_upload_source", "roster_upload", ["source", "received_at"], unique=False)
    op.create_index("ix_roster_upload_state", "roster_upload", ["state", "received_at"], unique=False)


def _sources() -> None:
    op.create_table(
        "roster_source",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("checked_at", Instant(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("failing_since", Instant(), nullable=True),
        sa.Column("accepted_at", Instant(), nullable=True),
        sa.Column("as_of", Instant(), nullable=True),
        sa.Column("import_id", sa.Text(), server_default="", nullable=False),
        sa.Column("headers", Document(), nullable=False),
        sa.Column("frozen_at", Instant(), nullable=True),
        sa.Column("frozen_by", sa.Text(), server_default="", nullable=False),
        sa.Column("frozen_because", sa.Text(), server_default="", nullable=False),
        sa.Column("seen", Document(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_roster_source")),
        sqlite_strict=True,
    )


def _guard() -> None:
    op.create_table(
        "batch_review",
        sa.Column("upload_id", sa.String(length=36), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("verdict", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("upload_id", "member_id", name=op.f("pk_batch_review")),
        sqlite_strict=True,
    )
    op.create_table(
        "surprise_removal",
        sa.Column("import_id", sa.String(length=36), nullable=False),
        sa.Column("identity_id", sa.String(length=36), nullable=False),
        sa.Column("vendor", sa.Text(), server_default="", nullable=False),
        sa.Column("lost", Document(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "identity_id", name=op.f("pk_surprise_removal")),
        sqlite_strict=True,
    )
    op.create_index("ix_surprise_removal_at", "surprise_removal", ["at"], unique=False)
