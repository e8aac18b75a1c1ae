"""Confirming a roster: exactly what was shown, in one transaction, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from lifecycle.domain.approval import Verdict
from lifecycle.domain.comparison import Kind
from lifecycle.domain.engagement import EngagementId
from lifecycle.domain.errors import RosterRefused
from lifecycle.domain.guard import Finding
from lifecycle.services.admission import Linking
from lifecycle.services.age import why_overtaken
from lifecycle.services.applying import Application
from lifecycle.services.authorisation import Actor
from lifecycle.services.batches import Batches
from lifecycle.services.claims import Claim
from lifecycle.services.extensions import Extensions
from lifecycle.services.guarding import scopes
from lifecycle.services.intake import Intake, Worked, note_accepted, shown
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.services.upload_views import State, Upload
from lifecycle.services.uploads import UploadClosed
from lifecycle.settings import SignInSettings
from lifecycle.store import people, roster_contracts, roster_imports, roster_uploads, state
from lifecycle.store.roster_tables import RosterSourceRow
from lifecycle.store.unit import Store, Unit

MANY = 10_000
"""New contracts, after which the database's own idea of its tables no longer fits."""
GodEnds = Mapping[EngagementId, datetime]


@dataclass
class Confirmations:
    """Confirms rosters."""

    store: Store
    intake: Intake
    batches: Batches
    extensions: Extensions
    notices: Notices
    sign_in: SignInSettings

    def confirm(
        self, upload_id: str, *, actor: str, digest: str, leave_out: bool = False, note: str = "", member_id: str = ""
    ) -> Upload:
        """
        Apply a roster, or hold it where the guard wants two more people.

        Args:
            upload_id: Which.
            actor: Who confirms, as the trail names them.
            digest: That of what was shown to them.
            leave_out: Whether rows that cannot be used are left out; otherwise such a file is not used at all.
            note: For the trail.
            member_id: Of whoever confirms, where that is a member.

        Returns:
            The upload, applied or held.

        Raises:
            RosterRefused: If the file cannot be used, or what it would do is no longer what was shown.
            UploadClosed: If it is not ready, or somebody else was faster.
        """
        upload = self.intake.uploads.find(upload_id)
        if upload.state is State.APPLIED:
            return upload
        self._check(upload, digest, leave_out)
        with self.intake.claims.work(upload_id, State.READY, State.APPLYING) as claim:
            worked = self.intake.work_out_anew(upload_id, claim)
            if worked.digest != digest:
                self.intake.show_anew(upload_id, claim, worked)
                raise RosterRefused("What it does has changed since it was shown. Please look again.")
            if worked.guard:
                self._hold(upload, claim, worked, actor, note, member_id)
            else:
                self._apply(upload, claim, worked, actor, note)
        return self.intake.uploads.find(upload_id)

    def review(
        self, upload_id: str, *, actor: Actor, verdict: Verdict, digest: str, note: str, typed: int | None = None
    ) -> Upload:
        """
        Count one person's verdict on a held roster, and apply it once two have released it.

        Arguments and errors are those of `Batches.review` and `release`.
        """
        said = self.batches.review(upload_id, actor=actor, verdict=verdict, digest=digest, note=note, typed=typed)
        return self.release(upload_id, actor=actor.trail_name) if said else self.intake.uploads.find(upload_id)

    def release(self, upload_id: str, *, actor: str) -> Upload:
        """
        Apply a held roster that two people have released, unless it would do anything else by now.

        Raises:
            RosterRefused: If it would; it is held anew, and what was said about it counts no more.
            ReviewRefused: If those who released it could not any more.
            UploadClosed: If it is not held, or somebody else was faster.
        """
        upload = self.intake.uploads.find(upload_id)
        with self.intake.claims.work(upload_id, State.HELD, State.APPLYING) as claim:
            worked = self.intake.work_out_anew(upload_id, claim)
            if worked.digest != upload.digest or scopes(worked.guard) - scopes(upload.guard):
                self._hold(upload, claim, worked, upload.actor, upload.note)
                raise RosterRefused("It would do something else by now; two people have to look at it again.")
            self._apply(upload, claim, worked, actor, upload.note, released=True)
        return self.intake.uploads.find(upload_id)

    def _hold(
        self, upload: Upload, claim: Claim, worked: Worked, actor: str, note: str, member_id: str | None = None
    ) -> None:
        """Hold it back, but for god mode, which ends as it says; the rest is what two people are to release."""
        if ends := {**worked.tally.god_ends, **worked.tally.god_in_doubt}:
            self._end_god_of_held(upload, claim, ends, actor)
            again, known = self.intake.work_out_anew(upload.id, claim), scopes(worked.guard)
            new = [finding for finding in again.guard if not scopes([finding]) <= known]
            rest = "whoever holds {} in its place loses that with the rest"
            told = [asdict(Finding("group", rest.format(key), group=key)) for key in sorted(worked.tally.narrowed)]
            worked = replace(again, guard=[*worked.guard, *new, *told])
        self.batches.hold(upload, claim, worked, actor, note, member_id)

    def _end_god_of_held(self, upload: Upload, claim: Claim, ends: GodEnds, actor: str) -> None:
        said = {str(id_): at.isoformat() for id_, at in ends.items()}
        with self.store.write() as unit:
            values = {"god_ends": {**self.intake.uploads.row(unit, upload.id).god_ends, **said}}
            if not roster_uploads.change_upload(unit, upload.id, (State.APPLYING,), worker_is=claim.worker, **values):
                raise UploadClosed("Somebody else was faster.")
            self._end_god(unit, upload, ends, actor)
            state.nudge(unit)

    def _end_god(self, unit: Unit, upload: Upload, ends: GodEnds, actor: str) -> None:
        """End god mode by a roster's word alone, and tell the sponsors, who can agree to the days that stand."""
        now = self.intake.clock.now()
        people.end_god(unit, ends, now)
        for id_, at in ends.items():
            unit.audit(
                at=now, actor=actor, action="god-ends", object_=f"engagement:{id_}", after={"at": at.isoformat()},
                request=f"upload:{upload.id}",
            )  # fmt: skip
        self.extensions.tell_god_ends(unit, list(ends), now)

    def _check(self, upload: Upload, digest: str, leave_out: bool) -> None:
        if upload.state is not State.READY:
            raise UploadClosed(f"This roster is {upload.state.value}; it cannot be confirmed.")
        if upload.digest != digest:
            raise RosterRefused("This is not what was shown: it was worked out anew since. Please look again.")
        if upload.unusable and not leave_out:
            words = f"{upload.unusable:,} rows cannot be used. Repair them, or say that they are left out."
            raise RosterRefused(words)
        with self.store.read() as unit:
            _check_stopped(unit, upload)

    def _apply(
        self, upload: Upload, claim: Claim, worked: Worked, actor: str, note: str, *, released: bool = False
    ) -> None:
        now = self.intake.clock.now()
        with self.store.write() as unit:
            state.put(unit, state.ROSTERS, upload.id)  # one roster at a time, of whatever source: surprise adds up
            roster_uploads.locked_upload(unit, upload.id)
            if released:
                self.batches.releasers.check_released(unit, self.intake.uploads.row(unit, upload.id))
            self._check_again(unit, upload, worked)
            application = Application(unit, upload, worked, actor, note, now)
            application.run(Linking.load(unit, self.sign_in, now))
            if worked.tally.god_in_doubt:
                self._end_god(unit, upload, worked.tally.god_in_doubt, actor)
            values = {**shown(unit, upload.id, worked, now), "import_id": application.import_id, "note": note}
            values |= {"state": State.APPLIED.value, "worker": "", "held": 0}
            if not roster_uploads.change_upload(unit, upload.id, (State.APPLYING,), worker_is=claim.worker, **values):
                raise UploadClosed("Somebody else was faster.")
            note_accepted(unit, upload, now, application.import_id)
            self.batches.give_up_overtaken(unit, upload, actor, now)
            self.intake.layouts.remember(unit, upload.profile, upload.repairs, actor, now)
            self._tell(unit, upload, now)
            self.extensions.tell_lapsed(unit, application.lapsed, now)
            self.extensions.tell_unagreed(unit, application.unagreed, now)
            state.nudge(unit)
        if upload.counts.get(Kind.NEW, 0) >= MANY:
            with self.store.write() as unit:
                roster_contracts.look_over(unit)

    def _check_again(self, unit: Unit, upload: Upload, worked: Worked) -> None:
        """Refuse what another roster, or somebody who stopped the source, has overtaken, now that no other can."""
        last = roster_imports.last_import(unit, upload.source)
        if (last.id if last else "") != worked.base:
            raise RosterRefused("Another roster of this source was confirmed meanwhile. Please look again.")
        _check_stopped(unit, upload)
        if too_old := why_overtaken(unit, upload):
            raise RosterRefused(f"{too_old} It is not applied.")
        found = self.intake.guard.findings(unit, upload, worked.tally, worked.now, worked.counts)
        if scopes(found) - scopes(worked.guard):
            raise RosterRefused("With another roster that was confirmed meanwhile it is too much. Please look again.")

    def _tell(self, unit: Unit, upload: Upload, now: datetime) -> None:
        changing = f"{upload.changing:,} contracts change" if upload.changing else "no contract changes"
        notice = Notice(
            Topic.ROSTER, f"A roster of {upload.source} was applied", f"{upload.file_name}: {changing}.",
            f"/rosters/{upload.id}", f"upload:{upload.id}",
        )  # fmt: skip
        self.notices.tell(unit, notice, self.notices.settings.hr, now)


def _check_stopped(unit: Unit, upload: Upload) -> None:
    source = unit.session.get(RosterSourceRow, upload.source)
    if source is not None and source.frozen_at is not None:
        raise RosterRefused(f"Rosters of {upload.source} are stopped: {source.frozen_because}")
