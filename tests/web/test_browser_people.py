"""As each person in a real browser: nothing for axe, and the journeys that managers, reviewers and contractors make."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from lifecycle.services.authorisation import Actor
from tests.web.conftest import PASSWORD, Site, sign_in
from tests.web.test_browser import RULES, SMALL

EXPECTED = re.compile("status of (403|422)")
"""What a browser says of answers that ask for something; every other complaint fails a test."""


def pages(site: Site) -> dict[str, list[str]]:
    """What each person looks at."""
    runtime = site.runtime
    dmitri, oisin = runtime.persons.find("CW-1024"), runtime.persons.find("CW-1018")
    waiting = {c.row.entitlement: c.row.id for c in runtime.inbox.pending(Actor("", "", ""))}
    god = waiting["console.god-mode"]
    eligible = next(c.row.id for c in runtime.team.waiting_of(dmitri) if c.row.resolution == "approved")
    return {
        "petra": [f"/people/{oisin}/revoke", "/requests", f"/requests/{god}", "/members", "/tokens", "/me", "/trail",
                  "/confirm?next=/me"],
        "hannah": ["/team", "/renewals", f"/requests/{god}", "/requests"],
        "ines": [f"/people/{dmitri}/ask?entitlement=console.god-mode&hours=20", f"/people/{dmitri}",
                 f"/team/ask?id={dmitri}&entitlement=moderation.flag"],
        "nora": ["/proposals", "/people"],
        "dmitri": ["/my-access", "/my-access/record", f"/requests/{eligible}", f"/people/{dmitri}/ask"],
        "": ["/sign-in", "/invitation", "/invitation?code=x&login=y"],
    }  # fmt: skip


def open_as(browser: Any, site: Site, login: str, width: int = 1280, scheme: str = "light") -> tuple[Any, list[str]]:
    """A page of somebody who has signed in, and what it complains about."""
    context = browser.new_context(
        base_url=site.url.replace("127.0.0.1", "localhost"),
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    page, wrong = context.new_page(), []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" and not EXPECTED.search(m.text) else None)
    page.on("pageerror", lambda e: wrong.append(str(e)))
    if login:
        sign_in(page, site.url.replace("127.0.0.1", "localhost"), login)
    return page, wrong


@pytest.mark.parametrize("login", ["petra", "hannah", "ines", "nora", "dmitri", ""])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_for_anybody(browser: Any, site: Site, login: str, width: int) -> None:
    page, wrong = open_as(browser, site, login, width)
    for path in pages(site)[login]:
        for scheme in ("light", "dark") if width > 1000 else ("dark",):
            page.emulate_media(color_scheme=scheme)
            page.goto(path)
            found = Axe().run(page, options=RULES)
            assert found.violations_count == 0, f"{path} {scheme}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate(SMALL) == [], path
    assert wrong == []
    page.context.close()


@pytest.mark.parametrize("width", [320, 768])
def test_nothing_scrolls_sideways_for_anybody(browser: Any, site: Site, width: int) -> None:
    for login, paths in pages(site).items():
        page, _ = open_as(browser, site, login, width)
        for path in paths:
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        page.context.close()


def test_a_manager_asks_and_two_people_approve_on_their_phones(browser: Any, moving_site: Site) -> None:
    site = moving_site
    person = site.runtime.persons.find("CW-1037")  # Hannah's
    page, wrong = open_as(browser, site, "hannah")
    page.goto(f"/people/{person}/ask")
    page.get_by_label("Right").select_option("console.god-mode")
    meaning = page.get_by_role("complementary")
    expect(meaning).to_contain_text("People who must approve")
    expect(meaning.get_by_text("God mode")).to_be_visible()
    with page.expect_response(lambda r: r.request.method == "POST" and r.url.endswith("/ask")):
        page.locator("label", has_text=re.compile("^1 h$")).click()
    reason = page.get_by_label("Reason, for the reviewers")
    reason.fill("Incident 7, on call")
    page.get_by_label("Or hours").fill("20")
    reason.focus()
    expect(meaning).to_contain_text("Shortened to 8 h, the longest for")
    expect(page.locator("[name=hours]:checked")).to_have_count(0)
    page.get_by_label("Or hours").fill("-5")
    reason.focus()
    expect(page.locator("#hours-e")).to_contain_text("Give a number of hours")
    expect(page.get_by_role("button", name="Send for review")).to_be_hidden()
    page.locator("label", has_text=re.compile("^1 h$")).click()
    expect(page.get_by_role("button", name="Send for review")).to_be_visible()
    page.get_by_role("button", name="Show what it means").click()
    assert "?" not in page.url, "neither a token nor words in the address"
    expect(reason).to_have_value("Incident 7, on call")
    page.get_by_role("button", name="Send for review").click()
    expect(page.get_by_role("status")).to_contain_text("is sent to its reviewers")
    expect(page.get_by_text("Only the owner", exact=False).or_(page.get_by_text("You asked for this"))).to_be_visible()
    address = page.url
    for login, words in (("oskar", "waits for the second person"), ("petra", "is approved")):
        phone, complaints = open_as(browser, site, login, 390)
        phone.goto(address)
        expect(phone.get_by_role("button", name=re.compile("^Approve until"))).to_be_visible()
        phone.locator("fieldset label").first.click()
        shortest = phone.locator("input[name=longest]").first.get_attribute("data-outcome")
        expect(phone.get_by_role("button", name=str(shortest))).to_be_visible()
        phone.locator("fieldset label").last.click()
        phone.get_by_label("Your reason").fill("Checked with the incident lead")
        phone.get_by_role("button", name=re.compile("^Approve until")).click()
        expect(phone.get_by_role("status")).to_contain_text(words)
        assert complaints == []
        phone.context.close()
    site.runtime.engine.tick()
    page.goto(f"/people/{person}")
    expect(page.get_by_role("row", name=re.compile("console.god-mode")).get_by_text("Held")).to_be_visible()
    assert wrong == []
    page.context.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_asking_for_several_shows_each_of_them_first(browser: Any, moving_site: Site, width: int) -> None:
    page, wrong = open_as(browser, moving_site, "hannah", width)
    page.goto("/team")
    for box in page.get_by_role("checkbox").all()[:3]:
        box.check()
    page.get_by_role("button", name="Ask for those chosen").click()
    page.get_by_label("Right").select_option("console.god-mode")
    expect(page.get_by_text("This asks for god mode")).to_be_visible()
    send = page.get_by_role("button", name=re.compile("^Send . requests? for god mode"))
    meaning = page.locator("#meaning").bounding_box()
    assert send.bounding_box()["y"] > meaning["y"], "what it means stands above the button that sends"
    for _ in ("shown", "sent"):
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if send.count():
            page.get_by_label("Reason, for the reviewers").fill("Incident 7, on call")
            send.click()
    expect(page.get_by_role("heading", name=re.compile("requests? sent for review"))).to_be_visible()
    page.get_by_role("link", name=re.compile(", GR-")).first.click()
    expect(page.get_by_text("“Incident 7, on call”")).to_be_visible()
    assert wrong == []
    page.context.close()


def test_a_contractor_activates_hands_over_and_says_what_is_wrong(browser: Any, moving_site: Site) -> None:
    page, wrong = open_as(browser, moving_site, "dmitri", 390)
    page.goto("/my-access")
    expect(page.get_by_role("heading", name="Your access, Dmitri")).to_be_visible()
    page.get_by_role("link", name="Activate").click()
    page.get_by_role("button", name=re.compile("^Activate until")).click()
    expect(page.get_by_role("status")).to_contain_text("ends by itself")
    moving_site.runtime.engine.tick()
    page.goto("/my-access")
    expect(page.get_by_text("Remove content in Moderation tool")).to_be_visible()
    page.get_by_text("Write something down").click()
    page.get_by_label("What", exact=True).fill("The recovery runbook")
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name=re.compile("^Done ?: The recovery runbook")).click()
    expect(page.get_by_text("Nothing is open.")).to_be_visible()
    page.get_by_text("Is a date or a system wrong?").click()
    page.get_by_label("What is wrong").fill("My last day is a week later")
    page.get_by_role("button", name="Tell us").click()
    expect(page.get_by_role("status")).to_contain_text("a person will look at it")
    page.get_by_role("link", name="See everything recorded").click()
    expect(page.get_by_text("You said that something is wrong: “My last day is a week later”.")).to_be_visible()
    assert wrong == []
    page.context.close()


def test_revoke_now_is_followed_until_the_last_account_is_proven_closed(browser: Any, moving_site: Site) -> None:
    site = moving_site
    person = site.runtime.persons.find("CW-1018")
    page, wrong = open_as(browser, site, "oskar", 390)
    page.goto(f"/people/{person}")
    page.get_by_role("link", name="Revoke now").click()
    page.get_by_label("Why, for the trail").fill("Left with the laptop")
    page.get_by_label("Type the name").fill("Somebody Else")
    page.get_by_role("button", name="End all access now").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was done")
    page.get_by_label("Why, for the trail").fill("Left with the laptop")
    page.get_by_label("Type the name").fill("Oisín Byrne")
    page.get_by_role("button", name="End all access now").click()
    expect(page.get_by_text("0 of 3 proven closed")).to_be_visible()
    site.runtime.engine.tick()
    expect(page.get_by_text("Every account is proven closed")).to_be_visible(timeout=10_000)
    card, words = page.locator("#accounts .card").bounding_box(), page.get_by_text("Proven closed").last.bounding_box()
    assert words["x"] + words["width"] <= card["x"] + card["width"], "it stays inside its card"
    expect(page.get_by_text("You ended it; somebody else must undo it.")).to_be_visible()
    other, _ = open_as(browser, site, "nora")
    other.goto(f"/people/{person}/revoke")
    other.get_by_label("Why, for the trail").fill("It was another Oisín")
    other.get_by_role("button", name="Give it back").click()
    expect(other.get_by_role("status").first).to_contain_text("being given back")
    expect(other.get_by_role("heading", name="Access of Oisín Byrne was given back")).to_be_visible()
    expect(other.get_by_text("0 of 3 open again")).to_be_visible()
    expect(other.get_by_role("button", name="End all access now")).to_be_hidden()
    found = Axe().run(other, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    site.runtime.engine.tick()
    expect(other.get_by_text("Every account is open again")).to_be_visible(timeout=10_000)
    assert wrong == []
    page.context.close()
    other.context.close()


def authenticator(page: Any, **options: Any) -> tuple[Any, str]:
    """Give the browser a virtual passkey device."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    values = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
              "isUserVerified": True, "automaticPresenceSimulation": True, **options}  # fmt: skip
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": values})["authenticatorId"]


