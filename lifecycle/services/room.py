"""A disk that is full and a database that cannot be used: named errors, whoever notices first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC
from typing import Any

from sqlalchemy.exc import OperationalError

from lifecycle.domain.errors import LifecycleError

RETRY_SECONDS = 60
"""After which a program should call again."""
FULL = frozenset({ENOSPC, EDQUOT, EFBIG})
"""What file systems say: full, beyond a quota, beyond the largest size of a file here."""


class NoRoom(LifecycleError):
    """The disk is full. Nothing is wrong with what was sent; the same succeeds once there is room."""

    code = "no-room"


@contextmanager
def room() -> Iterator[None]:
    """
    Lend the block, which writes one file.

    Raises:
        NoRoom: If the disk has none for it; removing what was begun is the block's own.
    """
    try:
        yield
    except OSError as exc:
        if not is_full(exc):
            raise
        raise NoRoom("There is no room on the disk for this file; nothing was kept.") from exc


def is_full(error: OSError) -> bool:
    """Say whether the file system has no room."""
    return error.errno in FULL


def words_of(error: OperationalError) -> str:
    """Say to strangers why the database did not do what was asked; its own words may name what is stored."""
    said: Any = error.orig
    if getattr(said, "sqlite_errorname", "") == "SQLITE_FULL" or getattr(said, "sqlstate", "") == "53100":
        return "There is no room on the disk for the database; nothing was kept."
    return "The database cannot be used just now; nothing was kept."
