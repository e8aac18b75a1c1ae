"""Who may review a request, before and after the two-person rule has looked at each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lifecycle.domain.access import Contract
from lifecycle.domain.approval import Kind, Resolution, ReviewRefused, check_reviewer
from lifecycle.domain.entitlement import Entitlement
from lifecycle.domain.party import Party, key_of
from lifecycle.domain.role import IT, Role
from lifecycle.services.authorisation import About, Action, may
from lifecycle.services.case import Case, Pool
from lifecycle.services.parties import Parties, keys_of, members_called, roles_of
from lifecycle.services.rulebook import Rulebook
from lifecycle.services.sessions import actor_of
from lifecycle.settings import RequestSettings
from lifecycle.store import members, requests
from lifecycle.store.people_tables import MemberRow
from lifecycle.store.request_tables import RequestRow
from lifecycle.store.unit import Unit

MOST_NAMED = 8
"""So many reviewers are named to whoever asks; the others are counted."""


@dataclass
class Reviewers:
    """Finds them. Every method works in the unit it is given."""

    rulebook: Rulebook
    parties: Parties
    settings: RequestSettings

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

    def able(self, unit: Unit, case: Case) -> list[MemberRow]:
        """List those who could review now: in the pool, and nobody whom the two-person rule would refuse."""
        candidates = {m.id: m for m in self._holders(unit, case.pool.roles)}
        candidates |= {m.id: m for m in members_called(unit, case.pool.keys)}
        return [m for m in candidates.values() if case.pool.holds(m) and self._could(unit, case, m)]

    def names(self, unit: Unit, case: Case) -> tuple[str, ...]:
        """Name those who could review now, and by address owners who never signed in; eight, then how many more."""
        known = sorted({m.name or m.login for m in self.able(unit, case)}, key=str.casefold)
        names = [*known, *self.strangers(unit, case)]
        more = len(names) - MOST_NAMED
        return tuple(names) if more <= 0 else (*names[:MOST_NAMED], f"and {more} more")

    @staticmethod
    def strangers(unit: Unit, case: Case) -> list[str]:
        """List by address who may review it and never signed in; no party to it."""
        signed_in = {key for member in members_called(unit, case.pool.keys) for key in keys_of(member)}
        parties = case.request.requester.names | case.request.beneficiary.names
        return [name for name in case.pool.named if "@" in name and key_of(name) not in signed_in | parties]

    def approvers(self, unit: Unit, case: Case) -> list[Party]:
        """Describe those who approved, as they stand now: who has left meanwhile does not count."""
        found = members.by_ids(unit, [r.reviewer.id for r in case.request.approvals])
        return [self.standing(unit, case.pool, case.about, member) for member in found.values()]

    def standing(self, unit: Unit, pool: Pool, about: About, member: MemberRow) -> Party:
        """Describe a member as they stand now; without the right to review they are as good as gone."""
        party = self.parties.of_member(unit, member)
        still = pool.holds(member) and may(actor_of(member), Action.REVIEW, about)
        return party if still else replace(party, active=False)

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


def _roles_for(row: RequestRow) -> frozenset[Role]:
    """Return the roles whose holders may review it."""
    return IT | {Role.HR} if row.kind in {Kind.BRIDGE.value, Kind.CUT_OFF.value} else IT