def test_a_passkey_is_added_and_asked_for_before_great_harm(browser: Any, moving_site: Site) -> None:
    site = moving_site
    page, wrong = open_as(browser, site, "petra")
    device, key = authenticator(page)
    make_stale(site)
    page.goto("/me")
    page.get_by_label("Name of the device").fill("Key & ring")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_label("Name of the device")).to_have_value("Key & ring")
    page.get_by_label("Name of the device").fill("Key ring")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("button", name="Remove Key ring")).to_be_visible()
    make_stale(site)
    page.goto("/tokens")
    page.get_by_label("What for").fill("backup")
    page.get_by_label("access:read").check()
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    assert page.get_by_label("Your password").count() == 0, "whoever has a passkey is not asked for a password"
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.get_by_text("Copy it now")).to_be_visible()
    # a device on which nobody is verified proves nothing
    make_stale(site)
    device.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    page.goto("/confirm?next=/tokens")
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("The passkey was not used")
    device.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": True})
    # a copy of the key with an older counter is refused
    credential = device.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"][0]
    device.send("WebAuthn.removeCredential", {"authenticatorId": key, "credentialId": credential["credentialId"]})
    device.send("WebAuthn.addCredential", {"authenticatorId": key, "credential": {**credential, "signCount": 0}})
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("not accepted")
    assert wrong == []
    page.context.close()


