"""An OpenID provider of our own that lies on demand: each lie is one thing an honest provider never does."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.simple_server import WSGIRequestHandler, make_server

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from joserfc.jws import JWSRegistry

CLIENT = "lifecycle"


@cache
def _key(_: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "1"})


@dataclass
class Provider:
    """What it says. ``claims`` overrides what an honest provider would put into the ID token; None leaves it out."""

    url: str = ""
    nonce: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    metadata: dict[str, Any] = field(default_factory=dict)
    foreign_key: bool = False
    fails: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    key: RSAKey = field(default_factory=partial(_key, "own"))
    other: RSAKey = field(default_factory=partial(_key, "foreign"))

    def id_token(self) -> str:
        """Sign what it says about Ada."""
        now = int(time.time())
        honest: dict[str, Any] = {
            "iss": self.url, "aud": CLIENT, "sub": "ada-1", "iat": now, "exp": now + 300, "nonce": self.nonce,
            "name": "Ada", "email": "ada@example.com", "email_verified": True, "groups": ["it-ops"], "auth_time": now,
        }  # fmt: skip
        claims = {k: v for k, v in {**honest, **self.claims}.items() if v is not None}
        header: dict[str, Any] = {"alg": self.algorithm, "kid": "1"}
        if self.algorithm == "none":
            return jwt.encode(header, claims, OctKey.import_key("x"), registry=JWSRegistry(algorithms=["none"]))
        if self.algorithm == "HS256":
            public = json.dumps(self.key.as_dict(private=False))
            return jwt.encode(header, claims, OctKey.import_key(public), registry=JWSRegistry(algorithms=["HS256"]))
        return jwt.encode(header, claims, self.other if self.foreign_key else self.key)

    def answer(self, environ: dict[str, Any]) -> dict[str, Any]:
        """Answer one request."""
        if environ["PATH_INFO"].endswith("openid-configuration"):
            return {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                **self.metadata,
            }
        if environ["PATH_INFO"] == "/jwks":
            return {"keys": [self.key.as_dict(private=False)]}
        size = int(environ.get("CONTENT_LENGTH") or 0)
        self.asked.append(dict(parse_qsl(environ["wsgi.input"].read(size).decode())))
        return {"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": self.id_token()}


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def liar() -> Iterator[Provider]:
    """Serve one on a free port."""
    provider = Provider()

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        status = "500 Broken" if provider.fails else "200 OK"
        start(status, [("Content-Type", "application/json")])
        return [json.dumps(provider.answer(environ)).encode()]

    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield provider
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)
