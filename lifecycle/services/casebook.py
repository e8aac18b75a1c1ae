"""A request as rows, as terms that an approval binds to, and as the domain sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from lifecycle.domain.access import Contract
from lifecycle.domain.approval import (
    Kind,
    Request,
    Resolution,
    Review,
    ReviewRefused,
    Verdict,
    check_independence,
    digest,
)
from lifecycle.domain.eligibility import Limit, is_god, limit_of
from lifecycle.domain.entitlement import Entitlement
from lifecycle.domain.errors import NotFound
from lifecycle.domain.identity import IdentityId
from lifecycle.domain.party import Party, key_of
from lifecycle.services.authorisation import About, Action, may
from lifecycle.services.case import Case
from lifecycle.services.clock import Clock
from lifecycle.services.parties import Parties, sponsors_of
from lifecycle.services.reviewers import Reviewers
from lifecycle.services.rulebook import Rulebook
from lifecycle.services.sessions import actor_of
from lifecycle.services.staleness import AlwaysFresh, FeedStale, Staleness
from lifecycle.settings import RequestSettings
from lifecycle.store import members, people, requests
from lifecycle.store.people_tables import MemberRow
from lifecycle.store.request_tables import RequestRow, ReviewRow
from lifecycle.store.unit import Unit


@dataclass
class Casebook:
    """Loads cases. Every method works in the unit it is given."""

    rulebook: Rulebook
    parties: Parties
    reviewers: Reviewers
    settings: RequestSettings
    clock: Clock
    feeds: Staleness = field(default_factory=AlwaysFresh)

    def load(self, unit: Unit, row: RequestRow) -> Case:
        """Gather everything about *row*."""
        return self.load_all(unit, [row])[0]

    def find(self, unit: Unit, request_id: str, *, lock: bool = False) -> Case:
        """
        Load a request, on PostgreSQL locked if asked.

        Raises:
            NotFound: If there is none.
        """
        row = requests.get(unit, request_id)
        if row is not None and lock:
            people.lock_identity(unit, row.identity_id)  # first the person, as whoever ends their access does
            row = requests.locked(unit, request_id)
        if row is None:
            raise NotFound(f"There is no request {request_id}.")
        return self.load(unit, row)

    def load_all(self, unit: Unit, rows: Sequence[RequestRow]) -> list[Case]:
        """Gather everything about several requests."""
        reviews = requests.reviews_of(unit, rows)
        persons = people.identities(unit, {row.identity_id for row in rows})
        reviewer_ids = {r.reviewer_id for own in reviews.values() for r in own}
        known = members.by_ids(unit, {row.requester_id for row in rows} | reviewer_ids)
        contracts = self.parties.contracts_of(unit, {row.identity_id for row in rows})
        self.parties.accounts_of(unit, {row.identity_id for row in rows})
        parties: dict[str, Party] = {}

        def party(member: MemberRow) -> Party:
            if member.id not in parties:
                parties[member.id] = self.parties.of_member(unit, member)
            return parties[member.id]

        cases = []
        for row in rows:
            identity = persons[IdentityId(row.identity_id)]
            contract = _contract(row, contracts[row.identity_id])
            beneficiary = self.parties.of_identity(unit, identity, contracts[row.identity_id])
            request = _request(row, reviews.get(row.id, []), known, party, beneficiary)
            entitlement = self.rulebook.entitlement(row.entitlement)
            pool = self.reviewers.pool(unit, row, contract, entitlement)
            case = Case(row, request, identity, contract, entitlement, known[row.requester_id], pool)
            if _can_still_be_used(row):
                case = self._as_of_now(case, contracts[row.identity_id])
                case = self._without_void(unit, case, known)
            cases.append(case)
        return cases

    def _as_of_now(self, case: Case, contracts: list[Contract]) -> Case:
        """Count whoever asked as gone once they could not ask it any more."""
        about = About("", case.identity.id, sponsors_of(contracts, self.clock.now()))
        if may(actor_of(case.requester), _ASKED_BY.get(case.request.kind, Action.ASK), about):
            return case
        gone = replace(case.request.requester, active=False)
        return replace(case, request=replace(case.request, requester=gone))

    def _without_void(self, unit: Unit, case: Case, known: dict[str, MemberRow]) -> Case:
        """Leave out approvals of those whose word would not count any more, so that others can take their place."""

        def counts(review: Review) -> bool:
            if review.verdict is not Verdict.APPROVE:
                return True
            try:
                reviewer = self.reviewers.standing(unit, case.pool, case.about, known[review.reviewer.id])
                check_independence(case.request, reviewer)
            except ReviewRefused:
                return False
            return True

        reviews = tuple(r for r in case.request.reviews if counts(r))
        return (
            case if reviews == case.request.reviews else replace(case, request=replace(case.request, reviews=reviews))
        )

    def terms(self, row: RequestRow, contract: Contract, entitlement: Entitlement | None) -> str:
        """Return the digest of everything a reviewer is shown, as it would be shown now."""
        engagement = contract.engagement
        lesser = self.rulebook.catalogue.entitlements.get(entitlement.narrows_to or "") if entitlement else None
        return digest(
            {
                "kind": row.kind,
                "person": row.identity_id,
                "contract": [engagement.id, engagement.vendor, engagement.last_day.isoformat(), engagement.sponsor],
                "right": [entitlement.key, entitlement.target, entitlement.locator, entitlement.tier.label]
                if entitlement
                else row.entitlement,
                "narrows_to": lesser.key if lesser else "",
                "seconds": row.asked_seconds,
                "at_once": row.at_once,
                "window": row.window_seconds,
                "reason": row.reason,
                "requester": row.requester_id,
                "grant": row.grant_id,
                "until": row.until_day.isoformat() if row.until_day else "",
                "approvals": row.approvals_needed,
                "exception": row.exception,
                **(_given_back(contract) if row.kind == Kind.RESUME.value else {}),
            }
        )

    def limit(self, unit: Unit, case: Case, entitlement: Entitlement, now: datetime) -> Limit:
        """Say how long what *case* asks for may be held if it were given now."""
        return self.limit_for(unit, case.contract, entitlement, case.request.kind, now, case.row.created_at)

    def limit_for(
        self,
        unit: Unit,
        contract: Contract,
        entitlement: Entitlement,
        kind: Kind,
        now: datetime,
        asked_at: datetime | None = None,
    ) -> Limit:
        """
        Say how long a right may be held if it were given now; see `lifecycle.domain.eligibility.limit_of`.

        Raises:
            NotEligible, FeedStale: If it cannot be given now.
        """
        longest = self.settings.longest(entitlement.tier)
        every = self.parties.contracts(unit, contract.engagement.identity_id) if kind is not Kind.EXTEND else ()
        held = [grant for own in every for grant in own.grants]
        limit = limit_of(contract, entitlement, longest, now, held=held, asked_at=asked_at)
        self.check_fed(unit, contract, god=is_god(entitlement), now=now)
        return limit

    def check_fed(self, unit: Unit, contract: Contract, *, god: bool, now: datetime) -> None:
        """
        Refuse to give anything new on facts that are too old.

        Raises:
            FeedStale: Naming the source of the contract, and since when it has not been heard of.
        """
        why_not = self.feeds.why_refused(unit, contract.engagement.source, god, now)
        if why_not:
            raise FeedStale(why_not)

    def afterwards(self, unit: Unit, identity_id: str, entitlement: Entitlement, at: datetime) -> Entitlement | None:
        """Return the most powerful right that the person will hold in the same target at *at*; None for nothing."""
        desired = self.rulebook.desired(self.parties.contracts(unit, identity_id), at)
        same = [e for e in desired.entitlements if e.target == entitlement.target]
        return max(same, key=lambda e: (e.tier, e.key), default=None)

    def latest_contract(
        self, unit: Unit, identity_id: str, now: datetime, sponsors: frozenset[str] | None = None
    ) -> Contract | None:
        """Return the running contract that ends last; of these *sponsors* only, where given."""
        contracts = self.parties.contracts(unit, identity_id)
        chosen = [
            c for c in contracts if c.live_at(now) and (sponsors is None or key_of(c.engagement.sponsor) in sponsors)
        ]
        return max(chosen, key=lambda c: c.timeline.ends_at, default=None)


_ASKED_BY = {Kind.BRIDGE: Action.ANSWER_RENEWAL, Kind.CUT_OFF: Action.REVOKE_NOW}
"""What whoever asked must be permitted to do; `Action.ASK` for every other kind."""


def _given_back(contract: Contract) -> dict[str, object]:
    lapsed_at = contract.engagement.measures.lapsed_at
    return {"lapsed": lapsed_at.isoformat() if lapsed_at else "", "gives": sorted(contract.baseline)}


def _can_still_be_used(row: RequestRow) -> bool:
    return row.resolution == Resolution.PENDING.value or (row.resolution == "approved" and row.activated_at is None)


def _contract(row: RequestRow, contracts: list[Contract]) -> Contract:
    found = next((c for c in contracts if c.engagement.id == row.engagement_id), None)
    if found is None:
        raise NotFound(f"The contract that {row.id} was asked for is no longer known.")
    return found


def _request(
    row: RequestRow,
    reviews: list[ReviewRow],
    known: dict[str, MemberRow],
    party: Callable[[MemberRow], Party],
    beneficiary: Party,
) -> Request:
    return Request(
        id=row.id,
        kind=Kind(row.kind),
        requester=party(known[row.requester_id]),
        beneficiary=beneficiary,
        entitlement=row.entitlement,
        asked=timedelta(seconds=row.asked_seconds),
        reason=row.reason,
        approvals_needed=row.approvals_needed,
        god=bool(row.god),
        created_at=row.created_at,
        expires_at=row.expires_at,
        terms=row.terms,
        resolution=Resolution(row.resolution),
        reviews=tuple(
            Review(
                party(known[r.reviewer_id]),
                Verdict(r.verdict),
                r.at,
                r.note,
                None if r.longest_seconds is None else timedelta(seconds=r.longest_seconds),
                r.terms,
            )
            for r in reviews
        ),
    )
