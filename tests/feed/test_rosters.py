"""What files say, what is wrong with them, and that a broken one yields nothing."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lifecycle.domain.roster import Cause, Repairs
from lifecycle.feed.profile import Profile
from lifecycle.feed.read import read_roster
from tests.feed.reading import COLUMNS, GOOD, HEADER, OK, lines, profile, read, read_path

SHARED = Path(__file__).parents[3] / "shared/data/rosters"


def test_a_good_file() -> None:
    reading = read(GOOD)
    assert reading.complaints == []
    assert [(r.line, r.name, r.zone, r.last_day) for r in reading.rows] == [
        (2, "Ada Byron", "Europe/Berlin", date(2026, 3, 31)),
        (3, "Zoë Ångström", "Asia/Manila", date(2026, 12, 31)),
    ]


BROKEN: list[tuple[str, str | bytes, int, str, str, str, Cause]] = [
    ("empty", "", 0, "", "", "header", Cause.FILE),
    ("blank lines only", "\n\n \n", 0, "", "", "header", Cause.FILE),
    ("header only", f"{HEADER}\n", 0, "", "no rows", "at least one row", Cause.FILE),
    ("semicolons", GOOD.replace(",", ";"), 1, "", "Worker ID;Contract", "a comma", Cause.FILE),
    ("tabs", GOOD.replace(",", "\t"), 1, "", "Worker ID\\tContract", "a comma", Cause.FILE),
    ("missing column", GOOD.replace("Last day", "End"), 1, "Last day", "", "a column 'Last day'", Cause.FILE),
    ("doubled column", GOOD.replace("Site,", "Site,Name,", 1), 1, "Name", "2 columns", "one column 'Name'", Cause.FILE),
    ("latin-1", GOOD.encode("latin-1"), 3, "", "bytes EB", "utf-8 text", Cause.FILE),
    ("utf-16", GOOD.encode("utf-16"), 1, "", "bytes FF FE", "utf-8 text", Cause.FILE),
    ("unclosed quote", lines(OK, OK.replace("Ada", '"Ada')), 3, "", "", "quotation marks", Cause.FILE),
    ("NUL", lines(OK.replace("Ada", "A\0da")), 2, "", "NUL", "without NUL", Cause.FILE),
    ("shifted", lines(OK, "W2,C2,B, Ada,V,berlin,2026-01-01,2026-03-31"), 3, "", "8 fields", "7 fields", Cause.WIDTH),
    ("truncated", lines(OK, "W2,C2,Grace,V")[:-1], 3, "", "4 fields", "7 fields", Cause.WIDTH),
    ("31 February", lines(OK.replace("03-31", "02-31")), 2, "Last day", "2026-02-31", "YYYY-MM-DD", Cause.NO_SUCH_DAY),
    ("either order", lines(OK.replace("2026-03-31", "03/04/2026")), 2, "Last day", "03/04", "YYYY", Cause.DATE_ORDER),
    ("two-digit year", lines(OK.replace("2026-03-31", "31/03/26")), 2, "Last day", "31/03", "YYYY", Cause.SHORT_YEAR),
    ("Still in office", lines(OK.replace("2026-03-31", "Still in office")), 2, "Last day", "Still in office", "a day",
     Cause.NO_LAST_DAY),
    ("no end", lines(OK.replace("2026-03-31", "")), 2, "Last day", "", "a day", Cause.NO_LAST_DAY),
    ("year 9999", lines(OK.replace("2026-03-31", "9999-12-31")), 2, "Last day", "9999", "a day", Cause.NO_LAST_DAY),
    ("year 1900", lines(OK.replace("2026-01-01", "1900-01-01")), 2, "First day", "1900", "1950", Cause.NO_SUCH_DAY),
    ("Excel number", lines(OK.replace("2026-03-31", "46112")), 2, "Last day", "46112", "YYYY-MM-DD", Cause.DATE_FORMAT),
    ("end before start", lines(OK.replace("2026-03-31", "2025-12-31")), 2, "Last day", "2025-12-31", "2026-01-01",
     Cause.DAYS_REVERSED),
    ("no worker id", lines(OK.replace("W1", "")), 2, "Worker ID", "", "a value", Cause.MISSING_VALUE),
    ("no name", lines(OK.replace("Ada", " ")), 2, "Name", "", "a value", Cause.MISSING_VALUE),
    ("unknown site", lines(OK.replace("berlin", "atlantis")), 2, "Site", "atlantis", "time zone", Cause.UNKNOWN_ZONE),
    ("exponent", lines(OK.replace("W1", "1E5")), 2, "Worker ID", "1E5", "an id", Cause.SPOILT_ID),
    ("bidi override", lines(OK.replace("Ada", "A\u202eda")), 2, "Name", "A\\u202eda", "plain text", Cause.UNSAFE_TEXT),
    ("newline in a name", lines(OK.replace("Ada", '"A\nda"')), 2, "Name", "A\\nda", "plain text", Cause.UNSAFE_TEXT),
    ("an address for a vendor", lines(OK.replace(",V,", ",ada@example.com,")), 2, "Vendor", "ada@", "no e-mail address",
     Cause.SHIFTED),
    ("old Excel", b"\xd0\xcf\x11\xe0" + b"\0" * 64, 0, "", "old Excel", "XLSX", Cause.FILE),
    ("zip of nothing", b"PK\x03\x04rubbish", 0, "", "", "XLSX", Cause.FILE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "line", "column", "value", "expected", "cause"), BROKEN, ids=[b[0] for b in BROKEN]
)
def test_every_complaint_says_where_what_and_what_to_do(
    name: str, content: str | bytes, line: int, column: str, value: str, expected: str, cause: Cause
) -> None:
    reading = read(content)
    assert all(row.line != line for row in reading.rows)
    complaint = reading.complaints[0]
    assert (complaint.line, complaint.column, complaint.cause) == (line, column, cause), str(complaint)
    assert value in complaint.value
    assert expected in complaint.expected
    assert complaint.remedy.endswith(".")


def test_a_complaint_names_worker_contract_and_person() -> None:
    (complaint,) = read(lines(OK.replace("2026-03-31", ""))).complaints
    assert (complaint.worker_id, complaint.reference, complaint.name) == ("W1", "C1", "Ada")


def test_a_row_that_cannot_be_used_leaves_the_others_usable() -> None:
    reading = read(lines(OK, OK.replace("2026-03-31", ""), OK.replace("C1", "C3")))
    assert [row.line for row in reading.rows] == [2, 4]
    assert (reading.lines, reading.complained, reading.aside) == (3, 1, 0)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_newlines_and_byte_order_marks_change_nothing(newline: str, bom: bytes) -> None:
    assert read(bom + GOOD.replace("\n", newline).encode()).rows == read(GOOD).rows


def test_mixed_ends_of_lines_never_merge_rows() -> None:
    text = f"{HEADER}\r\n{OK}\r{OK.replace('C1', 'C2')}\n\n{OK.replace('C1', 'C3')}\r\r\n{OK.replace('C1', 'C4')}"
    assert [(row.line, row.reference) for row in read(text).rows] == [(2, "C1"), (3, "C2"), (5, "C3"), (7, "C4")]


def test_a_header_that_stands_again_between_rows_is_left_aside() -> None:
    reading = read(lines(OK, HEADER, OK.replace("W1", "W2")))
    assert ([r.line for r in reading.rows], reading.complaints) == ([2, 4], [])


def test_a_header_that_could_be_a_row_is_one_in_no_way_of_reading() -> None:
    layout = {"columns": {"reference": "Contract", "role": "Role"}, "partial": True}
    reading = read("Contract,Role\nC-1,agent\nContract,Role\nC-2,agent\n", **layout)
    assert ([r.line for r in reading.rows], reading.aside) == ([2, 4], 1)


def test_line_numbers_count_the_lines_of_quoted_fields() -> None:
    text = f'{HEADER},Note\n{OK},"two\nlines"\n{OK.replace("C1", "C2")},"a\r\nb\rc"\n{OK.replace("C1", "C3")},\n'
    assert [row.line for row in read(text).rows] == [2, 4, 7]


def test_the_zone_may_stand_in_the_row_or_in_the_profile() -> None:
    with_zone = read(f"{HEADER},Zone\n{OK},Asia/Tokyo\n", columns={**COLUMNS, "zone": "Zone"})
    assert with_zone.rows[0].zone == "Asia/Tokyo"
    assert read(lines(OK.replace("berlin", "mars")), zone="UTC").rows[0].zone == "UTC"
    assert read(lines(OK.replace("berlin", "BERLIN "))).rows[0].zone == "Europe/Berlin"


def test_a_contract_too_long_is_a_slip_of_the_pen() -> None:
    (complaint,) = read(lines(OK), longest_days=30).complaints
    assert "at most 30 days" in complaint.expected
    assert complaint.cause is Cause.TOO_LONG


def test_surplus_columns_are_dropped_whatever_they_hold() -> None:
    (row,) = read(f"{HEADER},IBAN\n{OK},\u202e\x07=1\n").rows
    assert "IBAN" not in row._fields
    assert row.worker_id == "W1"


@pytest.mark.parametrize(
    "address", ["ada@example.com, spy@evil.example", "ada@example.com;b@x", "Ada <ada@x>", "a@b@c", "a b@x", "@x", "x@"]
)
def test_one_address_is_one_address(address: str) -> None:
    """A second one in the cell was sent everything that the first one was."""
    content = f'{HEADER},E-mail\n{OK},"{address}"\n{OK},ada@example.com\n{OK},n/a\n'
    reading = read(content, columns={**COLUMNS, "email": "E-mail"})
    (complaint,) = reading.complaints
    assert (complaint.line, complaint.column, complaint.value) == (2, "E-mail", address)
    assert [row.email for row in reading.rows] == ["ada@example.com", "n/a"]


def test_a_fact_without_a_column_is_none_and_an_empty_one_is_empty() -> None:
    (row,) = read(lines(OK.replace("C1", ""))).rows
    assert (row.reference, row.email, row.sponsor, row.role) == ("", None, None, None)


def test_sponsors_are_what_a_person_says_they_are() -> None:
    text = f"{HEADER},Sponsor\n{OK},Grace Hoper\n{OK},grace\n{OK},other\n"
    reading = read(
        text,
        columns={**COLUMNS, "sponsor": "Sponsor"},
        sponsors={"grace hoper": "old@example.com", "Grace": "grace@example.com"},
        repairs=Repairs(sponsors={"Grace Hoper": "grace@example.com"}),
    )
    assert [row.sponsor for row in reading.rows] == ["grace@example.com", "grace@example.com", "other"]


def test_a_site_gets_the_zone_that_a_person_says() -> None:
    repairs = Repairs(zones={"atlantis": "Atlantic/Azores", "berlin": "Europe/Vienna"})
    reading = read(lines(OK.replace("berlin", "atlantis"), OK), repairs=repairs)
    assert [row.zone for row in reading.rows] == ["Atlantic/Azores", "Europe/Vienna"]


def test_two_rows_that_contradict_each_other_are_both_read() -> None:
    assert len(read(lines(OK, OK.replace("Ada", "Grace"))).rows) == 2


@given(st.binary(max_size=400))
@example(b'"')
@example(b"\xff\xfe")
@example(b"PK\x03\x04")
@example(b"[")
@example(b'{"')
def test_rubbish_never_crashes_and_never_yields_rows(content: bytes) -> None:
    reading = read(content)
    assert reading.rows == []
    assert reading.complaints


@given(st.text(max_size=60).map(lambda s: f"{HEADER}\n{s}"))
def test_rubbish_below_a_good_header_is_complained_about(text: str) -> None:
    reading = read(text.encode(errors="surrogatepass"))
    assert bool(reading.rows) is not bool(reading.complaints)


def test_a_file_may_be_read_twice_through_one_reader(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(GOOD, encoding="utf-8")
    reader = read_roster(path, profile())
    assert (reader.header, reader.header_line) == (HEADER.split(","), 1)
    assert [b.rows for b in reader.batches()] == [b.rows for b in reader.batches()]
    assert reader.lines == 2


needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the real rosters are not beside this checkout")
CONGRESS = {
    "worker_id": "Worker ID", "reference": "Engagement ID", "first_name": "First Name", "last_name": "Last Name",
    "vendor": "Vendor Name", "role": "Job Title", "site": "Site Code", "first_day": "Start Date",
    "last_day": "End Date",
}  # fmt: skip


@needs_shared
def test_2792_real_terms_are_read() -> None:
    reading = read_path(SHARED / "congress/terms.csv", profile(columns=CONGRESS, zone="America/New_York"))
    assert (len(reading.rows), reading.complaints) == (2792, [])


@needs_shared
def test_a_thousand_real_workers_with_first_days_only() -> None:
    columns = {
        "worker_id": "WorkerID", "name": "FullName", "vendor": "Company", "first_day": "HireDate",
        "status": "WorkerStatus", "worker_type": "WorkerType",
    }  # fmt: skip
    path = SHARED / "entra/csv-with-1000-records.csv"
    layout = Profile("entra", columns, zone="UTC")
    reading = read_path(path, layout)
    assert reading.lines == 1000
    assert {complaint.cause for complaint in reading.complaints} == {Cause.NO_LAST_DAY}
    repaired = read_path(path, layout, Repairs(last_day=date(2026, 12, 31)))
    assert (len(repaired.rows), repaired.complaints) == (1000, [])
