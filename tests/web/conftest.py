"""The demo, served to a test client and to a real browser."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from lifecycle.app import make_app
from lifecycle.demo import make_demo
from lifecycle.runtime import Runtime
from lifecycle.store.people_tables import MemberRow
from tests.conftest import need
from tests.servers.pages import serving
from tests.web.pushing import Peer, make_peer

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
LOGIN, PASSWORD = "petra", "correct horse battery"
"""An IT administrator, and the password of everybody: the demo makes one up, and tests set their own."""


@dataclass
class Site:
    """A demo that is served, with its first operator."""

    runtime: Runtime
    url: str
    app: Any

    def client(self, login: str = LOGIN, *, signed_in: bool = True) -> FlaskClient:
        """A client that sends CSRF tokens as forms do."""
        client: FlaskClient = self.app.test_client()
        if signed_in:
            answer = post(client, "/sign-in", login=login, password=PASSWORD)
            assert answer.status_code == 303, answer.text
        return client


def token(client: FlaskClient, page: str = "/sign-in") -> str:
    """Read a CSRF token from a page."""
    text = client.get(page, base_url="https://localhost", follow_redirects=True).text
    return text.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]


def post(client: FlaskClient, path: str, **form: str) -> Any:
    """Send a form with its token."""
    form["csrf_token"] = token(client)
    return client.post(path, data=form, base_url="https://localhost", headers={"Referer": "https://localhost/"})


def get(client: FlaskClient, path: str) -> Any:
    """Ask for a page."""
    return client.get(path, base_url="https://localhost")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo that nobody touches, for others to be copied from."""
    folder = tmp_path_factory.mktemp("made") / "demo"
    make_demo(folder, port=0, keep=False)
    return folder


@contextmanager
def served(demo: Path, folder: Path, *, port: int = 0, more: str = "") -> Iterator[Site]:
    """Serve a copy of a demo, on any free port unless one is given, with *more* in its configuration."""
    shutil.copytree(demo, folder)
    config = folder / "config.toml"
    config.write_text(config.read_text().replace("port = 0", f"port = {port}") + more)
    runtime = Runtime.from_file(folder / "config.toml")
    with runtime.store.write() as unit:
        unit.session.execute(update(MemberRow).values(password_hash=runtime.sign_in.passwords.hash(PASSWORD)))
    assert runtime.leadership.try_to_lead()
    app = make_app(runtime, scheduler=True)
    with serving(app, port) as url:
        yield Site(runtime, url, app)
    runtime.close()


@pytest.fixture(scope="session")
def site(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A demo whose clock nobody moves."""
    with served(demo, tmp_path_factory.mktemp("demo") / "demo") as site:
        yield site


@pytest.fixture
def moving_site(demo: Path, tmp_path: Path) -> Iterator[Site]:
    """A demo of its own for a test that moves the clock or changes what others look at."""
    with served(demo, tmp_path / "demo") as site:
        yield site


@pytest.fixture
def peer(ready_url: str) -> Iterator[Peer]:
    """A program that pushes people, at both databases."""
    peer = make_peer(ready_url, calls_per_second=1000)
    yield peer
    peer.store.close()


@pytest.fixture
def nora(site: Site) -> FlaskClient:
    """Somebody of HR, at whichever demo the module looks at."""
    return site.client("nora")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's chromium."""
    need("" if CHROMIUM else "chromium")
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "headless": True, "args": ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any], site: Site) -> dict[str, Any]:
    """A desk."""
    return {**browser_context_args, "viewport": {"width": 1280, "height": 900}, "base_url": site.url}


@pytest.fixture
def signed_in(page: Any, site: Site) -> Any:
    """A page whose reader has signed in; it fails on any console error and any request elsewhere."""
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: wrong.append(str(e)))
    page.on("request", lambda r: None if r.url.startswith("http://127.0.0.1") else wrong.append(f"outside: {r.url}"))
    sign_in(page, site.url)
    yield page
    assert wrong == []


def sign_in(page: Any, url: str, login: str = LOGIN) -> None:
    """Fill the form in."""
    page.goto(f"{url}/sign-in")
    page.get_by_label("Name to sign in with").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="your account").first.wait_for()
