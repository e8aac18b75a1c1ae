"""From what a provider vouches for to a member here: roles by group, and who on the roster somebody is."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lifecycle.domain.errors import LifecycleError
from lifecycle.domain.identity import Identity
from lifecycle.domain.party import key_of
from lifecycle.domain.role import Role
from lifecycle.settings import SignInSettings
from lifecycle.store import members, people
from lifecycle.store.people_tables import MemberRow
from lifecycle.store.unit import Unit

LOCAL, DIRECTORY = "local", "directory"
"""Providers of our own; every other one is the issuer of an OpenID provider."""


class AmbiguousPerson(LifecycleError):
    """More than one person on the roster is who signs in; nobody is let in on a guess."""

    code = "ambiguous-person"


@dataclass(frozen=True, slots=True)
class Vouched:
    """What a provider or a directory says about somebody who has just proven who they are."""

    provider: str
    subject: str
    """Never changes and is never given to anybody else; with the provider it is the key."""
    login: str
    name: str
    email: str = ""
    """Only where the provider says that it is verified."""
    employee_id: str = ""
    supervisor: str = ""
    groups: tuple[str, ...] = ()
    claimed_email: str = ""
    """Whatever address the provider names; it only ever counts against the member."""


def admit(unit: Unit, vouched: Vouched, settings: SignInSettings, now: datetime) -> MemberRow:
    """
    Return the member for *vouched*, made or brought up to date in *unit*.

    Nobody is recognised by an e-mail address: two subjects with the same one are two members, whom the two-person
    rule counts as one person.
    """
    roles = sorted({role.value for group in vouched.groups for role in settings.roles.get(group, ())})
    member = members.by_subject(unit, vouched.provider, vouched.subject)
    before = list(member.roles) if member else []
    if member is None:
        member = MemberRow(
            id=str(uuid.uuid4()),
            provider=vouched.provider,
            subject=vouched.subject,
            roles=[],
            roles_since=now,
            created_at=now,
        )
        unit.session.add(member)
    member.login, member.name = vouched.login or vouched.subject, vouched.name
    member.login_key, member.claimed_key = key_of(member.login), key_of(vouched.claimed_email)
    member.email, member.email_key = vouched.email, key_of(vouched.email)
    member.employee_id, member.employee_key = vouched.employee_id, key_of(vouched.employee_id)
    supervised, member.supervisor = member.supervisor, vouched.supervisor
    change_roles(member, roles, now)
    linked = _link(unit, member, settings, now)
    unit.session.add(member)
    unit.session.flush()
    if before != roles or linked or supervised != member.supervisor:
        after = {
            "roles": roles, "groups": sorted(vouched.groups), "supervisor": member.supervisor,
            "on_roster_as": member.identity_id or "",
        }  # fmt: skip
        unit.audit(
            at=now, actor=f"provider:{vouched.provider}", action="member-changed", object_=f"member:{member.id}",
            before={"roles": before, "supervisor": supervised}, after=after,
        )  # fmt: skip
    return member


def change_roles(member: MemberRow, roles: list[str], now: datetime) -> None:
    """Give a member these roles; how long they have had them is counted anew when they gain one."""
    if set(roles) - set(member.roles):
        member.roles_since = now
    member.roles = sorted({role for role in roles if role != Role.CONTRACTOR.value})


def _link(unit: Unit, member: MemberRow, settings: SignInSettings, now: datetime) -> bool:
    if member.identity_id is not None or member.employee_since is not None:
        return False
    by_email = settings.contractors_by == "email"
    found = people.identities_called(
        unit, emails=[member.email] if by_email else [], worker_ids=[] if by_email else [member.employee_id]
    )
    if len(found) > 1:
        ends = {i.id: max(e.last_day for e in people.engagements_of(unit, [i.id])[i.id]) for i in found}
        found = [i for i in found if ends[i.id] >= now.date()] or found
    if len(found) > 1 and not member.roles:
        raise AmbiguousPerson("Several people on the roster have your address or number; ask HR to correct it.")
    if len(found) == 1:
        member.identity_id = found[0].id
    return len(found) == 1


@dataclass
class Linking:
    """Recognises, among people who are new on a roster, those who have signed in before."""

    unit: Unit
    now: datetime
    _by_email: bool
    _waiting: Sequence[MemberRow]
    _keys: frozenset[str]
    _emails: dict[str, Identity] = field(default_factory=dict)
    _numbers: dict[str, Identity] = field(default_factory=dict)

    @classmethod
    def load(cls, unit: Unit, settings: SignInSettings, now: datetime) -> Linking:
        """Load those who have signed in and stand on no roster."""
        waiting = [m for m in members.not_on_roster(unit) if m.employee_since is None]
        keys = frozenset({m.email_key for m in waiting} | {key_of(m.employee_id) for m in waiting}) - {""}
        return cls(unit, now, settings.contractors_by == "email", waiting, keys)

    def consider(self, persons: Sequence[Identity]) -> None:
        """Remember those among *persons* whom somebody could be."""
        for person in persons if self._keys else ():
            email, number = key_of(person.email), key_of(person.worker_id)
            if email in self._keys:
                self._emails[email] = person
            if number in self._keys:
                self._numbers[number] = person

    def link(self) -> None:
        """Recognise them: they are here on a contract from now on."""
        for member in self._waiting:
            # an administrator has vouched for the address of a local account, which has no number
            named_by_email = self._by_email or member.provider == LOCAL
            found = self._emails.get(member.email_key) if named_by_email else None
            person = found if named_by_email else self._numbers.get(key_of(member.employee_id))
            if person is not None:
                self._recognise(member, person)
        self.unit.session.flush()

    def _recognise(self, member: MemberRow, person: Identity) -> None:
        if _is_last_administrator(self.unit, member):  # a slip in a roster must not lock everybody out
            member.employee_since = self.now
        else:
            member.identity_id = person.id
        self.unit.session.add(member)
        self.unit.audit(
            at=self.now, actor="roster", action="member-changed", object_=f"member:{member.id}",
            after={"on_roster_as": person.id, "kept_as_employee": member.identity_id is None},
        )  # fmt: skip


def _is_last_administrator(unit: Unit, member: MemberRow) -> bool:
    administrators = members.with_roles(unit, [Role.IT_ADMINISTRATOR.value])
    able = [m.id for m in administrators if m.disabled_at is None and m.identity_id is None]
    return able == [member.id]
