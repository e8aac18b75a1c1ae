"""HR's path through a roster in a real browser: by hand, on a phone, in the dark, and without a line of script."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from lifecycle.services.upload_views import State
from lifecycle.web import roster_words
from tests.feed.test_layouts import FIELDGLASS_HEADER, fieldglass
from tests.web.conftest import Site, served
from tests.web.roster_files import ODD, a_third_leaves, demo_roster, faulty, one_leaves_later
from tests.web.test_browser import RULES, SMALL
from tests.web.test_browser_people import open_as


def send(page: Any, text: str | bytes, name: str = "week 47.csv") -> None:
    """Choose a file and send it."""
    content = text.encode() if isinstance(text, str) else text
    page.goto("/rosters/upload")
    page.get_by_label("Choose a CSV or Excel file").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content}
    )
    page.get_by_role("button", name="Upload and go on").click()
    page.get_by_role("heading", level=1).filter(has_not_text="Upload a roster").wait_for()


def check(page: Any, *, schemes: tuple[str, ...] = ("light", "dark"), widths: tuple[int, ...] = (1440, 390)) -> None:
    """Nothing for axe, nothing sideways, nothing too small to touch."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found = Axe().run(page, options=RULES)
            assert found.violations_count == 0, f"{page.url} {width} {scheme}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
        assert page.evaluate(SMALL) == [], page.url
    page.set_viewport_size({"width": 1280, "height": 900})


def test_hr_repairs_reviews_and_applies(browser: Any, moving_site: Site) -> None:
    page, wrong = open_as(browser, moving_site, "nora")
    page.goto("/rosters")
    page.get_by_role("link", name="Upload a roster").click()
    check(page)
    send(page, demo_roster(moving_site, faulty))
    expect(page.get_by_role("heading", name="Review before applying")).to_be_visible()
    check(page)
    for summary in page.locator("details.fix > summary").all():
        summary.click()
    check(page, schemes=("dark",))
    page.get_by_role("button", name="Day first").click()
    expect(page.get_by_text("Day first.")).to_be_visible()
    page.get_by_role("button", name="All from 1969 to 2068").click()
    page.get_by_text("One last day for all").click()
    page.get_by_label("Last day of all of them").fill("2027-06-30")
    page.get_by_role("button", name="Set it").click()
    page.get_by_text("Name each site’s zone").click()
    page.get_by_label("Time zone of Lagos").fill("Africa/Lagos")
    page.get_by_role("button", name="Use these zones").click()
    page.get_by_text("Match each spelling once").click()
    expect(page.get_by_label("Who hanah.osei@example.com is")).to_have_value("hannah.osei@example.com")
    page.get_by_role("button", name="Use these people").click()
    page.get_by_text("Choose which row counts").click()
    page.get_by_role("radio", name=re.compile("^Row 12")).check()
    page.get_by_role("button", name="These rows count").click()
    expect(page.get_by_text("Row 12 counts for WO-1011-1.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Lagos lies in Africa/Lagos.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Only these rows, CSV").click()
    assert download.value.suggested_filename == "week-47-not-usable.csv"
    page.get_by_role("link", name=re.compile("^Leaves later")).click()
    page.get_by_label("Filter by name").fill("luis")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name=re.compile("Luis Ferreira"))).to_have_count(1)
    expect(page.get_by_role("row", name=re.compile("Nils Aalto"))).to_have_count(0)
    assert wrong == []
    page.context.close()


