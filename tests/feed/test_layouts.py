"""Every layout that ships, with a file in it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lifecycle.domain.roster import Cause, Repairs, Scope, Standing
from lifecycle.feed.layouts import SHIPPED, example, fitting, lacks
from lifecycle.feed.profile import Profile
from lifecycle.settings.rosters import ProfileSettings
from tests.feed.reading import Reading, read_path

SHARED = Path(__file__).parents[3] / "shared/data/rosters"
FIELDGLASS_HEADER = (
    "Job Seeker ID,Worker ID,Person ID,Security ID,Status,First Name,Last Name,Worker Email,Job Posting Title,"
    "Work Order ID,Work Order Owner,Owner Employee ID,Business Unit Code,Business Unit Name,Vendor Number,Vendor Name,"
    "Buyer Code,Remit To Address Code,Cost Center Name,Cost Center Code,Billable Per Diem,Start Date,End Date,Currency,"
    "Site Code,Site Name,Pay Rate,Rate Category,Rate UOM,Bill Rate"
)
BLOCK = (
    "Type,Worker\nTransaction,Active Worker Download\nLanguage,English (United States)\n"
    'Number Format,"#,##9.99 (Example: 1,234,567.99)"\nDate Format,MM/DD/YYYY\nComments,\n\n'
)


def fieldglass(person: str, status: str, order: str, first: str, last: str) -> str:
    return (
        f"JS{order},WK{order},{person},,{status},Ada,Byron,ada@northgate.example,Support,{order},Grace Hopper,E77,BU1,"
        f'Care,V100,"Northgate, Inc.",ACME,R1,Care,CC1,No,{first},{last},USD,ATX,Austin,50.00,ST,Hr,70.00\n'
    )


def layout(name: str, **added: Any) -> Profile:
    """Build a shipped layout as the settings do."""
    settings = ProfileSettings(**{**SHIPPED[name], **added})
    names = set(Profile.__dataclass_fields__) - {"name"}
    return Profile(name, **{key: value for key, value in settings.model_dump().items() if key in names})


def read(tmp_path: Path, text: str | bytes, profile: Profile, repairs: Repairs | None = None) -> Reading:
    path = tmp_path / "roster"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_path(path, profile, repairs or Repairs())


@pytest.mark.parametrize("name", SHIPPED)
def test_a_layout_is_accepted_once_the_customer_has_said_what_it_lacks(name: str) -> None:
    added = {"vendor": "Northgate", "zone": "America/Chicago"}
    profile = layout(name, **{field: added[field] for field in lacks(name)})
    assert list(profile.columns) == list(SHIPPED[name]["columns"])
    for field in lacks(name):
        others = {other: added[other] for other in lacks(name) if other != field}
        with pytest.raises(ValueError, match=field):
            ProfileSettings(**{**SHIPPED[name], **others})


def test_fieldglass_active_workers(tmp_path: Path) -> None:
    text = BLOCK + FIELDGLASS_HEADER + "\n"
    text += fieldglass("P1", "Active", "WO1", "01/15/2026", "12/31/2026")
    text += fieldglass("P1", "Closed", "WO0", "01/15/2025", "12/31/2026")
    text += fieldglass("", "Pending", "WO2", "02/01/2026", "02/01/2027")
    reading = read(tmp_path, text, layout("fieldglass-active", site_zones={"ATX": "America/Chicago"}))
    assert (reading.complaints, reading.aside) == ([], 1)
    running, closed = reading.rows
    assert (running.line, running.worker_id, running.reference, running.vendor) == (9, "P1", "WO1", "Northgate, Inc.")
    assert (running.last_day, running.zone, running.sponsor) == (date(2026, 12, 31), "America/Chicago", "E77")
    assert closed.standing is Standing.ENDED


def test_fieldglass_changes(tmp_path: Path) -> None:
    profile = layout("fieldglass-delta", site_zones={"ATX": "America/Chicago"})
    assert (profile.scope, SHIPPED["fieldglass-delta"]["source"]) == (
        Scope.DELTA,
        SHIPPED["fieldglass-active"]["source"],
    )
    text = FIELDGLASS_HEADER + "\n" + fieldglass("P1", "Withdrawn", "WO1", "01/15/2026", "12/31/2026")
    assert read(tmp_path, text, profile).rows[0].standing is Standing.WITHDRAWN


def test_a_block_that_states_other_days_than_the_layout_is_refused(tmp_path: Path) -> None:
    text = BLOCK.replace("MM/DD", "DD/MM") + FIELDGLASS_HEADER + "\n"
    text += fieldglass("P1", "Active", "WO1", "01/02/2026", "03/04/2026")
    (complaint,) = read(tmp_path, text, layout("fieldglass-active")).complaints
    assert (complaint.cause, complaint.line, complaint.column) == (Cause.FILE, 5, "Date Format")
    assert "DD/MM/YYYY" in complaint.value


def test_wand_fill(tmp_path: Path) -> None:
    text = (
        "Engagement ID,Worker GUID,WAND Worker ID,Worker First Name,Worker Last Name,Legal First Name,Legal Last Name,"
        "Phone Number,Worker Email Address,Start Date,Estimated End Date\n"
        "E9,G1,5501,Zoë,Ångström,Zoë,Ångström,,zoe@northgate.example,02/01/2026,01/31/2027\n"
    )
    (row,) = read(tmp_path, text, layout("wand-fill", vendor="Northgate", zone="America/Chicago")).rows
    assert (row.worker_id, row.reference, row.name, row.vendor) == ("5501", "E9", "Zoë Ångström", "Northgate")
    assert (row.last_day, row.actual) == (date(2027, 1, 31), False)


def test_wand_edit_changes_what_it_states_and_nothing_else(tmp_path: Path) -> None:
    text = "Worker GUID,WAND Worker ID,Engagement ID,Manager GUID,Department Number,Estimated End Date\n"
    text += "G1,,E9,M4,D1,06/30/2027\nG2,5502,E10,M5,D1,\n,,,M5,D1,\n"
    reading = read(tmp_path, text, layout("wand-edit"))
    moved, kept = reading.rows
    assert (moved.worker_id, moved.reference, moved.last_day, moved.sponsor) == ("", "E9", date(2027, 6, 30), "M4")
    assert (kept.last_day, kept.first_day, kept.zone, kept.vendor, kept.name) == (None,) * 5
    assert [(c.line, c.cause) for c in reading.complaints] == [(4, Cause.MISSING_VALUE)]


def test_wand_close_states_the_day_it_did_end(tmp_path: Path) -> None:
    text = "Engagement ID,Worker First Name,Worker Last Name,Actual End Date,Closed Status Reason\n"
    text += "E9,Zoë,Ångström,03/31/2026,Assignment completed\nE10,Ada,Byron,,Voluntary\n"
    reading = read(tmp_path, text, layout("wand-close"))
    (row,) = reading.rows
    assert (row.worker_id, row.reference, row.name) == (None, "E9", "Zoë Ångström")
    assert (row.last_day, row.actual, row.standing) == (date(2026, 3, 31), True, Standing.RUNNING)
    assert [(c.line, c.column, c.cause) for c in reading.complaints] == [(3, "Actual End Date", Cause.NO_LAST_DAY)]


def test_workday(tmp_path: Path) -> None:
    text = (
        "Active,ContingentWorkerID,FirstName,LastName,ManagerReference,StatusHireDate,StatusEndEmploymentDate,"
        "StatusTerminationLastDayOfWork\n"
        "1,CW1,Ada,Byron,b7e5,2026-01-12-08:00,2026-12-31-08:00,\n"
        "1,CW2,Grace,Hopper,b7e5,2026-01-12-08:00,2026-12-31-08:00,2026-05-29-07:00\n"
        "0,CW3,Zoë,Ångström,b7e5,2025-01-12-08:00,,\n"
    )
    running, leaving, gone = read(tmp_path, text, layout("workday", vendor="V", zone="America/Los_Angeles")).rows
    assert (running.first_day, running.last_day, running.actual) == (date(2026, 1, 12), date(2026, 12, 31), False)
    assert (leaving.last_day, leaving.actual) == (date(2026, 5, 29), True)
    assert (gone.standing, gone.last_day) == (Standing.ENDED, None)


def test_entra_csv2scim(tmp_path: Path) -> None:
    text = (
        "WorkerID,WorkerStatus,WorkerType,UserID,FirstName,LastName,FullName,ManagerID,HireDate,Company,Location,JobTitle\n"
        "1222,Active,Contractor,EMP1222,Talya,Fleeta,Talya Fleeta,1684,2013-01-01,Woodgrove,Europe,Sales Executive\n"
        "1513,Active,Employee,EMP1513,Ginnie,Fadiman,Ginnie Fadiman,1959,2010-07-10,Woodgrove,Europe,Manager\n"
    )
    profile = layout("entra-csv2scim", site_zones={"Europe": "Europe/Berlin"})
    (complaint,) = read(tmp_path, text, profile).complaints
    assert (complaint.cause, complaint.worker_id) == (Cause.NO_LAST_DAY, "1222")
    worker, employee = read(tmp_path, text, profile, Repairs(last_day=date(2026, 12, 31))).rows
    assert (worker.last_day, worker.standing) == (date(2026, 12, 31), Standing.RUNNING)
    assert employee.standing is Standing.CONVERTED


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real rosters are not beside this checkout")
@pytest.mark.parametrize(
    "name", ["contractorData.csv", "internData.csv", "employeeData.csv", "csv-with-1000-records.csv"]
)
def test_entra_s_own_samples(name: str) -> None:
    profile = layout("entra-csv2scim", zone="UTC")
    reading = read_path(SHARED / "entra" / name, profile, Repairs(last_day=date(2026, 12, 31)))
    assert reading.complaints == []
    assert len(reading.rows) > 300


def test_the_plain_example(tmp_path: Path) -> None:
    reading = read(tmp_path, example(), layout("plain"))
    assert reading.complaints == []
    assert [row.standing for row in reading.rows] == [Standing.RUNNING, Standing.RUNNING, Standing.ENDED]
    assert reading.rows[1].name == "Zoë Ångström"


def test_a_header_names_the_layouts_it_fits() -> None:
    assert fitting(FIELDGLASS_HEADER.split(",")) == ["fieldglass-active", "fieldglass-delta"]
    assert fitting(list(SHIPPED["plain"]["columns"].values())) == ["plain"]
    assert fitting(["Worker ID", "Name"]) == []
