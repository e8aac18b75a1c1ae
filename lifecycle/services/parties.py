"""Members and people on the roster, as authorisation and the two-person rule see them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from lifecycle.domain.access import Contract
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.domain.party import Party, key_of
from lifecycle.domain.role import Role
from lifecycle.domain.roster import Standing
from lifecycle.services.admission import DIRECTORY, LOCAL
from lifecycle.services.authorisation import About, Actor
from lifecycle.services.clock import Clock, wall_clock
from lifecycle.services.rulebook import Rulebook
from lifecycle.store import members, people
from lifecycle.store.people_tables import MemberRow
from lifecycle.store.unit import Unit

LONGEST_LINE = 10
"""Supervisors above one another; a ring in the data ends here."""


def keys_of(member: MemberRow) -> frozenset[str]:
    """Return what a member is known by: only what the product or the provider vouches for."""
    names = {member.id, member.email_key, member.employee_key, member.identity_id or ""}
    if member.provider in {LOCAL, DIRECTORY}:
        names.add(member.login_key)
    return frozenset(names - {""})


def said_of(member: MemberRow) -> frozenset[str]:
    """Return what a member may be known by besides `keys_of`, though nobody vouches for it."""
    return frozenset({member.login_key, member.claimed_key} - {""})


def roles_of(member: MemberRow) -> frozenset[Role]:
    """Return the roles stored for a member, and that of a contractor where the member is on the roster."""
    known = {role.value for role in Role}
    roles = {Role(role) for role in member.roles if role in known}
    return frozenset(roles | ({Role.CONTRACTOR} if member.identity_id else set()))


def sponsors_of(contracts: Collection[Contract], now: datetime) -> frozenset[str]:
    """
    Return the keys of those who answer for somebody at *now*.

    That is who sponsors a contract that runs; where none does, one that is still to begin, or else the last one.
    Whoever sponsored one that was withdrawn answers only where there is no other.
    """
    contracts = [c for c in contracts if c.engagement.standing is not Standing.WITHDRAWN] or contracts
    running = [c for c in contracts if c.timeline.live_at(now)]
    last = max(contracts, key=lambda c: c.timeline.ends_at, default=None)
    return _sponsors(running or _not_over(contracts, now) or ([last] if last else []))


def _not_over(contracts: Collection[Contract], now: datetime) -> list[Contract]:
    return [c for c in contracts if c.timeline.ends_at > now]


def _sponsors(contracts: Collection[Contract]) -> frozenset[str]:
    return frozenset(key_of(c.engagement.sponsor) for c in contracts if c.engagement.sponsor)


@dataclass
class Parties:
    """Builds them from what is stored now."""

    rulebook: Rulebook
    clock: Clock
    by_worker_id: bool = False
    """Whether the number that a provider names says who on the roster somebody is, and not the address."""
    invited_hours: int = 24
    """How long whoever was invited may be whoever invited them."""
    wall: Callable[[], datetime] = wall_clock

    def contracts(self, unit: Unit, identity_id: str) -> list[Contract]:
        """Load one person's contracts with their grants."""
        return self.contracts_of(unit, [identity_id])[identity_id]

    def contracts_of(self, unit: Unit, identity_ids: Collection[str]) -> dict[str, list[Contract]]:
        """Load the contracts of several people at once; everybody asked for is in the answer."""
        gathered: dict[str, list[Contract]] = unit.memo("contracts")
        if gathered and all(identity_id in gathered for identity_id in identity_ids):
            return {identity_id: gathered[identity_id] for identity_id in identity_ids}
        grants = people.grants_of(unit, identity_ids)
        found: dict[str, list[Contract]] = {identity_id: [] for identity_id in identity_ids}
        for own in people.engagements_of(unit, identity_ids).values():
            for engagement in own:
                contract = self.rulebook.contract(engagement, grants.get(engagement.id, ()))
                found[engagement.identity_id].append(contract)
        return found

    def gather(self, unit: Unit, identity_ids: Collection[str]) -> None:
        """Load the contracts of many people once, for a unit that only reads and asks for them again and again."""
        unit.memo("contracts").update(self.contracts_of(unit, identity_ids))
        unit.memo("identities").update(people.identities(unit, identity_ids))
        self.accounts_of(unit, identity_ids)

    @staticmethod
    def accounts_of(unit: Unit, identity_ids: Collection[str]) -> dict[str, list[MemberRow]]:
        """Load the members that some people on the roster sign in as, once in a unit: it changes none of them."""
        known: dict[str, list[MemberRow]] = unit.memo("accounts of")
        new = [identity_id for identity_id in identity_ids if identity_id not in known]
        found = members.of_identities(unit, new) if new else {}
        known |= {identity_id: found.get(identity_id, []) for identity_id in new}
        return known

    def identity(self, unit: Unit, identity_id: str) -> Identity | None:
        """Load one person; None if there is none."""
        gathered: dict[IdentityId, Identity] = unit.memo("identities")
        key = IdentityId(identity_id)
        return gathered.get(key) or people.identities(unit, [identity_id]).get(key)

    def about(self, unit: Unit, identity_id: str, parties: frozenset[str] = frozenset()) -> About:
        """Describe one person for `lifecycle.services.authorisation.authorize`."""
        contracts, now = self.contracts(unit, identity_id), self.clock.now()
        to_be = _sponsors(_not_over(contracts, now))
        return About(f"identity:{identity_id}", identity_id, sponsors_of(contracts, now), parties, to_be)

    def on_roster(self, unit: Unit, member: MemberRow) -> list[Identity]:
        """
        Return who on the roster a member is, by link or by address; where that is not known, everybody who may be.

        Whoever names a contractor's address is taken for one, though nobody vouches for it: it only ever counts
        against them. Contracts from before an administrator said that they are an employee do not count.
        """
        known: dict[str, list[Identity]] = unit.memo("on roster")
        if member.id not in known:
            self.look_up(unit, [member])
        return known[member.id]

    def look_up(self, unit: Unit, several: Collection[MemberRow]) -> None:
        """Find out for several members at once what `on_roster` says; no unit that reviews changes either."""
        known: dict[str, list[Identity]] = unit.memo("on roster")
        linked = people.identities(unit, {m.identity_id for m in several if m.identity_id})
        numbers = {m.id: m.employee_key if self.by_worker_id else "" for m in several}
        emails = {m.id: _addresses(m) for m in several}
        found = people.identities_called(unit, emails=set().union(*emails.values()), worker_ids=numbers.values())
        for member in several:
            called, number = emails[member.id], numbers[member.id]
            persons = {
                i.id: i for i in found if key_of(i.email) in called or (number and key_of(i.worker_id) == number)
            }
            if member.identity_id:
                persons |= {IdentityId(member.identity_id): linked[IdentityId(member.identity_id)]}
            since = member.employee_since
            known[member.id] = [i for i in persons.values() if since is None or self._is_back(unit, i.id, since)]

    def _is_back(self, unit: Unit, identity_id: str, since: datetime) -> bool:
        """Say whether somebody who was said to be an employee is on a contract that was entered since."""
        return any(
            e.first_day > since.date() for own in people.engagements_of(unit, [identity_id]).values() for e in own
        )

    def of_actor(self, unit: Unit, actor: Actor) -> Party:
        """Describe whoever acts; a token, and whoever sits at the machine, are known by their own keys only."""
        member = members.get(unit, actor.id)
        return self.of_member(unit, member) if member else Party(actor.id, actor.name, actor.keys | {actor.id})

    def of_member(self, unit: Unit, member: MemberRow) -> Party:
        """Describe a member for the two-person rule."""
        keys, said = set(keys_of(member)), set(said_of(member))
        vendors, in_window, active = frozenset[str](), False, member.disabled_at is None
        above = self._above(unit, {key_of(member.supervisor)} - {""})
        known = self.on_roster(unit, member)
        if known:
            contracts = [c for own in self.contracts_of(unit, [i.id for i in known]).values() for c in own]
            vendors, in_window, runs = self._standing(contracts)
            active = active and runs
            above |= self._above(unit, set(sponsors_of(contracts, self.clock.now())))
            names = {name for identity in known for name in _keys_of_identity(identity)}
            keys, said = (keys | names, said) if member.identity_id else (keys, said | names)
        said |= self._inviters(unit, member)
        return Party(
            member.id,
            member.name or member.login,
            frozenset(keys),
            frozenset(said) - keys,
            employee=not known and self._could_be_told(member),
            vendors=vendors,
            in_window=in_window,
            reports_to=frozenset(above) - keys,
            active=active,
            invited=self.was_invited(member),
        )

    def was_invited(self, member: MemberRow) -> bool:
        """Say whether a member has set a password lately with a code that somebody else has seen."""
        since = member.invited_at
        return since is not None and self.wall() - since < timedelta(hours=self.invited_hours)

    def _inviters(self, unit: Unit, member: MemberRow) -> set[str]:
        """Return whoever may be this member, having invited them lately, or having invited who invited them."""
        found: set[str] = set()
        row: MemberRow | None = member
        while row is not None and self.was_invited(row) and row.invited_by and row.invited_by not in found:
            found.add(row.invited_by)
            row = members.get(unit, row.invited_by)
        return found

    def accounts_like(self, unit: Unit, party: Party) -> list[MemberRow]:
        """Load every account that is or may be *party*'s: by any name, and whom they have invited lately."""
        found: dict[str, MemberRow] = {}
        names: set[str] = set(party.names)
        while names:
            new = {m.id: m for m in members.by_names(unit, names) if m.id not in found and self._is_like(m, names)}
            found |= new
            names = set(new)
        return list(found.values())

    def _is_like(self, member: MemberRow, names: set[str]) -> bool:
        return bool((keys_of(member) | said_of(member)) & names) or self.was_invited(member)

    def _could_be_told(self, member: MemberRow) -> bool:
        """Say whether a contractor would be recognised: a provider must name what the roster is compared with."""
        if self.by_worker_id and member.provider != LOCAL:
            return bool(member.employee_key)
        return bool(member.email_key or member.claimed_key)

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
        for member in self.accounts_of(unit, [identity.id])[identity.id]:
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
    known: dict[frozenset[str], list[MemberRow]] = unit.memo("members by keys")
    asked = frozenset(keys)
    if asked not in known:
        known[asked] = members.by_keys(unit, asked)
    return known[asked]


def _keys_of_identity(identity: Identity) -> set[str]:
    """Return what somebody on the roster is known by; a vendor's number is nobody's sign-in name or number here."""
    return {identity.id, *(name for name in (key_of(identity.email),) if "@" in name)}


def _addresses(member: MemberRow) -> set[str]:
    return {name for name in (member.email_key, member.claimed_key, member.login_key) if "@" in name}
