"""What is refused is said on the form's own page with what was typed kept; what is made is made once, shown once."""

import re
from typing import Any

import pytest

from lifecycle.services.authorisation import Actor
from lifecycle.web.once import LIFE, OnceShown
from tests.web.conftest import PASSWORD, Site, get, post
from tests.web.test_api import ask as call


def waiting(site: Site, *, god: bool) -> str:
    return str(next(c.row.id for c in site.runtime.inbox.pending(Actor("", "", "")) if c.request.god is god))


def value_of(text: str, field: str) -> str:
    return re.findall(rf'name="{field}" value="([^"]*)"', text)[0]


def test_a_review_of_what_has_changed_keeps_the_reviewers_words(site: Site) -> None:
    client, request = site.client("oskar"), waiting(site, god=False)
    answer = post(client, f"/requests/{request}/reviews", verdict="approve", shown="older", note="Talked to Ines")
    assert answer.status_code == 409
    assert "look again" in answer.text
    assert "Talked to Ines</textarea>" in answer.text
    long = post(client, f"/requests/{request}/reviews", verdict="approve", shown="older", note="x" * 501)
    assert long.status_code == 422
    assert "500 characters" in long.text


def test_a_withdrawn_request_says_so_on_its_own_page(moving_site: Site) -> None:
    site, client = moving_site, moving_site.client("hannah")
    person = site.runtime.persons.find("CW-1013")
    form = {"entitlement": "moderation.flag", "hours": "24", "reason": "for a day", "window": "1"}
    path = post(client, f"/people/{person}/ask", **form).headers["Location"]
    assert "within 1 day of approval" in get(client, path).text
    changed = post(client, f"{path}/edit", hours="20", reason="for less")
    assert "no longer count" not in get(client, changed.headers["Location"]).text, "there were no reviews"
    wrong = post(client, f"{path}/edit", hours="20", reason="x")
    assert wrong.status_code == 422
    assert "Please give a reason" in wrong.text
    assert ">x</textarea>" in wrong.text
    post(client, f"{path}/withdraw")
    for what in ("withdraw", "activate"):
        again = post(client, f"{path}/{what}")
        assert again.status_code == 409
        assert "is withdrawn" in again.text
        assert "cancelled" not in again.text
        assert "Asked by" in again.text, "it is the request's own page"
    late = post(site.client("oskar"), f"{path}/reviews", verdict="deny", shown="x", note="Too late now")
    assert "What you wrote was not kept: “Too late now”" in late.text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"proposed_day": "2001-01-01", "note": "a long story"}, "Propose a last day after"),
        ({"proposed_day": "nonsense", "note": "a long story"}, "is not a day"),
        ({"note": "y" * 501}, "500 characters at the most"),
    ],
)
def test_a_refused_renewal_keeps_what_was_typed(site: Site, form: dict[str, str], words: str) -> None:
    client = site.client("hannah")
    page = get(client, "/renewals").text
    path = re.findall(r'action="(/renewals/\d+)"', page)[0]
    last = re.findall(r'min="([\d-]+)"', page)[0]
    answer = post(client, path, answer="extend", **({"proposed_day": last} | form))
    assert answer.status_code == 422
    assert words in answer.text
    assert f"{form['note']}</textarea>" in answer.text


def test_a_wrong_name_keeps_the_reason_for_ending_access(site: Site) -> None:
    person = site.runtime.persons.find("CW-1018")
    form = {"typed": "Somebody Else", "reason": "Left with the laptop"}
    answer = post(site.client("oskar"), f"/people/{person}/revoke", **form)
    assert answer.status_code == 422
    assert "Left with the laptop</textarea>" in answer.text
    undone = post(site.client("oskar"), f"/people/{person}/revoke/undo", reason="It was a mistake")
    assert undone.status_code == 409
    assert "It was a mistake" in undone.text


