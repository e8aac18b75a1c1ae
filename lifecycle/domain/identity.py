"""The person, once, whatever the systems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

IdentityId = NewType("IdentityId", str)


@dataclass(frozen=True, slots=True)
class Identity:
    """One person. ``id`` never changes, whatever happens to names, mail addresses or worker ids."""

    id: IdentityId
    name: str
    worker_id: str
    """The id the staffing feed knows the person by; unique within ``source``."""
    source: str
    """The profile whose numbering ``worker_id`` belongs to."""
    email: str = ""
