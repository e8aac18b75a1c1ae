"""Runs migrations on the connection it is handed; see ``lifecycle.store.schema``."""

from alembic import context

from lifecycle.store import people_tables, push_tables, request_tables, roster_tables  # noqa: F401 - so that every table is known
from lifecycle.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
