"""What is recorded about somebody is told to them in sentences."""

import re

import pytest

from lifecycle.domain.audit import AuditRecord
from lifecycle.web.told import SENTENCES, Telling
from tests.services.world import utc
from tests.web.conftest import Site, get

MACHINE = re.compile(
    r"member:|scheduler|engagement:|seconds late \d|\d{4}-\d\d-\d\dT|True|False|console\.[a-z]|moderation\.[a-z]"
)


def record(action: str, **after: object) -> AuditRecord:
    return AuditRecord(1, utc(2026, 3, 1), "member:ines", action, "identity:x", "", {}, after, "GR-1", "")


def test_the_record_is_sentences(site: Site) -> None:
    for login in ("dmitri", "amara", "oisin"):
        text = get(site.client(login), "/my-access/record").text.split("<ol", 1)[1].split("</ol>")[0]
        words = re.sub(r"<[^>]*>", " ", text)
        assert MACHINE.findall(words) == []
        assert "Your contract" in words
    assert "asked for “Deactivate any account” in Support console for" in text
    assert "approved request GR-" in text
    assert "Times in" in get(site.client("dmitri"), "/my-access/record").text


@pytest.mark.parametrize("action", [*SENTENCES, "drift-removed", "grant-failed", "never-heard-of"])
def test_everything_is_told_and_nothing_is_needed_for_it(site: Site, action: str) -> None:
    telling = Telling("Europe/Dublin", "dmitri", {"member:ines": "Ines Duarte"})
    with site.app.app_context():
        told = telling.sentence(record(action))
        full = telling.sentence(
            record(action, entitlement="console.god-mode", target="console", reason="why", words="why", task="why",
                   exception=True, hours=168.0, held=["console.viewer"], ends_at="2026-03-02T10:00:00+00:00",
                   expires_at="2026-03-02T10:00:00+00:00", until="2026-03-09")
        )  # fmt: skip
    for sentence in (told, full):
        assert sentence[-1] in ".)"
        assert MACHINE.findall(sentence) == [], sentence


def test_the_reader_is_you_and_others_have_names(site: Site) -> None:
    made = record("request-withdrawn")
    with site.app.app_context():
        assert Telling("UTC", "ines", {}).sentence(made) == "You withdrew request GR-1."
        assert Telling("UTC", "x", {"member:ines": "Ines Duarte"}).who(made) == "Ines Duarte"
