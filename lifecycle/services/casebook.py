"""A request as rows, as terms that an approval binds to, and as the domain sees it; and who may review it."""

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
    check_reviewer,
    digest,
)
from lifecycle.domain.eligibility import Limit, is_god, limit_of
from lifecycle.domain.entitlement import Entitlement
from lifecycle.domain.errors import NotFound
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.domain.party import Party, key_of
from lifecycle.domain.role import IT, Role
from lifecycle.services.authorisation import About, Action, may
from lifecycle.services.clock import Clock
from lifecycle.services.parties import Parties, keys_of, members_called, roles_of, sponsors_of
from lifecycle.services.rulebook import Rulebook
from lifecycle.services.sessions import actor_of
from lifecycle.services.staleness import AlwaysFresh, FeedStale, Staleness
from lifecycle.settings import RequestSettings
from lifecycle.store import members, people, requests
from lifecycle.store.people_tables import MemberRow
from lifecycle.store.request_tables import RequestRow, ReviewRow
from lifecycle.store.unit import Unit

MOST_NAMED = 8
"""So many reviewers are named to whoever asks; the others are counted."""


@dataclass(frozen=True)
class Pool:
    """Who may review a request, before the two-person rule looks at each of them."""

    keys: frozenset[str]
    roles: frozenset[Role]
    named: tuple[str, ...]
    """Owners, sponsor and fallback as they are written, for people to read."""

    def holds(self, member: MemberRow) -> bool:
        """Say whether *member* is in it."""
        return bool(keys_of(member) & self.keys or roles_of(member) & self.roles)


@dataclass(frozen=True)
class Case:
    """Everything about one request, as it stands now."""

    row: RequestRow
    request: Request
    identity: Identity
    contract: Contract
    entitlement: Entitlement | None
    requester: MemberRow
    pool: Pool

    @property
    def about(self) -> About:
        """What authorisation looks at: the person, and everybody who is concerned."""
        parties = self.pool.keys | self.request.requester.keys
        if self.request.kind is not Kind.CUT_OFF:  # nobody is warned
            parties |= self.request.beneficiary.keys
        sponsor = frozenset({key_of(self.contract.engagement.sponsor)} - {""})
        return About(f"request:{self.row.id}", self.identity.id, sponsor, parties)

    def is_hidden_from(self, party: Party) -> bool:
        """Say whether *party* must not know of it: nobody is warned that their access is about to end."""
        return self.request.kind is Kind.CUT_OFF and bool(party.names & self.request.beneficiary.keys)

    @property
    def length(self) -> timedelta:
        """How long it is for: what was approved, or what is asked as long as nothing is."""
        return self.request.allowed if self.request.resolution is Resolution.APPROVED else self.request.asked

    @property
    def trail_object(self) -> str:
        """Say whose trail it stands in; nobody reads about their own cut-off before it happens."""
        held = self.request.kind is Kind.CUT_OFF
        return f"request:{self.row.id}" if held else f"identity:{self.row.identity_id}"

    @property
    def what(self) -> str:
        """What it asks for, for messages."""
        words = "access back" if self.request.kind is Kind.RESUME else self.row.kind
        return self.entitlement.title if self.entitlement else words

    @property
    def link(self) -> str:
        """Path of its page."""
        return f"/requests/{self.row.id}"


