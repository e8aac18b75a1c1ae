"""From an unknown file to a layout: suggestions, and what must be asked."""

from pathlib import Path

import pytest

from lifecycle.feed.matching import header_difference, headers_match, look, suggest_columns, suggest_date_format
from tests.feed.reading import COLUMNS, GOOD, HEADER, profile


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            "Worker GUID,WAND Worker ID,Worker First Name,Worker Last Name,Start Date,Estimated End Date,Engagement ID",
            {"worker_id": "WAND Worker ID", "reference": "Engagement ID", "last_day": "Estimated End Date"},
        ),
        ("Engagement ID,Actual End Date,Closed Status Reason", {"actual_last_day": "Actual End Date"}),
        (
            "empnum,firstname,surname,emptype,job,status,locality",
            {"worker_id": "empnum", "first_name": "firstname", "worker_type": "emptype", "site": "locality"},
        ),
        (
            "EmpID,StartDate,ExitDate,Supervisor",
            {"first_day": "StartDate", "last_day": "ExitDate", "sponsor": "Supervisor"},
        ),
        (
            "ContingentWorkerID,StatusHireDate,StatusTerminationLastDayOfWork,StatusEndEmploymentDate",
            {"actual_last_day": "StatusTerminationLastDayOfWork", "last_day": "StatusEndEmploymentDate"},
        ),
        (
            "Person ID,Worker ID,Work Order ID,CONTRACT_END_DATE",
            {"worker_id": "Person ID", "last_day": "CONTRACT_END_DATE"},
        ),
        ("WORKER-ID;validFrom;validTill".replace(";", ","), {"first_day": "validFrom", "last_day": "validTill"}),
    ],
)
def test_known_names_are_suggested(header: str, expected: dict[str, str]) -> None:
    found = suggest_columns(header.split(","))
    assert found.items() >= expected.items()
    assert len(set(found.values())) == len(found)


def test_a_name_that_stands_there_twice_is_not_suggested() -> None:
    assert suggest_columns(["Worker ID", "worker_id", "Name"]) == {"name": "Name"}


@pytest.mark.parametrize(
    ("values", "formats"),
    [
        (["2026-03-31", ""], ["%Y-%m-%d"]),
        (["03/31/2026", "01/02/2026"], ["%m/%d/%Y"]),
        (["31/03/2026", "Still in office"], ["%d/%m/%Y"]),
        (["01/02/2026", "03/04/2026"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["31/03/2026", "03/31/2026"], []),
        (["31-Mar-2026", "01-May-2026"], ["%d-%b-%Y"]),
        (["05-May-2026"], ["%d-%b-%Y"]),
        (["31.03.2026"], ["%d.%m.%Y"]),
        (["20260331"], ["%Y%m%d"]),
        (["31/03/26"], []),
        (["46112"], []),
        (["", "n/a"], []),
        ([], []),
    ],
)
def test_a_date_format_is_suggested_only_as_far_as_it_is_certain(values: list[str], formats: list[str]) -> None:
    assert suggest_date_format(values) == formats


def test_a_header_matches_exactly_or_by_its_columns() -> None:
    header = HEADER.split(",")
    assert headers_match(profile(), ["Extra", *reversed(header)])
    assert not headers_match(profile(), [*header, "Name"])
    assert not headers_match(profile(), header[1:])
    assert headers_match(profile(header=tuple(header)), [f" {name} " for name in header])
    assert not headers_match(profile(header=tuple(header)), [*header, "Extra"])


def test_what_has_changed_in_a_header_is_said_in_words() -> None:
    old = ["Worker ID", "Name", "Start Date", "End Date", "Cost"]
    new = ["Worker ID", "Full Name", "Start Date", "Contract End Date", "Site", "Site"]
    difference = header_difference(old, new)
    assert difference.renamed == (("Name", "Full Name"), ("End Date", "Contract End Date"))
    assert (difference.missing, difference.new, difference.doubled) == (("Cost",), ("Site",), ("Site",))
    assert len(difference.sentences()) == 5
    assert not header_difference(old, old)
    assert header_difference(old, old[::-1]).sentences() == ["The columns stand in another order."]


def test_a_column_without_a_heading_is_called_so() -> None:
    assert header_difference(["Name"], ["Name", ""]).sentences() == ["A column without a heading is new."]


def test_blank_cells_over_empty_columns_are_no_columns(tmp_path: Path) -> None:
    path = tmp_path / "roster"
    path.write_text("Worker ID,,Name,,\nW1,,Ada,, \nW2,,Zoë,,\n", encoding="utf-8")
    seen = look(path)
    assert (seen.header, seen.rows) == (("Worker ID", "Name"), (("W1", "Ada"), ("W2", "Zoë")))
    assert headers_match(profile(header=("Worker ID", "Name")), seen.header)
    assert headers_match(profile(header=("Worker ID", "", "Name", "", "")), seen.header), "as matched before"
    path.write_text("Worker ID,,Name,\nW1,left,Ada,\n", encoding="utf-8")
    assert look(path).header == ("Worker ID", "", "Name"), "something stands below it"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_first_look_finds_delimiter_header_and_rows(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "roster.pdf"
    path.write_text(GOOD.replace(",", delimiter), encoding="utf-8")
    seen = look(path)
    assert (seen.kind, seen.encoding, seen.delimiter, seen.header_line) == ("csv", "utf-8", delimiter, 1)
    assert seen.header == tuple(HEADER.split(","))
    assert seen.rows[1][2] == "Zoë Ångström"
    assert suggest_columns(seen.header) == COLUMNS


def test_a_comma_in_a_quoted_name_is_no_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "roster"
    path.write_text('"Worker ID";"Name";"Start Date"\n"1";"Byron, Ada, Lady";"2026-01-01"\n', encoding="utf-8")
    assert look(path).delimiter == ";"


def test_a_header_block_is_looked_over_and_what_it_states_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "roster"
    block = "Type,Worker\nTransaction,Download\nDate Format,DD/MM/YYYY\nComments,\n\n"
    path.write_text(block + GOOD, encoding="utf-8")
    seen = look(path)
    assert (seen.header_line, seen.header[0]) == (6, "Worker ID")
    assert seen.stated is not None
    assert (seen.stated.words, seen.stated.format) == ("DD/MM/YYYY", "%d/%m/%Y")
