"""The page of a request that was decided, as those read it who look at it later."""

from datetime import timedelta

from lifecycle.domain.approval import Verdict
from lifecycle.services.authorisation import Actor
from lifecycle.services.requests import Draft
from lifecycle.services.sessions import actor_of
from lifecycle.store import members
from tests.web.conftest import Site, get


def acting(site: Site, login: str) -> Actor:
    with site.runtime.store.read() as unit:
        return actor_of(members.by_keys(unit, [login])[0], site.runtime.sessions.wall())


def decided(site: Site, hours: float, longest: timedelta | None = None) -> tuple[str, str]:
    """Have a small right of Amara's approved, and return the request and the grant."""
    runtime = site.runtime
    draft = Draft(runtime.persons.find("CW-1013"), "billing.refund-small", timedelta(hours=hours), "the queue")
    request = runtime.requests.ask(acting(site, "hannah"), draft)
    oskar = acting(site, "oskar")
    shown = runtime.reviews.sheet(oskar, request).shown
    runtime.reviews.review(oskar, request, verdict=Verdict.APPROVE, note="", shown=shown, longest=longest)
    with runtime.store.read() as unit:
        return request, runtime.casebook.find(unit, request).row.made_grant


def test_it_says_what_was_approved_and_how_it_ended(moving_site: Site) -> None:
    request, grant = decided(moving_site, 2, timedelta(minutes=30))
    client = moving_site.client("audrey")
    page = get(client, f"/requests/{request}").text
    assert "Amara Diallo: 30 min of" in page
    assert "runs, ends in" in page
    assert "Would end" not in page
    moving_site.runtime.activation.end_early(acting(moving_site, "oskar"), grant, "not needed")
    page = get(client, f"/requests/{request}").text
    assert "<dt>Ended</dt>" in page
    assert "by Oskar Wirth: “not needed”" in page
    assert "Would end" not in page
    assert "30 min" in get(moving_site.client("hannah"), "/requests").text
