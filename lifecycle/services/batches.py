"""Rosters that the guard holds: nothing of them is done before two people, both uninvolved, have released them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError

from lifecycle.domain.approval import (
    TWO_PEOPLE,
    DuplicateReview,
    ReasonMissing,
    RequestChanged,
    Resolution,
    Review,
    ReviewerUnfit,
    Verdict,
    add_review,
)
from lifecycle.domain.engagement import EngagementId
from lifecycle.services.age import is_full, overtaken, why_overtaken
from lifecycle.services.authorisation import Actor
from lifecycle.services.claims import Claim
from lifecycle.services.clock import Clock
from lifecycle.services.intake import Worked, shown
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.services.parties import roles_of
from lifecycle.services.releasers import POOL, Releasers, hands_in
from lifecycle.services.sources import freeze
from lifecycle.services.upload_views import State, Upload, show
from lifecycle.services.uploads import UploadClosed, Uploads
from lifecycle.store import members, people, roster_items, roster_uploads, state
from lifecycle.store.roster_tables import BatchReviewRow, RosterUploadRow
from lifecycle.store.unit import Store, Unit

ESCALATED = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=24))
"""After so long a held roster is told of again; it is never released by itself."""


@dataclass(frozen=True, slots=True)
class Said:
    """One person's verdict."""

    name: str
    verdict: Verdict
    note: str
    at: datetime
    counts: bool
    """Whether it still does: whoever has left, or lost their role, since is nobody's second person."""


@dataclass(frozen=True)
class BatchStanding:
    """How a held roster stands for one reader."""

    reviews: Sequence[Said]
    missing: int
    """How many people still have to agree."""
    why_not: str
    """Why the reader cannot review it; empty if they can."""
    candidates: Sequence[str]
    """Names of those who can."""
    can_take_back: bool
    """Whether the reader had a hand in it, and may have nothing come of it."""


