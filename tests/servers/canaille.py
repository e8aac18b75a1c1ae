"""
Canaille, a foreign OpenID provider, in an environment of its own: its pins and ours do not go together.

``python3 -m lifecycle.bootstrap test`` makes the environment from ``canaille.lock``.
"""

import html
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2

from tests.servers.ports import free_port, wait_until_open

PROGRAM = Path(__file__).resolve().parents[2] / ".venv-canaille/bin/canaille"
LOGIN, PASSWORD, GROUP = "ada", "correct horse battery", "it-ops"
CLIENT, SECRET = "lifecycle", "canaille-secret"
FIELD = re.compile(r'<(?:input|button)[^>]*name="([^"]+)"[^>]*?value="([^"]*)"')


def missing() -> str:
    """Say what is missing, or nothing."""
    return "" if PROGRAM.exists() else "canaille (python3 -m lifecycle.bootstrap test)"


class Canaille:
    """One provider with one user in one group and one client."""

    def __init__(self, folder: Path, redirect_uri: str) -> None:
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        config = folder / "canaille.toml"
        self.environment = {**os.environ, "CANAILLE_CONFIG": str(config)}
        config.write_text("")
        key = json.loads(self._tool("jwk", "create", "rsa", "--format", "json"))
        config.write_text(_config(folder, self.port, key))
        self._tool("db", "upgrade")
        user = json.loads(
            self._tool(
                "create", "user", "--user-name", LOGIN, "--password", PASSWORD, "--formatted-name", "Ada Lovelace",
                "--family-name", "Lovelace", "--given-name", "Ada", "--emails", "ada@example.com",
            )
        )  # fmt: skip
        self.user_id = user["id"]
        self._tool("create", "group", "--display-name", GROUP, "--members", self.user_id)
        scopes = [part for scope in ("openid", "profile", "email", "groups") for part in ("--scope", scope)]
        made = self._tool(
            "create", "client", "--client-id", CLIENT, "--client-secret", SECRET, "--client-name", "Lifecycle",
            "--redirect-uris", redirect_uri, "--token-endpoint-auth-method", "client_secret_basic",
            "--grant-types", "authorization_code", "--response-types", "code", *scopes,
        )  # fmt: skip
        client_id = json.loads(made)["id"]
        self._tool("set", "client", client_id, "--audience", client_id)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen([str(PROGRAM), "run"], env=self.environment, cwd=folder, **quiet)  # type: ignore[call-overload]
        wait_until_open(self.port)

    def _tool(self, *arguments: str) -> str:
        done = subprocess.run([str(PROGRAM), *arguments], env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return next((text for text in done.stdout.splitlines() if text.startswith(("{", "["))), "")

    def lock_user(self) -> None:
        """Let the user sign in no more."""
        self._tool("set", "user", self.user_id, "--lock-date", "2020-01-01T00:00:00+00:00")

    def agree(self, url: str, redirect_uri: str) -> dict[str, str]:
        """Fill the provider's forms in as a person would, and return what it sends the browser back with."""
        with httpx2.Client(base_url=self.issuer, trust_env=False, timeout=20) as client:
            answer = client.get(url)
            for _ in range(12):
                location = answer.headers.get("location", "")
                if location.startswith(redirect_uri):
                    return dict(parse_qsl(urlsplit(location).query))
                if location:
                    answer = client.get(urljoin(str(answer.url), location))
                    continue
                fields = {name: html.unescape(value) for name, value in FIELD.findall(answer.text)}
                own = {"login": LOGIN, "password": PASSWORD}
                fields |= {name: value for name, value in own.items() if f'name="{name}"' in answer.text}
                if 'value="accept"' in answer.text:
                    fields["answer"] = "accept"
                answer = client.post(str(answer.url), data=fields)
        raise AssertionError(f"the provider did not agree: {answer.status_code} {answer.url}")

    def stop(self) -> None:
        """Stop serving."""
        self.process.terminate()
        self.process.wait(10)


def _config(folder: Path, port: int, key: dict[str, Any]) -> str:
    parts = ", ".join(f'{name} = "{value}"' for name, value in key.items() if isinstance(value, str))
    return f"""
SECRET_KEY = "for one test only"
SERVER_NAME = "127.0.0.1:{port}"
PREFERRED_URL_SCHEME = "http"
[CANAILLE]
DATABASE = "sql"
JAVASCRIPT = false
EMAIL_CONFIRMATION = false
[CANAILLE_SQL]
DATABASE_URI = "sqlite:///{folder}/canaille.db"
[CANAILLE_OIDC]
ACTIVE_JWKS = [{{{parts}}}]
[CANAILLE_HYPERCORN]
BIND = "127.0.0.1:{port}"
"""
