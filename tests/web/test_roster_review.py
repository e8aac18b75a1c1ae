"""The review page: what it says before anything is applied, and how its rows are found."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import Site, post
from tests.web.roster_files import MATCHED, ODD, Row, demo_roster, follow, opened, repaired


@pytest.fixture
def site(moving_site: Site) -> Site:
    return moving_site


def test_where_no_row_can_be_used_nothing_is_called_confirmed(site: Site, nora: FlaskClient) -> None:
    upload_id, _, _ = opened(nora, ODD.replace("05/06/2027", "soon"))
    form = {f"column-{name}": header for name, header in MATCHED.items()}
    form |= {"date_format": "%d/%m/%Y", "scope": "full", "encoding": "utf-8", "delimiter": ","}
    _, page = follow(nora, post(nora, f"/rosters/{upload_id}/columns", **form))
    assert "No row of this file can be used." in page.text
    assert "Confirm that no row is used" in page.text
    assert "confirmed already" not in page.text


def test_what_cannot_be_used_is_not_called_confirmed_either(site: Site, nora: FlaskClient) -> None:
    _, _, page = opened(nora, demo_roster(site, lambda n, row: {**row, "Last day": "soon"} if n == 3 else row))
    assert "Nothing changes: every row that can be used is confirmed already." in page.text
    _, _, page = opened(nora, demo_roster(site, lambda n, row: [row, row] if n == 3 else row))
    assert "Nothing changes: everything is confirmed already." in page.text


def test_the_panel_counts_god_mode_that_ends_with_all_else(site: Site, nora: FlaskClient) -> None:
    yesterday = (site.runtime.clock.now() - timedelta(days=1)).date().isoformat()

    def leave(_: int, row: Row) -> Row:
        return {**row, "Last day": yesterday} if row["Worker ID"] == "CW-1036" else row

    _, _, page = opened(nora, demo_roster(site, leave))
    panel = dict(re.findall(r"<dt>([^<]+)</dt><dd>([0-9,]+)</dd>", page.text))
    told = {"Access removed at once": "1", "God mode ends sooner": "1", "Narrowing starts today": "0"}
    assert panel == {**told, "New contracts": "0"}


def test_what_an_empty_cell_means_can_be_said(site: Site, nora: FlaskClient) -> None:
    upload_id, _, page = opened(nora, demo_roster(site, lambda n, row: {**row, "Site": ""} if n == 3 else row))
    assert "Time zone of an empty cell" in page.text
    page = repaired(nora, upload_id, "unknown-zone", **{"value-1": "", "meant-1": "Europe/Dublin"})
    assert site.runtime.uploads.find(upload_id).unusable == 0


@pytest.mark.parametrize(
    ("last_day", "offered", "not_offered"),
    [
        ("46388", "Say how days are written", "Read them as they are written"),
        ("1 Feb 2027", "Read them as they are written", "Year first"),
        ("03/04/2027", "Month first", "Year first"),
    ],
)
def test_only_repairs_that_help_are_offered(
    site: Site, nora: FlaskClient, last_day: str, offered: str, not_offered: str
) -> None:
    roster = demo_roster(site, lambda n, row: {**row, "Last day": last_day} if n == 3 else row)
    _, _, page = opened(nora, roster)
    assert offered in page.text
    assert not_offered not in page.text


def test_a_short_year_may_come_first(site: Site, nora: FlaskClient) -> None:
    roster = demo_roster(site, lambda n, row: {**row, "Last day": "27/02/01"} if n == 3 else row)
    upload_id, _, _ = opened(nora, roster)
    page = repaired(nora, upload_id, "short-year")
    assert "day first, month first or year first" in page.text
    page = repaired(nora, upload_id, "date-order", order="year-first")
    assert "1 Feb 2027" in page.text


def test_rows_that_contradict_each_other_and_end_god_mode_change_something(site: Site, nora: FlaskClient) -> None:
    """It said that nothing changes, and took the god mode of CW-1036."""
    yesterday = (site.runtime.clock.now() - timedelta(days=1)).date().isoformat()

    def contradict(_: int, row: Row) -> list[Row] | None:
        ends = [{**row, "Last day": yesterday}, {**row, "Last day": "2027-03-01"}]
        return ends if row["Worker ID"] == "CW-1036" else None

    _, _, page = opened(nora, demo_roster(site, contradict))
    assert "No row of this file can be used." in page.text
    assert "God mode ends all the same" in page.text
    assert "changes nothing" not in page.text
    assert "<dt>God mode ends sooner</dt><dd>1</dd>" in page.text
