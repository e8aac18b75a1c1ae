"""Asking for access, editing and withdrawing; reviewers are told."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from lifecycle.domain.approval import Kind, Resolution, check_open
from lifecycle.domain.errors import LifecycleError, NotPermitted
from lifecycle.domain.identity import IdentityId
from lifecycle.services.authorisation import Action, Actor, may
from lifecycle.services.case import Case
from lifecycle.services.casebook import Casebook
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.services.proposals import SHORTEST, AlreadyAsked, Draft, Proposal, Proposals, check_not_asked
from lifecycle.store import people, requests
from lifecycle.store.request_tables import RequestRow
from lifecycle.store.unit import Store, Unit

LONGEST_REASON = 500
SHORTEST_REASON = 4


class RequestInvalid(LifecycleError):
    """What was asked cannot be asked so; the message says what to change."""

    code = "request-invalid"


@dataclass(frozen=True)
class Refusal:
    """Why one of several was not asked."""

    identity: str
    reason: str


@dataclass(frozen=True)
class Batch:
    """What became of asking for several at once."""

    asked: tuple[Proposal, ...]
    refused: tuple[Refusal, ...]


@dataclass
class Requests:
    """Asks, edits and withdraws."""

    store: Store
    casebook: Casebook
    proposals: Proposals
    notices: Notices

    def ask(self, actor: Actor, draft: Draft) -> str:
        """
        Ask, and tell those who must review.

        Returns:
            The request's id.

        Raises:
            RequestInvalid: If the reason is missing or the duration is too short.
            AlreadyAsked: If the same is pending.
            NotPermitted, NotEligible, NothingLeftToGrant: As `proposal`.
        """
        return self._ask(actor, draft).row.id

    def _ask(self, actor: Actor, draft: Draft, batch: str = "") -> Proposal:
        check_words(draft)
        now = self.casebook.clock.now()
        with self.store.write() as unit:
            people.lock_identity(unit, draft.identity_id)
            proposal = self.proposals.propose(unit, actor, draft, now)
            check_not_asked(requests.open_for(unit, [draft.identity_id], draft.entitlement, now).get(draft.identity_id))
            row = proposal.row
            row.id, row.batch = requests.next_id(unit), batch
            try:
                requests.add(unit, row)
            except IntegrityError as exc:  # somebody asked the same at the same time
                raise AlreadyAsked("The same was asked just now and waits for its reviews.") from exc
            case = self.casebook.load(unit, row)
            unit.audit(
                at=now, actor=actor.trail_name, action="request-made", object_=f"identity:{row.identity_id}",
                after=_said(row), request=row.id,
            )  # fmt: skip
            self.tell_reviewers(unit, case, now)
        return proposal

    def ask_for_several(self, actor: Actor, identity_ids: Sequence[str], draft: Draft) -> Batch:
        """
        Ask the same for several people, one request each; who cannot have it is named and the others are asked for.

        Raises:
            RequestInvalid: If there are too many of them or none.
        """
        chosen = list(dict.fromkeys(identity_ids))
        most = self.casebook.settings.most_at_once
        if not 1 <= len(chosen) <= most:
            raise RequestInvalid(f"Choose between one and {most} people.")
        check_words(draft)
        batch, asked, refused = str(uuid.uuid4()), [], []
        for identity_id in chosen:
            try:
                asked.append(self._ask(actor, replace(draft, identity_id=identity_id), batch))
            except LifecycleError as exc:
                refused.append(Refusal(self._name(actor, identity_id), str(exc)))
        return Batch(tuple(asked), tuple(refused))

    def _name(self, actor: Actor, identity_id: str) -> str:
        """Return somebody's name for whoever may see it; nobody learns names by asking for strangers."""
        with self.store.read() as unit:
            found = people.identities(unit, [identity_id]).get(IdentityId(identity_id))
            seen = found is not None and may(actor, Action.SEE_PERSON, self.casebook.parties.about(unit, identity_id))
        return found.name if found and seen else "Somebody else's contractor"

    def edit(self, actor: Actor, request_id: str, *, asked: timedelta, reason: str) -> None:
        """
        Change what was asked while it is pending; every review given so far is void.

        Raises:
            RequestClosed: If it is no longer pending.
            NotPermitted: If the actor did not ask it.
            RequestInvalid, NotEligible: As `ask`.
        """
        now = self.casebook.clock.now()
        with self.store.write() as unit:
            case = self._own(unit, actor, request_id, now)
            row = case.row
            draft = self._draft_of(row, asked, reason)
            check_words(draft)
            new = self.proposals.propose(unit, actor, draft, now).row
            before = _said(row)
            row.asked_seconds, row.reason, row.terms = new.asked_seconds, new.reason, new.terms
            row.approvals_needed, row.exception = new.approvals_needed, new.exception
            row.revision, row.seen_by, row.seen_at = row.revision + 1, "", None
            unit.session.add(row)
            unit.session.flush()
            unit.audit(
                at=now, actor=actor.trail_name, action="request-edited", object_=f"identity:{row.identity_id}",
                before=before, after=_said(row), request=row.id,
            )  # fmt: skip
            self.notices.unsay(unit, f"request:{row.id}", now, Topic.REVIEW, Topic.REMINDER)
            self.tell_reviewers(unit, self.casebook.load(unit, row), now)

    @staticmethod
    def _draft_of(row: RequestRow, asked: timedelta, reason: str) -> Draft:
        window = timedelta(seconds=row.window_seconds)
        return Draft(
            row.identity_id, row.entitlement, asked, reason, bool(row.at_once), window, Kind(row.kind), row.grant_id,
            row.engagement_id,
        )  # fmt: skip

    def withdraw(self, actor: Actor, request_id: str) -> None:
        """
        Take a pending request back.

        Raises:
            RequestClosed: If it is no longer pending.
            NotPermitted: If the actor did not ask it.
        """
        now = self.casebook.clock.now()
        with self.store.write() as unit:
            case = self._own(unit, actor, request_id, now)
            row = case.row
            row.resolution, row.resolved_at = Resolution.CANCELLED.value, now
            unit.session.add(row)
            unit.audit(
                at=now, actor=actor.trail_name, action="request-withdrawn", object_=case.trail_object,
                request=row.id,
            )  # fmt: skip
            self.notices.unsay(unit, f"request:{row.id}", now)

    def _own(self, unit: Unit, actor: Actor, request_id: str, now: datetime) -> Case:
        case = self.casebook.find(unit, request_id, lock=True)
        if not actor.keys & case.request.requester.keys:
            raise NotPermitted("Only whoever asked can change or withdraw it.")
        check_open(case.request, now)
        return case

    def tell_reviewers(self, unit: Unit, case: Case, now: datetime) -> int:
        """Tell everybody who could review *case*; owners who never signed in are told too."""
        notice = Notice(
            topic=Topic.REVIEW,
            subject=f"Please review: {case.what} for {case.identity.name}",
            body=f"{case.requester.name} asks: {case.row.reason} It expires {case.row.expires_at:%-d %b, %H:%M} UTC.",
            link=case.link,
            about=f"request:{case.row.id}",
            urgent=case.request.god,
            dedupe=f"{Topic.REVIEW.value}:{case.row.id}:{case.row.revision}",
        )
        told = [m.email for m in self.casebook.reviewers.able(unit, case)]
        return self.notices.tell(unit, notice, [*told, *self.casebook.reviewers.strangers(unit, case)], now)


def check_words(draft: Draft) -> None:
    """
    Refuse a request without a reason or with an impossible duration.

    Raises:
        RequestInvalid: Saying what to change.
    """
    check_reason(draft.reason)
    if draft.asked < SHORTEST:
        raise RequestInvalid("Ask for at least five minutes.")


def check_reason(reason: str) -> None:
    """
    Refuse a request without a reason.

    Raises:
        RequestInvalid: Saying how long it is to be.
    """
    if not SHORTEST_REASON <= len(reason.strip()) <= LONGEST_REASON:
        raise RequestInvalid(f"Please give a reason, in {SHORTEST_REASON} to {LONGEST_REASON} characters.")


def _said(row: RequestRow) -> dict[str, object]:
    return {
        "kind": row.kind,
        "entitlement": row.entitlement,
        "hours": round(row.asked_seconds / 3600, 2),
        "at_once": bool(row.at_once),
        "reason": row.reason,
        "reviews_needed": row.approvals_needed,
        "exception": bool(row.exception),
    }
