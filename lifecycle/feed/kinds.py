"""What kind of file it is, by its content and never by its name."""

from __future__ import annotations

from pathlib import Path

from lifecycle.feed.csv_file import CsvFile
from lifecycle.feed.profile import Profile
from lifecycle.feed.table import FileLimits, Source


def source_of(path: Path, profile: Profile, limits: FileLimits) -> Source:
    return CsvFile(path, encoding=profile.encoding, delimiter=profile.delimiter, limits=limits)
