"""The JSON interface: a token in its scope, and nothing else."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from lifecycle.services.sessions import actor_of
from lifecycle.services.tokens import SHAPE, TokenInvalid
from lifecycle.store import members
from tests.web.conftest import Site

PATHS = {
    "/api/v1/holders": "access:read",
    "/api/v1/people/CW-1018/access": "access:read",
    "/api/v1/requests": "requests:read",
    "/api/v1/trail": "trail:read",
}


def admin(site: Site) -> Any:
    with site.runtime.store.read() as unit:
        return actor_of(members.by_keys(unit, ["petra"])[0], site.runtime.sessions.wall())


def ask(site: Site, path: str, token: str = "", kind: str = "Bearer") -> Any:
    headers = {"Authorization": f"{kind} {token}"} if token else {}
    return site.app.test_client().get(path, base_url="https://localhost", headers=headers)


def test_a_token_reads_what_its_scope_says_and_nothing_else(site: Site) -> None:
    for scope in sorted(set(PATHS.values())):
        token, _ = site.runtime.tokens.make(admin(site), f"for {scope}", [scope], 30)
        for path, needed in PATHS.items():
            answer = ask(site, path, token)
            assert answer.status_code == (200 if needed == scope else 403), path
            assert answer.is_json


def test_what_it_says(site: Site) -> None:
    token, _ = site.runtime.tokens.make(admin(site), "all", ["access:read", "requests:read", "trail:read"], 1)
    holders = ask(site, "/api/v1/holders", token).get_json()["holders"]
    assert {"console.god-mode"} == {h["entitlement"] for h in holders}
    assert ask(site, "/api/v1/people/CW-1018/access", token).get_json()["access"]
    assert all(
        r["approvals"] < r["approvals_needed"] for r in ask(site, "/api/v1/requests", token).get_json()["requests"]
    )
    records = ask(site, "/api/v1/trail", token).get_json()["records"]
    assert records[0]["seq"] > records[-1]["seq"]
    older = ask(site, f"/api/v1/trail?before={records[-1]['seq']}", token).get_json()["records"]
    assert not older or older[0]["seq"] < records[-1]["seq"]
    assert ask(site, "/api/v1/holders?tier=none-such", token).status_code == 400
    for vague in ("nobody-at-all", "Volk", "CW-101", "'", "%", "@"):
        assert ask(site, f"/api/v1/people/{quote(vague)}/access", token).status_code == 404, "programs do not guess"


@pytest.mark.parametrize("token", ["", "x", "lcy_" + "0" * 56, "lcy_" + "0" * 48 + "00000000"])
def test_no_token_and_a_made_up_one_are_refused(site: Site, token: str) -> None:
    for path in PATHS:
        answer = ask(site, path, token)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_ends(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = site.runtime.tokens
    token, made = tokens.make(admin(site), "short", ["access:read"], 1)
    assert SHAPE.fullmatch(token)
    assert re.fullmatch(r"lcy_[0-9a-f]{6}", made.prefix)
    swapped = token[:-1] + ("0" if token[-1] != "0" else "1")
    assert ask(site, "/api/v1/holders", swapped).status_code == 401
    assert ask(site, "/api/v1/holders", token, kind="Basic").status_code == 401
    later = site.runtime.sessions.wall() + timedelta(days=1)
    monkeypatch.setattr(site.runtime.sessions, "wall", lambda: later)
    assert ask(site, "/api/v1/holders", token).status_code == 401
    monkeypatch.undo()
    assert ask(site, "/api/v1/holders", token).status_code == 200
    tokens.revoke(admin(site), made.id)
    assert ask(site, "/api/v1/holders", token).status_code == 401


def test_a_token_is_stored_as_a_digest_and_never_in_the_trail(site: Site) -> None:
    token, _ = site.runtime.tokens.make(admin(site), "hidden", ["access:read"], 1)
    listed = repr(site.runtime.tokens.list(admin(site))) + repr(site.runtime.trail.search(action="token-made"))
    assert token not in listed


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [
        ("", ["access:read"], 1),
        ("x", [], 1),
        ("x", ["root"], 1),
        ("x", ["access:read"], 91),
        ("x", ["access:read"], 0),
    ],
)
def test_a_token_has_a_name_a_scope_and_an_end(site: Site, name: str, scopes: list[str], days: int) -> None:
    with pytest.raises(TokenInvalid):
        site.runtime.tokens.make(admin(site), name, scopes, days)


def test_a_cookie_is_no_token(site: Site) -> None:
    assert site.client("petra").get("/api/v1/holders", base_url="https://localhost").status_code == 401


def test_a_token_does_not_outlive_whoever_made_it(site: Site) -> None:
    token, _ = site.runtime.tokens.make(admin(site), "orphan", ["access:read"], 30)
    with site.runtime.store.read() as unit:
        petra = members.by_keys(unit, ["petra"])[0]
    try:
        with site.runtime.store.write() as unit:
            row = members.get(unit, petra.id)
            assert row is not None
            row.disabled_at = site.runtime.sessions.wall()
            unit.session.add(row)
        assert ask(site, "/api/v1/holders", token).status_code == 401
    finally:
        with site.runtime.store.write() as unit:
            row = members.get(unit, petra.id)
            assert row is not None
            row.disabled_at = None
            unit.session.add(row)
    assert ask(site, "/api/v1/holders", token).status_code == 200
