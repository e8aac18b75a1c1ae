"""An approved request becomes a grant: at once, or when its holder needs it. From then on the clock ends it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from lifecycle.domain.approval import ApprovalVoid, Kind, Resolution, check_use
from lifecycle.domain.engagement import EngagementId
from lifecycle.domain.errors import LifecycleError, NotFound
from lifecycle.domain.grant import Grant
from lifecycle.services.authorisation import Action, Actor, authorize
from lifecycle.services.case import Case
from lifecycle.services.casebook import Casebook
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.store import people, requests, state
from lifecycle.store.unit import Store, Unit


class NotEligibleNow(LifecycleError):
    """There is nothing to activate: not approved, used already, or its window has passed."""

    code = "not-eligible-now"


@dataclass
class Activation:
    """Starts and ends grants."""

    store: Store
    casebook: Casebook
    notices: Notices

    def activate(self, actor: Actor, request_id: str) -> Grant:
        """
        Start what was approved, once.

        Raises:
            NotEligibleNow: Not approved, used already, or too late.
            ApprovalVoid: If an approver would no longer count, or the terms have changed.
            NotEligible, NothingLeftToGrant: If the contract or its stage no longer allow it.
            NotPermitted, NotFound: As for any other action.
        """
        now = self.casebook.clock.now()
        with self.store.write() as unit:
            case = self.casebook.find(unit, request_id, lock=True)
            authorize(actor, Action.ACTIVATE, self.casebook.parties.about(unit, case.identity.id))
            return self.start(unit, case, actor.trail_name, now)

    def start(self, unit: Unit, case: Case, actor: str, now: datetime) -> Grant:
        """Make the grant in *unit*; see `activate`."""
        row = case.row
        if case.request.resolution is not Resolution.APPROVED or case.entitlement is None:
            raise NotEligibleNow(f"{row.id} is {case.request.resolution.words}; only what is approved can start.")
        if state.get(unit, state.CLOCK_ALARM):
            raise NotEligibleNow("The clock of this machine cannot be trusted just now, so nothing starts. IT sees it.")
        if row.activated_at is not None:
            raise NotEligibleNow(f"{row.id} was activated already; an approval is good for once.")
        if row.eligible_until is None or now >= row.eligible_until:
            raise NotEligibleNow(f"{row.id} was not activated in time; ask again.")
        if case.request.kind is Kind.EXTEND and not self._still_runs(unit, row.grant_id, now):
            raise NotEligibleNow(f"What {row.id} was to extend has ended; ask to renew it.")
        grant = self._grant(unit, case, now)
        people.add_grant(unit, grant)
        row.activated_at, row.made_grant = now, grant.id
        unit.session.add(row)
        people.make_due(unit, now, [row.identity_id])
        state.nudge(unit)
        unit.audit(
            at=now,
            actor=actor,
            on_behalf=case.requester.login,
            action="grant-activated",
            object_=f"identity:{row.identity_id}",
            after={
                "entitlement": grant.entitlement,
                "starts_at": grant.starts_at.isoformat(),
                "ends_at": grant.ends_at.isoformat(),
                "approved_by": list(grant.approved_by),
                "exception": grant.exception,
            },
            request=row.id,
        )
        return grant

    def _grant(self, unit: Unit, case: Case, now: datetime) -> Grant:
        row, entitlement = case.row, case.entitlement
        if entitlement is None:
            raise NotEligibleNow(f"{row.id} asks for no right that is known here.")
        terms = self.casebook.terms(row, case.contract, entitlement)
        check_use(case.request, self.casebook.reviewers.approvers(unit, case), terms)
        limit = self.casebook.limit(unit, case, entitlement, now)
        if limit.exception and not row.exception:
            raise ApprovalVoid("The stage has changed since: this would be an exception now. Please ask again.")
        starts_at = self.starts_at(unit, case, now)
        return Grant(
            id=str(uuid.uuid4()),
            engagement_id=EngagementId(row.engagement_id),
            entitlement=entitlement.key,
            starts_at=starts_at,
            ends_at=limit.ends_at(case.request.allowed, starts_at),
            reason=row.reason,
            request=row.id,
            approved_by=tuple(r.reviewer.name for r in case.request.approvals),
            exception=limit.exception,
        )

    def starts_at(self, unit: Unit, case: Case, now: datetime) -> datetime:
        """Return when it would start: now, or where it extends a grant that runs, at that one's end."""
        if case.request.kind is not Kind.EXTEND:
            return now
        extended = requests.grant_row(unit, case.row.grant_id)
        return max(now, extended.ends_at) if extended is not None else now

    @staticmethod
    def _still_runs(unit: Unit, grant_id: str, now: datetime) -> bool:
        extended = requests.grant_row(unit, grant_id)
        return extended is not None and now < extended.ends_at

    def end_early(self, actor: Actor, grant_id: str, reason: str = "") -> Grant:
        """
        End a grant now, and with it whatever was to extend it.

        Raises:
            NotFound: If there is no such grant, or it has ended.
            NotPermitted: If it is neither the actor's own nor of one of their contractors, nor the actor IT.
        """
        now = self.casebook.clock.now()
        with self.store.write() as unit:
            self._lock(unit, grant_id)
            identity_id, grant = self._running(unit, grant_id, now)
            authorize(actor, Action.END_GRANT, self.casebook.parties.about(unit, identity_id))
            ended = people.end_grant(unit, grant, now)
            extensions = self._end_extensions(unit, grant.id, identity_id, now)
            extensions += self._cancel_extensions(unit, {grant.id}, identity_id, now)
            people.make_due(unit, now, [identity_id])
            state.nudge(unit)
            unit.audit(
                at=now, actor=actor.trail_name, action="grant-ended", object_=f"identity:{identity_id}",
                before={"ends_at": grant.ends_at.isoformat()},
                after={"entitlement": grant.entitlement, "reason": reason[:500],
                       "ends_at": ended.ends_at.isoformat() if now > grant.starts_at else "never began",
                       "extensions_ended": extensions},
                request=grant.request,
            )  # fmt: skip
            person = next(iter(people.identities(unit, [identity_id]).values()))
            title = self.casebook.rulebook.catalogue.entitlements.get(grant.entitlement)
            what = title.title if title else grant.entitlement
            words = f"{what} of {person.name} was ended early by {actor.name}"
            notice = Notice(Topic.GRANT, words, reason, "/my-access", f"identity:{identity_id}")
            self.notices.tell(unit, notice, [person.email], now)
        return ended

    @staticmethod
    def _end_extensions(unit: Unit, grant_id: str, identity_id: str, now: datetime) -> list[str]:
        """End the grants that were to follow *grant_id* without a gap, and those that were to follow them."""
        made = requests.extensions(unit, identity_id)
        every = {g.id: g for own in people.grants_of(unit, [identity_id]).values() for g in own}
        ended, followed = [], {grant_id}
        for request in made:  # oldest first: what follows a grant was made after it
            grant = every.get(request.made_grant)
            if request.grant_id in followed and grant is not None:
                followed.add(grant.id)
                if grant.ends_at > now:
                    people.end_grant(unit, grant, now)
                    ended.append(request.id)
        return ended

    def _cancel_extensions(self, unit: Unit, grant_ids: set[str], identity_id: str, now: datetime) -> list[str]:
        """Close what asks for more time of something that has been ended: nobody's review is wasted on it."""
        closed = []
        for row in requests.asked_to_extend(unit, identity_id, grant_ids):
            row.resolution, row.resolved_at = Resolution.CANCELLED.value, now
            unit.session.add(row)
            self.notices.unsay(unit, f"request:{row.id}", now)
            closed.append(row.id)
        return closed

    @staticmethod
    def _lock(unit: Unit, grant_id: str) -> None:
        """Let no approval of an extension come in between."""
        row = requests.grant_row(unit, grant_id)
        if row is not None:
            people.lock_identity(unit, people.owner_of(unit, row.engagement_id))
            unit.session.expire(row)

    @staticmethod
    def _running(unit: Unit, grant_id: str, now: datetime) -> tuple[str, Grant]:
        row = requests.grant_row(unit, grant_id)
        identity_id = people.owner_of(unit, row.engagement_id) if row is not None else ""
        every = people.grants_of(unit, [identity_id]) if identity_id else {}
        grant = next((g for own in every.values() for g in own if g.id == grant_id), None)
        if grant is None or grant.ends_at <= now:
            raise NotFound("There is no such grant, or it has ended already.")
        return identity_id, grant