def test_a_roster_is_dropped_and_applied(browser: Any, moving_site: Site) -> None:
    page, wrong = open_as(browser, moving_site, "nora")
    page.goto("/rosters/upload")
    content = demo_roster(moving_site, one_leaves_later)
    dropped = page.evaluate_handle(
        """text => { const data = new DataTransfer();
             data.items.add(new File([text], "dropped.csv", { type: "text/csv" })); return data; }""",
        content,
    )
    page.dispatch_event("[data-drop]", "dragover", {"dataTransfer": dropped})
    expect(page.locator(".drop.over")).to_have_count(1)
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": dropped})
    expect(page.get_by_text("dropped.csv, 0.0 MiB")).to_be_visible()
    page.get_by_role("button", name="Upload and go on").press("Enter")
    page.get_by_label("Note, for the trail").fill("Weekly roster")
    page.get_by_role("button", name="Apply 1 change").click()
    expect(page.get_by_role("heading", name="Applied")).to_be_visible()
    expect(page.get_by_text("“Weekly roster”")).to_be_visible()
    check(page)
    send(page, content, "again.csv")
    expect(page.get_by_role("heading", name="This very file was applied before")).to_be_visible()
    check(page, widths=(390,))
    page.goto("/rosters")
    check(page)
    assert wrong == []
    page.context.close()


