"""What asking would mean: shown before it is sent, and what is sent is bound to exactly that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lifecycle.domain.access import Contract
from lifecycle.domain.approval import Kind
from lifecycle.domain.eligibility import (
    Limit,
    NotEligible,
    approvals_for,
    check_extension,
    check_renewal,
    is_god,
    longest_of,
    narrowing_of,
    why_none_runs,
)
from lifecycle.domain.entitlement import Entitlement
from lifecycle.domain.errors import LifecycleError, NotFound
from lifecycle.domain.grant import Grant
from lifecycle.domain.identity import Identity
from lifecycle.domain.party import key_of
from lifecycle.services.authorisation import Action, Actor, authorize
from lifecycle.services.casebook import Casebook
from lifecycle.store import people, requests
from lifecycle.store.request_tables import RequestRow
from lifecycle.store.unit import Store, Unit

SHORTEST = timedelta(minutes=5)


class AlreadyAsked(LifecycleError):
    """The same is pending already."""

    code = "already-asked"


@dataclass(frozen=True)
class Draft:
    """What somebody is about to ask."""

    identity_id: str
    entitlement: str
    asked: timedelta
    reason: str = ""
    at_once: bool = True
    window: timedelta = timedelta()
    """How long after the approval it may be activated, where not at once."""
    kind: Kind = Kind.NEW
    grant_id: str = ""
    """The grant to extend or renew."""
    engagement_id: str = ""
    """The contract it is on; empty for the one that ends last of those the actor answers for."""


@dataclass(frozen=True)
class Proposal:
    """What a draft would mean, as it is shown before it is sent."""

    draft: Draft
    identity: Identity
    contract: Contract
    entitlement: Entitlement
    limit: Limit
    starts_at: datetime
    """If it were approved and activated now."""
    ends_at: datetime
    narrowing: tuple[tuple[datetime, Entitlement | None], ...]
    """What stages of the policy make of it before it ends."""
    after: Entitlement | None
    """The most powerful right held in the same target once it has ended; None for nothing."""
    approvals_needed: int
    reviewers: tuple[str, ...]
    """Who could review, by name or address; empty where nobody was to be named."""
    row: RequestRow


@dataclass
class Proposals:
    """Works out what drafts would mean."""

    store: Store
    casebook: Casebook

    def longest(self, entitlement: Entitlement) -> timedelta:
        """Return the most that a right may be asked for at a time."""
        return longest_of(entitlement, self.casebook.settings.longest(entitlement.tier))

    def proposal(self, actor: Actor, draft: Draft, *, named: bool = True) -> Proposal:
        """
        Say what *draft* would mean.

        Args:
            actor: Who would ask.
            draft: What.
            named: Whether to look up who could review it.

        Raises:
            NotPermitted: If the person is not one of the actor's contractors, nor the actor.
            NotEligible, NothingLeftToGrant: If it cannot be had.
        """
        with self.store.read() as unit:
            proposal = self.propose(unit, actor, draft, self.casebook.clock.now())
            if not named:
                return proposal
            case = self.casebook.load(unit, proposal.row)
            return replace(proposal, reviewers=self.casebook.reviewers.names(unit, case))

    def outlook(self, actor: Actor, draft: Draft, identity_ids: Sequence[str]) -> dict[str, Proposal | str]:
        """
        Say for several people what *draft* would mean, or why it cannot be asked; the first names its reviewers.

        Nobody learns anything about people who are not theirs but that they may not ask.
        """
        found: dict[str, Proposal | str] = {}
        named = False
        with self.store.read() as unit:
            self.casebook.parties.gather(unit, identity_ids)
            open_requests = requests.open_for(unit, identity_ids, draft.entitlement, self.casebook.clock.now())
            for identity_id in identity_ids:
                own = replace(draft, identity_id=identity_id)
                try:
                    proposal = self.propose(unit, actor, own, self.casebook.clock.now())
                    check_not_asked(open_requests.get(identity_id))
                except LifecycleError as exc:
                    found[identity_id] = str(exc)
                    continue
                if not named:
                    case, named = self.casebook.load(unit, proposal.row), True
                    proposal = replace(proposal, reviewers=self.casebook.reviewers.names(unit, case))
                found[identity_id] = proposal
        return found

    def propose(self, unit: Unit, actor: Actor, draft: Draft, now: datetime) -> Proposal:
        """Say in *unit* what *draft* would mean; see `proposal`. Nobody is named."""
        book = self.casebook
        authorize(actor, Action.ASK, book.parties.about(unit, draft.identity_id))
        identity = book.parties.identity(unit, draft.identity_id)
        entitlement = book.rulebook.entitlement(draft.entitlement)
        if identity is None or entitlement is None:
            raise NotFound("There is no such person, or no such right to ask for.")
        grant = self._grant(unit, draft, now)
        contract = self._contract(unit, actor, draft, grant, now)
        if is_god(entitlement) and book.parties.of_actor(unit, actor).is_same_as(
            book.parties.of_identity(unit, identity)
        ):
            raise NotEligible("Nobody asks for god mode for themselves; your sponsor can.")
        limit = book.limit_for(unit, contract, entitlement, draft.kind, now)
        starts_at = max(now, grant.ends_at) if grant and draft.kind is Kind.EXTEND else now
        ends_at = limit.ends_at(draft.asked, starts_at)
        row = self._row(actor, draft, contract, entitlement, limit, now)
        if grant is not None and draft.kind is Kind.EXTEND:
            row.expires_at = min(row.expires_at, grant.ends_at)  # what has ended is renewed, not extended
        row.terms = book.terms(row, contract, entitlement)
        narrowing = narrowing_of(entitlement, book.rulebook.catalogue, contract, starts_at, ends_at)
        after = book.afterwards(unit, identity.id, entitlement, ends_at)
        return Proposal(
            draft, identity, contract, entitlement, limit, starts_at, ends_at,
            narrowing,
            after,
            row.approvals_needed, (), row,
        )  # fmt: skip

    def _grant(self, unit: Unit, draft: Draft, now: datetime) -> Grant | None:
        if draft.kind is Kind.NEW:
            return None
        every = people.grants_of(unit, [draft.identity_id])
        grant = next((g for own in every.values() for g in own if g.id == draft.grant_id), None)
        if grant is None or grant.entitlement != draft.entitlement:
            raise NotFound("There is no such grant of this person.")
        if draft.kind is Kind.EXTEND:
            check_extension(grant, now)
            extended = requests.extended(unit, draft.identity_id, grant.id, now)
            if extended is not None:
                raise NotEligible(f"{extended.id} extends it already; what follows is extended in its own last part.")
        else:
            check_renewal(grant, now)
        return grant

    def _contract(self, unit: Unit, actor: Actor, draft: Draft, grant: Grant | None, now: datetime) -> Contract:
        if grant is not None and draft.kind is Kind.EXTEND:
            return self._contract_of(unit, actor, draft.identity_id, grant.engagement_id)
        if draft.engagement_id:
            return self._contract_of(unit, actor, draft.identity_id, draft.engagement_id)
        own = actor.identity_id == draft.identity_id
        contract = self.casebook.latest_contract(unit, draft.identity_id, now, None if own else actor.keys)
        if contract is None:
            every = self.casebook.parties.contracts(unit, draft.identity_id)
            other = any(c.live_at(now) for c in every)
            raise NotEligible("None of the contracts you answer for runs now." if other else why_none_runs(every, now))
        return contract

    def _contract_of(self, unit: Unit, actor: Actor, identity_id: str, engagement_id: str) -> Contract:
        contracts = self.casebook.parties.contracts(unit, identity_id)
        contract = next((c for c in contracts if c.engagement.id == engagement_id), None)
        if contract is None:
            raise NotEligible("The contract is not known any more.")
        if actor.identity_id != identity_id and key_of(contract.engagement.sponsor) not in actor.keys:
            raise NotEligible("Somebody else answers for that contract.")
        return contract

    def _row(
        self, actor: Actor, draft: Draft, contract: Contract, entitlement: Entitlement, limit: Limit, now: datetime
    ) -> RequestRow:
        god = is_god(entitlement)
        settings = self.casebook.settings
        widest = timedelta(hours=settings.expire_god_hours) if god else timedelta(days=settings.window_days)
        window = min(max(draft.window, timedelta(hours=1)), widest)
        return RequestRow(
            id="",
            kind=draft.kind.value,
            identity_id=draft.identity_id,
            engagement_id=contract.engagement.id,
            entitlement=entitlement.key,
            requester_id=actor.id,
            asked_seconds=int(min(draft.asked, limit.longest).total_seconds()),
            at_once=int(draft.at_once),
            window_seconds=int(window.total_seconds()),
            reason=draft.reason.strip(),
            grant_id=draft.grant_id,
            approvals_needed=approvals_for(entitlement, limit),
            god=int(god),
            exception=int(limit.exception),
            created_at=now,
            expires_at=min(now + settings.expires_after(god=god), limit.until),
        )


def check_not_asked(other: RequestRow | None) -> None:
    """
    Refuse to ask what is asked already.

    Raises:
        AlreadyAsked: Naming *other*, which waits for its reviews or to be activated.
    """
    if other is not None:
        state = "waits for its reviews" if other.resolution == "pending" else "is approved and waits to be activated"
        raise AlreadyAsked(f"{other.id} asks for the same and {state}.")
