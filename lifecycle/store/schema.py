"""Bringing a database to this release's schema, and refusing one from a later release."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import make_url

from lifecycle.domain.errors import InvalidSettings
from lifecycle.store.unit import Store

MIGRATION_LOCK = 7_305_411
"""Key of PostgreSQL's advisory lock: two processes that start together migrate once."""


def alembic_config() -> Config:
    """Point Alembic at the migrations of this package."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def prepare(store: Store, revision: str = "head") -> None:
    """
    Create or migrate the schema, all in one transaction.

    Raises:
        InvalidSettings: If the database is from a later release than this program.
    """
    path = make_url(store.url).database
    if store.is_sqlite and path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    config = alembic_config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with store.engine.begin() as connection:
        if not store.is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in known:
            raise InvalidSettings(f"the database is at schema {current}, which is newer than this program")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
