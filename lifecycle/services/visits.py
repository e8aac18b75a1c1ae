"""
One look at a source: what is new there is copied, delivered, and put away.

Whatever goes wrong is noted on the source with what a person can do about it. Being killed at any point means that a
file is delivered again, and the same content again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from lifecycle.domain.errors import LifecycleError, NotFound
from lifecycle.domain.roster import Scope
from lifecycle.services.clock import Clock
from lifecycle.services.ways.deadline import Deadline
from lifecycle.services.ways.opening import open_way
from lifecycle.services.ways.ports import Delivered, NotNow, SourceStates, Uploads
from lifecycle.services.ways.way import CannotFetch, Look, Outcome, TakenFile, Way, unconditional
from lifecycle.settings import Settings, SourceSettings

MOST_AT_ONCE = 200
"""Files delivered in one look at a source; the others follow at the next."""
_OUTCOMES = {"applied": Outcome.ACCEPTED, "refused": Outcome.REFUSED, "discarded": Outcome.REFUSED}


@dataclass(frozen=True)
class Visit:
    """What came of looking at one source."""

    source: str
    words: tuple[str, ...]
    """Sentences for people, in the order of what happened."""
    failed: bool = False
    settling: bool = False
    """Another look soon is worth while."""


@dataclass
class Visits:
    """Looks at the configured sources, one at a time and now. Safe to use from several threads."""

    settings: Settings
    uploads: Uploads
    states: SourceStates
    clock: Clock
    open: Callable[[Settings, str], Way] = open_way
    _deadlines: set[Deadline] = field(default_factory=set)
    _closed: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sources in the order of the configuration."""
        return tuple(self.settings.sources)

    def source(self, name: str) -> SourceSettings:
        """
        Look a source up.

        Raises:
            NotFound: If it is not configured.
        """
        if name not in self.settings.sources:
            raise NotFound(f"there is no source {name!r}; there are {', '.join(self.names) or 'none'}")
        return self.settings.sources[name]

    def place(self, name: str) -> str:
        """Name the place that a source is at, without a secret."""
        return self._way(name).place

    def problems(self, name: str) -> list[str]:
        """List what is wrong with a source's settings on this machine; nothing is connected."""
        return self._way(name).problems()

    def frozen(self, name: str) -> str:
        """Say why nothing is taken from a source: it is frozen itself, or the feed that its profile belongs to."""
        profile = self.source(name).profile
        feed = self.settings.profiles[profile].source or profile
        return self.states.frozen(name) or self.states.frozen(feed)

    def look(self, name: str) -> Visit:
        """
        Look at a source once, now, and deliver what is new.

        Raises:
            NotFound: If it is not configured.
        """
        source = self.source(name)
        if why := self.frozen(name):
            return Visit(name, (f"It is frozen, so it was not looked at: {why}",))
        self.states.note_checked(name, self.clock.now())
        words: list[str] = []
        try:
            settling = self._take_what_is_new(name, source, words)
        except LifecycleError as exc:
            if not self._closed:  # being stopped is no failure of the source
                self.states.note_failed(name, self.clock.now(), str(exc))
            return Visit(name, (*words, str(exc)), failed=True)
        self.states.note_answered(name, self.clock.now())
        return Visit(name, tuple(words), settling=settling)

    def close(self) -> None:
        """Break off what is under way."""
        self._closed = True
        for deadline in list(self._deadlines):
            deadline.expire()

    def _way(self, name: str) -> Way:
        self.source(name)
        return self.open(self.settings, name)

    @property
    def _spool(self) -> Path:
        return self.settings.folder / self.settings.rosters.folder

    def _take_what_is_new(self, name: str, source: SourceSettings, words: list[str]) -> bool:
        """Deliver one file after the other, and say whether another look soon is worth while."""
        delta = self.settings.profiles[source.profile].scope is Scope.DELTA
        for _ in range(MOST_AT_ONCE):
            seen = self._seen(name, source)
            if delta and self._waits(seen):
                # applied out of order, the older of two deltas would be refused and what it says be lost
                words.append("The last file waits for a person; those after it are taken when that is decided.")
                return False
            look = self._take_next(name, source, seen, words)
            if look.unchanged:
                self.states.note_unchanged(name, self.clock.now(), seen.get("upload", ""))
            if look.file is None:
                words.append(look.words)
            if look.file is None or look.last:
                return look.settling
        words.append("There may be more; it follows at the next look.")
        return True

    def _take_next(self, name: str, source: SourceSettings, seen: dict[str, Any], words: list[str]) -> Look:
        """Look once; deliver what was found, and remember it."""
        self._spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=self._spool) as copy:
            asked = self.clock.now()
            look = self._look_for_more(name, source, seen, copy, asked)
            remembered = look.seen
            if look.file is not None:
                try:
                    upload, outcome = self._deliver(name, source, look.file, copy, asked)
                except NotNow as exc:  # neither put away nor remembered: what becomes of it is asked again
                    return Look(seen, words=f"{exc} It is looked at again soon.", settling=True)
                words.append(_said(look.file.name, upload, outcome))
                look.file.put_away(outcome)
                remembered = self._remembered(source, seen, look, upload.id, outcome)
        if remembered != seen:
            self.states.remember(name, remembered)
        return look

    def _look_for_more(
        self, name: str, source: SourceSettings, seen: dict[str, Any], copy: BinaryIO, asked: datetime
    ) -> Look:
        """Look; what was applied and still is the same is a delivery of its own once it lacks somebody for good."""
        from_ = self.states.says_more_from(source.profile) if self._state(seen) == "applied" else None
        more = from_ is not None and from_ <= asked
        look = self._look(name, source, unconditional(seen) if more else seen, copy)
        if not look.unchanged or look.file is None:
            return look
        made = look.file.as_of or asked
        return replace(look, unchanged=False) if from_ is not None and from_ <= made else replace(look, file=None)

    def _look(self, name: str, source: SourceSettings, seen: Mapping[str, Any], copy: BinaryIO) -> Look:
        with Deadline(source.longest_seconds) as deadline:
            self._deadlines.add(deadline)
            if self._closed:
                deadline.expire()
            try:
                look = self._way(name).look(seen, copy, deadline)
            except CannotFetch:
                self._check(deadline)
                raise
            except OSError as exc:
                raise CannotFetch(f"A copy cannot be kept in {self._spool}: {exc.strerror or exc}.") from exc
            finally:
                self._deadlines.discard(deadline)
            self._check(deadline)
        return look

    def _check(self, deadline: Deadline) -> None:
        """
        Refuse what was read until the time was up.

        Raises:
            CannotFetch: If it is.
        """
        if self._closed:
            raise CannotFetch("This product was stopped meanwhile; it looks again when it is started.")
        if deadline.passed:
            raise CannotFetch(f"It took longer than {deadline.seconds:g} s and was given up (longest_seconds).")

    def _seen(self, name: str, source: SourceSettings) -> dict[str, Any]:
        """Return what was seen; what was not accepted as the source was configured then was not, if it is otherwise."""
        seen = dict(self.states.seen(name))
        before = seen.get("before")
        if before is None or seen.get("as") == self._as(source) or self._state(seen, "delivered") == "applied":
            return seen
        return dict(before)

    def _remembered(
        self, source: SourceSettings, seen: Mapping[str, Any], look: Look, upload_id: str, outcome: Outcome
    ) -> dict[str, Any]:
        """Return what to remember of a file that was delivered."""
        if outcome is Outcome.REFUSED and look.refused is not None:  # what came before it is what its place had last
            remembered = dict(look.refused)
        else:
            remembered = {**look.seen, "upload": upload_id}
        remembered |= {"delivered": upload_id, "as": self._as(source)}
        remembered.pop("before", None)
        if outcome is not Outcome.ACCEPTED and look.file is not None and look.file.stays:
            remembered["before"] = {key: value for key, value in seen.items() if key != "before"}
        return remembered

    def _as(self, source: SourceSettings) -> str:
        """Name, as a digest, what decides besides a file whether it is accepted."""
        layout = self.settings.profiles[source.profile].model_dump(mode="json")
        said = json.dumps([source.profile, source.canary, layout], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()

    def _deliver(
        self, name: str, source: SourceSettings, file: TakenFile, copy: BinaryIO, asked: datetime
    ) -> tuple[Delivered, Outcome]:
        as_of = file.as_of or (asked if file.made_on_asking else None)
        if as_of is not None:  # a file from the future would make every later one seem older
            as_of = min(as_of, self.clock.now())
        upload = self.uploads.deliver(
            copy,
            file_name=file.name,
            way=source.location.way,
            profile=source.profile,
            as_of=as_of,
            canary=source.canary,
            sender=name,
        )
        return upload, _OUTCOMES.get(upload.state, Outcome.WAITING)

    def _waits(self, seen: Mapping[str, Any]) -> bool:
        """Say whether the file delivered last waits for a person."""
        return self._state(seen) not in {"", *_OUTCOMES}

    def _state(self, seen: Mapping[str, Any], what: str = "upload") -> str:
        """Say how a file stands that was delivered; empty where there is none, or nobody knows."""
        try:
            return str(self.uploads.show(seen[what]).state) if seen.get(what) else ""
        except NotFound:
            return ""


def _said(file_name: str, upload: Delivered, outcome: Outcome) -> str:
    match outcome:
        case Outcome.ACCEPTED:
            return f"{file_name} was applied."
        case Outcome.REFUSED:
            return f"{file_name} was refused: {upload.error or 'somebody has discarded it.'}"
    return f"{file_name} waits for a person ({upload.state}). {upload.error}".rstrip()
