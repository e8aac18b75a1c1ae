"""What a person sees, and what nobody may do."""

import re
from datetime import timedelta
from html import unescape

import pytest

from lifecycle.domain.entitlement import Tier
from lifecycle.services.secrets import Slowdown, TooManyAttempts
from lifecycle.services.sessions import NotSignedIn
from lifecycle.services.signin import new_local
from lifecycle.web.formats import relative
from lifecycle.web.forms import local_path
from tests.services.world import utc
from tests.web.conftest import LOGIN, PASSWORD, Site, get, post, token


def test_headers_on_every_answer(site: Site) -> None:
    client = site.client()
    for path in ("/", "/people", "/nothing", "/static/app.css"):
        answer = get(client, path)
        headers = answer.headers
        answer.close()
        if not path.startswith("/static"):
            assert "unsafe" not in headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
            assert headers["Cache-Control"] == "no-store"
            assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers.get("Access-Control-Allow-Origin") is None


def test_the_session_cookie_is_held_tight(site: Site) -> None:
    client = site.client(signed_in=False)
    cookies = post(client, "/sign-in", login=LOGIN, password=PASSWORD).headers.getlist("Set-Cookie")
    assert {cookie.split("=", 1)[0] for cookie in cookies} >= {"__Host-sid", "__Host-device"}
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))


def test_another_host_name_is_refused(site: Site) -> None:
    assert site.client().get("/", base_url="https://evil.example").status_code == 400


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "\t/x"]
)
def test_nobody_is_sent_elsewhere(site: Site, elsewhere: str) -> None:
    assert local_path(elsewhere) == "/"
    answer = post(site.client(signed_in=False), "/sign-in", login=LOGIN, password=PASSWORD, next=elsewhere)
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://localhost"}, 303),
        ({"Origin": "https://localhost"}, 303),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://other.localhost"}, 403),
        ({"Origin": "https://localhost.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[bad"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Referer": "http://[bad"}, 403),
    ],
)
def test_a_form_from_another_site_is_refused_even_with_a_token(
    site: Site, headers: dict[str, str], status: int
) -> None:
    client = site.client()
    form = {"csrf_token": token(client, "/me"), "theme": "dark"}
    assert client.post("/theme", data=form, base_url="https://localhost", headers=headers).status_code == status


def test_signing_out_ends_the_session_on_the_server(site: Site) -> None:
    client = site.client()
    cookie = client.get_cookie("__Host-sid", domain="localhost")
    assert cookie is not None
    post(client, "/sign-out")
    with pytest.raises(NotSignedIn):
        site.runtime.sessions.actor(cookie.value)


def test_the_dashboard_shows_who_holds_god_mode_soonest_end_first(site: Site) -> None:
    text = get(site.client(), "/").text
    holders = site.runtime.holders.who(Tier.GOD)
    assert len(holders) >= 2
    at = [text.index(h.identity.name if h.identity else h.account) for h in holders]
    assert at == sorted(at)
    assert "belongs to nobody known here" in text
    assert "Try again now" in text


def test_request_numbers_lead_to_the_request_where_the_reader_may_open_it(site: Site) -> None:
    holder = next(h for h in site.runtime.holders.who(Tier.GOD) if h.reason and h.reason.grant and h.identity)
    assert holder.reason is not None
    assert holder.reason.grant is not None
    assert holder.identity is not None
    link = f'href="/requests/{holder.reason.grant.request}"'
    assert link in get(site.client(), "/").text
    assert link in get(site.client("nora"), f"/people/{holder.identity.id}").text
    sponsor = get(site.client("hannah"), f"/people/{site.runtime.persons.find('CW-1013')}").text
    path = sponsor.split('href="/requests/GR-', 1)[1].split('"')[0]
    assert get(site.client("hannah"), f"/requests/GR-{path}").status_code == 200


def test_what_needs_a_person_is_not_said_to_be_next_now(site: Site) -> None:
    text = get(site.client(), "/").text
    assert "need you" in text
    assert "0 retr" not in text
    assert ", needs you" in text
    assert "next now" not in text


def test_live_answers_204_while_nothing_has_changed(site: Site) -> None:
    client = site.client()
    assert get(client, f"/live?v={site.runtime.overview.version()}").status_code == 204
    answer = get(client, "/live?v=0-0")
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div id="live"')


def test_people_are_found_and_shown_with_their_reasons(site: Site) -> None:
    client = site.client()
    text = get(client, "/people?q=volkov").text
    assert "Dmitri Volkov" in text
    assert "Priya Raman" not in text
    standing = site.runtime.persons.standing(site.runtime.persons.find("CW-1024"))
    page = get(client, f"/people/{standing.identity.id}").text
    assert "approved by Oskar Wirth and Petra Lang" in page
    assert "roster.csv line 25" in page
    assert get(client, "/people?q=%25").text.count("<tbody") == 0
    assert get(client, "/people/none").status_code == 404
    assert get(client, "/people?last_day=soon").status_code == 400


