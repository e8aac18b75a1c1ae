"""Reading a whole roster file: rows when it can be trusted, complaints when it cannot."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lifecycle.domain.roster import Complaint, RosterRow, find_conflicts, repeated_rows
from lifecycle.feed.csv_file import read_csv
from lifecycle.feed.profile import Interpreter, Profile
from lifecycle.feed.table import Table, Unreadable
from lifecycle.feed.xlsx_file import read_xlsx

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
LARGEST_FILE = 256 * 2**20
PROGRESS_EVERY = 2_000


@dataclass(frozen=True)
class Reading:
    """What a file holds. With any complaint there are no rows: a file is used whole or not at all."""

    sha256: str
    rows: Sequence[RosterRow]
    complaints: Sequence[Complaint]
    warnings: Sequence[Complaint]
    lines: int
    """Lines with something in them, the header not counted."""


def read_roster(content: bytes, profile: Profile, progress: Callable[[int], None] = lambda _: None) -> Reading:
    """
    Read a roster file.

    Args:
        content: The whole file; CSV, or XLSX by its first bytes.
        profile: How it is laid out.
        progress: Told the number of lines read so far, now and then.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        table = _table(content, profile)
        rows, complaints, lines = _rows(table, profile, progress)
    except Unreadable as exc:
        return Reading(sha256, (), (exc.complaint,), (), 0)
    complaints += find_conflicts(rows)
    if complaints:
        return Reading(sha256, (), tuple(sorted(complaints, key=lambda c: c.line)), (), lines)
    repeated = repeated_rows(rows)
    warnings: tuple[Complaint, ...] = ()
    if repeated:
        remedy = "They were counted once."
        warnings = (Complaint(0, "", f"{repeated} repeated rows", "each contract once", remedy),)
    return Reading(sha256, rows, (), warnings, lines)


def _table(content: bytes, profile: Profile) -> Table:
    if len(content) > LARGEST_FILE:
        remedy = "Split the file by vendor."
        raise Unreadable(Complaint(0, "", f"{len(content):,} bytes", f"at most {LARGEST_FILE:,} bytes", remedy))
    if content.startswith(ZIP):
        return read_xlsx(content, sheet=profile.sheet)
    if content.startswith(OLE):
        remedy = "Save it as .xlsx or CSV."
        raise Unreadable(Complaint(0, "", "an old Excel file (.xls)", "CSV or XLSX", remedy))
    return read_csv(content, encoding=profile.encoding, delimiter=profile.delimiter)


def _rows(
    table: Table, profile: Profile, progress: Callable[[int], None]
) -> tuple[list[RosterRow], list[Complaint], int]:
    interpreter = Interpreter(profile, table)
    if not interpreter.has_all_columns:
        return [], [*interpreter.complaints, *_shared_ids(interpreter, table)], 0
    rows: list[RosterRow] = []
    lines = 0
    for line, cells in table.lines:
        lines += 1
        row = interpreter.row(line, cells)
        if row is not None:
            rows.append(row)
        if lines % PROGRESS_EVERY == 0:
            progress(lines)
    if not lines:
        remedy = "There is only a header. An empty roster is never taken to mean that everybody has left."
        interpreter.complaints.append(Complaint(0, "", "no rows", "at least one row", remedy))
    return rows, interpreter.complaints, lines


def _shared_ids(interpreter: Interpreter, table: Table) -> list[Complaint]:
    """Look through a file whose header is wrong already for ids that name two people, to save a second round."""
    names: dict[str, tuple[int, str]] = {}
    complaints = []
    for line, cells in table.lines:
        worker_id, name = interpreter.worker_of(cells)
        first_line, first = names.setdefault(worker_id, (line, name))
        if worker_id and name != first:
            expected = f"one person for each id, but line {first_line} gives it to {first} and this line to {name}"
            remedy = "Ask the vendor which of the two holds this id, and correct the other line."
            complaints.append(Complaint(line, interpreter.profile.columns["worker_id"], worker_id, expected, remedy))
    return complaints
