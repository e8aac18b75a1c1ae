"""What status and worker type columns do to a row."""

import pytest

from lifecycle.domain.roster import Cause, Repairs, Standing
from tests.feed.reading import COLUMNS, HEADER, OK, Reading, read

STATUS = {**COLUMNS, "status": "Status", "worker_type": "Type"}


def with_status(status: str, kind: str = "Contractor", row: str = OK, **changes: object) -> Reading:
    return read(f"{HEADER},Status,Type\n{row},{status},{kind}\n", columns=STATUS, **changes)


@pytest.mark.parametrize(
    ("status", "kind", "standing"),
    [
        ("Active", "Contractor", Standing.RUNNING),
        (" ACTIVE ", "contingent  worker", Standing.RUNNING),
        ("On leave", "Intern", Standing.RUNNING),
        ("1", "temp", Standing.RUNNING),
        ("Closed", "Contractor", Standing.ENDED),
        ("Former employee", "external", Standing.ENDED),
        ("0", "Contractor", Standing.ENDED),
        ("Withdrawn", "Contractor", Standing.WITHDRAWN),
        ("no show", "Contractor", Standing.WITHDRAWN),
        ("converted", "Contractor", Standing.CONVERTED),
        ("Active", "FTE", Standing.CONVERTED),
        ("Active", "Employee", Standing.CONVERTED),
        ("Terminated", "Employee", Standing.ENDED),
    ],
)
def test_words_everybody_uses(status: str, kind: str, standing: Standing) -> None:
    (row,) = with_status(status, kind).rows
    assert row.standing is standing


@pytest.mark.parametrize("status", ["Pending", "draft", "Submitted"])
def test_what_is_not_yet_approved_is_left_aside_whatever_it_lacks(status: str) -> None:
    reading = with_status(status, row=",,,,,,")
    assert (reading.rows, reading.complaints, reading.lines, reading.aside) == ([], [], 1, 1)


@pytest.mark.parametrize(
    ("status", "kind", "column"), [("Beendet", "temp", "Status"), ("Active", "Robot", "Type"), ("", "temp", "Status")]
)
def test_an_unknown_word_is_asked_about_once(status: str, kind: str, column: str) -> None:
    (complaint,) = with_status(status, kind, row=OK.replace("2026-03-31", "")).complaints
    assert (complaint.cause, complaint.column) == (Cause.UNKNOWN_STATUS, column)


def test_a_person_explains_a_word_and_outvotes_the_layout() -> None:
    assert with_status("Beendet", statuses={"beendet": "ended"}).rows[0].standing is Standing.ENDED
    said = Repairs(statuses={"BEENDET": "withdrawn", "": "aside"})
    assert with_status("Beendet", statuses={"beendet": "ended"}, repairs=said).rows[0].standing is Standing.WITHDRAWN
    assert with_status("", repairs=said).aside == 1


def test_a_type_may_be_left_aside() -> None:
    assert with_status("Active", "Robot", worker_types={"robot": "aside"}).aside == 1


@pytest.mark.parametrize("status", ["Closed", "Withdrawn", "Converted"])
def test_whoever_is_gone_needs_neither_days_nor_a_zone(status: str) -> None:
    (row,) = with_status(status, row="W1,C1,Ada,V,atlantis,,Still in office").rows
    assert (row.first_day, row.last_day, row.zone) == (None, None, None)


def test_a_contract_withdrawn_before_it_began_may_end_before_it_began() -> None:
    row = OK.replace("2026-03-31", "2025-12-31")
    assert with_status("Withdrawn", row=row).complaints == []
    assert with_status("Closed", row=row).complaints[0].cause is Cause.DAYS_REVERSED
