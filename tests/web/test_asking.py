"""Asking: what it means is said before anything is sent, what is typed is kept, and nothing is shortened silently."""

import re
from typing import Any

import pytest

from lifecycle.services.authorisation import Actor
from lifecycle.services.sessions import actor_of
from lifecycle.store import members
from tests.web.conftest import Site, get, post, token

GOD, LEAD, FLAG = "console.god-mode", "console.lead", "moderation.flag"


def team_of(site: Site, login: str) -> list[Any]:
    with site.runtime.store.read() as unit:
        actor = actor_of(members.by_keys(unit, [login])[0], site.runtime.sessions.wall())
    return site.runtime.team.page(actor, limit=200)


def able(site: Site, login: str = "hannah") -> list[Any]:
    return [s for s in team_of(site, login) if not site.runtime.team.why_not_ask(s)]


def send(client: Any, path: str, **form: Any) -> Any:
    """Send a form with fields that occur more than once."""
    return client.post(path, data={"csrf_token": token(client), **form}, base_url="https://localhost")


def mark(text: str) -> str:
    return re.findall(r'name="shown" value="([^"]*)"', text)[0]


def pending(site: Site) -> int:
    return len(site.runtime.inbox.pending(Actor("", "", "")))


def test_what_it_means_is_shown_without_sending_and_keeps_the_words(site: Site) -> None:
    client, person, before = site.client("hannah"), able(site)[0].identity.id, pending(site)
    form = {"entitlement": FLAG, "hours": "24", "reason": "a secret reason", "show": "1"}
    answer = post(client, f"/people/{person}/ask", **form)
    assert answer.status_code == 200
    assert "It would end" in answer.text
    assert "a secret reason</textarea>" in answer.text
    assert 'formmethod="get"' not in answer.text, "words do not belong into an address"
    assert pending(site) == before


def test_more_than_the_longest_is_said_to_be_shortened(site: Site) -> None:
    client, person = site.client("hannah"), site.runtime.persons.find("CW-1037")
    text = get(client, f"/people/{person}/ask?entitlement={GOD}&hours=20").text
    assert "Shortened to 8 h, the longest for" in text
    assert 'value="20"' in text


@pytest.mark.parametrize("hours", ["-5", "0", "99999", "soon", "nan"])
def test_hours_that_cannot_be_are_refused_at_the_field(site: Site, hours: str) -> None:
    client, person, before = site.client("hannah"), able(site)[0].identity.id, pending(site)
    answer = post(client, f"/people/{person}/ask", entitlement=FLAG, other=hours, reason="because of this")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert "Give a number of hours" in answer.text
    assert f'value="{hours}"' in answer.text
    assert "because of this" in answer.text
    assert pending(site) == before


def test_nothing_is_sent_that_was_not_shown(site: Site) -> None:
    client, person, before = site.client("hannah"), able(site)[0].identity.id, pending(site)
    shown = mark(get(client, f"/people/{person}/ask?entitlement={FLAG}&hours=24").text)
    form = {"shown": shown, "entitlement": GOD, "hours": "24", "reason": "a wider right"}
    answer = post(client, f"/people/{person}/ask", **form)
    assert "Nothing was sent" in answer.text
    assert "Shortened" not in answer.text, "those were hours of the other right"
    assert pending(site) == before


def test_several_are_shown_one_by_one_before_they_are_asked_for(moving_site: Site) -> None:
    site = moving_site
    client, chosen = site.client("hannah"), able(site)[:3]
    ids, before = [s.identity.id for s in chosen], pending(site)
    form = {"id": ids, "entitlement": GOD, "other": "20", "reason": "incident"}
    shown = send(client, "/team/ask", show="1", **form)
    assert pending(site) == before
    for standing in chosen:
        assert standing.identity.name in shown.text
    assert "Shortened to 8 h" in shown.text
    assert "This asks for god mode" in shown.text
    possible = int(re.findall(r"Send (\d) requests? for god mode", shown.text)[0])
    sent = send(client, "/team/ask", shown=mark(shown.text), **form)
    assert pending(site) == before + possible
    links = re.findall(r'href="/requests/(GR-\d+)">([^<]+), GR', sent.text)
    assert len(links) == possible
    assert {name for _, name in links} <= {s.identity.name for s in chosen}
    assert "Shortened to 8 h" in sent.text
    again = send(client, "/team/ask", show="1", **form)
    assert "asks for the same and waits" in again.text


def test_nothing_is_offered_where_nothing_can_be_asked(site: Site) -> None:
    everybody = [(login, s) for login in ("hannah", "tomas", "ravi", "ines") for s in team_of(site, login)]
    unable = [(login, s) for login, s in everybody if site.runtime.team.why_not_ask(s)]
    assert unable
    for login, standing in unable:
        text = get(site.client(login), "/team").text
        assert f'value="{standing.identity.id}"' not in text
        assert f"/people/{standing.identity.id}/ask" not in text
    login, standing = unable[0]
    page = get(site.client(login), f"/people/{standing.identity.id}").text
    assert "Nothing can be asked for" in page
