"""Settings of the running program: database, pages, clock and engine."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from lifecycle.settings.base import Model, SecretReference


class StoreSettings(Model):
    """Where everything is kept."""

    url: str = "sqlite:///var/lifecycle.db"
    """SQLAlchemy URL: ``sqlite:///path`` or ``postgresql+psycopg://user@host/name``."""
    password: SecretReference | None = None
    """Password for PostgreSQL, put into the URL when connecting."""


class WebSettings(Model):
    """The pages."""

    host: str = "127.0.0.1"
    """Loopback only in this release; put a TLS proxy in front to serve others."""
    port: int = Field(default=8731, ge=0, le=65535)
    threads: int = Field(default=8, ge=1, le=64)
    public_url: str = ""
    """Under what address people reach the pages, for links in messages and for passkeys: ``https://access.example.com``.
    Empty: the loopback address."""
    proxies: int = Field(default=0, ge=0, le=3)
    """How many proxies of our own stand in front and set ``X-Forwarded-For``, ``-Proto`` and ``-Host``."""
    trusted_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    """Host names that requests may ask for."""
    idle_minutes: int = Field(default=30, ge=1, le=24 * 60)
    """A session ends after so long without a request."""
    longest_hours: int = Field(default=12, ge=1, le=72)
    """A session ends after so long in any case."""
    secure_cookies: bool = True
    """Browsers keep such cookies on loopback too; false only for plain HTTP under another name."""

    @property
    def address(self) -> str:
        """The address that links begin with, without a slash at its end."""
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")

    @model_validator(mode="after")
    def _public_address(self) -> WebSettings:
        parts = urlsplit(self.public_url)
        if self.public_url and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/")):
            raise ValueError(f"public_url = {self.public_url!r} is no address such as https://access.example.com")
        if parts.scheme == "https" and not self.proxies:
            words = "public_url is https, so a TLS proxy stands in front: set proxies to the number of those that set"
            raise ValueError(f"{words} X-Forwarded-*; otherwise everybody seems to sign in from one address")
        return self

    @model_validator(mode="after")
    def _loopback(self) -> WebSettings:
        if self.host not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError(f"host = {self.host!r}: pages are bound to loopback; use a proxy to serve others")
        return self


class ClockSettings(Model):
    """What time it is."""

    mode: Literal["system", "manual"] = "system"
    """``manual`` lets the demo's page and ``tick --now`` move the clock forward."""
    largest_jump_seconds: int = Field(default=120, ge=5, le=3600)
    """A wall clock that moves further than this against the monotonic one is not followed."""


class EngineSettings(Model):
    """How work is done."""

    tick_seconds: int = Field(default=15, ge=1, le=60)
    """How often due work is looked for."""
    lease_seconds: int = Field(default=60, ge=20, le=600)
    """How long a claimed work item is left to its worker; longer than any call to a target."""
    leader_seconds: int = Field(default=20, ge=5, le=300)
    """How long a silent leader keeps its place."""
    backoff_base_seconds: int = Field(default=2, ge=1, le=60)
    backoff_cap_seconds: int = Field(default=300, ge=10, le=3600)
    reconcile_god_seconds: int = Field(default=60, ge=10, le=3600)
    """How often holders of god mode are read back."""
    reconcile_seconds: int = Field(default=900, ge=30, le=86_400)
    """How often everything is read back."""
    preflight_seconds: int = Field(default=3600, ge=60, le=86_400)
    batch: int = Field(default=500, ge=1, le=1000)
    """Work items claimed at once from one target."""
    late_seconds: int = Field(default=60, ge=5, le=3600)
    """A change that is not proven after so long is shown as late."""

    @property
    def lease(self) -> timedelta:
        """``lease_seconds``."""
        return timedelta(seconds=self.lease_seconds)
