"""Settings of what is told to whom: mail, web hooks, and other channels."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from lifecycle.settings.base import Model, SecretReference
from lifecycle.settings.members import LOOPBACK


class SmtpSettings(Model):
    """A mail server."""

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    """``none`` only on loopback."""
    ca_file: str = ""
    username: str = ""
    password: SecretReference | None = None
    sender: str
    """Address that messages come from."""

    @model_validator(mode="after")
    def _protected(self) -> SmtpSettings:
        if self.tls == "none" and self.host not in LOOPBACK:
            raise ValueError(f"smtp: mail to {self.host} must be protected: tls = starttls or implicit")
        return self


class HookSettings(Model):
    """A web hook: every notice of its topics, signed."""

    url: str
    secret: SecretReference
    """Shared secret of the HMAC-SHA256 signature."""
    topics: tuple[str, ...] = ()
    """Empty: every topic."""
    allow_private: bool = False
    """Whether the address may be inside the own network or on loopback."""
    ca_file: str = ""

    @field_validator("url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username or parts.password:
            raise ValueError(f"{value!r} is no https address without credentials")
        return value

    @model_validator(mode="after")
    def _protected(self) -> HookSettings:
        if urlsplit(self.url).scheme == "http" and not self.allow_private:
            raise ValueError(f"{self.url}: use https (http only inside the own network, with allow_private)")
        return self


class ChatSettings(Model):
    """A channel of the optional ``apprise`` extra, such as Slack or Teams."""

    url: SecretReference
    """Apprise's address of the channel; it holds a secret, so it is kept elsewhere."""
    topics: tuple[str, ...] = ()


class NoticeSettings(Model):
    """What is told to whom. Without a mail server messages wait, and the dashboard says so."""

    smtp: SmtpSettings | None = None
    hooks: dict[str, HookSettings] = Field(default_factory=dict)
    chats: dict[str, ChatSettings] = Field(default_factory=dict)
    it: tuple[str, ...] = ()
    """E-mail addresses that are told what needs IT."""
    hr: tuple[str, ...] = ()
    """E-mail addresses that are told what needs HR."""
    service_desk: str = ""
    """E-mail address that contractors are pointed to."""
