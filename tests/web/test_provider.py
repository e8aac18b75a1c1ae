"""Signing in at an OpenID provider in a real browser, across two sites and back."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.servers.ports import free_port, wait_until_open
from tests.web.conftest import Site, served

CLAIMS = (
    '{"sub": "ada", "name": "Ada Lovelace", "email": "ada@example.com", "email_verified": true, "groups": ["it-ops"]}'
)


@pytest.fixture
def provider() -> Iterator[str]:
    """oidc-provider-mock, in a process of its own."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), "--user-claims", CLAIMS]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_until_open(port)
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.wait(10)


@pytest.fixture
def company(demo: Path, tmp_path: Path, provider: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The demo with a company sign-in."""
    monkeypatch.setenv("MOCK_SECRET", "any")
    more = f"""
[sign_in.roles]
it-ops = ["it-operator"]
[sign_in.oidc]
issuer = "{provider}"
client_id = "lifecycle"
client_secret = {{ env = "MOCK_SECRET" }}
"""
    with served(demo, tmp_path / "demo", port=free_port(), more=more) as site:
        yield site


def test_there_and_back_again(browser: Any, company: Site) -> None:
    page = browser.new_context(base_url=company.url.replace("127.0.0.1", "localhost")).new_page()
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" and "localhost" in page.url else None)
    page.goto("/requests")
    page.get_by_role("button", name="Company sign-in").click()
    page.wait_for_url(lambda url: "127.0.0.1" in url)
    page.get_by_role("button", name="ada").click()
    expect(page.get_by_role("heading", name="Requests", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Ada Lovelace, your account")).to_be_visible()
    cookies = {c["name"]: c for c in page.context.cookies()}
    assert cookies["__Host-sid"]["httpOnly"]
    assert cookies["__Host-sid"]["sameSite"] == "Lax"
    assert "__Host-departed" not in cookies
    returned = company.runtime.trail.search(action="signed-in", limit=1)[0]
    assert returned.after["method"] == "Company sign-in"
    assert [w for w in wrong if "Content Security Policy" in w] == []
    page.context.close()


def test_a_refusal_comes_back_with_its_words_and_a_stolen_return_is_worth_nothing(browser: Any, company: Site) -> None:
    page = browser.new_context(base_url=company.url.replace("127.0.0.1", "localhost")).new_page()
    page.goto("/sign-in")
    page.get_by_role("button", name="Company sign-in").click()
    page.wait_for_url(lambda url: "127.0.0.1" in url)
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("alert")).to_contain_text(re.compile("did not sign you in|Begin again"))
    page.goto("/sign-in/return?state=made-up&code=x")
    expect(page.get_by_role("alert")).to_contain_text("Begin again")
    page.context.close()