def test_all_people_are_reached_page_by_page(site: Site) -> None:
    client, seen, path = site.client(), 0, "/people"
    for _ in range(3):
        text = get(client, path).text
        seen += text.count('scope="row"')
        if "Next page" not in text:
            break
        path = text.split("Next page")[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    assert seen == 60


def test_a_name_that_is_markup_is_only_a_name(site: Site) -> None:
    text = get(site.client(), "/people?q=<script>alert(1)</script>").text
    assert "<script>alert" not in text


def test_the_clock_only_moves_forward_and_god_mode_goes(moving_site: Site) -> None:
    site = moving_site
    client = site.client()
    soonest = next(h for h in site.runtime.holders.who(Tier.GOD) if h.ends_at)
    assert soonest.ends_at is not None
    assert post(client, "/clock", step="backward").status_code == 400
    for _ in range(200):
        if site.runtime.clock.now() >= soonest.ends_at:
            break
        assert post(client, "/clock", step="hour").status_code == 303
    assert soonest.account not in {h.account for h in site.runtime.holders.who(Tier.GOD)}
    assert post(client, "/clock", step="next").status_code == 303


def test_asking_a_target_again(site: Site) -> None:
    client = site.client()
    assert post(client, "/targets/console/retry").status_code == 303
    assert post(client, "/targets/nothing/retry").status_code == 404


def test_setup_works_once(site: Site) -> None:
    client = site.client(signed_in=False)
    assert get(client, "/setup").status_code == 303
    form = {"code": "x", "login": "mallory", "name": "", "password": "long enough password"}
    refused = post(client, "/setup", **form)
    assert refused.status_code == 403
    assert 'value="mallory"' in refused.text, "what was typed is kept"


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [(0, 30, "now"), (0, 42 * 60, "in 42 min"), (0, 3 * 3600 + 48 * 60, "in 3 h 48 min"), (7200, 0, "2 h ago"),
     (0, 3 * 86_400 + 3600, "in 3 days")],
)  # fmt: skip
def test_time_is_rounded_down(a: int, b: int, words: str) -> None:
    start = utc(2026, 3, 1)
    assert relative(start + timedelta(seconds=b), start + timedelta(seconds=a)) == words


def test_a_wrong_name_and_a_wrong_password_read_alike(site: Site) -> None:
    answers = [post(site.client(signed_in=False), "/sign-in", login=n, password="wrong") for n in ("hannah2", LOGIN)]
    texts = {answer.text.split('id="error">')[1][:23] for answer in answers}
    assert texts == {"Wrong name or password."}


def test_guessing_is_slowed_down_and_nobody_is_locked_out() -> None:
    now = [0.0]
    slowdown = Slowdown(lambda: now[0])
    for _ in range(5):
        slowdown.check("ada", "192.0.2.1")
        slowdown.failed("ada", "192.0.2.1")
    with pytest.raises(TooManyAttempts):
        slowdown.check("ada", "192.0.2.1")
    slowdown.check("ada", "192.0.2.2")
    now[0] += 2
    slowdown.check("ada", "192.0.2.1")
    slowdown.succeeded("ada", "192.0.2.1")
    slowdown.check("ada", "192.0.2.1")


def test_many_names_from_one_address_leave_room_for_somebody_who_is_right() -> None:
    """Ten a minute get through, and who guesses has no more of them than who knows."""
    now, through = [0.0], 0
    slowdown = Slowdown(lambda: now[0])
    for n in range(600):
        now[0] += 1
        try:
            slowdown.check(f"name{n}", "2001:db8::1")
        except TooManyAttempts:
            continue
        through += 1
        slowdown.failed(f"name{n}", f"2001:db8::{n:x}")  # one customer has all of these addresses
    assert 30 + 90 <= through <= 30 + 110
    now[0] += 6
    slowdown.check("ada", "2001:db8::1")
    for n in range(30_000):
        slowdown.failed(f"name{n}", f"2001:db8:{n:x}::1")
    assert len(slowdown._failures) == len(slowdown._addresses) == 10_000


def test_any_number_of_members_is_found_and_reached_page_by_page(moving_site: Site) -> None:
    """The 501st could not be managed at all."""
    with moving_site.runtime.store.write() as unit:
        for n in range(120):
            unit.session.add(new_local(f"emp{n}", f"Employee {n:03}", [], utc(2026, 1, 1)))
    client, seen, path = moving_site.client("petra"), "", "/members?q=employee"
    for _ in range(3):
        page = get(client, path).text
        seen += page
        following = re.search(r'href="(/members\?q=[^"]*after=[^"]*)"', page)
        path = unescape(following[1]) if following else path
    assert all(f"Employee {n:03}" in seen for n in range(120))
    assert "Petra" in get(client, "/members?q=PETRA%20lang").text
    assert "Nobody fits." in get(client, "/members?q=%25_").text
