"""Reading whole files in tests: bytes in, everything that was said about them out."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import xlsxwriter

from lifecycle.domain.roster import Complaint, Repairs, RosterRow
from lifecycle.feed.profile import Profile
from lifecycle.feed.read import FileLimits, Unreadable, read_roster

COLUMNS = {
    "worker_id": "Worker ID", "reference": "Contract", "name": "Name", "vendor": "Vendor", "site": "Site",
    "first_day": "First day", "last_day": "Last day",
}  # fmt: skip
SITES = {"berlin": "Europe/Berlin", "manila": "Asia/Manila"}
HEADER = "Worker ID,Contract,Name,Vendor,Site,First day,Last day"
OK = "W1,C1,Ada,V,berlin,2026-01-01,2026-03-31"
GOOD = (
    f"{HEADER}\n"
    "W1,C1,Ada Byron,Northgate,berlin,2026-01-01,2026-03-31\n"
    "W2,C2,Zoë Ångström,Brightline,manila,2026-02-01,2026-12-31\n"
)
ROW: list[object] = [1001, "C1", "Ada", "V", "berlin", date(2026, 1, 1), date(2026, 3, 31)]


@dataclass(frozen=True)
class Reading:
    """What was read of a file; with a complaint about the file as a whole no row counts."""

    rows: list[RosterRow]
    complaints: list[Complaint]
    lines: int = 0
    aside: int = 0
    complained: int = 0


def profile(**changes: object) -> Profile:
    """Make the layout of `GOOD`."""
    return Profile("plain", **{"columns": COLUMNS, "site_zones": SITES, **changes})  # type: ignore[arg-type]


def lines(*texts: str) -> str:
    """Put *texts* below the header of `GOOD`."""
    return "\n".join([HEADER, *texts]) + "\n"


def read_path(
    path: Path,
    layout: Profile,
    repairs: Repairs = Repairs(),  # noqa: B008 - frozen
    limits: FileLimits = FileLimits(),  # noqa: B008 - frozen
) -> Reading:
    """Read a file to its end."""
    rows: list[RosterRow] = []
    complaints: list[Complaint] = []
    try:
        reader = read_roster(path, layout, repairs, limits)
        for batch in reader.batches():
            rows += batch.rows
            complaints += batch.complaints
    except Unreadable as exc:
        return Reading([], list(exc.complaints))
    assert reader.lines == len(rows) + reader.complained + reader.aside
    return Reading(rows, complaints, reader.lines, reader.aside, reader.complained)


def read(
    content: str | bytes, *, repairs: Repairs | None = None, limits: FileLimits | None = None, **changes: object
) -> Reading:
    """Read a file with *content*."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "roster"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_path(path, profile(**changes), repairs or Repairs(), limits or FileLimits())


def workbook(fill: Callable[[xlsxwriter.Workbook], None], **options: object) -> bytes:
    """Write a workbook."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, **options})
    fill(book)
    book.close()
    return out.getvalue()


def sheet(book: xlsxwriter.Workbook, *rows: list[object], name: str = "Roster") -> xlsxwriter.worksheet.Worksheet:
    """Write a sheet with the header of `GOOD`; text that begins with = is a formula."""
    page, as_date = book.add_worksheet(name), book.add_format({"num_format": "yyyy-mm-dd"})
    page.write_row(0, 0, HEADER.split(","))
    for n, cells in enumerate(rows, start=1):
        for m, cell in enumerate(cells):
            if isinstance(cell, date):
                page.write_datetime(n, m, datetime(cell.year, cell.month, cell.day), as_date)  # noqa: DTZ001
            else:
                page.write(n, m, cell)
    return page
