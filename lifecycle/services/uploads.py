"""Files on their way in: received, laid out, read, shown, repaired, and discarded. Nothing here changes a contract."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from lifecycle.domain.comparison import WEIGHED, Kind
from lifecycle.domain.errors import LifecycleError, NotFound, RosterRefused
from lifecycle.domain.roster import Cause, Repairs
from lifecycle.feed.look import Look, look
from lifecycle.feed.table import Unreadable
from lifecycle.services.clock import Clock
from lifecycle.services.files import RosterFiles
from lifecycle.services.layouts import Layouts
from lifecycle.services.upload_views import (
    OPEN,
    Item,
    Problem,
    State,
    Upload,
    document_of,
    repairs_of,
    show,
    show_item,
)
from lifecycle.settings.rosters import ProfileSettings
from lifecycle.store import roster_items, roster_uploads
from lifecycle.store.roster_tables import RosterUploadRow
from lifecycle.store.unit import Store, Unit

PAGE = 50
EXAMPLES = 5


class UploadClosed(LifecycleError):
    """It is not in a state in which this can be done; the message says in which it is."""

    code = "upload-closed"


@dataclass
class Uploads:
    """Receives and shows files, and takes what people say about them."""

    store: Store
    files: RosterFiles
    layouts: Layouts
    clock: Clock

    def receive(
        self,
        stream: BinaryIO,
        *,
        file_name: str,
        way: str,
        actor: str,
        member_id: str = "",
        profile: str = "",
        as_of: datetime | None = None,
        canary: str = "",
    ) -> str:
        """
        Store a file durably and return the id of its upload.

        Args:
            stream: Its bytes; read to the end, or until they are too many.
            file_name: As its sender calls it.
            way: See `RosterUploadRow.way`.
            actor: Whoever sends it, as the trail names them.
            member_id: Of whoever sends it in a browser, or answers for the program that does.
            profile: How it is laid out; empty: recognised by its header.
            as_of: When it was made, if that is known.
            canary: Worker id that must be in it.

        Raises:
            FileTooLarge: If it has more bytes than the configuration allows; nothing is kept.
            NoRoom: If the disk is full; nothing is kept.
            NotFound: If there is no such profile.
        """
        with self.store.read() as unit:
            layout = self.layouts.find(unit, profile) if profile else None
        source = self.layouts.source_of(profile, layout) if layout else ""
        upload_id, now = str(uuid.uuid4()), self.clock.now()
        kept = self.files.keep(upload_id, stream)
        with self._gone_unless_stored(upload_id), self.store.write() as unit:
            unit.session.add(
                RosterUploadRow(
                    id=upload_id, state=State.RECEIVED.value, way=way, actor=actor, member_id=member_id,
                    file_name=file_name[:255], sha256=kept.sha256, size=kept.size, received_at=now,
                    as_of=as_of, canary=canary, profile=profile, source=source,
                    layout=layout.model_dump(mode="json") if layout else {}, repairs={}, header=[], counts={},
                    totals={}, guard=[],
                )
            )  # fmt: skip
            unit.audit(
                at=now, actor=actor, action="roster-received", object_=f"upload:{upload_id}",
                after={"file": file_name[:255], "sha256": kept.sha256, "octets": kept.size, "way": way},
            )  # fmt: skip
        return upload_id

    @contextmanager
    def _gone_unless_stored(self, upload_id: str) -> Iterator[None]:
        """Delete the file where its upload cannot be stored: whoever tries again must not fill the disk with it."""
        try:
            yield
        except OperationalError:
            with suppress(OperationalError), self.store.read() as unit:
                if unit.session.get(RosterUploadRow, upload_id) is None:
                    self.files.delete(upload_id)
            raise

    def keep_first(self, upload_id: str) -> str:
        """
        Return the upload in which the same sender's same file waits already; this one then goes.

        Whoever else has sent these bytes waits for something else: a person has not confirmed theirs. What the sender
        delivered when it was configured otherwise, by another canary or layout, is discarded: this one takes its place.
        """
        with self.store.write() as unit:
            row = self.row(unit, upload_id)
            same = roster_uploads.of_same_file(unit, row, OPEN)
            # of two who come at once only the later one goes
            others = [each for each in same if each.id != upload_id and each.received_at <= row.received_at]
            first = next((each.id for each in others if _takes_in(each, row)), "")
            if first:
                unit.session.delete(row)
            overtaken, actor = [each.id for each in others if not first], row.actor
        if first:
            self.files.delete(upload_id)
        for other in overtaken:
            with suppress(UploadClosed):  # it is held, or somebody applies it just now
                self.discard(
                    other, actor=actor, why="Its source is configured otherwise now, and has delivered it anew."
                )
        return first or upload_id

    def start_over(self, upload_id: str) -> Upload:
        """Have a file that waits read as if it had just come; what is held, settled or worked on stays as it is."""
        with self.store.write() as unit:
            values = {"state": State.RECEIVED.value, "error": "", "digest": ""}
            roster_uploads.change_upload(unit, upload_id, (State.RECEIVED, State.READY), **values)
        return self.find(upload_id)

    def find(self, upload_id: str) -> Upload:
        """
        Return an upload.

        Raises:
            NotFound: If there is none.
        """
        with self.store.read() as unit:
            return show(self.row(unit, upload_id))

    @staticmethod
    def row(unit: Unit, upload_id: str) -> RosterUploadRow:
        """
        Load an upload's row.

        Raises:
            NotFound: If there is none.
        """
        row = roster_uploads.upload(unit, upload_id)
        if row is None:
            raise NotFound("There is no such roster here; it may have been deleted after its time.")
        return row

    def listed(self, *, states: Sequence[State] = (), source: str = "", limit: int = PAGE) -> list[Upload]:
        """List uploads, newest first."""
        with self.store.read() as unit:
            return [show(row) for row in roster_uploads.uploads(unit, states=states, source=source, limit=limit)]

    def look(self, upload_id: str, *, sheet: str = "", encoding: str = "", delimiter: str = "") -> Look:
        """
        Look at a file for somebody who matches its columns, with what they have said about how it is written.

        Raises:
            RosterRefused: If it is no table at all.
        """
        self.find(upload_id)
        try:
            return look(self.files.path(upload_id), sheet=sheet, encoding=encoding, delimiter=delimiter)
        except Unreadable as exc:
            raise RosterRefused(str(exc.complaint)) from exc

    def lay_out(
        self,
        upload_id: str,
        document: dict[str, Any],
        *,
        actor: str,
        member_id: str = "",
        profile: str = "",
        save: bool = False,
    ) -> Upload:
        """
        Say what the columns of a file mean; what was worked out before is worked out anew.

        Args:
            upload_id: Which.
            document: As `ProfileSettings` takes it.
            actor: Who says so, as the trail names them.
            member_id: Theirs, where that is a member.
            profile: Name to save it under, or of the profile that it came from.
            save: Whether files with this header are read so from now on.

        Raises:
            RosterRefused: Naming what is missing or contradictory.
            UploadClosed: If the file was applied or discarded already.
        """
        try:
            layout = ProfileSettings.model_validate(document)
        except ValidationError as exc:
            raise RosterRefused(". ".join(_why(error) for error in exc.errors())) from exc
        now = self.clock.now()
        with self.store.write() as unit:
            row = self._locked(unit, upload_id)
            if save:
                self.layouts.save(unit, profile, layout, actor, now)
            name = profile or row.profile or "unnamed"
            source = self.layouts.source_of(name, layout)
            self._change(
                unit, row, (State.RECEIVED, State.READY), profile=name, source=source, state=State.RECEIVED.value,
                layout=layout.model_dump(mode="json"), error="", digest="", shapers=_with(row.shapers, member_id),
            )  # fmt: skip
        return self.find(upload_id)

    def repair(
        self, upload_id: str, change: Callable[[Repairs], Repairs], *, actor: str, member_id: str = ""
    ) -> Upload:
        """
        Say something about rows that could not be used; the file is to be read anew.

        Args:
            upload_id: Which.
            change: From what was said so far to what is said now.
            actor: Who says so, as the trail names them.
            member_id: Theirs, where that is a member.
        """
        with self.store.write() as unit:
            row = self._locked(unit, upload_id)
            repairs = change(repairs_of(row))
            document = document_of(repairs)
            self._change(
                unit, row, (State.RECEIVED, State.READY), repairs=document, state=State.RECEIVED.value, digest="",
                shapers=_with(row.shapers, member_id),
            )  # fmt: skip
            unit.audit(
                at=self.clock.now(), actor=actor, action="roster-repaired", object_=f"upload:{upload_id}",
                after={"repairs": {name: value for name, value in document.items() if value}},
            )  # fmt: skip
        return self.find(upload_id)

    def discard(self, upload_id: str, *, actor: str, why: str = "") -> Upload:
        """
        Have nothing come of a file.

        Raises:
            UploadClosed: If it was applied, or something came of it otherwise.
        """
        with self.store.write() as unit:
            row = self.row(unit, upload_id)
            self._change(unit, row, (State.RECEIVED, State.READING, State.READY), state=State.DISCARDED.value, note=why)
            unit.audit(
                at=self.clock.now(), actor=actor, action="roster-discarded", object_=f"upload:{upload_id}",
                after={"file": row.file_name, "why": why},
            )  # fmt: skip
        return self.find(upload_id)

    def _locked(self, unit: Unit, upload_id: str) -> RosterUploadRow:
        """Load an upload that two people may have something to say about at once."""
        return roster_uploads.locked_upload(unit, upload_id) or self.row(unit, upload_id)

    @staticmethod
    def _change(unit: Unit, row: RosterUploadRow, states: Sequence[State], **values: Any) -> None:
        if not roster_uploads.change_upload(unit, row.id, states, **values):
            raise UploadClosed(f"This roster is {row.state} already.")

    def problems(self, upload_id: str) -> list[Problem]:
        """List why rows cannot be used, or should be looked at, the most frequent cause first."""
        with self.store.read() as unit:
            counted = roster_items.count_rows(unit, upload_id, "kind", "cause")
            found = []
            for (kind, cause), rows in counted.items():
                if kind in {Kind.UNUSABLE, Kind.NOTE} and cause:
                    examples = roster_items.items(unit, upload_id, kinds=[kind], cause=cause, limit=4 * EXAMPLES)
                    values = roster_items.values_found(unit, upload_id, kind, cause)
                    by_line = {row.line: show_item(row) for row in reversed(examples)}
                    shown = [by_line[line] for line in sorted(by_line)][:EXAMPLES]
                    found.append(Problem(Cause(cause), rows, kind == Kind.UNUSABLE, shown, values))
        return sorted(found, key=lambda p: (not p.blocks, -p.rows, p.cause))

    def items(
        self,
        upload_id: str,
        *,
        kinds: Sequence[Kind] = WEIGHED,
        cause: str = "",
        words: str = "",
        after: int = -1,
        limit: int = PAGE,
    ) -> list[Item]:
        """List rows of some kinds in the order of the file, after the number *after*."""
        with self.store.read() as unit:
            rows = roster_items.items(unit, upload_id, kinds=kinds, cause=cause, words=words, after=after, limit=limit)
            return [show_item(row) for row in rows]


def _takes_in(waiting: RosterUploadRow, again: RosterUploadRow) -> bool:
    """Say whether a file that comes again may go on as the one that waits, which a person may have matched since."""
    same_layout = (waiting.profile, waiting.layout) == (again.profile, again.layout)
    return waiting.canary == again.canary and (same_layout or bool(waiting.shapers))


def _with(ids: Sequence[str], id_: str) -> list[str]:
    return sorted({*ids, id_} - {""})


def _why(error: Any) -> str:
    where = ".".join(map(str, error["loc"]))
    words = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {words}" if where else words
