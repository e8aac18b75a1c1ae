"""Where the bytes of rosters are kept, from their arrival until their time is over."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from lifecycle.domain.errors import LifecycleError
from lifecycle.services.room import room

CHUNK = 2**20


class FileTooLarge(LifecycleError):
    """It has more bytes than the configuration allows."""

    code = "file-too-large"


@dataclass(frozen=True, slots=True)
class Kept:
    """What was stored."""

    sha256: str
    size: int


@dataclass(frozen=True)
class RosterFiles:
    """One file an upload, in one folder that only this product reads."""

    folder: Path
    largest: int
    """Bytes, inclusive."""

    def path(self, upload_id: str) -> Path:
        """Return where the file of an upload is."""
        return self.folder / upload_id

    def lines_path(self, upload_id: str) -> Path:
        """Return where it is kept what the lines of that file have stated; it may be gone at any time."""
        return self.folder / f"{upload_id}.lines"

    def keep(self, upload_id: str, stream: BinaryIO) -> Kept:
        """
        Store *stream* so that it survives a loss of power once this returns; until then there is no such file.

        Raises:
            FileTooLarge: If there are too many bytes.
            NoRoom: If the disk has no room for them.
        """
        with room():
            return self._keep(upload_id, stream)

    def _keep(self, upload_id: str, stream: BinaryIO) -> Kept:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        arriving = self.folder / f"{upload_id}.arriving"
        digest, size = hashlib.sha256(), 0
        try:
            with os.fdopen(os.open(arriving, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                while chunk := stream.read(CHUNK):
                    size += len(chunk)
                    self._check(size)
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            arriving.replace(self.path(upload_id))
        except BaseException:
            arriving.unlink(missing_ok=True)
            raise
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return Kept(digest.hexdigest(), size)

    def _check(self, size: int) -> None:
        if size > self.largest:
            raise FileTooLarge(f"The file has more than {self.largest // 2**20} MiB; split it by vendor.")

    def written_before(self, at: datetime) -> dict[str, list[Path]]:
        """Map upload ids to the files of theirs that were last written before *at* (aware, of the machine's clock)."""
        found: dict[str, list[Path]] = defaultdict(list)
        with suppress(FileNotFoundError):
            for path in self.folder.iterdir():
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < at.timestamp():
                        found[path.name.partition(".")[0]].append(path)
        return found

    def delete(self, upload_id: str) -> None:
        """Delete the file of an upload, if it is still there, and what is kept of its lines."""
        lines = self.lines_path(upload_id)
        for path in (self.path(upload_id), lines, lines.with_name(f"{lines.name}.arriving")):
            path.unlink(missing_ok=True)
