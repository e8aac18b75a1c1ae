"""What arrivals are given in tests: somewhere to deliver to and to note how a source stands, kept in memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from lifecycle.domain.errors import LifecycleError, NotFound
from lifecycle.services.visits import Visits
from lifecycle.settings import Settings
from tests.services.world import HandClock, settings_dict


@dataclass(frozen=True)
class Upload:
    id: str
    state: str
    error: str = ""


@dataclass
class Recorder:
    """Takes every file in, says of each what it is told to, and takes the same content once only."""

    states: dict[str, str] = field(default_factory=dict)
    """File name to the state that it gets; applied otherwise."""
    raises: Exception | None = None
    delivered: list[tuple[str, bytes]] = field(default_factory=list)
    """Name and content, each content once."""
    calls: list[dict[str, Any]] = field(default_factory=list)
    uploads: dict[str, Upload] = field(default_factory=dict)
    notes: list[tuple[str, ...]] = field(default_factory=list)
    memory: dict[str, dict[str, Any]] = field(default_factory=dict)
    frozen_because: dict[str, str] = field(default_factory=dict)
    on_deliver: Callable[[], None] = lambda: None

    def deliver(self, stream: BinaryIO, **facts: Any) -> Upload:
        if self.raises is not None:
            raise self.raises
        content = stream.read()
        self.calls.append(facts)
        digest = sha256(content).hexdigest()
        if digest not in self.uploads:
            name = facts["file_name"]
            self.delivered.append((name, content))
            state = self.states.get(name, "applied")
            self.uploads[digest] = Upload(digest, state, "older than the last" if state == "refused" else "")
        self.on_deliver()
        return self.uploads[digest]

    def show(self, upload_id: str) -> Upload:
        if upload_id not in self.uploads:
            raise NotFound(upload_id)
        return self.uploads[upload_id]

    def note_checked(self, name: str, now: datetime) -> None:
        self.notes.append(("checked", name))

    def note_answered(self, name: str, now: datetime) -> None:
        self.notes.append(("answered", name))

    def note_failed(self, name: str, now: datetime, error: str) -> None:
        self.notes.append(("failed", name, error))

    def note_unchanged(self, name: str, now: datetime, upload_id: str) -> None:
        self.notes.append(("unchanged", name, upload_id))

    def says_more_from(self, profile: str) -> datetime | None:
        return None

    def frozen(self, name: str) -> str:
        return self.frozen_because.get(name, "")

    def seen(self, name: str) -> Mapping[str, Any]:
        return self.memory.get(name, {})

    def remember(self, name: str, seen: Mapping[str, Any]) -> None:
        self.memory[name] = dict(seen)

    def failures(self) -> list[str]:
        return [note[2] for note in self.notes if note[0] == "failed"]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.delivered]


class Unusable(LifecycleError):
    """What the recorder raises when it is told to."""


def visits(folder: Path, recorder: Recorder, sources: dict[str, Any], **changes: Any) -> Visits:
    """Look at *sources*, of which each is a location, or the whole with one."""
    whole = {
        name: source if "location" in source else {"profile": "plain", "location": source}
        for name, source in sources.items()
    }
    settings = Settings.model_validate({**settings_dict(sources=whole, **changes), "folder": folder})
    return Visits(settings, recorder, recorder, HandClock())
