"""Settings of sources: where rosters come from by themselves, how often that is looked at, and what must be in them."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator, model_validator

from lifecycle.settings.base import Model, SecretReference
from lifecycle.settings.members import LOOPBACK

KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
)


def _file_pattern(value: str) -> str:
    if not value or "/" in value:
        raise ValueError(f"{value!r} is no pattern of file names such as roster-*.csv; a folder belongs into path")
    return value


Pattern = Annotated[str, BeforeValidator(_file_pattern)]
"""Of file names, as a shell writes it: ``*``, ``?`` and ``[…]``; upper and lower case differ."""


class FolderSettings(Model):
    """A folder that files are put into."""

    way: Literal["folder"] = "folder"
    path: str = Field(min_length=1)
    pattern: Pattern = "*"


class SftpSettings(Model):
    """A folder on somebody else's SFTP server."""

    way: Literal["sftp"]
    host: str = Field(min_length=1)
    port: int = Field(default=22, ge=1, le=65535)
    username: str
    password: SecretReference | None = None
    key: SecretReference | None = None
    """Private key in OpenSSH format, without a passphrase."""
    host_key: str
    """The server's public key as in ``known_hosts``: ``ssh-ed25519 AAAA…``. No other is spoken to."""
    path: str = "."
    pattern: Pattern = "*"

    @property
    def pinned_key(self) -> tuple[str, bytes]:
        """Type and bytes of ``host_key``."""
        kind, encoded = self.host_key.split()[:2]
        return kind, base64.b64decode(encoded)

    @field_validator("host_key")
    @classmethod
    def _is_public_key(cls, value: str) -> str:
        parts = value.split()
        if len(parts) not in {2, 3} or parts[0] not in KEY_TYPES:
            raise ValueError(f"give the server's public key as ssh-keyscan prints it: {KEY_TYPES[0]} AAAA…")
        try:
            blob = base64.b64decode(parts[1], validate=True)
        except binascii.Error as exc:
            raise ValueError(f"host_key is cut off or mistyped: {exc}") from exc
        kind = parts[0].encode()
        if not blob.startswith(len(kind).to_bytes(4, "big") + kind):
            raise ValueError(f"host_key is cut off or mistyped: it is no key of type {parts[0]}")
        return value

    @model_validator(mode="after")
    def _credential(self) -> SftpSettings:
        if (self.password is None) == (self.key is None):
            raise ValueError("give a password or a key")
        return self


class HttpsSettings(Model):
    """A report that is fetched, such as Workday's."""

    way: Literal["https"]
    url: str
    """https, or http on loopback."""
    allow_private: bool = False
    """Whether the address may be inside the own network or on loopback."""
    ca_file: str = ""
    username: str = ""
    password: SecretReference | None = None
    token: SecretReference | None = None
    """Sent as ``Authorization: Bearer``."""
    format: Literal["csv", "json"] = "csv"

    @field_validator("url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username or parts.password:
            raise ValueError(f"{value!r} is no https address without credentials")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError(f"{value}: use https (http only on loopback)")
        return value

    @model_validator(mode="after")
    def _one_credential(self) -> HttpsSettings:
        if self.password is not None and self.token is not None:
            raise ValueError("give a password or a token, not both")
        if (self.password is not None) != bool(self.username):
            raise ValueError("username and password go together")
        return self


class SourceSettings(Model):
    """Where the files of one profile come from by themselves."""

    profile: str
    every_minutes: int = Field(default=60, ge=1, le=7 * 24 * 60)
    longest_seconds: int = Field(default=600, ge=10, le=3600)
    """A look that takes longer is given up, however slowly something still arrives."""
    canary: str = ""
    """Worker id that is in every full file; a file without it is no roster, whatever else it holds."""
    warn_hours: int = Field(default=24, ge=1)
    refuse_hours: int = Field(default=48, ge=1)
    location: Annotated[FolderSettings | SftpSettings | HttpsSettings, Field(discriminator="way")]
