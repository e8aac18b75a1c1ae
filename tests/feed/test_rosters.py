"""What files say, what is wrong with them, and that a broken one changes nothing."""

import io
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import example, given
from hypothesis import strategies as st

from lifecycle.domain.roster import Scope
from lifecycle.feed.profile import Profile
from lifecycle.feed.read import Reading, read_roster

COLUMNS = {
    "worker_id": "Worker ID", "reference": "Contract", "name": "Name", "vendor": "Vendor", "site": "Site",
    "first_day": "First day", "last_day": "Last day",
}  # fmt: skip
SITES = {"berlin": "Europe/Berlin", "manila": "Asia/Manila"}
HEADER = "Worker ID,Contract,Name,Vendor,Site,First day,Last day"
GOOD = (
    f"{HEADER}\n"
    "W1,C1,Ada Byron,Northgate,berlin,2026-01-01,2026-03-31\n"
    "W2,C2,Zoë Ångström,Brightline,manila,2026-02-01,2026-12-31\n"
)
SHARED = Path(__file__).parents[3] / "shared/data/rosters"


def profile(**changes: object) -> Profile:
    return Profile("plain", **{"columns": COLUMNS, "site_zones": SITES, **changes})  # type: ignore[arg-type]


def read(text: str | bytes, **changes: object) -> Reading:
    return read_roster(text.encode() if isinstance(text, str) else text, profile(**changes))


def test_a_good_file() -> None:
    reading = read(GOOD)
    assert reading.complaints == ()
    assert [(r.line, r.name, r.zone, r.last_day) for r in reading.rows] == [
        (2, "Ada Byron", "Europe/Berlin", date(2026, 3, 31)),
        (3, "Zoë Ångström", "Asia/Manila", date(2026, 12, 31)),
    ]


def rows(*lines: str) -> str:
    return "\n".join([HEADER, *lines]) + "\n"


OK = "W1,C1,Ada,V,berlin,2026-01-01,2026-03-31"
BROKEN: list[tuple[str, str | bytes, int, str, str, str]] = [
    ("empty", "", 0, "", "", "header"),
    ("blank lines only", "\n\n \n", 0, "", "", "header"),
    ("header only", f"{HEADER}\n", 0, "", "no rows", "at least one row"),
    ("semicolons", GOOD.replace(",", ";"), 1, "", "Worker ID;Contract", "a comma"),
    ("tabs", GOOD.replace(",", "\t"), 1, "", "Worker ID\tContract", "a comma"),
    ("missing column", GOOD.replace("Last day", "End"), 1, "Last day", "", "a column 'Last day'"),
    ("doubled column", GOOD.replace("Vendor", "Name", 1), 1, "Name", "2 columns", "one column 'Name'"),
    ("latin-1", GOOD.encode("latin-1"), 3, "", "bytes EB", "utf-8 text"),
    ("utf-16", GOOD.encode("utf-16"), 1, "", "bytes FF FE", "utf-8 text"),
    ("unclosed quote", rows(OK, OK.replace("Ada", '"Ada').replace("W1", "W3")), 3, "", "", "quotation marks"),
    ("NUL", rows(OK.replace("Ada", "A\0da")), 2, "", "NUL", "without NUL"),
    ("shifted", rows(OK, "W2,C2,Byron, Ada,V,berlin,2026-01-01,2026-03-31"), 3, "", "8 fields", "7 fields"),
    ("truncated", rows(OK, "W2,C2,Grace,V")[:-1], 3, "", "4 fields", "7 fields"),
    ("31 February", rows(OK.replace("2026-03-31", "2026-02-31")), 2, "Last day", "2026-02-31", "YYYY-MM-DD"),
    ("day or month first", rows(OK.replace("2026-03-31", "03/04/2026")), 2, "Last day", "03/04/2026", "YYYY-MM-DD"),
    ("two-digit year", rows(OK.replace("2026-03-31", "31/03/26")), 2, "Last day", "31/03/26", "YYYY-MM-DD"),
    ("Still in office", rows(OK.replace("2026-03-31", "Still in office")), 2, "Last day", "Still in office", "a day"),
    ("no end", rows(OK.replace("2026-03-31", "")), 2, "Last day", "", "a day"),
    ("year 9999", rows(OK.replace("2026-03-31", "9999-12-31")), 2, "Last day", "9999-12-31", "before 2100"),
    ("Excel number", rows(OK.replace("2026-03-31", "46112")), 2, "Last day", "46112", "YYYY-MM-DD"),
    ("end before start", rows(OK.replace("2026-03-31", "2025-12-31")), 2, "Last day", "2025-12-31", "2026-01-01"),
    ("no worker id", rows(OK.replace("W1", "")), 2, "Worker ID", "", "a value"),
    ("no name", rows(OK.replace("Ada", " ")), 2, "Name", "", "a value"),
    ("unknown site", rows(OK.replace("berlin", "atlantis")), 2, "Site", "atlantis", "time zone"),
    ("exponent", rows(OK.replace("W1", "1E5")), 2, "Worker ID", "1E5", "an id"),
    ("bidi override", rows(OK.replace("Ada", "A\u202eda")), 2, "Name", "A\\u202eda", "plain text"),
    ("newline in a name", rows(OK.replace("Ada", '"A\nda"')), 2, "Name", "A\\nda", "plain text"),
    ("one id, two people", rows(OK, OK.replace("Ada", "Grace").replace("C1", "C2")), 3, "worker_id", "W1", "line 2"),
    ("one contract, two ends", rows(OK, OK.replace("03-31", "04-30")), 3, "last_day", "2026-04-30", "2026-03-31"),
    ("old Excel", b"\xd0\xcf\x11\xe0" + b"\0" * 64, 0, "", "old Excel", "XLSX"),
    ("zip of nothing", b"PK\x03\x04rubbish", 0, "", "", "XLSX"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "line", "column", "value", "expected"), BROKEN, ids=[b[0] for b in BROKEN])
