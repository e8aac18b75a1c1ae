"""CSV: strict about encoding, quotes and NUL, because Python's reader alone is not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from lifecycle.feed.table import Table, refuse

OTHER_DELIMITERS = (",", ";", "\t", "|")
CODECS = {"utf-8": "utf-8-sig", "mac-roman": "mac_roman"}
NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}


def read_csv(content: bytes, *, encoding: str, delimiter: str) -> Table:
    """
    Read *content* as CSV.

    Raises:
        Unreadable: Empty, wrong encoding, NUL, broken quotes in the header, wrong delimiter.
    """
    text = _decoded(content, encoding)
    nul = text.find("\0")
    if nul >= 0:
        line = text.count("\n", 0, nul) + 1
        remedy = "The file is damaged or not text; ask the vendor to export it again."
        raise refuse(line, "NUL", "text without NUL characters", remedy)
    records = _records(text, delimiter)
    first = next(records, None)
    if first is None:
        raise refuse(0, "", "a header line and at least one row", "The file is empty; ask the vendor to send it again.")
    line, header = first
    names = [cell.strip() for cell in header]
    _check_delimiter(line, names, delimiter)
    return Table(names, line, records)


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(CODECS.get(encoding, encoding))
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        found = " ".join(f"{octet:02X}" for octet in content[exc.start : exc.start + 4])
        remedy = 'Save it as "CSV UTF-8", or set encoding in the profile to what the vendor uses.'
        raise refuse(line, f"bytes {found}", f"{encoding} text", remedy) from exc


def _records(text: str, delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    began = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield began, cells
            began = reader.line_num + 1
    except csv.Error as exc:
        remedy = "Look for a quotation mark that is not closed or not doubled, from this line on."
        raise refuse(began, str(exc), "fields whose quotation marks are closed", remedy) from exc


def _check_delimiter(line: int, names: Sequence[str], delimiter: str) -> None:
    if len(names) > 1:
        return
    other = next((d for d in OTHER_DELIMITERS if d != delimiter and d in names[0]), None)
    if other:
        raise refuse(
            line,
            names[0][:60],
            f"columns separated by {NAMES.get(delimiter, delimiter)}",
            f"The file seems to use {NAMES[other]}; set delimiter in the profile.",
        )