def test_a_password_does_not_do_where_there_is_a_passkey(browser: Any, moving_site: Site) -> None:
    site = moving_site
    page, _ = open_as(browser, site, "petra")
    authenticator(page)
    page.goto("/me")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("button", name="Remove Passkey")).to_be_visible()
    make_stale(site)
    page.goto("/tokens")
    answer = page.evaluate(
        """async password => {
            const token = JSON.parse(document.body.getAttribute('hx-headers'))['X-CSRFToken'];
            const body = new URLSearchParams({ csrf_token: token, confirm_password: password, resume: '/tokens' });
            const answer = await fetch('/confirm', { method: 'POST', body, redirect: 'manual' });
            return answer.status;
        }""",
        PASSWORD,
    )
    assert answer == 403
    page.context.close()


def make_stale(site: Site) -> None:
    from tests.web.test_stepup import make_stale as age

    age(site)


def test_asking_works_without_script(browser: Any, moving_site: Site) -> None:
    site = moving_site
    person = site.runtime.persons.find("CW-1037")
    context = browser.new_context(java_script_enabled=False, base_url=site.url)
    page = context.new_page()
    sign_in(page, site.url, "hannah")
    page.goto(f"/people/{person}/ask")
    page.get_by_label("Right").select_option("moderation.flag")
    page.get_by_role("button", name="Show what it means").click()
    expect(page.get_by_text("People who must approve")).to_be_visible()
    page.get_by_label("Reason, for the reviewers").fill("Weekend cover")
    page.get_by_role("button", name="Send for review").click()
    expect(page.get_by_role("status")).to_contain_text("is sent to its reviewers")
    context.close()
