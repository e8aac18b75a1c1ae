"""What every part of the configuration is made of: frozen models, time zones, and secrets kept elsewhere."""

from __future__ import annotations

import os
import zoneinfo
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from lifecycle.domain.errors import InvalidSettings

PLACEHOLDER = "********"


class Model(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


def _known_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError(f"{name!r} is no IANA time zone") from exc
    return name


def _secret_reference(value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError('a secret is never written here: use { file = "…" }, { env = "…" } or { credential = "…" }')  # noqa: TRY004
    return value


Zone = Annotated[str, BeforeValidator(_known_zone)]


class Secret(Model):
    """Where a secret is to be read from; exactly one of the three."""

    file: str = ""
    """Path of a file that holds the secret and nothing else; readable by its owner only."""
    env: str = ""
    """Name of an environment variable."""
    credential: str = ""
    """Name of a credential in ``$CREDENTIALS_DIRECTORY`` (systemd ``LoadCredential=``)."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Secret:
        if sum(map(bool, (self.file, self.env, self.credential))) != 1:
            raise ValueError("give exactly one of file, env, credential")
        return self

    def read(self, folder: Path) -> str:
        """
        Read the secret.

        Raises:
            InvalidSettings: If it is not there, or its file can be read by others.
        """
        if self.env:
            if self.env not in os.environ:
                raise InvalidSettings(f"the environment variable {self.env} is not set")
            return os.environ[self.env]
        path = folder / self.file if self.file else Path(os.environ.get("CREDENTIALS_DIRECTORY", ".")) / self.credential
        try:
            if self.file and path.stat().st_mode & 0o077:
                raise InvalidSettings(f"{path} can be read by others; chmod 600 it")
            return path.read_text().rstrip("\n")
        except OSError as exc:
            raise InvalidSettings(f"the secret in {path} cannot be read: {exc.strerror}") from exc


SecretReference = Annotated[Secret, BeforeValidator(_secret_reference)]
