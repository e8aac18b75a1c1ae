"""Members and people on the roster, as authorisation and the two-person rule see them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from lifecycle.domain.access import Contract
from lifecycle.domain.identity import Identity
from lifecycle.domain.party import Party, key_of
from lifecycle.domain.role import Role
from lifecycle.services.authorisation import About
from lifecycle.services.clock import Clock
from lifecycle.services.rulebook import Rulebook
from lifecycle.store import members, people
from lifecycle.store.people_tables import MemberRow
from lifecycle.store.unit import Unit

LONGEST_LINE = 10
"""Supervisors above one another; a ring in the data ends here."""


def keys_of(member: MemberRow) -> frozenset[str]:
    """Return what a member is known by: only what the product or the provider vouches for."""
    names = {member.id, member.email_key, key_of(member.employee_id), member.identity_id or ""}
    if member.provider in {"local", "directory"}:
        names.add(key_of(member.login))
    return frozenset(names - {""})


def roles_of(member: MemberRow) -> frozenset[Role]:
    """Return the roles stored for a member, and that of a contractor where the member is on the roster."""
    known = {role.value for role in Role}
    roles = {Role(role) for role in member.roles if role in known}
    return frozenset(roles | ({Role.CONTRACTOR} if member.identity_id else set()))


def sponsors_of(contracts: Collection[Contract], now: datetime) -> frozenset[str]:
    """Return the keys of those who answer for contracts that are not over at *now*; of the last one, if all are."""
    current = [c for c in contracts if c.timeline.ends_at > now]
    last = max(contracts, key=lambda c: c.timeline.ends_at, default=None)
    chosen = current or ([last] if last else [])
    return frozenset(key_of(c.engagement.sponsor) for c in chosen if c.engagement.sponsor)


@dataclass
class Parties:
    """Builds them from what is stored now."""

    rulebook: Rulebook
    clock: Clock

    def contracts(self, unit: Unit, identity_id: str) -> list[Contract]:
        """Load one person's contracts with their grants."""
        return self.contracts_of(unit, [identity_id])[identity_id]

    def contracts_of(self, unit: Unit, identity_ids: Collection[str]) -> dict[str, list[Contract]]:
        """Load the contracts of several people at once; everybody asked for is in the answer."""
        grants = people.grants_of(unit, identity_ids)
        found: dict[str, list[Contract]] = {identity_id: [] for identity_id in identity_ids}
        for own in people.engagements_of(unit, identity_ids).values():
            for engagement in own:
                contract = self.rulebook.contract(engagement, grants.get(engagement.id, ()))
                found[engagement.identity_id].append(contract)
        return found

    def about(self, unit: Unit, identity_id: str, parties: frozenset[str] = frozenset()) -> About:
        """Describe one person for `lifecycle.services.authorisation.authorize`."""
        sponsors = sponsors_of(self.contracts(unit, identity_id), self.clock.now())
        return About(f"identity:{identity_id}", identity_id, sponsors, parties)

    def of_member(self, unit: Unit, member: MemberRow) -> Party:
        """Describe a member for the two-person rule."""
        keys = set(keys_of(member))
        vendors, in_window, active = frozenset[str](), False, member.disabled_at is None
        above = self._above(unit, {key_of(member.supervisor)} - {""})
        if member.identity_id:
            contracts = self.contracts(unit, member.identity_id)
            vendors, in_window, runs = self._standing(contracts)
            active = active and runs
            above |= self._above(unit, set(sponsors_of(contracts, self.clock.now())))
            identity = people.identities(unit, [member.identity_id]).get(contracts[0].engagement.identity_id)
            keys |= _keys_of_identity(identity) if identity else set()
        return Party(
            member.id,
            member.name or member.login,
            frozenset(keys),
            employee=member.identity_id is None,
            vendors=vendors,
            in_window=in_window,
            reports_to=frozenset(above) - keys,
            active=active,
        )

    def of_identity(self, unit: Unit, identity: Identity, contracts: list[Contract] | None = None) -> Party:
        """
        Describe somebody on the roster for the two-person rule, with every account they sign in with.

        Args:
            unit: Any unit.
            identity: Who.
            contracts: Theirs, where they are loaded already.
        """
        contracts = self.contracts(unit, identity.id) if contracts is None else contracts
        vendors, in_window, runs = self._standing(contracts)
        keys = _keys_of_identity(identity)
        for member in members.of_identity(unit, identity.id):
            keys |= keys_of(member)
        above = self._above(unit, set(sponsors_of(contracts, self.clock.now())))
        return Party(
            identity.id,
            identity.name,
            frozenset(keys),
            employee=False,
            vendors=vendors,
            in_window=in_window,
            reports_to=frozenset(above) - keys,
            active=runs,
        )

    def line_above(self, unit: Unit, key: str) -> frozenset[str]:
        """Return the keys of everybody above whoever is called *key*, without *key* itself."""
        own = {key} | {k for member in members_called(unit, {key}) for k in keys_of(member)}
        return frozenset(self._above(unit, {key}) - own)

    def _standing(self, contracts: list[Contract]) -> tuple[frozenset[str], bool, bool]:
        """Return vendors, whether in an offboarding window, and whether any contract runs; of all that run now."""
        now = self.clock.now()
        live = [c for c in contracts if c.live_at(now)]
        vendors = frozenset(key_of(c.engagement.vendor) for c in live or contracts)
        return vendors, any(c.timeline.in_window_at(now) for c in live), bool(live)

    @staticmethod
    def _above(unit: Unit, first: set[str]) -> set[str]:
        found: set[str] = set()
        level = set(first)
        for _ in range(LONGEST_LINE):
            new = level - found
            if not new:
                break
            found |= new
            level = set()
            for member in members_called(unit, new):
                found |= keys_of(member)
                if member.supervisor:
                    level.add(key_of(member.supervisor))
        return found


def addresses_of(unit: Unit, keys: Collection[str]) -> list[str]:
    """Return where these people can be told something; an address of somebody who never signed in counts too."""
    found = members_called(unit, keys)
    known = {key for member in found for key in keys_of(member)}
    return [*(member.email for member in found if member.email), *(k for k in keys if "@" in k and k not in known)]


def members_called(unit: Unit, keys: Collection[str]) -> list[MemberRow]:
    """
    Load members by what they are known by, each set of keys once in a unit.

    A list of requests asks for the same few sponsors again and again; no unit that reviews changes members.
    """
    known: dict[frozenset[str], list[MemberRow]] = unit.session.info.setdefault("members by keys", {})
    asked = frozenset(keys)
    if asked not in known:
        known[asked] = members.by_keys(unit, asked)
    return known[asked]


def _keys_of_identity(identity: Identity) -> set[str]:
    return {identity.id, key_of(identity.email), key_of(identity.worker_id)} - {""}
