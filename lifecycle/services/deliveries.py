"""Files that arrive by themselves: applied where nothing needs a person, and otherwise left to one, who is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from lifecycle.domain.comparison import Kind
from lifecycle.domain.errors import RosterRefused
from lifecycle.services.claims import Superseded
from lifecycle.services.confirmation import Confirmations
from lifecycle.services.intake import Intake
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.services.upload_views import BY_THEMSELVES, OPEN, ROW_BY_ROW, WORKING, State, Upload
from lifecycle.services.uploads import UploadClosed
from lifecycle.services.ways.ports import NotNow
from lifecycle.store import roster_imports
from lifecycle.store.unit import Store

MOST_TOLD = 10_000
WAITS = {
    State.RECEIVED: "its columns are not known",
    State.READY: "some of its rows cannot be used",
    State.REFUSED: "it was refused",
}


@dataclass
class Deliveries:
    """Takes files from ways in that nobody watches."""

    store: Store
    intake: Intake
    confirmations: Confirmations
    notices: Notices

    def deliver(
        self,
        stream: BinaryIO,
        *,
        file_name: str,
        way: str,
        profile: str,
        as_of: datetime | None = None,
        canary: str = "",
        sender: str = "",
        member_id: str = "",
    ) -> Upload:
        """
        Take a file in and do all that needs no person; the same content again changes nothing.

        Args:
            stream: Its bytes.
            file_name: As its sender calls it.
            way: How it came.
            profile: How it is laid out.
            as_of: When it was made, if that is known.
            canary: Worker id that must be in it; a file without it is no roster.
            sender: Where it comes from, for the trail; empty: the profile.
            member_id: Of whoever answers for what sends it, and releases nothing of it.

        Returns:
            The upload: applied; held by the guard; refused; or received or ready, for a person to look at.

        Raises:
            FileTooLarge, NoRoom, NotFound: If it cannot be kept, or there is no such profile.
            NotNow: If another process is at this very file; what becomes of it is known when it is delivered again.
        """
        uploads = self.intake.uploads
        actor = f"{way}:{sender or profile}"
        upload_id = uploads.receive(
            stream, file_name=file_name, way=way, actor=actor, member_id=member_id, profile=profile, as_of=as_of,
            canary=canary,
        )  # fmt: skip
        first = uploads.keep_first(upload_id)  # whoever was killed after delivering delivers once more
        return self._see_through(upload_id) if first == upload_id else self.finish(first)

    def recover(self) -> None:
        """Take up what a dead process was at, in the background: what came by itself is finished, others read anew."""
        for upload_id in dict.fromkeys([*self.intake.claims.take_back(), *self.intake.forgotten()]):
            upload = self.show(upload_id)
            by_itself = upload.way in BY_THEMSELVES and not upload.shaped
            self.intake.start(upload_id, self.finish if by_itself else None)

    def finish(self, upload_id: str) -> Upload:
        """
        See a file through that came by itself before, as if whoever was at it had not been killed.

        What a person has matched or repaired is left to them: half of what they mean to say may be missing.

        Raises:
            NotNow: If another process is at it, and lives.
        """
        self.intake.claims.take_back(only=upload_id)
        upload = self.show(upload_id)
        if upload.shaped:
            return upload
        if upload.state in WORKING:
            raise NotNow(f"{upload.file_name} is being worked on ({upload.state}).")
        return self._see_through(self.intake.uploads.start_over(upload_id).id)

    def _see_through(self, upload_id: str) -> Upload:
        upload = self.show(upload_id)
        try:
            upload = self.intake.advance(upload_id)
            leave_out = upload.way in ROW_BY_ROW
            if upload.state is State.READY and (leave_out or not upload.unusable):
                upload = self.confirmations.confirm(
                    upload_id, actor=upload.actor, digest=upload.digest, leave_out=leave_out
                )
        except (UploadClosed, Superseded) as exc:
            if (now := self.show(upload_id)).state not in OPEN:  # somebody has discarded it meanwhile
                return now
            raise NotNow(f"{upload.file_name} is being worked on.") from exc
        except RosterRefused as exc:  # another roster came in between, or the source is stopped
            self._tell(upload, str(exc))
            return self.show(upload_id)
        if upload.state in WAITS:
            self._tell(upload, upload.error or WAITS[upload.state])
        return upload

    def show(self, upload_id: str) -> Upload:
        """
        Return how a file stands now.

        Raises:
            NotFound: If it is not known, or not any more.
        """
        return self.intake.uploads.find(upload_id)

    def unusable(self, upload_id: str) -> dict[int, str]:
        """Say which lines, counted from 1, were not used, and why; of a file that came again, when it came first."""
        with self.store.read() as unit:
            upload_id = roster_imports.upload_of(unit, self.intake.uploads.row(unit, upload_id).import_id) or upload_id
        items = self.intake.uploads.items(upload_id, kinds=[Kind.UNUSABLE], limit=MOST_TOLD)
        return {item.line: item.said for item in items}

    def _tell(self, upload: Upload, why: str) -> None:
        now = self.intake.clock.now()
        notice = Notice(
            Topic.ROSTER, f"A roster of {upload.source or upload.profile} waits for you", f"{upload.file_name}: {why}",
            f"/rosters/{upload.id}", f"upload:{upload.id}", dedupe=f"waits:{upload.id}:{upload.state}",
        )  # fmt: skip
        with self.store.write() as unit:
            self.notices.tell(unit, notice, self.notices.settings.hr, now)