def test_every_complaint_says_where_what_and_what_to_do(
    name: str, content: str | bytes, line: int, column: str, value: str, expected: str
) -> None:
    reading = read(content)
    assert reading.rows == ()
    complaint = reading.complaints[0]
    assert (complaint.line, complaint.column) == (line, column), str(complaint)
    assert value in complaint.value
    assert expected in complaint.expected
    assert complaint.remedy.endswith(".")


def test_a_declared_format_is_believed_and_no_other() -> None:
    text = rows(OK.replace("2026-01-01", "01/02/2026").replace("2026-03-31", "31/03/2026"))
    reading = read(text, date_format="%d/%m/%Y")
    assert reading.rows[0].first_day == date(2026, 2, 1)
    wrong = read(text, date_format="%m/%d/%Y")
    assert wrong.complaints[0].value == "31/03/2026"
    assert "other way round" in wrong.complaints[0].remedy


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_newlines_and_byte_order_marks_change_nothing(newline: str, bom: bytes) -> None:
    assert read(bom + GOOD.replace("\n", newline).encode()).rows == read(GOOD).rows


def test_a_declared_encoding_is_used() -> None:
    assert read(GOOD.encode("windows-1252"), encoding="windows-1252").rows[1].name == "Zoë Ångström"


def test_identical_rows_are_counted_once_and_warned_about() -> None:
    reading = read(rows(OK, OK))
    assert reading.complaints == ()
    assert "repeated" in str(reading.warnings[0])


def test_the_zone_may_stand_in_the_row_or_in_the_profile() -> None:
    with_zone = read(rows(OK.replace("berlin", "Asia/Tokyo")), columns={**COLUMNS, "zone": "Site", "site": "Name"})
    assert with_zone.rows == () or with_zone.rows[0].zone == "Asia/Tokyo"
    assert read(rows(OK.replace("berlin", "mars")), zone="UTC").rows[0].zone == "UTC"


def test_a_contract_too_long_is_a_slip_of_the_pen() -> None:
    assert "at most 30 days" in read(rows(OK), longest_days=30).complaints[0].expected


@given(st.integers(0, len(GOOD.encode())))
def test_no_prefix_of_a_good_file_is_read_as_more_than_it_is(length: int) -> None:
    whole = read(GOOD).rows
    for row in read(GOOD.encode()[:length]).rows:
        assert row in whole or length < len(GOOD.encode())


@given(st.binary(max_size=400))
@example(b'"')
@example(b"\xff\xfe")
@example(b"PK\x03\x04")
def test_rubbish_never_crashes_and_never_yields_rows(content: bytes) -> None:
    reading = read(content)
    assert reading.rows == ()
    assert reading.complaints


