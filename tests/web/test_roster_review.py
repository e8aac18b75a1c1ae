"""The review page: what it says before anything is applied, and how its rows are found."""

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import Site, post
from tests.web.roster_files import MATCHED, ODD, demo_roster, follow, opened


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
