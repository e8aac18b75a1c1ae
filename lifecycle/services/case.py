"""Everything about one request, as it stands now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from lifecycle.domain.access import Contract
from lifecycle.domain.approval import Kind, Request, Resolution
from lifecycle.domain.entitlement import Entitlement
from lifecycle.domain.identity import Identity
from lifecycle.domain.party import Party, key_of
from lifecycle.domain.role import Role
from lifecycle.services.authorisation import About
from lifecycle.services.parties import keys_of, roles_of
from lifecycle.store.people_tables import MemberRow
from lifecycle.store.request_tables import RequestRow


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
