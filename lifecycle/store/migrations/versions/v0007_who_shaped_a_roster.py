"""Who has shaped a roster, and whose god mode ends while it is held; rows are not looked for by contract number."""

import sqlalchemy as sa
from alembic import op

from lifecycle.store.types import Document

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("roster_upload", sa.Column("shapers", Document(), server_default="[]", nullable=False))
    op.add_column("roster_upload", sa.Column("god_ends", Document(), server_default="{}", nullable=False))
    op.drop_index("ix_roster_item_reference", "roster_item")
