"""Confirmed rosters, as they are told afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lifecycle.domain.errors import NotFound
from lifecycle.store.tables import RosterImportRow
from lifecycle.store.unit import Store


@dataclass(frozen=True)
class Import:
    """One confirmed roster."""

    id: str
    upload_id: str
    """Of the file that was confirmed first; the same file sent again has an upload of its own."""
    profile: str
    source: str
    scope: str
    file_name: str
    sha256: str
    rows: int
    counts: dict[str, int]
    """Kind (`lifecycle.domain.comparison.Kind`) to rows."""
    actor: str
    """Whoever confirmed it, as the trail names them."""
    confirmed_at: datetime
    as_of: datetime | None


@dataclass(frozen=True)
class Imports:
    """Finds confirmed rosters."""

    store: Store

    def find(self, import_id: str) -> Import:
        """
        Return one.

        Raises:
            NotFound: If there is none.
        """
        with self.store.read() as unit:
            row = unit.session.get(RosterImportRow, import_id)
            if row is None:
                raise NotFound("No such roster was ever confirmed.")
            return _shown(row)


def _shown(row: RosterImportRow) -> Import:
    return Import(
        row.id, row.upload_id, row.profile, row.source, row.scope, row.file_name, row.sha256, row.rows,
        dict(row.counts), row.actor, row.confirmed_at, row.as_of,
    )  # fmt: skip
