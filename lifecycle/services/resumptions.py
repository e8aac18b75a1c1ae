"""Access is asked back where a contract was extended after it had ended: nothing comes back by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lifecycle.domain.access import Contract, gives_god
from lifecycle.domain.approval import Kind, check_use
from lifecycle.domain.eligibility import NotEligible
from lifecycle.domain.party import key_of
from lifecycle.services.authorisation import Action, Actor, authorize, may
from lifecycle.services.case import Case
from lifecycle.services.casebook import Casebook
from lifecycle.services.extensions import Extensions
from lifecycle.services.persons import Standing
from lifecycle.services.proposals import AlreadyAsked
from lifecycle.services.requests import Requests, check_reason
from lifecycle.store import people, requests, state
from lifecycle.store.request_tables import RequestRow
from lifecycle.store.unit import Store, Unit


@dataclass(frozen=True)
class Lapse:
    """A contract that runs and gives nothing, because its extension came after access had ended."""

    contract: Contract
    name: str
    pending: RequestRow | None
    """What asks for the access back already."""
    may_ask: bool
    """Whether the reader can ask for it now."""


@dataclass
class Resumptions:
    """Asks for access back, and gives it back once somebody else agrees."""

    store: Store
    casebook: Casebook
    requests: Requests
    extensions: Extensions

    def lapses(self, actor: Actor, standings: Sequence[Standing]) -> list[Lapse]:
        """List the lapsed contracts of some people whom the actor sees, and what the actor can do about each."""
        concerned = [s for s in standings if any(c.has_lapsed_at(s.now) for c in s.contracts)]
        if not concerned:
            return []
        with self.store.read() as unit:
            pending = requests.pending_of_kind(unit, [s.identity.id for s in concerned], Kind.RESUME.value)
            return [
                Lapse(
                    contract,
                    standing.identity.name,
                    row := pending.get(standing.identity.id),
                    row is None and self._may_ask(unit, actor, contract),
                )
                for standing in concerned
                for contract in standing.contracts
                if contract.has_lapsed_at(standing.now)
            ]

    def _may_ask(self, unit: Unit, actor: Actor, contract: Contract) -> bool:
        about = self.casebook.parties.about(unit, contract.engagement.identity_id)
        return may(actor, Action.ASK, about) and _answers_for(actor, contract)

    def ask(self, actor: Actor, identity_id: str, engagement_id: str, reason: str) -> str:
        """
        Ask for what a contract gave before it lapsed; one other person must agree.

        Returns:
            Id of the request.

        Raises:
            RequestInvalid: If there is no reason.
            NotEligible: If the contract has not lapsed, has ended, or somebody else answers for it.
            AlreadyAsked: If it is asked for already.
            FeedStale: If the contract's roster has not come for too long.
            NotPermitted: If the person is not one of the actor's contractors, nor the actor.
        """
        now = self.casebook.clock.now()
        with self.store.write() as unit:
            people.lock_identity(unit, identity_id)
            authorize(actor, Action.ASK, self.casebook.parties.about(unit, identity_id))
            check_reason(reason)
            contract = self._lapsed(unit, identity_id, engagement_id, now)
            if not _answers_for(actor, contract):
                raise NotEligible("Somebody else answers for that contract.")
            self.casebook.check_fed(unit, contract, god=False, now=now)
            pending = requests.pending_for(unit, identity_id, "", Kind.RESUME.value)
            if pending is not None:
                raise AlreadyAsked(f"{pending.id} asks for it already and waits for its review.")
            row = self._row(actor, contract, reason, now)
            row.id = requests.next_id(unit)
            requests.add(unit, row)
            unit.audit(
                at=now, actor=actor.trail_name, action="resume-asked", object_=f"identity:{identity_id}",
                after={
                    "reference": contract.engagement.reference, "last_day": contract.engagement.last_day.isoformat(),
                    "reason": row.reason,
                },
                request=row.id,
            )  # fmt: skip
            self.requests.tell_reviewers(unit, self.casebook.load(unit, row), now)
        return row.id

    def _lapsed(self, unit: Unit, identity_id: str, engagement_id: str, now: datetime) -> Contract:
        contracts = self.casebook.parties.contracts(unit, identity_id)
        contract = next((c for c in contracts if c.engagement.id == engagement_id), None)
        if contract is None or not contract.has_lapsed_at(now):
            raise NotEligible("There is nothing to ask back: the contract gives what it should, or has ended.")
        return contract

    def _row(self, actor: Actor, contract: Contract, reason: str, now: datetime) -> RequestRow:
        row = RequestRow(
            id="",
            kind=Kind.RESUME.value,
            identity_id=contract.engagement.identity_id,
            engagement_id=contract.engagement.id,
            requester_id=actor.id,
            at_once=1,
            reason=reason.strip(),
            approvals_needed=1,
            created_at=now,
            expires_at=min(now + self.casebook.settings.expires_after(god=False), contract.timeline.ends_at),
        )
        row.terms = self.casebook.terms(row, contract, None)
        return row

    def approved(self, unit: Unit, case: Case, now: datetime) -> None:
        """
        Give back what the contract gives, god mode and old grants excepted.

        Raises:
            ApprovalVoid: If whoever approved would no longer count, or the contract has changed.
            NotEligible: If the contract has not lapsed any more, has ended, or its holder was cut off.
            FeedStale: If its roster has not come for too long.
        """
        contract, engagement = case.contract, case.contract.engagement
        terms = self.casebook.terms(case.row, contract, None)
        check_use(case.request, self.casebook.reviewers.approvers(unit, case), terms)
        contract = self._lapsed(unit, case.identity.id, engagement.id, now)
        self.casebook.check_fed(unit, contract, god=False, now=now)
        ended = [people.end_grant(unit, g, now).id for g in contract.grants if g.ends_at > now]
        people.set_lapsed(unit, [engagement.id], None)
        withheld = gives_god(contract, self.casebook.rulebook.catalogue)
        if withheld:
            people.withhold_god(unit, [engagement.identity_id])
        people.make_due(unit, now, [case.identity.id])
        state.nudge(unit)
        unit.audit(
            at=now, actor="scheduler", on_behalf=case.requester.login, action="resumed",
            object_=f"identity:{case.identity.id}",
            before={"lapsed_at": engagement.measures.lapsed_at.isoformat() if engagement.measures.lapsed_at else ""},
            after={
                "reference": engagement.reference, "last_day": engagement.last_day.isoformat(),
                "god_mode": "needs two people again" if withheld else "none", "grants_ended": ended,
            },
            request=case.row.id,
        )  # fmt: skip
        if self._has_sponsor(case):  # whoever answers for it wants it with the days that it has now
            self.extensions.settle(unit, f"member:{case.requester.login}", contract, now, case.row.id)

    @staticmethod
    def _has_sponsor(case: Case) -> bool:
        """Say whether the sponsor asked for it or has approved it."""
        concerned = case.request.requester.keys.union(*(r.reviewer.keys for r in case.request.approvals))
        return key_of(case.contract.engagement.sponsor) in concerned


def _answers_for(actor: Actor, contract: Contract) -> bool:
    engagement = contract.engagement
    return actor.identity_id == engagement.identity_id or key_of(engagement.sponsor) in actor.keys
