"""What every way in does: look at its place, and take a copy of one file that nobody writes to any more."""

from __future__ import annotations

import fnmatch
import hashlib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, BinaryIO, Protocol

from lifecycle.domain.errors import LifecycleError
from lifecycle.services.ways.deadline import Deadline

ETAG = "etag"
"""Under this name it is kept by which a place says that it still has the same."""
PIECE = 1 << 16
"""Octets that are copied at once."""
UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".swp", "~")
"""How programs call a file that they have not finished."""


class CannotFetch(LifecycleError):
    """A place cannot be looked at, or what is there cannot be taken. The message says what a person can do."""

    code = "cannot-fetch"


class Outcome(StrEnum):
    """What became of a file. The folders beside a watched one are called so."""

    ACCEPTED = "accepted"
    WAITING = "waiting"
    """For a person."""
    REFUSED = "refused"


def _nothing(_: Outcome) -> None:
    """Leave the file where it is."""


@dataclass(frozen=True)
class TakenFile:
    """A file of which a whole copy was taken."""

    name: str
    as_of: datetime | None
    """When it was made, as its place says; aware."""
    put_away: Callable[[Outcome], None] = _nothing
    """What is to be done with the original. Raises `CannotFetch`."""
    made_on_asking: bool = False
    """Whether it says what held when it was asked for, where its place does not say when it was made."""

    @property
    def stays(self) -> bool:
        """Whether the original stays where it is, so that another look can take it again."""
        return self.put_away is _nothing


@dataclass(frozen=True)
class Look:
    """What one look has found."""

    seen: dict[str, Any] = field(default_factory=dict)
    """JSON to remember; with a file, only once that was delivered."""
    file: TakenFile | None = None
    words: str = "There is nothing new."
    """A sentence, where there is no file, or it is unchanged."""
    settling: bool = False
    """Something may still be written to: another look soon is worth while."""
    last: bool = False
    """After this file there is nothing more, so looking again at once is of no use."""
    unchanged: bool = False
    """The place has answered with what it had the last time; a file that comes with it is a copy of just that."""
    refused: dict[str, Any] | None = None
    """JSON to remember instead where the file is refused; None: the same."""


def unconditional(seen: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was seen, so that a place sends what it has also where it is the same."""
    return {name: value for name, value in seen.items() if name != ETAG}


class Way(Protocol):
    """One place that files come from."""

    @property
    def place(self) -> str:
        """Name the place for people, without a secret."""
        ...

    def look(self, seen: Mapping[str, Any], copy: BinaryIO, deadline: Deadline) -> Look:
        """
        Look once, and copy the next file that can be taken.

        Args:
            seen: What the last look said to remember; empty before the first.
            copy: Where the file is copied to; empty.
            deadline: Guards every connection that is made.

        Raises:
            CannotFetch: If the place or the file cannot be used now.
        """
        ...

    def problems(self) -> list[str]:
        """List what is wrong with its settings on this machine, without connecting anywhere."""
        ...


@dataclass(frozen=True)
class Copied:
    """What a copy holds."""

    size: int
    sha256: str


def copy_up_to(read: Callable[[int], bytes], copy: BinaryIO, *, name: str, largest: int) -> Copied:
    """
    Copy everything that *read* yields until it yields nothing, and go back to the copy's start.

    Raises:
        CannotFetch: If there are more than *largest* octets, or no room for them.
    """
    size, digest = 0, hashlib.sha256()
    while piece := read(PIECE):
        size += len(piece)
        if size > largest:
            raise too_large(name, largest)
        digest.update(piece)
        _write(copy, piece, name)
    copy.seek(0)
    return Copied(size, digest.hexdigest())


def _write(copy: BinaryIO, piece: bytes, name: str) -> None:
    try:
        copy.write(piece)
        copy.flush()
    except OSError as exc:
        words = f"{name} cannot be kept here: {exc.strerror}. Make room where rosters.folder of config.toml is."
        raise CannotFetch(words) from exc


def too_large(name: str, largest: int) -> CannotFetch:
    """Say that a file is larger than is taken."""
    return CannotFetch(
        f"{name} is larger than {largest / 2**20:g} MiB. If it is a roster, raise rosters.largest_mib in config.toml."
    )


def is_wanted(name: str, pattern: str) -> bool:
    """Say whether a file's name fits, and is neither hidden nor that of an unfinished one."""
    if name.startswith(".") or name.lower().endswith(UNFINISHED):
        return False
    return fnmatch.fnmatchcase(unicodedata.normalize("NFC", name), unicodedata.normalize("NFC", pattern))


def check_name(name: str, place: str) -> None:
    """
    Refuse a name that would lead elsewhere or show people something else than it is.

    Raises:
        CannotFetch: Naming the file in plain characters.
    """
    if "/" in name or "\\" in name or not name.isprintable():
        raise CannotFetch(f"A file in {place} has a name with unusable characters: {name!a}. Rename it.")


def instant_of(seconds: float) -> datetime | None:
    """Return the instant that a file system gives as *seconds* since 1970; None for one that is no instant."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
