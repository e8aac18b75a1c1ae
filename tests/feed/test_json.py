"""JSON as Workday and others write it."""

import json
from datetime import date

import pytest

from lifecycle.domain.roster import Cause
from lifecycle.feed import json_file
from tests.feed.reading import COLUMNS, HEADER, OK, profile, read

RECORD = dict(zip(HEADER.split(","), OK.split(","), strict=True))
SECOND = RECORD | {"Worker ID": "W2", "Contract": "C2"}


def test_a_list_an_envelope_and_a_worker_a_line_are_the_same() -> None:
    listed = read(json.dumps([RECORD, SECOND])).rows
    assert [(row.line, row.worker_id, row.last_day) for row in listed] == [
        (1, "W1", date(2026, 3, 31)),
        (2, "W2", date(2026, 3, 31)),
    ]
    assert read(json.dumps({"Report_Entry": [RECORD, SECOND]}, indent=2)).rows == listed
    assert read(json.dumps({"totalResults": 2, "Resources": [RECORD, SECOND], "x": [1]})).rows == listed
    assert read("\n".join(map(json.dumps, [RECORD, SECOND]))).rows == listed
    assert read(b"\xef\xbb\xbf" + json.dumps([RECORD, SECOND]).encode()).rows == listed


def test_nested_objects_have_dotted_names() -> None:
    worker = {
        "id": {"value": 7},
        "name": {"given": "Ada", "family": "Byron"},
        "days": {"from": "2026-01-01", "to": "2026-03-31"},
    }
    columns = {
        "worker_id": "id.value", "first_name": "name.given", "last_name": "name.family", "first_day": "days.from",
        "last_day": "days.to",
    }  # fmt: skip
    (row,) = read(json.dumps([worker]), columns=columns, vendor="V", zone="UTC").rows
    assert (row.worker_id, row.name, row.last_day) == ("7", "Ada Byron", date(2026, 3, 31))


def test_what_is_left_out_is_empty_but_an_id_must_be_there() -> None:
    without = {key: value for key, value in RECORD.items() if key not in {"Contract", "Last day"}}
    reading = read(json.dumps([without]))
    assert [complaint.cause for complaint in reading.complaints] == [Cause.NO_LAST_DAY]
    nobody = {key: value for key, value in RECORD.items() if key != "Worker ID"}
    (complaint,) = read(json.dumps([nobody])).complaints
    assert (complaint.cause, complaint.column) == (Cause.FILE, "Worker ID")


def test_numbers_stay_as_they_are_written() -> None:
    (row,) = read(json.dumps([RECORD]).replace('"W1"', "12345678901234567890")).rows
    assert row.worker_id == "12345678901234567890"


def test_many_workers_are_read_in_pieces() -> None:
    workers = [RECORD | {"Worker ID": f"W{n}", "Contract": f"C{n}", "Note": "x" * 200} for n in range(12_000)]
    rows = read(json.dumps(workers)).rows
    assert [row.worker_id for row in rows] == [f"W{n}" for n in range(12_000)]
    assert rows[-1].line == 12_000


def test_columns_of_the_layout_are_enough() -> None:
    assert set(profile().columns.values()) == set(COLUMNS.values()) == set(RECORD)


LIST = json.dumps([RECORD])


@pytest.mark.parametrize(
    "text",
    [
        f'{{"Report_Entry": {LIST}, "Report_Entry": {json.dumps([SECOND])}}}',
        f'{{"Report_Entry": {LIST}, "total": 1, "Report_Entry": {json.dumps([SECOND])}}}',
        f'{{"Report_Entry": {LIST}, "Report\\u005fEntry": {json.dumps([SECOND])}}}',
        f'{{"Report_Entry": {LIST}, "Report_Entry": []}}',
        f'{{"Report_Entry": ["x"], "Report_Entry": {LIST}}}',
        f'{{"Report_Entry": {LIST}, "workers": {json.dumps([SECOND])}}}',
        f'{{"total": 1, "Report_Entry": {LIST}, "total": 2}}',
    ],
)
def test_an_envelope_that_says_something_twice_is_refused(text: str) -> None:
    reading = read(text)
    (complaint,) = reading.complaints
    assert (reading.rows, complaint.cause) == ([], Cause.FILE)


def test_a_second_list_is_seen_however_long_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "LONGEST_RECORD", 300)
    (complaint,) = read(f'{{"Report_Entry": {LIST}, "Report_Entry": {json.dumps([SECOND] * 3_000)}}}').complaints
    assert complaint.value == "two lists of workers"


def test_an_empty_list_beside_the_workers_says_nothing() -> None:
    assert len(read(f'{{"Resources": {LIST}, "items": [], "errors": ["x"]}}').rows) == 1


@pytest.mark.parametrize("column", ["Worker ID", "Contract", "Name", "Vendor", "Site"])
@pytest.mark.parametrize(
    ("value", "found"),
    [(True, "true (a truth value)"), (False, "false (a truth value)"), (["x", "y"], "a list"), ({"a": 1}, "an object")],
)
def test_what_is_no_text_is_not_made_text(column: str, value: object, found: str) -> None:
    reading = read(json.dumps([SECOND | {column: value}, RECORD]))
    assert [row.worker_id for row in reading.rows] == ["W1"]
    complaint = reading.complaints[0]
    assert (complaint.column, complaint.value, complaint.line) == (column, found, 1)


def test_a_truth_value_is_a_word_of_a_status_and_harmless_where_nobody_looks() -> None:
    record = RECORD | {"Active": False, "Remote": True, "Tags": ["a"], "Home": {"city": "Oslo"}}
    (row,) = read(json.dumps([record]), columns=COLUMNS | {"status": "Active"}).rows
    assert row.standing == "ended"
    (complaint,) = read(json.dumps([RECORD | {"Active": []}]), columns=COLUMNS | {"status": "Active"}).complaints
    assert complaint.cause is Cause.UNKNOWN_STATUS


def test_a_truth_value_is_no_day() -> None:
    (complaint,) = read(json.dumps([RECORD | {"Last day": True}])).complaints
    assert (complaint.column, complaint.value) == ("Last day", "true (a truth value)")
