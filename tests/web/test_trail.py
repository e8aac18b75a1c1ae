"""The trail as a page: found by name, linked to where there is more, and taken along as CSV."""

import csv
import io

import pytest

from lifecycle.services.authorisation import Actor
from tests.web.conftest import Site, get, post


def test_an_auditor_finds_a_person_by_name_and_goes_on_from_there(moving_site: Site) -> None:
    client = moving_site.client("audrey")
    moving_site.client("tomas")
    page = get(client, "/trail?actor=Tomás+Iglesias&action=signed").text
    assert "Tomás Iglesias" in page
    assert "member:tomas" in page
    assert "Nothing fits" not in page
    amara = moving_site.runtime.persons.find("CW-1013")
    page = get(client, "/trail?object=amara+diallo").text
    assert f'<a href="/people/{amara}">Amara Diallo</a>' in page
    request = moving_site.runtime.inbox.pending(Actor("", "", ""))[0].row.id
    page = get(client, f"/trail?request={request}").text
    assert f'<a href="/requests/{request}">{request}</a>' in page
    assert get(client, f"/requests/{request}").status_code == get(client, f"/people/{amara}").status_code == 200
    assert "Nobody and nothing here is called “&lt;b&gt;”" in get(client, "/trail?object=<b>").text


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "0", "²"])
def test_what_is_no_day_is_said_to_be_none(site: Site, day: str) -> None:
    assert get(site.client("audrey"), f"/trail?since={day}").status_code == 400


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_any_day_can_be_asked_for(site: Site, day: str) -> None:
    assert get(site.client("audrey"), f"/trail?since={day}&until={day}").status_code == 200


def test_an_export_is_a_file_of_what_was_found(moving_site: Site) -> None:
    client = moving_site.client("audrey")
    answer = post(client, "/trail/export", action="signed-in", actor="audrey")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="trail-20')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.content_type == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(line["action"], line["actor_name"]) for line in lines] == [("signed-in", "Audrey Finch")]
    record = moving_site.runtime.trail.search(action="trail-exported")[0]
    assert (record.actor, record.after) == ("member:audrey", {"action": "signed-in", "actor": "audrey"})
    assert post(moving_site.client("oskar"), "/trail/export").status_code == 403
