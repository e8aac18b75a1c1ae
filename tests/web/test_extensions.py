"""Pages about extensions: access asked back where they came late, and the sponsor's word where it was missing."""

import re
from datetime import timedelta
from typing import Any

from lifecycle.domain.access import Contract
from lifecycle.store import people
from tests.web.conftest import Site, get, post

AMARA = "CW-1013"


def contract_of(site: Site) -> Contract:
    runtime = site.runtime
    with runtime.store.read() as unit:
        return runtime.parties.contracts(unit, runtime.persons.find(AMARA))[0]


def lapse(site: Site) -> Contract:
    """Have Amara's contract give nothing, as after an extension that came too late."""
    contract, now = contract_of(site), site.runtime.clock.now()
    with site.runtime.store.write() as unit:
        people.set_lapsed(unit, [contract.engagement.id], now)
        people.make_due(unit, now, [contract.engagement.identity_id])
    site.runtime.engine.tick()
    return contract


def said(answer: Any) -> str:
    """The words of a page, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text))


def test_the_sponsor_asks_for_access_back_and_it_stands_on_every_page(moving_site: Site) -> None:
    contract = lapse(moving_site)
    identity_id, engagement_id = contract.engagement.identity_id, contract.engagement.id
    hannah = moving_site.client("hannah")
    words = "after access had ended. Nothing was given back by itself."
    for page in ("/team", f"/people/{identity_id}"):
        assert words in said(get(hannah, page)), page
        assert "Ask for access back" in said(get(hannah, page)), page
    looking = said(get(moving_site.client("petra"), f"/people/{identity_id}"))
    assert words in looking
    assert "Ask for access back" not in looking
    path = f"/people/{identity_id}/resume"
    assert post(hannah, path, engagement=engagement_id, reason="").status_code == 422
    assert post(moving_site.client("tomas"), path, engagement=engagement_id, reason="mine").status_code == 403
    asked = post(hannah, path, engagement=engagement_id, reason="the project goes on")
    assert asked.status_code == 303
    request = asked.headers["Location"].rsplit("/", 1)[1]
    assert f"{request} asks for it back and waits for its review." in said(get(hannah, "/team"))
    oskar = moving_site.client("oskar")
    assert "Access back after a late extension" in said(get(oskar, "/requests"))
    sheet = get(oskar, f"/requests/{request}")
    assert "asks for the access of Amara Diallo back" in said(sheet)
    assert "no god mode, and nothing that was given for a time" in said(sheet)
    shown = sheet.text.split('name="shown" value="', 1)[1].split('"', 1)[0]
    assert post(oskar, f"/requests/{request}/reviews", verdict="approve", shown=shown, note="").status_code == 303
    assert contract_of(moving_site).live_at(moving_site.runtime.clock.now())
    assert words not in said(get(hannah, "/team"))
    record = said(get(moving_site.client("amara"), "/my-access/record"))
    assert "asked for your access back" in record
    assert "Your access was given back" in record


def test_the_sponsor_agrees_on_the_renewals_page(moving_site: Site) -> None:
    runtime, contract = moving_site.runtime, contract_of(moving_site)
    ends_at = runtime.clock.now() + timedelta(hours=1)
    with runtime.store.write() as unit:
        people.set_god_ends(unit, [contract.engagement.id], ends_at)
        people.make_due(unit, runtime.clock.now(), [contract.engagement.identity_id])
    hannah = moving_site.client("hannah")
    assert "You had no part in what a roster says of this contract" in said(get(hannah, "/renewals"))
    person = f"/people/{contract.engagement.identity_id}"
    assert "God mode keeps its earlier end" in said(get(moving_site.client("nora"), person))
    path = f"/renewals/extended/{contract.engagement.id}"
    assert post(moving_site.client("tomas"), path).status_code == 403
    assert post(hannah, path).status_code == 303
    assert "You had no part" not in said(get(hannah, "/renewals"))
    again = post(hannah, path)
    assert again.status_code == 422
    assert "nothing to agree to any more" in said(again)
    assert "agreed to the extension of your contract" in said(get(moving_site.client("amara"), "/my-access/record"))


def test_hr_sees_who_has_become_an_employee(moving_site: Site) -> None:
    runtime, contract = moving_site.runtime, contract_of(moving_site)
    with runtime.store.write() as unit:
        people.become_employee(unit, [contract.engagement.identity_id], runtime.clock.now())
    page = said(get(moving_site.client("nora"), f"/people/{contract.engagement.identity_id}"))
    assert "Has become an employee" in page
