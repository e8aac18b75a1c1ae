"""Everything that the main job needs."""

import sqlalchemy as sa
from alembic import op

from lifecycle.store.types import Document, Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("on_behalf", sa.Text(), server_default="", nullable=False),
        sa.Column("action", sa.Text(), server_default="", nullable=False),
        sa.Column("object", sa.Text(), server_default="", nullable=False),
        sa.Column("before", Document(), nullable=False),
        sa.Column("after", Document(), nullable=False),
        sa.Column("request", sa.Text(), server_default="", nullable=False),
        sa.Column("prev", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_hash")),
        sa.UniqueConstraint("prev", name=op.f("uq_audit_prev")),
        sqlite_strict=True,
    )
    op.create_index("ix_audit_object", "audit", ["object"], unique=False)

    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
        sqlite_strict=True,
    )
    op.create_table(
        "entitlement_binding",
        sa.Column("entitlement", sa.Text(), nullable=False),
        sa.Column("locator", sa.Text(), server_default="", nullable=False),
        sa.Column("native_id", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("entitlement", name=op.f("pk_entitlement_binding")),
        sqlite_strict=True,
    )
    op.create_table(
        "identity",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("worker_id", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
        sqlite_strict=True,
    )
    op.create_index("ix_identity_source_worker_id", "identity", ["source", "worker_id"], unique=False)

    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
        sqlite_strict=True,
    )
    op.create_table(
        "operator",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("login", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.Text(), server_default="", nullable=False),
        sa.Column("password_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator")),
        sa.UniqueConstraint("login", name=op.f("uq_operator_login")),
        sqlite_strict=True,
    )
    op.create_table(
        "product_state",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", Document(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_product_state")),
        sqlite_strict=True,
    )
    op.create_table(
        "roster_import",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("profile", sa.Text(), server_default="", nullable=False),
        sa.Column("scope", sa.Text(), server_default="", nullable=False),
        sa.Column("file_name", sa.Text(), server_default="", nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("counts", Document(), nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("confirmed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_import")),
        sqlite_strict=True,
    )
    op.create_index("ix_roster_import_profile", "roster_import", ["profile", "confirmed_at"], unique=False)

    op.create_table(
        "stray",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("entitlement", sa.Text(), server_default="", nullable=False),
        sa.Column("native_id", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stray")),
        sqlite_strict=True,
    )
    op.create_index(
        "uq_stray_open",
        "stray",
        ["entitlement", "native_id"],
        unique=True,
        postgresql_where=sa.text("until IS NULL"),
        sqlite_where=sa.text("until IS NULL"),
    )

    op.create_table(
        "target_health",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="", nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("reconciled_at", Instant(), nullable=True),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("capabilities", Document(), nullable=False),
        sa.Column("findings", Document(), nullable=False),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_target_health")),
        sqlite_strict=True,
    )
    op.create_table(
        "target_hour",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("hour", Instant(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("target", "hour", name=op.f("pk_target_hour")),
        sqlite_strict=True,
    )
    op.create_table(
        "account",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("identity_id", sa.String(length=36), nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("native_id", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("observed_at", Instant(), nullable=True),
        sa.Column("disabled", sa.Integer(), nullable=True),
        sa.Column("disabled_here", sa.Integer(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], name=op.f("fk_account_identity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("identity_id", "target", name=op.f("uq_account_identity_id_target")),
        sa.UniqueConstraint("target", "native_id", name=op.f("uq_account_target_native_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "engagement",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("identity_id", sa.String(length=36), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("reference", sa.Text(), server_default="", nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("zone", sa.Text(), server_default="", nullable=False),
        sa.Column("vendor", sa.Text(), server_default="", nullable=False),
        sa.Column("sponsor", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.Text(), server_default="", nullable=False),
        sa.Column("site", sa.Text(), server_default="", nullable=False),
        sa.Column("import_id", sa.Text(), server_default="", nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("next_change_at", Instant(), nullable=True),
        sa.Column("missing_since", Instant(), nullable=True),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_engagement_days_in_order")),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], name=op.f("fk_engagement_identity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engagement")),
        sa.UniqueConstraint("source", "reference", name=op.f("uq_engagement_source_reference")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_engagement_due",
        "engagement",
        ["next_change_at"],
        unique=False,
        postgresql_where=sa.text("next_change_at IS NOT NULL"),
        sqlite_where=sa.text("next_change_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_engagement_identity_id"), "engagement", ["identity_id"], unique=False)
    op.create_index("ix_engagement_last_day", "engagement", ["last_day"], unique=False)

    op.create_table(
        "web_session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("operator_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("authenticated_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["operator_id"], ["operator.id"], name=op.f("fk_web_session_operator_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_web_session")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_web_session_operator_id"), "web_session", ["operator_id"], unique=False)

    op.create_table(
        "work_item",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("identity_id", sa.String(length=36), nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("aspect", sa.Text(), server_default="", nullable=False),
        sa.Column("verb", sa.Text(), server_default="", nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("cause", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("retry_at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.Text(), server_default="", nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("intent_at", Instant(), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("error_kind", sa.Text(), server_default="", nullable=False),
        sa.Column("failing_since", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("state IN ('open', 'done', 'superseded')", name=op.f("ck_work_item_state")),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], name=op.f("fk_work_item_identity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_item")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_work_item_claim",
        "work_item",
        ["target", "priority", "retry_at"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )
    op.create_index("ix_work_item_finished", "work_item", ["finished_at"], unique=False)
    op.create_index(op.f("ix_work_item_identity_id"), "work_item", ["identity_id"], unique=False)
    op.create_index(
        "uq_work_item_open",
        "work_item",
        ["identity_id", "target", "aspect"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )

    op.create_table(
        "access_grant",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("engagement_id", sa.String(length=36), nullable=False),
        sa.Column("entitlement", sa.Text(), server_default="", nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("request", sa.Text(), server_default="", nullable=False),
        sa.Column("approved_by", Document(), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_access_grant_interval")),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_access_grant_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_grant")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_access_grant_engagement_id"), "access_grant", ["engagement_id"], unique=False)

    op.create_table(
        "holding",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("entitlement", sa.Text(), server_default="", nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_holding_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holding")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_holding_account_id"), "holding", ["account_id"], unique=False)
    op.create_index("ix_holding_entitlement", "holding", ["entitlement", "until"], unique=False)
    op.create_index(
        "uq_holding_open",
        "holding",
        ["account_id", "entitlement"],
        unique=True,
        postgresql_where=sa.text("until IS NULL"),
        sqlite_where=sa.text("until IS NULL"),
    )

    op.execute(sa.text("INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, :zero)").bindparams(zero="0" * 64))
