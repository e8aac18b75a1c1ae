"""
The parts of a workbook, counted while they are inflated, and only those that a roster needs.

What a spreadsheet reader gets to see is a copy with nothing in it but these parts: what a ZIP file says of itself is
read differently by different programs, and not to be trusted by any.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import BinaryIO

from lifecycle.feed.table import Unreadable, refuse

LARGEST_BYTES = 512 * 2**20
LARGEST_RATIO = 200
LEAST_SIZE = 10_000
"""Archives smaller than this are taken for this size when the ratio is worked out."""
MOST_PARTS = 1_000
CHUNK = 2**18
NEEDED = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|xl/workbook\.xml|xl/_rels/workbook\.xml\.rels|xl/styles\.xml"
    r"|xl/sharedStrings\.xml|xl/worksheets/[^/]+\.xml",
    re.IGNORECASE,
)
LOCAL_HEADER = Struct("<4s22xHH")
ENCRYPTED = 0x1
BROKEN = (zipfile.BadZipFile, zlib.error, StructError, EOFError, ValueError, NotImplementedError, RuntimeError)
"""What a broken archive raises; no `OSError`, which says that the disk is full and nothing of the file."""


def damaged(why: str = "") -> Unreadable:
    """Make the error for a workbook that is broken inside."""
    return refuse(0, why, "an XLSX workbook", "The file is damaged; save it again as .xlsx, or send CSV.")


def parts_of(path: Path) -> dict[str, zipfile.ZipInfo]:
    """
    List the parts of the workbook at *path* that a roster needs.

    Raises:
        Unreadable: No workbook, protected, or out of proportion by what it declares.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (*BROKEN, OSError) as exc:
        raise damaged() from exc
    names = [entry.filename for entry in entries]
    _check_kind(names)
    declared = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_PARTS or declared > allowed(path.stat().st_size):
        raise _out_of_proportion(len(entries), declared, path.stat().st_size)
    if any(entry.flag_bits & ENCRYPTED for entry in entries):
        raise refuse(0, "", "a workbook without a password", "Remove the password and save it again.")
    needed = {entry.filename: entry for entry in entries if NEEDED.fullmatch(entry.filename)}
    if len(needed) != sum(NEEDED.fullmatch(name) is not None for name in names):
        raise damaged("a part twice")
    # what styles mean is known before the cells that have them
    return dict(sorted(needed.items(), key=lambda part: part[0].casefold() != "xl/styles.xml"))


def allowed(size: int) -> int:
    """Return how many bytes an archive of *size* bytes may unpack to."""
    return min(LARGEST_BYTES, LARGEST_RATIO * max(size, LEAST_SIZE))


def copy_parts(path: Path, parts: dict[str, zipfile.ZipInfo], target: Path, look: Callable[[str, bytes], None]) -> None:
    """
    Inflate *parts* into a new archive at *target*.

    Args:
        path: The workbook.
        parts: From `parts_of`.
        target: Where the copy goes; uncompressed.
        look: Told name and bytes of each piece, and empty bytes at the end of a part; may raise.

    Raises:
        Unreadable: A part is broken, or they unpack to more than is in proportion.
    """
    size = path.stat().st_size
    total = 0
    try:
        with path.open("rb") as file, zipfile.ZipFile(target, "w") as copy:
            for name, entry in parts.items():
                with copy.open(zipfile.ZipInfo(name), "w") as part:
                    for piece in _inflated(file, entry):
                        total += len(piece)
                        if total > allowed(size):
                            raise _out_of_proportion(len(parts), total, size)
                        look(name, piece)
                        part.write(piece)
                look(name, b"")
    except BROKEN as exc:
        raise damaged() from exc


def _inflated(file: BinaryIO, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what a part holds, whatever size it claims."""
    if entry.header_offset < 0:
        raise zipfile.BadZipFile
    file.seek(entry.header_offset)
    mark, name, extra = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
    if mark != b"PK\x03\x04" or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise zipfile.BadZipFile
    file.seek(name + extra, 1)
    left = entry.compress_size
    inflate = zlib.decompressobj(-15) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    checksum = 0
    while left > 0:
        packed = file.read(min(CHUNK, left))
        if not packed:
            raise EOFError
        left -= len(packed)
        for piece in [packed] if inflate is None else _unpacked(inflate, packed):
            checksum = zlib.crc32(piece, checksum)
            yield piece
    if checksum != entry.CRC or (inflate is not None and not inflate.eof):
        raise zipfile.BadZipFile


def _unpacked(inflate: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    while packed:
        yield inflate.decompress(packed, CHUNK)
        packed = inflate.unconsumed_tail


def _check_kind(names: list[str]) -> None:
    lower = {name.casefold() for name in names}
    if "xl/workbook.xml" in lower:
        return
    found = "an archive that is no workbook"
    if "xl/workbook.bin" in lower:
        found = "a binary workbook (.xlsb)"
    elif "mimetype" in lower or "content.xml" in lower:
        found = "an OpenDocument file"
    elif "word/document.xml" in lower:
        found = "a Word document"
    elif any(name.startswith("index/") or name.endswith(".iwa") for name in lower):
        found = "a Numbers document"
    raise refuse(
        0, found, "an XLSX workbook or CSV", "Open it in the program it comes from, and save it as .xlsx or CSV."
    )


def _out_of_proportion(parts: int, unpacked: int, size: int) -> Unreadable:
    return refuse(
        0,
        f"{parts} parts, {unpacked:,} bytes unpacked from {size:,}",
        "a workbook in proportion",
        "This is not how a spreadsheet looks inside; save it again or send CSV.",
    )
