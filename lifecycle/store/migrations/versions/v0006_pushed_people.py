"""What HR's systems push: pushes on their way, and the people whom SCIM clients keep here."""

import sqlalchemy as sa
from alembic import op

from lifecycle.store.types import Document, Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "hr_push",
        sa.Column("n", row_id, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("token_id", sa.Text(), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("way", sa.Text(), server_default="", nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("operations", Document(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("retry_at", Instant(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_hr_push")),
        sa.UniqueConstraint("id", name=op.f("uq_hr_push_id")),
        sqlite_strict=True,
    )
    waiting = sa.text("settled_at IS NULL")
    op.create_index("ix_hr_push_waiting", "hr_push", ["n"], postgresql_where=waiting, sqlite_where=waiting)
    op.create_index("ix_hr_push_settled_at", "hr_push", ["settled_at"])
    op.create_table(
        "scim_user",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("external_id", sa.Text(), server_default="", nullable=False),
        sa.Column("user_name_key", sa.Text(), nullable=False),
        sa.Column("document", Document(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("modified_at", Instant(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scim_user")),
        sa.UniqueConstraint("user_name_key", name=op.f("uq_scim_user_user_name_key")),
        sqlite_strict=True,
    )
    named = sa.text("external_id <> ''")
    op.create_index(
        "uq_scim_user_external_id", "scim_user", ["external_id"],
        unique=True, postgresql_where=named, sqlite_where=named,
    )  # fmt: skip