@given(st.text(max_size=60).map(lambda s: f"{HEADER}\n{s}"))
def test_rubbish_below_a_good_header_is_complained_about(text: str) -> None:
    reading = read(text.encode(errors="surrogatepass"))
    assert bool(reading.rows) is not bool(reading.complaints)


def workbook(fill: Callable[[xlsxwriter.Workbook], None]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    fill(book)
    book.close()
    return out.getvalue()


def sheet(book: xlsxwriter.Workbook, *lines: list[object], name: str = "Roster") -> None:
    page, as_date = book.add_worksheet(name), book.add_format({"num_format": "yyyy-mm-dd"})
    page.write_row(0, 0, HEADER.split(","))
    for n, cells in enumerate(lines, start=1):
        for m, cell in enumerate(cells):
            if isinstance(cell, date):
                page.write_datetime(n, m, datetime(cell.year, cell.month, cell.day), as_date)  # noqa: DTZ001
            else:
                page.write(n, m, cell)


ROW: list[object] = [1001, "C1", "Ada", "V", "berlin", date(2026, 1, 1), date(2026, 3, 31)]


def test_a_workbook_with_typed_days() -> None:
    reading = read(workbook(lambda book: sheet(book, ROW)))
    assert reading.complaints == ()
    assert (reading.rows[0].worker_id, reading.rows[0].last_day, reading.rows[0].line) == ("1001", date(2026, 3, 31), 2)


def test_a_bare_number_is_no_day() -> None:
    reading = read(workbook(lambda book: sheet(book, [*ROW[:6], 46112])))
    assert "format the column as a date" in reading.complaints[0].remedy


def test_several_sheets_need_a_name() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet(book, ROW)
        book.add_worksheet("Notes")

    content = workbook(fill)
    assert "single sheet" in read(content).complaints[0].expected
    assert read(content, sheet="Roster").rows[0].name == "Ada"
    assert "called 'Other'" in read(content, sheet="Other").complaints[0].expected


def test_a_workbook_out_of_proportion_is_not_unpacked() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        page = book.add_worksheet()
        for n in range(40_000):
            page.write(n, 0, "A" * 200)
            page.write(n, 1, n % 7)

    content = workbook(fill)
    import zipfile

    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"<" + b"A" * 80_000_000)
    assert len(content) > 0
    assert "in proportion" in read(bomb.getvalue()).complaints[0].expected


needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the real rosters are not beside this checkout")
CONGRESS = {
    "worker_id": "Worker ID", "reference": "Engagement ID", "first_name": "First Name", "last_name": "Last Name",
    "vendor": "Vendor Name", "role": "Job Title", "site": "Site Code", "first_day": "Start Date",
    "last_day": "End Date",
}  # fmt: skip


@needs_shared
def test_2792_real_terms_are_read() -> None:
    content = (SHARED / "congress/terms.csv").read_bytes()
    reading = read_roster(content, profile(columns=CONGRESS, zone="America/New_York"))
    assert (len(reading.rows), reading.complaints) == (2792, ())


@needs_shared
def test_376_repeated_ids_are_refused_with_a_useful_reason() -> None:
    columns = {
        "worker_id": "WorkerID", "name": "FullName", "vendor": "Company", "first_day": "HireDate",
        "last_day": "ExitDate",
    }  # fmt: skip
    content = (SHARED / "entra/csv-with-1000-records.csv").read_bytes()
    reading = read_roster(content, profile(columns=columns, zone="UTC", scope=Scope.FULL))
    assert reading.rows == ()
    missing, *repeated = reading.complaints
    assert "a column 'ExitDate'" in missing.expected
    assert len(repeated) == 376
    assert "line 21 gives it to Margarette Valerio" in repeated[0].expected


@pytest.mark.parametrize(
    "address", ["ada@example.com, spy@evil.example", "ada@example.com;b@x", "Ada <ada@x>", "a@b@c", "a b@x"]
)
def test_one_address_is_one_address(address: str) -> None:
    """A second one in the cell was sent everything that the first one was."""
    content = f'{HEADER},E-mail\n{OK},"{address}"\n'
    (complaint,) = read(content, columns={**COLUMNS, "email": "E-mail"}).complaints
    assert (complaint.line, complaint.column, complaint.value) == (2, "E-mail", address)
