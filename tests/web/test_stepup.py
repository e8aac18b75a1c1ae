"""What can do great harm needs a fresh sign-in; the form that was interrupted goes on afterwards."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from lifecycle.services.sessions import NotSignedIn, actor_of
from lifecycle.store import members
from lifecycle.store.people_tables import SessionRow
from tests.web.conftest import PASSWORD, Site, get, post


def make_stale(site: Site) -> None:
    """Let every session's authentication be six minutes old."""
    with site.runtime.store.write() as unit:
        at = site.runtime.sessions.wall() - timedelta(minutes=6)
        unit.session.execute(update(SessionRow).values(authenticated_at=at))


def cookie(client: Any) -> str:
    found = client.get_cookie("__Host-sid", domain="localhost")
    assert found is not None
    return str(found.value)


def test_a_stale_session_is_asked_and_the_form_goes_on(site: Site) -> None:
    client = site.client("petra")
    make_stale(site)
    old = cookie(client)
    form = {"name": "ci", "days": "30", "scope": "access:read"}
    asked = post(client, "/tokens", **form)
    assert asked.status_code == 403
    assert "Confirm that it is you" in asked.text
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', asked.text))
    assert {"resume": "/tokens", "again": "1", **form}.items() <= hidden.items()
    wrong = post(client, "/confirm", **{**hidden, "confirm_password": "wrong"})
    assert wrong.status_code == 403
    assert 'value="access:read"' in wrong.text, "nothing that was typed is lost"
    right = post(client, "/confirm", **{**hidden, "confirm_password": PASSWORD})
    assert right.status_code == 307, "the browser sends the same form again"
    assert right.headers["Location"] == "/tokens"
    assert cookie(client) != old
    made = post(client, "/tokens", **hidden)
    assert made.status_code == 303
    assert "Copy it now" in get(client, made.headers["Location"]).text


def test_confirming_leads_nowhere_else(site: Site) -> None:
    client = site.client("petra")
    for elsewhere in ("//evil.example", "https://evil.example", "/\\evil"):
        answer = post(client, "/confirm", resume=elsewhere, confirm_password=PASSWORD)
        assert answer.headers["Location"] == "/"
        assert "evil" not in get(client, f"/confirm?next={elsewhere}").text


def test_every_change_of_who_may_do_what_needs_it(site: Site) -> None:
    client = site.client("petra")
    make_stale(site)
    for path in (
        "/members", "/members/x/roles", "/members/x/disable", "/members/x/enable", "/members/x/invitation",
        "/members/x/passkeys/forget", "/me/passkeys/options", "/me/passkeys/x/remove",
    ):  # fmt: skip
        answer = post(client, path, login="x")
        assert "Confirm that it is you" in answer.text, path


def test_a_session_ends_with_its_member_at_the_very_next_request(site: Site) -> None:
    oskar, petra = site.client("oskar"), site.client("petra")
    (member,) = site.runtime.membership.list(site.runtime.sessions.actor(cookie(petra)), "oskar")
    assert get(oskar, "/").status_code == 200
    assert post(petra, f"/members/{member.id}/disable").status_code == 303
    assert get(oskar, "/").status_code == 303
    assert post(site.client(signed_in=False), "/sign-in", login="oskar", password=PASSWORD).status_code == 403
    assert post(petra, f"/members/{member.id}/enable").status_code == 303
    assert get(site.client("oskar"), "/").status_code == 200


def test_a_session_is_not_given_but_made_anew(site: Site) -> None:
    client = site.client(signed_in=False)
    client.set_cookie("__Host-sid", "chosen-by-an-attacker", domain="localhost", secure=True, path="/")
    post(client, "/sign-in", login="petra", password=PASSWORD)
    assert cookie(client) != "chosen-by-an-attacker"


def test_an_invitation_ends_the_session_of_whoever_used_the_browser_before(site: Site) -> None:
    """The old cookie was good for hours after somebody else had sat down."""
    runtime = site.runtime
    with runtime.store.read() as unit:
        petra = actor_of(members.by_keys(unit, ["petra"])[0], runtime.sessions.wall())
    code = runtime.membership.invite(petra, login="newcomer", roles=["hr"])
    client = site.client("hannah")
    before = cookie(client)
    assert post(client, "/invitation", code=code, login="newcomer", password=PASSWORD).status_code == 303
    assert cookie(client) != before
    with pytest.raises(NotSignedIn):
        runtime.sessions.actor(before)
