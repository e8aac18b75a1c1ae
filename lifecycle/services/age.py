"""How old a roster is, against what was confirmed."""

from __future__ import annotations

from datetime import datetime

from lifecycle.domain.roster import Scope
from lifecycle.services.upload_views import Upload
from lifecycle.store import roster_imports, roster_items
from lifecycle.store.unit import Unit


def why_too_old(unit: Unit, upload: Upload) -> str:
    """Say why a file is older than what was confirmed; empty when it is not, or nobody knows."""
    same = roster_imports.import_of_file(unit, upload.source, upload.sha256)
    last = roster_imports.last_import(unit, upload.source)
    newer = bool(upload.as_of and last and upload.as_of >= (last.as_of or last.confirmed_at))
    if same is not None and last is not None and same.id != last.id and not newer:
        when = f"{same.confirmed_at:%-d %B %Y, %H:%M} UTC"
        way_out = " If it is to count again, upload it with the day it was made." if upload.way == "browser" else ""
        return f"This is the file of {when}; a newer one was confirmed since.{way_out}"
    return _made_before(upload, roster_imports.newest(unit, upload.source, "" if is_full(upload) else upload.profile))


def _made_before(upload: Upload, newest: datetime | None) -> str:
    if upload.as_of is None or newest is None or upload.as_of >= newest:
        return ""
    made, last_made = f"{upload.as_of:%-d %B %Y, %H:%M}", f"{newest:%-d %B %Y, %H:%M}"
    return f"It was made {made} UTC, before the last confirmed one of {last_made} UTC. Ask for a new one."


def why_overtaken(unit: Unit, upload: Upload) -> str:
    """
    Say why nothing may come of a file any more, by what was confirmed while it waited; empty where something may.

    A file of changes is overtaken contract by contract, see `overtaken`: of others it says what nobody else has said.
    """
    if is_full(upload):
        return why_too_old(unit, upload)
    newest = roster_imports.newest_full(unit, upload.source)
    return _made_before(upload, newest)


def overtaken(unit: Unit, upload: Upload) -> frozenset[str]:
    """Return the ids of contracts that a file of changes made later, and confirmed already, has spoken of."""
    if is_full(upload):
        return frozenset()
    made = upload.as_of or upload.received_at
    return roster_items.spoken_of_later(unit, upload.source, upload.id, made)


def is_full(upload: Upload) -> bool:
    """Say whether everybody of its source is in an upload, so that an older one would undo what others have said."""
    return upload.layout is not None and upload.layout.scope is Scope.FULL
