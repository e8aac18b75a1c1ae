"""The review page: what it says before anything is applied, and how its rows are found."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import Site, post
from tests.web.roster_files import MATCHED, ODD, Row, demo_roster, follow, opened


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
