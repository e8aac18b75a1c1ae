"""Words without a blank, as long as they may be, on every page that shows what somebody wrote."""

from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from lifecycle.domain.renewal import Answer
from lifecycle.services.proposals import Draft
from lifecycle.services.sessions import actor_of
from lifecycle.store import members
from tests.web.conftest import Site
from tests.web.test_browser import RULES
from tests.web.test_browser_people import open_as

URL = "https://wiki.example.com/" + "incident" * 58
LONG = "x" * 500
WIDE = """() => [...document.querySelectorAll('main .scroll')]
  .filter(e => !e.closest('.as-table') && e.scrollWidth > e.clientWidth + 1).map(e => [e.ariaLabel, e.scrollWidth])"""
OUT = """() => [...document.querySelectorAll('main .card, main .facts, main .alert')].flatMap(card =>
  [...card.querySelectorAll('*:not(.vh, .vh *, svg *, .as-table *)')]
    .filter(e => e.getBoundingClientRect().right > card.getBoundingClientRect().right + 1)
    .map(e => e.outerHTML.slice(0, 80)))"""


def write(site: Site) -> dict[str, list[str]]:
    """Have Hannah write long words everywhere, and return who reads them where."""
    runtime, amara = site.runtime, site.runtime.persons.find("CW-1013")
    with runtime.store.read() as unit:
        hannah = actor_of(members.by_keys(unit, ["hannah"])[0], runtime.sessions.wall())
    request = runtime.requests.ask(hannah, Draft(amara, "moderation.flag", timedelta(hours=24), URL[:420]))
    question = next(q for q in runtime.renewals.questions(hannah) if q.name == "Amara Diallo")
    day = question.row.last_day + timedelta(days=30)
    runtime.renewals.answer(hannah, question.row.id or 0, Answer.EXTEND, proposed_day=day, note=LONG)
    runtime.team.add_handover(hannah, amara, LONG, LONG[:200])
    oisin = runtime.persons.find("CW-1018")
    with runtime.store.read() as unit:
        oskar = actor_of(members.by_keys(unit, ["oskar"])[0], runtime.sessions.wall())
    runtime.cut_offs.end_now(oskar, oisin, typed="Oisín Byrne", reason=LONG)
    return {
        "oskar": [f"/requests/{request}", f"/people/{amara}", "/requests", f"/people/{oisin}/revoke", "/"],
        "hannah": [f"/requests/{request}", f"/people/{amara}", "/renewals", "/requests"],
        "nora": ["/proposals", f"/people/{oisin}/revoke"],
        "amara": ["/my-access", "/my-access/record"],
        "audrey": ["/trail"],
    }


@pytest.mark.parametrize("width", [390, 1440])
def test_long_words_break_nothing(browser: Any, moving_site: Site, width: int) -> None:
    for login, paths in write(moving_site).items():
        page, wrong = open_as(browser, moving_site, login, width)
        for path in paths:
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert page.evaluate(WIDE) == [], f"{path}: a table is wider than its card"
            assert page.evaluate(OUT) == [], f"{path}: something runs out of its card"
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, found.generate_report()
        assert wrong == []
        page.context.close()