@dataclass
class Batches:
    """Holds rosters and counts what people say about them."""

    store: Store
    uploads: Uploads
    releasers: Releasers
    notices: Notices
    clock: Clock

    def hold(
        self, upload: Upload, claim: Claim, worked: Worked, actor: str, note: str, member_id: str | None = None
    ) -> None:
        """
        Hold a roster before its first change; what was said about another state of it counts no more.

        Args:
            upload: Which.
            claim: The right to work on it.
            worked: What it would do.
            actor: Whoever confirmed it, as the trail names them.
            note: Theirs.
            member_id: Theirs, where they are a member; None: as it was, when it is held anew.
        """
        now = self.clock.now()
        why = "; ".join(finding["words"] for finding in worked.guard)
        with self.store.write() as unit:
            values = {**shown(unit, upload.id, worked, now), "note": note, "held": 1, "state": State.HELD.value}
            if member_id is not None:
                values["confirmer_id"] = member_id or actor
            if not roster_uploads.change_upload(
                unit, upload.id, (State.APPLYING,), worker_is=claim.worker, worker="", **values
            ):
                raise UploadClosed("Somebody else was faster.")
            roster_uploads.clear_reviews(unit, upload.id)
            unit.audit(
                at=now, actor=actor, action="roster-held", object_=f"upload:{upload.id}",
                after={"file": upload.file_name, "digest": worked.digest, "why": why, "note": note},
            )  # fmt: skip
            self._tell(unit, upload, f"A roster of {upload.source} is held: two people must agree", why, now, "held")

    def _tell(self, unit: Unit, upload: Upload, subject: str, body: str, now: datetime, step: str) -> None:
        notice = Notice(
            Topic.HELD, subject, f"{upload.file_name}: {body}.", f"/rosters/{upload.id}", f"upload:{upload.id}",
            urgent=True, dedupe=f"held:{upload.id}:{upload.digest}:{step}",
        )  # fmt: skip
        settings = self.notices.settings
        self.notices.tell(unit, notice, [*settings.it, *settings.hr, *self._addresses(unit)], now)

    @staticmethod
    def _addresses(unit: Unit) -> list[str]:
        return [m.email for m in members.with_roles(unit, [r.value for r in POOL]) if m.disabled_at is None]

    def standing(self, upload_id: str, actor: Actor) -> BatchStanding:
        """
        Say what was said about a held roster, and whether *actor* may say something.

        Raises:
            NotFound: If there is no such roster.
        """
        with self.store.read() as unit:
            row = self.uploads.row(unit, upload_id)
            releasers = self.releasers
            request = releasers.request(unit, row)
            counting = {r.reviewer.id for r in request.reviews}
            rows = roster_uploads.reviews(unit, upload_id)
            names = {id_: m.name or m.login for id_, m in members.by_ids(unit, [r.member_id for r in rows]).items()}
            said = [
                Said(names.get(r.member_id, ""), Verdict(r.verdict), r.note, r.at, r.member_id in counting)
                for r in rows
            ]
            pool = members.with_roles(unit, [r.value for r in POOL])
            candidates = [m.name for m in pool if not releasers.why_not(unit, request, m)]
            member = members.get(unit, actor.id)
            why_not = releasers.why_not(unit, request, member) if member else "Sign in with an account of your own."
            missing, mine = TWO_PEOPLE - len(request.approvals), actor.id in hands_in(row)
            return BatchStanding(said, missing, why_not, candidates, mine)

    def review(
        self, upload_id: str, *, actor: Actor, verdict: Verdict, digest: str, note: str, typed: int | None = None
    ) -> bool:
        """
        Count one person's verdict on a held roster. Any rejection rejects it and stops its source.

        Args:
            upload_id: Which.
            actor: Who says it.
            verdict: What.
            digest: `Upload.digest` as it was shown to them.
            note: Why; a rejection needs one.
            typed: For an approval: how many contracts change, typed by hand.

        Returns:
            Whether it is released now.

        Raises:
            ReviewRefused: Naming the rule that the review breaks.
            UploadClosed: If it is not held any more.
        """
        now = self.clock.now()
        try:
            with self.store.write() as unit:
                if verdict is Verdict.DENY:
                    _before_contracts(unit, upload_id)
                row = roster_uploads.locked_upload(unit, upload_id) or self.uploads.row(unit, upload_id)
                if row.state != State.HELD.value:
                    raise UploadClosed(f"This roster is {row.state} already.")
                if digest != row.digest:
                    raise RequestChanged("It is no longer what you were shown. Please look again.")
                return self._count(unit, row, actor, verdict, note, typed, now)
        except IntegrityError as exc:
            raise DuplicateReview("You have reviewed this already; it needs somebody else's word.") from exc

    def _count(
        self,
        unit: Unit,
        row: RosterUploadRow,
        actor: Actor,
        verdict: Verdict,
        note: str,
        typed: int | None,
        now: datetime,
    ) -> bool:
        upload, member = show(row), members.get(unit, actor.id)
        if member is None:
            raise ReviewerUnfit("Sign in with an account of your own.")
        if verdict is Verdict.APPROVE and typed != upload.changing:
            raise ReasonMissing(f"Type how many contracts change: {upload.changing:,}.")
        request = self.releasers.request(unit, row)
        review = Review(self.releasers.parties.of_member(unit, member), verdict, now, note, terms=row.digest)
        reviewed = add_review(request, review, in_pool=bool(roles_of(member) & POOL))
        released = reviewed.resolution is Resolution.APPROVED
        if released:
            self.releasers.check_it(unit, reviewed)
        unit.session.add(
            BatchReviewRow(
                upload_id=row.id, member_id=member.id, verdict=verdict.value, note=note, digest=row.digest, at=now
            )
        )
        unit.session.flush()
        unit.audit(
            at=now, actor=actor.trail_name, action=f"roster-review-{verdict.value}", object_=f"upload:{row.id}",
            after={"note": note, "digest": row.digest},
        )  # fmt: skip
        if reviewed.resolution is Resolution.DENIED:
            self._reject(unit, upload, actor, note, now)
        return released

    def _reject(self, unit: Unit, upload: Upload, actor: Actor, note: str, now: datetime) -> None:
        why = f"{upload.file_name} was rejected: {note}"
        self._end(unit, upload, actor.trail_name, now, state=State.REFUSED.value, error=why, settled_at=now)
        freeze(unit, upload.source, actor.trail_name, why, now)
        self._tell(
            unit, upload, f"A roster of {upload.source} was rejected, and its source is stopped", note, now, "no"
        )

    def take_back(self, upload_id: str, actor: Actor) -> None:
        """
        Have nothing come of a held roster, by somebody who sent, shaped or confirmed it. Its source goes on.

        Raises:
            ReviewerUnfit: If the actor had no hand in it; others reject it.
            UploadClosed: If it is not held any more.
        """
        now = self.clock.now()
        with self.store.write() as unit:
            _before_contracts(unit, upload_id)
            row = roster_uploads.locked_upload(unit, upload_id) or self.uploads.row(unit, upload_id)
            if actor.id not in hands_in(row):
                raise ReviewerUnfit("Only whoever sent, repaired or confirmed it takes it back; others reject it.")
            upload, by = show(row), actor.trail_name
            if not self._settle(unit, upload, State.DISCARDED, "Taken back.", by, "roster-discarded", now):
                raise UploadClosed(f"This roster is {upload.state} already.")

    def give_up_overtaken(self, unit: Unit, applied: Upload, actor: str, now: datetime) -> None:
        """Refuse held rosters that what was just confirmed leaves nothing of: nobody could release them."""
        for row in roster_uploads.uploads(unit, states=(State.HELD,), source=applied.source, limit=1000):
            upload = show(row)
            if why := why_overtaken(unit, upload) or self._why_nothing_is_left(unit, upload, applied):
                # somebody else may have settled it meanwhile
                self._settle(unit, upload, State.REFUSED, why, actor, "roster-refused", now)

    @staticmethod
    def _why_nothing_is_left(unit: Unit, upload: Upload, applied: Upload) -> str:
        if is_full(upload) or not roster_items.have_contracts_in_common(unit, upload.id, applied.id):
            return ""
        if roster_items.left_of(unit, upload.id, upload.source, overtaken(unit, upload)):
            return ""
        return "Files of changes that were made later have spoken of all its contracts."

    def _settle(
        self, unit: Unit, upload: Upload, settled: State, why: str, actor: str, action: str, now: datetime
    ) -> bool:
        """End what is held without a verdict on it: nobody's source is stopped. Return whether it was held still."""
        words = {"error": why} if settled is State.REFUSED else {"note": why}
        was_held = self._end(unit, upload, actor, now, state=settled.value, **words)
        if was_held:
            unit.audit(
                at=now, actor=actor, action=action, object_=f"upload:{upload.id}",
                after={"file": upload.file_name, "why": why},
            )  # fmt: skip
        return was_held

    def _end(self, unit: Unit, upload: Upload, actor: str, now: datetime, **values: Any) -> bool:
        """Have nothing more come of what is held; return whether it was held still."""
        if not roster_uploads.change_upload(unit, upload.id, (State.HELD,), held=0, **values):
            return False
        self._let_god_go_on(unit, upload, actor, now)
        state.nudge(unit)
        return True

    def _let_god_go_on(self, unit: Unit, upload: Upload, actor: str, now: datetime) -> None:
        """Take back what a held roster would have ended later; what it has ended comes back by others' word."""
        stored = self.uploads.row(unit, upload.id).god_ends
        ends = {EngagementId(id_): datetime.fromisoformat(at) for id_, at in stored.items()}
        coming = {id_: at for id_, at in ends.items() if at > now}
        if coming:
            people.let_god_go_on(unit, coming, now)
        for id_ in coming:
            unit.audit(
                at=now, actor=actor, action="god-goes-on", object_=f"engagement:{id_}",
                request=f"upload:{upload.id}",
            )  # fmt: skip

    def agreed(self) -> list[str]:
        """List held rosters that two people have released and that were not applied, as after a crash in between."""
        with self.store.read() as unit:
            held = roster_uploads.uploads(unit, states=(State.HELD,), limit=1000)
            return [row.id for row in held if not self.releasers.why_held(unit, row)]

    def remind(self, now: datetime) -> None:
        """Tell again of rosters that have been held for long."""
        with self.store.read() as unit:
            held = [show(row) for row in roster_uploads.uploads(unit, states=(State.HELD,), limit=1000)]
        for upload in held:
            since = upload.shown_at or upload.received_at
            passed = [n for n, after in enumerate(ESCALATED) if now - since >= after]
            if passed:
                with self.store.write() as unit:
                    body = f"It has waited since {since:%-d %b, %H:%M} UTC; nothing more of it is done until two agree"
                    self._tell(unit, upload, f"Still held: a roster of {upload.source}", body, now, str(passed[-1]))


def _before_contracts(unit: Unit, upload_id: str) -> None:
    """Lock what whoever applies a roster locks first: the contracts are locked next."""
    state.put(unit, state.ROSTERS, upload_id)
