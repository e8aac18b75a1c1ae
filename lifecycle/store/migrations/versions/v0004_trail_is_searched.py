"""The trail is searched by actor, action, object, request and day, newest first, without reading all of it."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes; that on objects gets the order of the chain too."""
    op.drop_index("ix_audit_object", "audit")
    for column in ("actor", "action", "object", "request", "at"):
        op.create_index(f"ix_audit_{column}", "audit", [column, "seq"], unique=False)
