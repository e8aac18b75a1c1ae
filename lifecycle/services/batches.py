"""Rosters that the guard holds: nothing of them is done before two people, both uninvolved, have released them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from lifecycle.domain.approval import (
    TWO_PEOPLE,
    DuplicateReview,
    Kind,
    ReasonMissing,
    Request,
    RequestChanged,
    Resolution,
    Review,
    ReviewerUnfit,
    ReviewRefused,
    Verdict,
    add_review,
    check_independence,
    check_reviewer,
)
from lifecycle.domain.engagement import EngagementId
from lifecycle.domain.party import Party, key_of
from lifecycle.domain.role import Role
from lifecycle.services.authorisation import Actor
from lifecycle.services.claims import Claim
from lifecycle.services.clock import Clock
from lifecycle.services.intake import Worked, shown
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.services.parties import Parties, roles_of
from lifecycle.services.sources import freeze
from lifecycle.services.upload_views import State, Upload, show
from lifecycle.services.uploads import UploadClosed, Uploads
from lifecycle.store import members, people, roster_items, roster_uploads, state
from lifecycle.store.people_tables import MemberRow
from lifecycle.store.roster_tables import BatchReviewRow, RosterUploadRow
from lifecycle.store.unit import Store, Unit

IT = frozenset({Role.IT_OPERATOR, Role.IT_ADMINISTRATOR})
POOL = IT | {Role.HR}
"""Who may release: at least one of the two is IT."""
ESCALATED = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=24))
"""After so long a held roster is told of again; it is never released by itself."""
LONG = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Said:
    """One person's verdict."""

    name: str
    verdict: Verdict
    note: str
    at: datetime


@dataclass(frozen=True)
class BatchStanding:
    """How a held roster stands for one reader."""

    reviews: Sequence[Said]
    needed: int
    why_not: str
    """Why the reader cannot review it; empty if they can."""
    candidates: Sequence[str]
    """Names of those who can."""


@dataclass
class Batches:
    """Holds rosters and counts what people say about them."""

    store: Store
    uploads: Uploads
    parties: Parties
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
                values["confirmer_id"] = member_id
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
            request = self._request(unit, row)
            names = {r.reviewer.id: r.reviewer.name for r in request.reviews}
            said = [
                Said(names[r.member_id], Verdict(r.verdict), r.note, r.at)
                for r in roster_uploads.reviews(unit, upload_id)
            ]
            pool = members.with_roles(unit, [r.value for r in POOL])
            candidates = [m.name for m in pool if not self._why_not(unit, request, m)]
            member = members.get(unit, actor.id)
            why_not = self._why_not(unit, request, member) if member else "Sign in with an account of your own."
            return BatchStanding(said, TWO_PEOPLE, why_not, candidates)

    def _why_not(self, unit: Unit, request: Request, member: MemberRow) -> str:
        try:
            check_reviewer(request, self.parties.of_member(unit, member), in_pool=bool(roles_of(member) & POOL))
        except ReviewRefused as exc:
            return str(exc)
        return ""

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
        request = self._request(unit, row)
        review = Review(self.parties.of_member(unit, member), verdict, now, note, terms=row.digest)
        reviewed = add_review(request, review, in_pool=bool(roles_of(member) & POOL))
        for earlier in request.reviews:
            check_independence(request, earlier.reviewer)
        released = reviewed.resolution is Resolution.APPROVED
        if released and not any(self._is_it(unit, r.reviewer.id) for r in reviewed.approvals):
            raise ReviewerUnfit("At least one of the two must be IT.")
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

    @staticmethod
    def _is_it(unit: Unit, member_id: str) -> bool:
        member = members.get(unit, member_id)
        return member is not None and bool(roles_of(member) & IT)

    def _reject(self, unit: Unit, upload: Upload, actor: Actor, note: str, now: datetime) -> None:
        why = f"{upload.file_name} was rejected: {note}"
        roster_uploads.change_upload(
            unit, upload.id, (State.HELD,), state=State.REFUSED.value, error=why, held=0, settled_at=now
        )
        freeze(unit, upload.source, actor.trail_name, why, now)
        self._let_god_go_on(unit, upload, actor, now)
        state.nudge(unit)
        self._tell(
            unit, upload, f"A roster of {upload.source} was rejected, and its source is stopped", note, now, "no"
        )

    def _let_god_go_on(self, unit: Unit, upload: Upload, actor: Actor, now: datetime) -> None:
        """Take back what a rejected roster would have ended later; what it has ended comes back by others' word."""
        stored = self.uploads.row(unit, upload.id).god_ends
        ends = {EngagementId(id_): datetime.fromisoformat(at) for id_, at in stored.items()}
        coming = {id_: at for id_, at in ends.items() if at > now}
        if coming:
            people.let_god_go_on(unit, coming, now)
        for id_ in coming:
            unit.audit(
                at=now, actor=actor.trail_name, action="god-goes-on", object_=f"engagement:{id_}",
                request=f"upload:{upload.id}",
            )  # fmt: skip

    def _request(self, unit: Unit, row: RosterUploadRow) -> Request:
        """Describe a held roster for the two-person rule: asked by whoever sent, shaped and confirmed it."""
        vendors = frozenset(key_of(v) for v in roster_items.vendors_touched(unit, row.id))
        found = [
            members.get(unit, id_) for id_ in dict.fromkeys((row.member_id, row.confirmer_id, *row.shapers)) if id_
        ]
        senders = [self.parties.of_member(unit, member) for member in found if member is not None]
        requester = senders[0] if senders else Party(row.actor, row.actor, frozenset({row.actor}))
        for other in senders[1:]:
            requester = replace(requester, keys=requester.keys | other.keys, said=requester.said | other.said)
        # a roster stands on its own: whoever sent it may have left since
        requester = replace(requester, active=True)
        beneficiary = Party(f"upload:{row.id}", "those who lose access", frozenset(), vendors=vendors, employee=False)
        reviews = []
        for said in roster_uploads.reviews(unit, row.id):
            member = members.get(unit, said.member_id)
            if member is not None:
                reviewer = self.parties.of_member(unit, member)
                reviews.append(Review(reviewer, Verdict(said.verdict), said.at, said.note, terms=said.digest))
        return Request(
            id=row.id, kind=Kind.NEW, requester=requester, beneficiary=beneficiary, entitlement="", asked=LONG,
            reason=row.note, approvals_needed=TWO_PEOPLE, god=False, created_at=row.received_at,
            expires_at=row.received_at + LONG, terms=row.digest, reviews=tuple(reviews),
        )  # fmt: skip

    def agreed(self) -> list[str]:
        """List held rosters that two people have released and that were not applied, as after a crash in between."""
        with self.store.read() as unit:
            held = roster_uploads.uploads(unit, states=(State.HELD,), limit=1000)
            said = {row.id: [r for r in roster_uploads.reviews(unit, row.id) if r.digest == row.digest] for row in held}
        return [upload_id for upload_id, own in said.items() if len(own) >= TWO_PEOPLE]

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
