"""In a real browser: no violation of the policy, nothing for axe, no sideways scroll, and live without a reload."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.web.conftest import Site, sign_in

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SMALL = """() => [...document.querySelectorAll('a.btn,button,select,input:not([type=hidden]),.side li a')]
  .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
  .filter(([h, r]) => r.width && (r.width < 24 || r.height < 24)).map(x => x[0])"""


def paths(site: Site) -> list[str]:
    person = site.runtime.persons.find("CW-1018")
    return ["/", "/people", f"/people/{person}", "/people?q=nobody-fits"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(signed_in: Any, site: Site, scheme: str, width: int) -> None:
    signed_in.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    signed_in.set_viewport_size({"width": width, "height": 900})
    for path in paths(site):
        signed_in.goto(path)
        found = Axe().run(signed_in, options=RULES)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1440])
def test_nothing_scrolls_sideways(signed_in: Any, site: Site, width: int) -> None:
    signed_in.set_viewport_size({"width": width, "height": 800})
    for path in paths(site):
        signed_in.goto(path)
        assert signed_in.evaluate("document.documentElement.scrollWidth") <= width, path


def test_targets_are_large_enough(signed_in: Any, site: Site) -> None:
    for path in paths(site):
        signed_in.goto(path)
        assert signed_in.evaluate(SMALL) == [], path


def test_the_keyboard_reaches_content_and_search(signed_in: Any) -> None:
    signed_in.goto("/")
    signed_in.keyboard.press("Tab")
    expect(signed_in.get_by_text("Skip to content")).to_be_focused()
    signed_in.keyboard.press("Enter")
    expect(signed_in.locator("#main")).to_be_focused()
    signed_in.keyboard.press("/")
    expect(signed_in.locator("#q")).to_be_focused()


def test_the_phone_menu_opens(signed_in: Any) -> None:
    signed_in.set_viewport_size({"width": 390, "height": 800})
    signed_in.goto("/")
    signed_in.get_by_label("Menu").click()
    signed_in.get_by_role("link", name="People").first.click()
    expect(signed_in.get_by_role("heading", name="People", exact=True)).to_be_visible()


def test_the_theme_is_kept(signed_in: Any) -> None:
    signed_in.get_by_label("Colour theme").select_option("dark")
    signed_in.reload()
    assert signed_in.evaluate("document.documentElement.dataset.theme") == "dark"


def test_polling_keeps_the_page_until_something_changes(signed_in: Any, site: Site) -> None:
    signed_in.goto("/")
    signed_in.evaluate("document.querySelector('#god').dataset.mark = 1")
    site.runtime.engine.retry("console", "test")
    with signed_in.expect_response(lambda r: "/live" in r.url) as answer:
        signed_in.evaluate("htmx.trigger(document.body, 'poll')")
    assert answer.value.status == 200
    expect(signed_in.locator("#god:not([data-mark])")).to_have_count(1)


def test_a_visitor_moves_the_clock_and_sees_god_mode_go(signed_in: Any, moving_site: Site) -> None:
    sign_in(signed_in, moving_site.url)
    holders = signed_in.locator("#god tbody tr")
    before = holders.count()
    for _ in range(15):
        signed_in.get_by_role("button", name="+1 week").click()
        signed_in.get_by_role("status").first.wait_for()
        if holders.count() < before:
            break
    assert holders.count() < before


def test_everything_works_without_script(browser: Any, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=site.url)
    page = context.new_page()
    page.goto("/people")
    page.get_by_label("Name to sign in with").fill("petra")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="People", exact=True)).to_be_visible()
    page.get_by_label("Colour theme").select_option("dark")
    page.get_by_role("button", name="Set").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    context.close()
