"""What kind of file it is, by its content and never by its name."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

from lifecycle.feed.csv_file import CsvFile
from lifecycle.feed.json_file import JsonFile
from lifecycle.feed.profile import Profile
from lifecycle.feed.table import FileLimits, Source, Unreadable, refuse
from lifecycle.feed.xlsx_file import XlsxFile

BEGINNING = 4_096
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\[\s*(?:[\[{\]]|\Z)|\{\s*(?:[\"}]|\Z))")
MARKUP = re.compile(rb"(?i)(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|\?xml|!--|table|workbook)")
OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a compressed file (.gz)"),
    (b"7z\xbc\xaf", "a compressed file (.7z)"),
    (b"Rar!", "a compressed file (.rar)"),
    (b"BZh", "a compressed file (.bz2)"),
    (b"\xfd7zXZ", "a compressed file (.xz)"),
    (b"\x28\xb5\x2f\xfd", "a compressed file (.zst)"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"{\\rtf", "a text document (.rtf)"),
    (b"-----BEGIN PGP", "an encrypted file"),
    (b"SQLite format 3", "a database"),
    (b"PAR1", "a Parquet file"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
)


class Kind(StrEnum):
    """What can be read."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


def kind_of(path: Path) -> Kind:
    """
    Tell the kind of the file at *path*.

    Raises:
        Unreadable: It is something that is no roster at all.
    """
    with path.open("rb") as file:
        beginning = file.read(BEGINNING)
    kind = kind_begun_by(beginning)
    if kind is Kind.XLSX:
        return kind
    if beginning.startswith(b"\xd0\xcf\x11\xe0"):
        raise _old_or_locked(path)
    if MARKUP.match(beginning):
        remedy = "Where it was fetched from, somebody was asked to sign in, perhaps. Fetch it again by hand and look."
        raise refuse(0, "a web page or XML document", "CSV, XLSX or JSON", remedy)
    for mark, name in OTHERS:
        # two letters alone may begin a header; what a program writes after them is no text
        if beginning.startswith(mark) and (len(mark) > 3 or b"\0" in beginning or not beginning.isascii()):
            raise refuse(0, name, "CSV, XLSX or JSON", "Send the roster itself, as CSV or .xlsx.")
    return kind


def kind_begun_by(beginning: bytes) -> Kind:
    """Tell what a file that begins so would be read as, if it is a roster at all."""
    if beginning.startswith(b"PK\x03\x04"):
        return Kind.XLSX
    return Kind.JSON if JSON.match(beginning) else Kind.CSV


def source_of(path: Path, profile: Profile, limits: FileLimits) -> Source:
    """
    Open the file at *path* in its own format.

    Raises:
        Unreadable: It is something that is no roster at all.
    """
    match kind_of(path):
        case Kind.XLSX:
            return XlsxFile(path, sheet=profile.sheet, limits=limits)
        case Kind.JSON:
            keys = {"worker_id", "first_day"} if "worker_id" in profile.columns else {"reference"}
            optional = [column for field, column in profile.columns.items() if field not in keys]
            words = {profile.columns[field] for field in ("status", "worker_type") if field in profile.columns}
            texts = set(profile.columns.values()) - words
            return JsonFile(path, optional=optional, limits=limits, texts=texts, words=words)
        case Kind.CSV:
            return CsvFile(path, encoding=profile.encoding, delimiter=profile.delimiter, limits=limits)


def _old_or_locked(path: Path) -> Unreadable:
    with path.open("rb") as file:
        locked = ENCRYPTED in file.read(2**20)
    if locked:
        remedy = "Remove the password and save it again."
        return refuse(0, "a workbook with a password", "a workbook without a password", remedy)
    return refuse(0, "an old Excel file (.xls)", "CSV or XLSX", "Save it as .xlsx or CSV.")