@dataclass
class Casebook:
    """Loads cases. Every method works in the unit it is given."""

    rulebook: Rulebook
    parties: Parties
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
            pool = self.pool(unit, row, contract, entitlement)
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
                reviewer = self._as_reviewer(unit, case.pool, case.about, known[review.reviewer.id])
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

    def pool(self, unit: Unit, row: RequestRow, contract: Contract, entitlement: Entitlement | None) -> Pool:
        """Say who may review: owners of the entitlement, the sponsor and everybody above them, and IT."""
        sponsor = contract.engagement.sponsor
        owners: tuple[str, ...] = entitlement.owners if entitlement else ()
        fallback = self.settings.fallback if row.escalated_at is not None else ()
        named = tuple(dict.fromkeys(name for name in (*owners, sponsor, *fallback) if name))
        keys = {key_of(name) for name in named}
        if sponsor:
            keys |= self.parties.line_above(unit, key_of(sponsor))
        return Pool(frozenset(keys), _roles_for(row), named)

    def rows_for(self, unit: Unit, member: MemberRow, rows: Sequence[RequestRow]) -> list[RequestRow]:
        """Choose the requests whose pool holds *member*, without loading everything about all the others."""
        sponsors = requests.sponsors_of(unit, rows)
        above = {key: self.parties.line_above(unit, key) for key in set(sponsors.values()) - {""}}
        fallback = frozenset(key_of(name) for name in self.settings.fallback)
        catalogue, keys, roles = self.rulebook.catalogue.entitlements, keys_of(member), roles_of(member)

        def concerns(row: RequestRow) -> bool:
            owners = catalogue[row.entitlement].owners if row.entitlement in catalogue else ()
            named = {key_of(owner) for owner in owners} | {sponsors.get(row.id, "")}
            named |= above.get(sponsors.get(row.id, ""), frozenset())
            named |= fallback if row.escalated_at is not None else frozenset()
            return bool(keys & named or roles & _roles_for(row))

        return [row for row in rows if concerns(row)]

    def reviewers(self, unit: Unit, case: Case) -> list[MemberRow]:
        """List those who could review now: in the pool, and nobody whom the two-person rule would refuse."""
        candidates = {m.id: m for m in self._holders(unit, case.pool.roles)}
        candidates |= {m.id: m for m in members_called(unit, case.pool.keys)}
        return [m for m in candidates.values() if case.pool.holds(m) and self._could(unit, case, m)]

    def reviewer_names(self, unit: Unit, case: Case) -> tuple[str, ...]:
        """Name those who could review now, and by address owners who never signed in; eight, then how many more."""
        known = sorted({m.name or m.login for m in self.reviewers(unit, case)}, key=str.casefold)
        names = [*known, *self.strangers(unit, case)]
        more = len(names) - MOST_NAMED
        return tuple(names) if more <= 0 else (*names[:MOST_NAMED], f"and {more} more")

    @staticmethod
    def strangers(unit: Unit, case: Case) -> list[str]:
        """List by address who may review it and never signed in; no party to it."""
        signed_in = {key for member in members_called(unit, case.pool.keys) for key in keys_of(member)}
        parties = case.request.requester.names | case.request.beneficiary.names
        return [name for name in case.pool.named if "@" in name and key_of(name) not in signed_in | parties]

    def _holders(self, unit: Unit, roles: frozenset[Role]) -> list[MemberRow]:
        """Load whoever holds one of *roles*, once in a unit: a list of requests asks for them again and again."""
        known: dict[frozenset[Role], list[MemberRow]] = unit.memo("holders")
        if roles not in known:
            known[roles] = members.with_roles(unit, [role.value for role in roles])
            self.parties.look_up(unit, known[roles])
        return known[roles]

    def _could(self, unit: Unit, case: Case, member: MemberRow) -> bool:
        known: dict[str, Party] = unit.memo("parties")
        if member.id not in known:
            known[member.id] = self.parties.of_member(unit, member)
        if not may(actor_of(member), Action.REVIEW, case.about):
            return False
        try:
            check_reviewer(replace(case.request, resolution=Resolution.PENDING), known[member.id], in_pool=True)
        except ReviewRefused:
            return False
        return True

    def approvers_now(self, unit: Unit, case: Case) -> list[Party]:
        """Describe those who approved, as they stand now: who has left meanwhile does not count."""
        found = members.by_ids(unit, [r.reviewer.id for r in case.request.approvals])
        return [self._as_reviewer(unit, case.pool, case.about, member) for member in found.values()]

    def _as_reviewer(self, unit: Unit, pool: Pool, about: About, member: MemberRow) -> Party:
        """Describe a member as they stand now; without the right to review they are as good as gone."""
        party = self.parties.of_member(unit, member)
        still = pool.holds(member) and may(actor_of(member), Action.REVIEW, about)
        return party if still else replace(party, active=False)

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


def _roles_for(row: RequestRow) -> frozenset[Role]:
    """Return the roles whose holders may review it."""
    return IT | {Role.HR} if row.kind in {Kind.BRIDGE.value, Kind.CUT_OFF.value} else IT


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
