"""Reviewing: one person's verdict, bound to exactly what that person was shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from lifecycle.domain.approval import (
    DuplicateReview,
    Kind,
    Request,
    RequestChanged,
    RequestClosed,
    Resolution,
    Review,
    ReviewRefused,
    Verdict,
    add_review,
    digest,
    shown_digest,
)
from lifecycle.domain.eligibility import Limit, narrowing_of
from lifecycle.domain.entitlement import Entitlement
from lifecycle.domain.errors import LifecycleError, NotFound
from lifecycle.domain.extension import given_back
from lifecycle.services.activation import Activation
from lifecycle.services.authorisation import Action, Actor, authorize, check_fresh, may
from lifecycle.services.case import Case
from lifecycle.services.casebook import Casebook
from lifecycle.services.course import Course, course_of
from lifecycle.services.inbox import Inbox
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.services.staleness import FeedStale
from lifecycle.store import members, requests
from lifecycle.store.request_tables import ReviewRow
from lifecycle.store.unit import Store, Unit

LONGEST_NOTE = 500


@dataclass(frozen=True)
class Sheet:
    """Everything a reviewer is shown, and the digest of it that the answer is bound to."""

    case: Case
    now: datetime
    shown: str
    limit: Limit | None
    """None where nothing can be given any more; `closed` says why."""
    closed: str
    starts_at: datetime
    ends_at: datetime | None
    """When it would end if it began now, or ends; None where it will not begin any more."""
    course: Course | None
    """What became of it once it was activated."""
    narrowing: tuple[tuple[datetime, Entitlement | None], ...]
    after: Entitlement | None
    mine: str
    """Why the reader cannot review it; empty if they can."""
    reviewers: tuple[str, ...]
    own: bool
    """Whether the reader asked it."""
    given_back: tuple[Entitlement, ...]
    """What would be held again at once, most powerful first; only where access is asked back."""
    can_activate: bool

    @property
    def request(self) -> Request:
        """The request as the domain sees it."""
        return self.case.request

    @property
    def is_open(self) -> bool:
        """Whether a review still counts."""
        return self.request.is_open_at(self.now)

    @property
    def eligible(self) -> bool:
        """Whether it is approved and waits to be activated."""
        return _is_eligible(self.case, self.now)


@dataclass
class Reviews:
    """Shows requests and counts verdicts."""

    store: Store
    casebook: Casebook
    inbox: Inbox
    notices: Notices
    activation: Activation
    wall: Callable[[], datetime]
    on_approved: Mapping[Kind, Callable[[Unit, Case, datetime], None]]
    """What an approval of a kind that is no grant does, in the same transaction."""

    def sheet(self, actor: Actor, request_id: str) -> Sheet:
        """
        Gather what *actor* sees of a request.

        Raises:
            NotFound, NotPermitted: If there is none, or it does not concern them.
        """
        now = self.casebook.clock.now()
        with self.store.read() as unit:
            case = self._found(unit, actor, request_id)
            authorize(actor, Action.SEE_REQUEST, case.about)
            return self._sheet(unit, case, actor, now)

    def _found(self, unit: Unit, actor: Actor, request_id: str, *, lock: bool = False) -> Case:
        case = self.casebook.find(unit, request_id, lock=lock)
        if case.is_hidden_from(self.casebook.parties.of_actor(unit, actor)):
            raise NotFound(f"There is no request {request_id}.")
        return case

    def _sheet(self, unit: Unit, case: Case, actor: Actor, now: datetime) -> Sheet:
        limit, closed, ends_at, after = None, "", None, None
        narrowing: tuple[tuple[datetime, Entitlement | None], ...] = ()
        starts_at, course = self.activation.starts_at(unit, case, now), course_of(unit, case, now)
        if course is not None and course.starts_at is not None:
            starts_at, ends_at = course.starts_at, course.ends_at
        if case.entitlement is not None:
            try:
                if case.request.is_open_at(now) or _is_eligible(case, now):
                    limit = self.casebook.limit(unit, case, case.entitlement, now)
                    ends_at = limit.ends_at(case.request.allowed, starts_at)
                if ends_at is not None:
                    catalogue = self.casebook.rulebook.catalogue
                    narrowing = narrowing_of(case.entitlement, catalogue, case.contract, starts_at, ends_at)
                    after = self.casebook.afterwards(unit, case.identity.id, case.entitlement, ends_at)
            except LifecycleError as exc:
                closed = str(exc)
        elif case.request.kind is not Kind.CUT_OFF and case.request.is_open_at(now):
            closed = self._why_stale(unit, case, now)
        if not case.request.requester.active and (case.request.is_open_at(now) or _is_eligible(case, now)):
            limit, closed = None, f"{case.request.requester.name}, who asked for this, may not ask it any more."
        return Sheet(
            case=case,
            now=now,
            shown=self._shown(unit, case, now),
            limit=limit,
            closed=closed,
            starts_at=starts_at,
            ends_at=ends_at,
            course=course,
            narrowing=narrowing,
            after=after,
            mine=self.inbox.why_not(case, actor, *self.inbox.reader(unit, actor)),
            reviewers=self.casebook.reviewers.names(unit, case),
            own=bool(actor.keys & case.request.requester.keys),
            given_back=self._given_back(case, now),
            can_activate=may(actor, Action.ACTIVATE, self.casebook.parties.about(unit, case.identity.id)),
        )

    def _why_stale(self, unit: Unit, case: Case, now: datetime) -> str:
        try:
            self.casebook.check_fed(unit, case.contract, god=False, now=now)
        except FeedStale as exc:
            return str(exc)
        return ""

    def _given_back(self, case: Case, now: datetime) -> tuple[Entitlement, ...]:
        if case.request.kind is not Kind.RESUME or not case.contract.has_lapsed_at(now):
            return ()
        desired = self.casebook.rulebook.desired([given_back(case.contract)], now)
        return tuple(dict.fromkeys(reason.entitlement for reason in desired.reasons))

    def _shown(self, unit: Unit, case: Case, now: datetime) -> str:
        """Digest the request with its terms and limits as they are now: an answer to older ones does not fit."""
        terms = self.casebook.terms(case.row, case.contract, case.entitlement)
        limits: list[object] = []
        if case.entitlement is not None:
            try:
                limit = self.casebook.limit(unit, case, case.entitlement, now)
                limits = [limit.until.isoformat(), limit.longest.total_seconds(), limit.exception]
            except LifecycleError as exc:
                limits = [str(exc)]
        return shown_digest(replace(case.request, terms=digest({"terms": terms, "limits": limits})))

    def review(
        self,
        actor: Actor,
        request_id: str,
        *,
        verdict: Verdict,
        note: str,
        shown: str,
        longest: timedelta | None = None,
    ) -> Request:
        """
        Count the actor's verdict; an approval that completes it starts the grant, if so asked.

        Args:
            actor: Who reviews.
            request_id: What.
            verdict: Approve or deny.
            note: Why, for the trail.
            shown: `Sheet.shown` of the page that was answered.
            longest: The actor allows no more than this.

        Returns:
            The request as it stands then.

        Raises:
            ReviewRefused: Naming the rule: closed, changed, self, duplicate, dependent, unfit, no reason.
            StepUpNeeded: If it is god mode and the actor's authentication is older than five minutes.
            NotPermitted, NotFound: As for any other action.
        """
        now = self.casebook.clock.now()
        with self.store.write() as unit:
            case = self._found(unit, actor, request_id, lock=True)
            authorize(actor, Action.REVIEW, case.about)
            if case.request.god or case.request.kind in {Kind.BRIDGE, Kind.CUT_OFF}:
                check_fresh(actor, self.wall())
            reviewed, flagged = self._count(unit, case, actor, verdict, note[:LONGEST_NOTE], shown, longest, now)
            self._save(unit, case, reviewed, now)
            self._record(unit, case, actor, reviewed, flagged=flagged, at=now)
            if reviewed.resolution is Resolution.APPROVED:
                self._settle(unit, case.row.id, now)
        return reviewed

    def _count(
        self, unit: Unit, case: Case, actor: Actor, verdict: Verdict, note: str, shown: str,
        longest: timedelta | None, now: datetime,
    ) -> tuple[Request, bool]:  # fmt: skip
        member = members.get(unit, actor.id)
        if member is None:
            raise ReviewRefused("Only people review.")
        party = self.casebook.parties.of_member(unit, member)
        if longest is not None and not timedelta(minutes=5) <= longest <= case.request.asked:
            raise ReviewRefused("A reviewer can shorten what was asked, to five minutes at least.")
        terms = self.casebook.terms(case.row, case.contract, case.entitlement)
        review = Review(party, verdict, now, note.strip(), longest, terms)
        reviewed = add_review(case.request, review, in_pool=case.pool.holds(member))
        if shown != self._shown(unit, case, now):
            raise RequestChanged("It has changed since you were shown it: look again before you decide.")
        young = now - member.roles_since < timedelta(hours=self.casebook.settings.new_role_hours)
        return reviewed, young

    def _save(self, unit: Unit, case: Case, reviewed: Request, now: datetime) -> None:
        review, row = reviewed.reviews[-1], case.row
        try:
            requests.add_review(
                unit,
                ReviewRow(
                    request_id=row.id,
                    revision=row.revision,
                    reviewer_id=review.reviewer.id,
                    verdict=review.verdict.value,
                    note=review.note,
                    longest_seconds=None if review.longest is None else int(review.longest.total_seconds()),
                    terms=review.terms,
                    at=now,
                ),
            )
        except IntegrityError as exc:
            raise DuplicateReview("You have reviewed this already; it needs somebody else's word.") from exc
        row.seen_by, row.seen_at = "", None  # whoever comes next is reminded again
        unit.session.add(row)
        if reviewed.resolution is not Resolution.PENDING:
            row.resolution, row.resolved_at = reviewed.resolution.value, now
            if reviewed.resolution is Resolution.APPROVED:
                row.eligible_until = now + timedelta(seconds=row.window_seconds)
            unit.session.add(row)
            unit.session.flush()
            self.notices.unsay(unit, f"request:{row.id}", now, Topic.REVIEW, Topic.REMINDER)

    def _record(self, unit: Unit, case: Case, actor: Actor, reviewed: Request, *, flagged: bool, at: datetime) -> None:
        review, row = reviewed.reviews[-1], case.row
        after: dict[str, object] = {
            "verdict": review.verdict.value,
            "reason": review.note,
            "resolution": reviewed.resolution.value,
        }
        if review.longest is not None:
            after["at_most_hours"] = round(review.longest.total_seconds() / 3600, 2)
        if flagged:
            after["flag"] = "the reviewer's role is new"
        unit.audit(
            at=at, actor=actor.trail_name, action="request-reviewed", object_=case.trail_object,
            after=after, request=row.id,
        )  # fmt: skip
        if reviewed.resolution is not Resolution.PENDING:
            words = "approved" if reviewed.resolution is Resolution.APPROVED else "denied"
            body = f"{review.reviewer.name}: {review.note}" if review.note else f"By {review.reviewer.name}."
            notice = Notice(
                Topic.RESOLVED, f"{row.id} is {words}: {case.what} for {case.identity.name}", body, case.link,
                f"request:{row.id}",
            )  # fmt: skip
            concerned = [case.requester.email]
            if case.request.kind is not Kind.CUT_OFF:
                concerned.append(case.identity.email)
            self.notices.tell(unit, notice, concerned, at)
        if flagged and case.request.god:
            words = f"{review.reviewer.name} reviewed {row.id} in a role that is younger than a day"
            body = "Look whether the role was given for this."
            notice = Notice(Topic.ESCALATED, words, body, case.link, f"request:{row.id}", urgent=True)
            self.notices.tell(unit, notice, self.notices.settings.it, at)

    def _settle(self, unit: Unit, request_id: str, now: datetime) -> None:
        case = self.casebook.find(unit, request_id)
        act = self.on_approved.get(case.request.kind)
        if act is not None:
            act(unit, case, now)
        elif case.row.at_once:
            self.activation.start(unit, case, "scheduler", now)

    def mark_seen(self, actor: Actor, request_id: str) -> None:
        """
        Note that somebody looks at it; reminders stop for everybody who could review it.

        Raises:
            RequestClosed: If it is no longer pending.
            NotPermitted: If it does not concern the actor.
        """
        now = self.casebook.clock.now()
        with self.store.write() as unit:
            case = self._found(unit, actor, request_id, lock=True)
            authorize(actor, Action.REVIEW, case.about)
            if not case.request.is_open_at(now):
                raise RequestClosed(f"Request {request_id} is no longer open.")
            why_not = self.inbox.why_not(case, actor, *self.inbox.reader(unit, actor))
            if why_not:
                raise ReviewRefused(why_not)
            case.row.seen_by, case.row.seen_at = actor.name, now
            unit.session.add(case.row)
            unit.audit(
                at=now, actor=actor.trail_name, action="request-seen", object_=case.trail_object,
                request=request_id,
            )  # fmt: skip
            self.notices.unsay(unit, f"request:{request_id}", now, Topic.REMINDER)


def _is_eligible(case: Case, now: datetime) -> bool:
    """Say whether it is approved and waits to be activated."""
    row = case.row
    waiting = row.activated_at is None and row.eligible_until is not None and now < row.eligible_until
    return case.request.resolution is Resolution.APPROVED and waiting
