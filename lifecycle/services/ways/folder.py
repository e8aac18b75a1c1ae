"""
A watched folder: what is put into it is taken, and put away beside it.

A file is taken once two looks have seen the same inode, size and time of change and none of them has changed while it
was copied: there is no other sign that a program has finished writing. It is put away only after it was delivered, so
being killed in between means that the same content is delivered again, which changes nothing.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from lifecycle.services.ways.deadline import Deadline
from lifecycle.services.ways.way import (
    CannotFetch,
    Look,
    Outcome,
    TakenFile,
    check_name,
    copy_up_to,
    instant_of,
    is_wanted,
    too_large,
)

Mark = list[int]
"""Inode, size and time of change in nanoseconds, as JSON keeps them."""


@dataclass(frozen=True)
class FolderWay:
    """See `lifecycle.services.ways.way.Way`."""

    path: Path
    pattern: str
    largest: int
    """Octets."""

    @property
    def place(self) -> str:
        """See `Way.place`."""
        return str(self.path)

    def problems(self) -> list[str]:
        """See `Way.problems`."""
        if not self.path.is_dir():
            return [f"the folder {self.path} is not there"]
        if not os.access(self.path, os.R_OK | os.W_OK | os.X_OK):
            return [f"the folder {self.path} can not be read and written: files are moved out of it"]
        return []

    def look(self, seen: Mapping[str, Any], copy: BinaryIO, deadline: Deadline) -> Look:  # noqa: ARG002
        """See `Way.look`. The oldest comes first, and nothing overtakes one that is still written to."""
        before, marks = seen.get("looked", {}), self._marks()
        if not marks:
            return Look({**seen, "looked": {}})
        name = min(marks, key=lambda each: (marks[each][2], each))
        mark = marks[name]
        if before.get(name) != mark:
            words = f"{name} is there; it is taken once it no longer changes."
            return Look({**seen, "looked": marks}, words=words, settling=True)
        if not self._take(name, mark, copy):
            return Look({**seen, "looked": marks}, words=f"{name} has changed while it was read.", settling=True)
        # what came only now is new to the next look, which may follow at once
        settled = {each: m for each, m in marks.items() if each != name and before.get(each) == m}
        file = TakenFile(name, instant_of(mark[2] / 1e9), partial(self._put_away, name, mark))
        return Look({**seen, "looked": settled}, file)

    def _marks(self) -> dict[str, Mark]:
        """List the files that are wanted; links, folders and devices are not."""
        try:
            with os.scandir(self.path) as entries:
                wanted = [entry for entry in entries if is_wanted(entry.name, self.pattern)]
            marks = {entry.name: _mark_of(entry.stat(follow_symlinks=False)) for entry in wanted if _is_file(entry)}
        except FileNotFoundError as exc:
            if self.path.is_dir():  # a file went while it was looked at
                return {}
            raise CannotFetch(f"The folder {self.path} is not there.") from exc
        except OSError as exc:
            raise CannotFetch(f"The folder {self.path} cannot be read: {exc.strerror}.") from exc
        for name in marks:
            check_name(name, self.place)
        return marks

    def _take(self, name: str, mark: Mark, copy: BinaryIO) -> bool:
        """Copy a file; False when it is not, or no longer, the one of *mark*."""
        if mark[1] > self.largest:
            raise too_large(name, self.largest)
        path = self.path / name
        try:
            # a link or a pipe that has taken its place must neither lead elsewhere nor block
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as source:
                if _mark_of(os.fstat(descriptor)) != mark:
                    return False
                copy_up_to(source.read, copy, name=name, largest=self.largest)
                return _mark_of(os.fstat(descriptor)) == mark == _mark_of(path.lstat())
        except FileNotFoundError:
            return False
        except PermissionError as exc:
            raise CannotFetch(f"{path} cannot be read: give the user that this product runs as the right to.") from exc
        except OSError as exc:
            if exc.errno == errno.ELOOP:
                return False
            raise

    def _put_away(self, name: str, mark: Mark, outcome: Outcome) -> None:
        source, folder = self.path / name, self.path / outcome.value
        try:
            if _mark_of(source.lstat()) != mark:
                return  # a newer one has taken its place; the next look sees to it
            folder.mkdir(exist_ok=True)
            target = _reserve(folder, name)
            source.replace(target)
            if _mark_of(target.lstat()) != mark:  # it came in this very instant
                target.replace(_reserve(self.path, name))
        except FileNotFoundError:
            return  # somebody has put it away by hand
        except OSError as exc:
            raise CannotFetch(f"{name} was read, but cannot be moved to {folder}: {exc.strerror}.") from exc


def _is_file(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False)


def _mark_of(found: os.stat_result) -> Mark:
    return [found.st_ino, found.st_size, found.st_mtime_ns] if stat.S_ISREG(found.st_mode) else []


def _numbered(name: str, number: int, longest: int) -> str:
    """Put a number before the ending; of a name that gets too long for it (in octets), the middle is left out."""
    path = Path(name)
    ending = os.fsencode(f"-{number}{path.suffix}")[-longest:]
    stem = os.fsencode(path.stem)[: longest - len(ending)]
    return stem.decode(errors="ignore") + ending.decode(errors="ignore")


def _reserve(folder: Path, name: str) -> Path:
    """Make an empty file of a name that is free, to be replaced by a rename, which would overwrite anything else."""
    longest = os.pathconf(folder, "PC_NAME_MAX")
    for number in count(1):
        target = folder / (name if number == 1 else _numbered(name, number, longest))
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            continue
        return target
    raise AssertionError("there is always a larger number")