@pytest.mark.parametrize(
    "form", [{"days": "99999", "scope": "access:read"}, {"days": "30"}, {"days": "91", "scope": "x"}]
)
def test_a_refused_token_keeps_what_was_typed(site: Site, form: dict[str, str]) -> None:
    answer = post(site.client(), "/tokens", name="nightly report", **form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert 'value="nightly report"' in answer.text
    assert f'value="{form["days"]}"' in answer.text
    assert 'value="access:read" checked' in answer.text or form.get("scope") != "access:read"


def test_a_refused_member_keeps_what_was_typed(site: Site) -> None:
    form = {"login": "petra", "name": "Another Petra", "role": "hr"}
    answer = post(site.client(), "/members", **form)
    assert answer.status_code == 422
    assert 'value="Another Petra"' in answer.text
    assert 'value="hr" checked' in answer.text


def test_any_other_refusal_leads_back_to_where_it_was_sent_from(site: Site) -> None:
    client, person = site.client("hannah"), site.runtime.persons.find("CW-1013")
    for referer, link in ((f"https://localhost/people/{person}?a=1", f"/people/{person}?a=1"),
                          ("https://evil.example/people", ""), ("https://localhost/grants/x/end", "")):  # fmt: skip
        form = {"csrf_token": re.findall(r'csrf_token" value="([^"]+)', get(client, "/me").text)[0], "task": " "}
        answer = client.post(
            f"/people/{person}/handover", data=form, base_url="https://localhost", headers={"Referer": referer}
        )
        assert answer.status_code == 422
        assert ("Back to the page before" in answer.text) is bool(link)
        assert f'href="{link or "/"}"' in answer.text


def secret(text: str) -> str:
    return re.findall(r'class="wide mono" readonly value="([^"]+)"', text)[0]


@pytest.mark.parametrize(
    ("path", "form"),
    [("/tokens", {"name": "once", "days": "1", "scope": "access:read"}), ("/me/calendars", {"whose": "all"}),
     ("/members", {"login": "newcomer", "role": "hr"})],
)  # fmt: skip
def test_what_is_made_is_shown_once_and_reloading_makes_no_other(
    moving_site: Site, path: str, form: dict[str, str]
) -> None:
    client = moving_site.client()
    answer = post(client, path, **form)
    assert answer.status_code == 303, "a page that was asked for, so that reloading sends nothing again"
    other = moving_site.client()
    page = answer.headers["Location"]
    assert "not shown again" in get(other, page).text
    assert "wide mono" not in get(other, page).text, "nor does another session see it"
    shown = get(client, page).text
    assert len(secret(shown)) > 20
    assert secret(shown) not in page
    reloaded = get(client, page).text
    assert secret(shown) not in reloaded
    assert "was shown already" in reloaded


def test_a_secret_nobody_looks_at_is_forgotten() -> None:
    now = [0.0]
    once = OnceShown(lambda: now[0])
    once.keep("session", "token", "s3cret")
    assert "s3cret" not in repr(once)
    now[0] = LIFE
    assert once.take("session", "token") == ""
    once.keep("session", "token", "s3cret")
    assert once.take("session", "token") == "s3cret"
    assert once.take("session", "token") == ""


def test_a_used_invitation_says_so_and_only_to_who_knows_it(moving_site: Site) -> None:
    client = moving_site.client()
    page = post(client, "/members", login="fresh", role="hr").headers["Location"]
    address = secret(get(client, page).text).replace("&amp;", "&")
    path = "/invitation" + address.split("/invitation", 1)[1]
    code = path.split("code=")[1].split("&")[0]
    stranger = moving_site.client(signed_in=False)
    assert "Set it and sign in" in get(stranger, path).text
    assert "Set it and sign in" in get(stranger, "/invitation?login=fresh").text
    weak = post(stranger, "/invitation", code=code, login="fresh", password="short")
    assert 'value="fresh"' in weak.text
    assert post(stranger, "/invitation", code=code, login="fresh", password=PASSWORD).status_code == 303
    assert "no longer works" in get(moving_site.client(signed_in=False), path).text
    for _ in range(40):
        get(stranger, "/invitation?login=hannah&code=guessed")
    assert moving_site.client("hannah"), "looking counts nothing: other sites could have a browser look"


def test_a_wrong_password_keeps_the_name(site: Site) -> None:
    answer = post(site.client(signed_in=False), "/sign-in", login="hannah-x", password="wrong")
    assert 'value="hannah-x"' in answer.text
    assert 'value="wrong"' not in answer.text


def test_the_name_of_a_passkey_outlives_the_confirmation(site: Site) -> None:
    client = site.client()
    text = get(client, "/confirm?next=/me?device=Key%2520ring").text
    assert value_of(text, "resume") == "/me?device=Key%20ring"
    assert 'value="Key ring"' in get(client, "/me?device=Key%20ring").text


def test_an_unknown_api_path_answers_json(site: Site) -> None:
    answer: Any = call(site, "/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.get_json()["error"] == "not-found"
