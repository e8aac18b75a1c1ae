"""A bridge: ordinary access goes on for some days past the contract's end, until a roster carries the extension."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from lifecycle.domain.approval import Kind, Resolution, check_use
from lifecycle.domain.renewal import Answer, AnswerInvalid
from lifecycle.services.authorisation import Actor
from lifecycle.services.case import Case
from lifecycle.services.casebook import Casebook
from lifecycle.services.notices import Notices
from lifecycle.services.requests import Requests
from lifecycle.store import decisions, people, requests, state
from lifecycle.store.request_tables import RenewalRow, RequestRow
from lifecycle.store.tables import EngagementRow
from lifecycle.store.unit import Unit


@dataclass
class Bridges:
    """Asks for bridges, builds them once two people agree, and withdraws them. Works in the unit it is given."""

    casebook: Casebook
    requests: Requests
    notices: Notices

    def ask(self, unit: Unit, actor: Actor, question: RenewalRow, identity_id: str, until: date, now: datetime) -> str:
        """
        Ask two people for a bridge to *until* (inclusive), for the reason that the answer gives.

        Returns:
            Id of the request.

        Raises:
            AnswerInvalid: If it is too long, has no reason, or one is asked for already.
            FeedStale: If the contract's roster has not come for too long.
        """
        days, most = (until - question.last_day).days, self.casebook.settings.bridge_days
        if not 1 <= days <= most:
            raise AnswerInvalid(f"A bridge is 1 to {most} days long.")
        if len(question.note) < 4:
            raise AnswerInvalid("Two people must agree to a bridge: please say why it is needed.")
        if requests.pending_for(unit, identity_id, "", Kind.BRIDGE.value) is not None:
            raise AnswerInvalid("A bridge for this person waits for its reviews already.")
        contracts = self.casebook.parties.contracts(unit, identity_id)
        contract = next(c for c in contracts if c.engagement.id == question.engagement_id)
        self.casebook.check_fed(unit, contract, god=False, now=now)
        row = RequestRow(
            id=requests.next_id(unit),
            kind=Kind.BRIDGE.value,
            identity_id=identity_id,
            engagement_id=question.engagement_id,
            requester_id=actor.id,
            at_once=1,
            reason=question.note,
            until_day=until,
            approvals_needed=2,
            created_at=now,
            expires_at=contract.timeline.ends_at,
        )
        row.terms = self.casebook.terms(row, contract, None)
        requests.add(unit, row)
        unit.audit(
            at=now, actor=actor.trail_name, action="bridge-asked", object_=f"identity:{identity_id}",
            after={"until": until.isoformat(), "reason": question.note}, request=row.id,
        )  # fmt: skip
        self.requests.tell_reviewers(unit, self.casebook.load(unit, row), now)
        return row.id

    def withdraw(self, unit: Unit, actor: Actor, question: RenewalRow, identity_id: str, now: datetime) -> None:
        """End what was asked for, or built, with an earlier answer: a bridge belongs to the answer it came with."""
        pending = requests.pending_for(unit, identity_id, "", Kind.BRIDGE.value)
        if pending is not None and pending.engagement_id != question.engagement_id:
            pending = None
        if pending is not None:
            pending.resolution, pending.resolved_at = Resolution.CANCELLED.value, now
            unit.session.add(pending)
            unit.session.flush()
            self.notices.unsay(unit, f"request:{pending.id}", now)
        engagement = unit.session.get(EngagementRow, question.engagement_id)
        until = engagement.bridge_until if engagement and engagement.bridged_day == question.last_day else None
        if until is not None:
            people.bridge(unit, question.engagement_id, last_day=None, until=None)
            people.make_due(unit, now, [identity_id])
            state.nudge(unit)
        if pending is not None or until is not None:
            unit.audit(
                at=now, actor=actor.trail_name, action="bridge-withdrawn", object_=f"identity:{identity_id}",
                before={"until": until.isoformat() if until else ""}, request=pending.id if pending else "",
            )  # fmt: skip

    def approved(self, unit: Unit, case: Case, now: datetime) -> None:
        """Let ordinary access go on past the contract's end, as two people have agreed."""
        until, engagement = case.row.until_day, case.contract.engagement
        approvers = self.casebook.reviewers.approvers(unit, case)
        check_use(case.request, approvers, self.casebook.terms(case.row, case.contract, None))
        self.casebook.check_fed(unit, case.contract, god=False, now=now)
        if not case.contract.live_at(now):
            raise AnswerInvalid("The contract does not run any more; a bridge cannot bring it back.")
        answers = {q.answer for q in decisions.renewals_of(unit, [engagement.id]) if q.last_day == engagement.last_day}
        if answers != {Answer.EXTEND.value}:
            raise AnswerInvalid("The sponsor does not propose to extend the contract any more.")
        if until is None or not 1 <= (until - engagement.last_day).days <= self.casebook.settings.bridge_days:
            raise AnswerInvalid("The roster has changed the last day since; the bridge no longer fits it.")
        people.bridge(unit, engagement.id, last_day=engagement.last_day, until=until)
        people.make_due(unit, now, [case.identity.id])
        state.nudge(unit)
        unit.audit(
            at=now, actor="scheduler", on_behalf=case.requester.login, action="bridged",
            object_=f"identity:{case.identity.id}", before={"last_day": engagement.last_day.isoformat()},
            after={"until": until.isoformat()}, request=case.row.id,
        )  # fmt: skip
