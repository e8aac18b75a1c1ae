"""The page of a request that was decided, as those read it who look at it later."""

import re
from datetime import datetime, timedelta

import pytest

from lifecycle.domain.approval import Verdict
from lifecycle.services.authorisation import Actor
from lifecycle.services.proposals import Draft
from lifecycle.services.sessions import actor_of
from lifecycle.store import members
from lifecycle.web.formats import full, local_to, zone_words
from tests.services.world import utc
from tests.web.conftest import Site, get, post


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


def test_a_reviewer_is_told_whose_clock_the_times_are_of(moving_site: Site) -> None:
    runtime = moving_site.runtime
    amara = runtime.persons.find("CW-1013")
    zone = runtime.persons.standing(amara).contracts[0].engagement.zone
    draft = Draft(amara, "billing.refund-small", timedelta(hours=24), "the queue", at_once=False)
    request = runtime.requests.ask(acting(moving_site, "hannah"), draft)
    page = get(moving_site.client("oskar"), f"/requests/{request}").text
    short = zone_words(runtime.clock.now(), zone)
    assert f"Times are those of clocks in {zone}." in page
    assert re.search(rf"<dt>Would end at</dt><dd><strong>[^<]*\d\d:\d\d {short}", page)
    oskar = acting(moving_site, "oskar")
    shown = runtime.reviews.sheet(oskar, request).shown
    runtime.reviews.review(oskar, request, verdict=Verdict.APPROVE, note="", shown=shown)
    client = moving_site.client("hannah")
    assert post(client, f"/requests/{request}/activate").status_code == 303
    flashed = get(client, f"/requests/{request}").text
    assert re.search(rf"It begins now and ends by itself [^<]*\d\d:\d\d {short}\.", flashed)


def test_a_button_that_says_until_names_the_zone(moving_site: Site) -> None:
    draft = Draft(moving_site.runtime.persons.find("CW-1013"), "billing.refund-small", timedelta(hours=1), "the queue")
    request = moving_site.runtime.requests.ask(acting(moving_site, "hannah"), draft)
    page = get(moving_site.client("oskar"), f"/requests/{request}").text
    assert re.search(r">Approve until [^<]*\d\d:\d\d [A-Z][A-Za-z ]+</button>", page)


@pytest.mark.parametrize(
    ("zone", "at", "words"),
    [
        ("Pacific/Honolulu", utc(2026, 3, 2, 20), "10:00 HST today"),
        ("Pacific/Honolulu", utc(2026, 3, 3, 7), "Mon 2 Mar, 21:00 HST"),  # today there, and tomorrow in UTC
        ("Europe/Berlin", utc(2026, 7, 1, 7), "Wed 1 Jul, 09:00 CEST"),
        ("America/Sao_Paulo", utc(2026, 3, 2, 20), "17:00 Sao Paulo today"),
        ("Asia/Manila", utc(2026, 3, 2, 15), "23:00 Manila today"),  # PST there, as in Los Angeles
        ("UTC", utc(2026, 3, 2, 20), "20:00 UTC today"),
    ],
)
def test_a_time_elsewhere_names_its_zone(zone: str, at: datetime, words: str) -> None:
    assert local_to(at, zone, utc(2026, 3, 2, 12)) == words
    assert full(at, zone).endswith(f" {zone_words(at, zone)}")


def test_every_page_says_its_zone(site: Site) -> None:
    """Without a word it would be whatever the reader takes for granted."""
    for who, paths in {"petra": ["/", "/people", "/trail", "/members", "/tokens", "/me"], "hannah": ["/team"]}.items():
        client = site.client(who)
        for path in paths:
            assert "Times are in UTC where no other zone is named." in get(client, path).text, path
    client = site.client("dmitri")
    assert "Times are those of clocks in " in get(client, "/my-access").text
    assert "Times in America/" in get(client, "/my-access/record").text
