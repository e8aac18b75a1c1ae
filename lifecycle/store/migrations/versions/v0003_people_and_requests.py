"""People who sign in, what they ask for and decide, and what they are told. Sessions from before end."""

import sqlalchemy as sa
from alembic import op

from lifecycle.store.types import Document, Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _decisions_about_contracts()
    _members()
    _sign_in()
    _requests()
    _decisions()
    _notices()
    _members_who_were_operators()


def _decisions_about_contracts() -> None:
    op.add_column("access_grant", sa.Column("exception", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("engagement", sa.Column("sponsor_key", sa.Text(), server_default="", nullable=False))
    op.add_column("engagement", sa.Column("bridged_day", sa.Date(), nullable=True))
    op.add_column("engagement", sa.Column("bridge_until", sa.Date(), nullable=True))
    op.execute("INSERT INTO product_state (name, value) VALUES ('request.number', '2041')")
    op.execute("UPDATE engagement SET sponsor_key = lower(trim(sponsor))")
    op.create_index("ix_engagement_sponsor_key", "engagement", ["sponsor_key", "last_day"], unique=False)
    op.add_column("identity", sa.Column("cut_off_at", Instant(), nullable=True))
    op.add_column("identity", sa.Column("god_withheld", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("identity", sa.Column("search", sa.Text(), server_default="", nullable=False))
    op.execute("UPDATE identity SET search = lower(name || ' ' || worker_id || ' ' || email)")
    op.create_index("ix_identity_name", "identity", ["name", "id"], unique=False)
    for key, column in (("email_key", "email"), ("worker_key", "worker_id")):
        op.add_column("identity", sa.Column(key, sa.Text(), server_default="", nullable=False))
        op.execute(f"UPDATE identity SET {key} = lower(trim({column}))")  # noqa: S608 - the two names above
        op.create_index(f"ix_identity_{key}", "identity", [key], unique=False)


def _members_who_were_operators() -> None:
    op.execute(
        "INSERT INTO member (id, provider, subject, login, login_key, name, roles, roles_since, password_hash, "
        "created_at, disabled_at) SELECT id, 'local', lower(login), login, lower(login), name, "
        "'[\"' || role || '\"]', created_at, "
        "password_hash, created_at, disabled_at FROM operator"
    )
    op.drop_table("operator")


def _members() -> None:
    op.drop_table("web_session")
    op.create_table(
        "member",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("provider", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("login", sa.Text(), server_default="", nullable=False),
        sa.Column("login_key", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("email_key", sa.Text(), server_default="", nullable=False),
        sa.Column("claimed_key", sa.Text(), server_default="", nullable=False),
        sa.Column("employee_id", sa.Text(), server_default="", nullable=False),
        sa.Column("employee_key", sa.Text(), server_default="", nullable=False),
        sa.Column("supervisor", sa.Text(), server_default="", nullable=False),
        sa.Column("roles", Document(), nullable=False),
        sa.Column("roles_since", Instant(), nullable=False),
        sa.Column("password_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("invited_by", sa.Text(), server_default="", nullable=False),
        sa.Column("invited_at", Instant(), nullable=True),
        sa.Column("identity_id", sa.String(length=36), nullable=True),
        sa.Column("employee_since", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=True),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], name=op.f("fk_member_identity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("provider", "subject", name=op.f("uq_member_provider_subject")),
        sqlite_strict=True,
    )
    op.create_index("ix_member_email_key", "member", ["email_key"], unique=False)
    op.create_index("ix_member_login_key", "member", ["login_key"], unique=False)
    op.create_index("ix_member_claimed_key", "member", ["claimed_key"], unique=False)
    op.create_index("ix_member_employee_key", "member", ["employee_key"], unique=False)
    op.create_index("ix_member_identity_id", "member", ["identity_id"], unique=False)
    op.create_table(
        "web_session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Text(), server_default="", nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("method", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("authenticated_at", Instant(), nullable=False),
        sa.Column("challenge", sa.Text(), server_default="", nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_web_session_member_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_web_session")),
        sa.UniqueConstraint("id", name=op.f("uq_web_session_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_web_session_member_id"), "web_session", ["member_id"], unique=False)


def _sign_in() -> None:
    op.create_table(
        "pending_sign_in",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("browser_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("nonce", sa.Text(), server_default="", nullable=False),
        sa.Column("verifier", sa.Text(), server_default="", nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("session_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_pending_sign_in")),
        sqlite_strict=True,
    )
    op.create_table(
        "calendar_feed",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("token_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("everybody", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_calendar_feed_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feed_token_hash")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_calendar_feed_member_id"), "calendar_feed", ["member_id"], unique=False)
    op.create_table(
        "passkey",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("public_key", sa.Text(), server_default="", nullable=False),
        sa.Column("sign_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_passkey_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_passkey_member_id"), "passkey", ["member_id"], unique=False)
    op.create_table(
        "service_token",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("prefix", sa.Text(), server_default="", nullable=False),
        sa.Column("token_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("scopes", Document(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["member.id"], name=op.f("fk_service_token_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_service_token_token_hash")),
        sqlite_strict=True,
    )


def _requests() -> None:
    op.create_table(
        "access_request",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("identity_id", sa.String(length=36), nullable=False),
        sa.Column("engagement_id", sa.String(length=36), nullable=False),
        sa.Column("entitlement", sa.Text(), server_default="", nullable=False),
        sa.Column("requester_id", sa.String(length=36), nullable=False),
        sa.Column("asked_seconds", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("at_once", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("window_seconds", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("grant_id", sa.Text(), server_default="", nullable=False),
        sa.Column("until_day", sa.Date(), nullable=True),
        sa.Column("approvals_needed", sa.Integer(), nullable=False),
        sa.Column("god", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("exception", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("terms", sa.Text(), server_default="", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("resolution", sa.Text(), server_default="pending", nullable=False),
        sa.Column("batch", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("resolved_at", Instant(), nullable=True),
        sa.Column("eligible_until", Instant(), nullable=True),
        sa.Column("activated_at", Instant(), nullable=True),
        sa.Column("made_grant", sa.Text(), server_default="", nullable=False),
        sa.Column("seen_by", sa.Text(), server_default="", nullable=False),
        sa.Column("seen_at", Instant(), nullable=True),
        sa.Column("escalated_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_access_request_engagement_id")),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], name=op.f("fk_access_request_identity_id")),
        sa.ForeignKeyConstraint(["requester_id"], ["member.id"], name=op.f("fk_access_request_requester_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_request")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_access_request_identity_id"), "access_request", ["identity_id"], unique=False)
    op.create_index(
        "ix_access_request_pending",
        "access_request",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("resolution = 'pending'"),
        sqlite_where=sa.text("resolution = 'pending'"),
    )
    op.create_index(op.f("ix_access_request_requester_id"), "access_request", ["requester_id"], unique=False)
    op.create_index(
        "uq_access_request_pending",
        "access_request",
        ["identity_id", "entitlement", "kind"],
        unique=True,
        postgresql_where=sa.text("resolution = 'pending'"),
        sqlite_where=sa.text("resolution = 'pending'"),
    )
    op.create_index("ix_access_request_resolved", "access_request", ["resolution", "created_at"], unique=False)
    op.create_table(
        "request_review",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("reviewer_id", sa.String(length=36), nullable=False),
        sa.Column("verdict", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("longest_seconds", sa.BigInteger(), nullable=True),
        sa.Column("terms", sa.Text(), server_default="", nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["access_request.id"], name=op.f("fk_request_review_request_id")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["member.id"], name=op.f("fk_request_review_reviewer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_review")),
        sa.UniqueConstraint(
            "request_id", "revision", "reviewer_id", name=op.f("uq_request_review_request_id_revision_reviewer_id")
        ),
        sqlite_strict=True,
    )


def _decisions() -> None:
    op.create_table(
        "cut_off",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("identity_id", sa.String(length=36), nullable=False),
        sa.Column("by_member", sa.String(length=36), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("request_id", sa.Text(), server_default="", nullable=False),
        sa.Column("undone_by", sa.Text(), server_default="", nullable=False),
        sa.Column("undone_at", Instant(), nullable=True),
        sa.Column("undo_reason", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["by_member"], ["member.id"], name=op.f("fk_cut_off_by_member")),
        sa.ForeignKeyConstraint(["identity_id"], ["identity.id"], name=op.f("fk_cut_off_identity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cut_off")),
        sqlite_strict=True,
    )
    op.create_index("ix_cut_off_by_member", "cut_off", ["by_member", "at"], unique=False)
    op.create_index(op.f("ix_cut_off_identity_id"), "cut_off", ["identity_id"], unique=False)
    op.create_table(
        "handover",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("engagement_id", sa.String(length=36), nullable=False),
        sa.Column("task", sa.Text(), server_default="", nullable=False),
        sa.Column("receiver", sa.Text(), server_default="", nullable=False),
        sa.Column("added_by", sa.Text(), server_default="", nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("done_by", sa.Text(), server_default="", nullable=False),
        sa.Column("done_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_handover_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_handover_engagement_id"), "handover", ["engagement_id"], unique=False)
    op.create_table(
        "renewal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("engagement_id", sa.String(length=36), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("sponsor_key", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("proposed_day", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_by", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("told_days", sa.Integer(), server_default="31", nullable=False),
        sa.Column("worker_told_days", sa.Integer(), server_default="31", nullable=False),
        sa.Column("handled_by", sa.Text(), server_default="", nullable=False),
        sa.Column("handled_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["engagement_id"], ["engagement.id"], name=op.f("fk_renewal_engagement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renewal")),
        sa.UniqueConstraint("engagement_id", "last_day", name=op.f("uq_renewal_engagement_id_last_day")),
        sqlite_strict=True,
    )
    op.create_index("ix_renewal_sponsor_key", "renewal", ["sponsor_key", "last_day"], unique=False)


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.Text(), server_default="", nullable=False),
        sa.Column("recipient", sa.Text(), server_default="", nullable=False),
        sa.Column("topic", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("link", sa.Text(), server_default="", nullable=False),
        sa.Column("about", sa.Text(), server_default="", nullable=False),
        sa.Column("dedupe", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("retry_at", Instant(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("failing_since", Instant(), nullable=True),
        sa.Column("delivered_at", Instant(), nullable=True),
        sa.Column("dropped_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("dedupe", name=op.f("uq_notice_dedupe")),
        sqlite_strict=True,
    )
    op.create_index("ix_notice_about", "notice", ["about"], unique=False)
    op.create_index(
        "ix_notice_waiting",
        "notice",
        ["retry_at"],
        unique=False,
        postgresql_where=sa.text("delivered_at IS NULL AND dropped_at IS NULL"),
        sqlite_where=sa.text("delivered_at IS NULL AND dropped_at IS NULL"),
    )