def test_of_two_files_dropped_at_once_the_second_is_named(browser: Any, moving_site: Site) -> None:
    page, wrong = open_as(browser, moving_site, "nora")
    page.goto("/rosters/upload")
    dropped = page.evaluate_handle(
        """() => { const data = new DataTransfer();
             for (const name of ["one.csv", "two.csv"]) data.items.add(new File(["x"], name)); return data; }"""
    )
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": dropped})
    expect(page.get_by_text("one.csv, 0.0 MiB")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_text("One file at a time; two.csv was not taken.")
    assert page.evaluate("document.querySelector('#file').files.length") == 1
    assert wrong == []
    page.context.close()


def test_columns_are_matched_by_hand(browser: Any, moving_site: Site) -> None:
    page, wrong = open_as(browser, moving_site, "nora")
    send(page, ODD.encode("cp1252"), "Agency week 47.csv")
    expect(page.get_by_role("heading", name="Match columns")).to_be_visible()
    check(page)
    expect(page.get_by_role("combobox", name="Worker id")).to_have_value("Personnel No")
    expect(page.get_by_label("How days are written")).to_have_value("")
    page.get_by_role("button", name="Read it so").click()
    expect(page.get_by_role("alert")).to_contain_text("they are never guessed")
    check(page, schemes=("light",), widths=(390,))
    page.get_by_label("How days are written").select_option("%d/%m/%Y")
    page.get_by_role("radio", name="Means nothing Only").check()
    page.get_by_role("radio", name="Zoë, Müller").check()
    page.get_by_role("button", name="Read it so").click()
    expect(page.get_by_text("3 Apr 2026 to 5 Jun 2027")).to_be_visible()
    page.get_by_role("link", name="Match columns").click()
    expect(page.get_by_label("How days are written")).to_have_value("%d/%m/%Y")
    page.goto("/rosters")
    page.get_by_role("link", name=re.compile("^Continue ?: Agency week 47.csv")).click()
    page.get_by_text("Discard this upload").click()
    page.get_by_role("button", name="Discard it").click()
    expect(page.get_by_role("status")).to_contain_text("is discarded")
    assert wrong == []
    page.context.close()


def test_between_two_layouts_one_says_which_it_is(browser: Any, moving_site: Site) -> None:
    page, wrong = open_as(browser, moving_site, "nora")
    row = fieldglass("P1", "Active", "WO1", "01/15/2026", "12/31/2026")
    send(page, f"{FIELDGLASS_HEADER}\n{row}")
    expect(page.get_by_role("heading", name="Which of them is it?")).to_be_visible()
    check(page)
    page.get_by_role("link", name="Changes only: SAP Fieldglass").click()
    expect(page.get_by_role("radio", name="Means nothing Only")).to_be_checked()
    page.get_by_label("Time zone for rows that name none").fill("Europe/Dublin")
    page.get_by_role("button", name="Read it so").click()
    expect(page.get_by_text("Changes only: nothing is said of who is not in it.")).to_be_visible()
    check(page, schemes=("light",), widths=(390,))
    assert wrong == []
    page.context.close()


def test_two_people_release_on_their_phones(browser: Any, moving_site: Site) -> None:
    page, wrong = open_as(browser, moving_site, "nora")
    send(page, demo_roster(moving_site, a_third_leaves))
    expect(page.get_by_text("It will be held.")).to_be_visible()
    page.get_by_role("button", name="Send to two other people").click()
    expect(page.get_by_role("heading", name="Held until two people agree")).to_be_visible()
    expect(page.get_by_role("button", name="Reject")).to_have_count(0)
    check(page, schemes=("light",))
    address = page.url
    upload_id = address.split("/")[4]
    number = moving_site.runtime.uploads.find(upload_id).changing
    for login, button in (("petra", "Agree to let it go"), ("oskar", "Let it go now")):
        phone, complaints = open_as(browser, moving_site, login, 390, "dark")
        phone.goto(address)
        check(phone, schemes=("dark",), widths=(390,))
        phone.get_by_label(f"type how many contracts change: {number}").fill(str(number))
        phone.get_by_label("Why, for the trail").fill("Asked the vendor")
        phone.get_by_role("button", name=button).click()
        expect(phone.get_by_role("status").first).to_be_visible()
        assert complaints == []
        phone.context.close()
    assert moving_site.runtime.uploads.find(upload_id).state is State.APPLIED
    page.goto("/sources")
    check(page)
    page.get_by_role("link", name="agencies").first.click()
    check(page)
    assert wrong == []
    page.context.close()


def test_a_large_file_shows_how_far_it_is(browser: Any, moving_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(roster_words, "AT_ONCE", 0)
    monkeypatch.setattr(moving_site.runtime.intake, "start", started.append)
    page, wrong = open_as(browser, moving_site, "nora")
    send(page, demo_roster(moving_site, one_leaves_later))
    expect(page.get_by_role("heading", name="Reading the roster")).to_be_visible()
    check(page, schemes=("light",))
    moving_site.runtime.intake.advance(started[0])
    expect(page.get_by_role("heading", name="Review before applying")).to_be_visible(timeout=10_000)
    assert wrong == []
    page.context.close()


@pytest.fixture
def small_site(demo: Path, tmp_path: Path) -> Iterator[Site]:
    """A demo that takes files of one MiB at the most."""
    with served(demo, tmp_path / "small", more="\n[rosters]\nlargest_mib = 1\n") as small:
        yield small


def test_what_is_too_large_is_said_before_it_is_sent(browser: Any, small_site: Site) -> None:
    page, wrong = open_as(browser, small_site, "nora")
    page.goto("/rosters/upload")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    large = {"name": "large.csv", "mimeType": "text/csv", "buffer": b"x" * (2**20 + 1)}
    page.get_by_label("Choose a CSV or Excel file").set_input_files(large)
    expect(page.get_by_role("alert")).to_contain_text("This file has 2 MiB; 1 MiB are allowed")
    page.get_by_role("button", name="Upload and go on").click()
    assert "POST" not in sent
    assert wrong == []
    page.context.close()


def test_everything_works_without_script(browser: Any, moving_site: Site) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=moving_site.url.replace("127.0.0.1", "localhost"))
    page = context.new_page()
    page.goto("/rosters/upload")
    page.get_by_label("Name to sign in with").fill("nora")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    send(page, demo_roster(moving_site, faulty))
    page.get_by_role("button", name="Day first").click()
    expect(page.get_by_text("Day first.")).to_be_visible()
    page.get_by_text("One last day for all").click()
    page.get_by_label("Last day of all of them").fill("2027-06-30")
    page.get_by_role("button", name="Set it").click()
    expect(page.get_by_text("Rows without a last day end on 30 Jun 2027.")).to_be_visible()
    page.get_by_label("Leave out").check()
    page.get_by_role("button", name=re.compile("^(Apply|Send)")).click()
    expect(page.get_by_role("heading", name=re.compile("^(Applied|Held)"))).to_be_visible()
    context.close()
