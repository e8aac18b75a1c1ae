"""Whether the last line of a roster file has an end; of files before nobody knows."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("roster_upload", sa.Column("last_line", sa.Text(), server_default="", nullable=False))
