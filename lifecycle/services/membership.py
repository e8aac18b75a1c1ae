"""Who may sign in: listed, invited, given roles, disabled; always by another administrator."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete

from lifecycle.domain.errors import LifecycleError, NotFound
from lifecycle.domain.party import is_address, key_of
from lifecycle.domain.role import Role
from lifecycle.services.admission import LOCAL, change_roles
from lifecycle.services.authorisation import Action, Actor, authorize, check_fresh
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.services.parties import keys_of, roles_of
from lifecycle.services.sessions import Sessions
from lifecycle.services.signin import SignIn, new_local
from lifecycle.store import members, people
from lifecycle.store.people_tables import MemberRow, PasskeyRow
from lifecycle.store.unit import Unit

LISTED = 50


class MemberInvalid(LifecycleError):
    """The member cannot be made or changed so."""

    code = "member-invalid"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who may sign in, as administrators see them."""

    id: str
    login: str
    name: str
    email: str
    provider: str
    roles: tuple[Role, ...]
    supervisor: str
    on_contract: bool
    seen_at: datetime | None
    disabled_at: datetime | None
    local: bool


def _described(row: MemberRow) -> Member:
    return Member(
        row.id,
        row.login,
        row.name,
        row.email,
        row.provider,
        tuple(sorted(roles_of(row))),
        row.supervisor,
        row.identity_id is not None,
        row.seen_at,
        row.disabled_at,
        row.provider == LOCAL,
    )


@dataclass
class Membership:
    """Changes members."""

    sign_in: SignIn
    notices: Notices

    @property
    def sessions(self) -> Sessions:
        """The sessions that end with a member."""
        return self.sign_in.sessions

    def list(
        self, actor: Actor, words: str = "", *, after: tuple[str, str] = ("", ""), limit: int = LISTED
    ) -> list[Member]:
        """
        List those who may sign in; see `lifecycle.store.members.search`.

        Raises:
            NotPermitted: If the actor is no administrator.
        """
        authorize(actor, Action.MANAGE_MEMBERS)
        with self.sessions.store.read() as unit:
            return [_described(row) for row in members.search(unit, words, limit, after)]

    def invite(
        self,
        actor: Actor,
        *,
        login: str,
        name: str = "",
        email: str = "",
        supervisor: str = "",
        roles: Collection[str] = (),
        worker_id: str = "",
    ) -> str:
        """
        Make a local member.

        Args:
            actor: Who invites.
            login: Name to sign in with.
            name: For pages.
            email: Taken to be theirs: an administrator vouches for it.
            supervisor: E-mail address or sign-in name of who is above them.
            roles: Values of `Role`.
            worker_id: Of somebody on the roster, who is a contractor here then.

        Returns:
            The code with which they set a password, once, within three days.

        Raises:
            MemberInvalid: If the name is taken, a role is unknown, not exactly one person has that worker id, or
                several people on the roster have the address.
            StepUpNeeded, NotPermitted: As for any change of who may do what.
        """
        self._check(actor)
        if not login.strip():
            raise MemberInvalid("A name to sign in with is needed.")
        row = new_local(login.strip(), name.strip(), _roles(roles), self.sessions.wall())
        row.email, row.email_key, row.supervisor = _address(email), key_of(email), supervisor.strip()
        with self.sessions.store.write() as unit:
            if members.by_subject(unit, LOCAL, row.subject) is not None:
                raise MemberInvalid(f"{row.login} is taken.")
            row.identity_id = _on_roster(unit, worker_id.strip(), email)
            self._add(unit, actor, row)
            return self.sign_in.invite(unit, row, actor.id or actor.trail_name)

    def _add(self, unit: Unit, actor: Actor, row: MemberRow) -> None:
        unit.session.add(row)
        unit.session.flush()
        unit.audit(
            at=row.created_at, actor=actor.trail_name, action="member-added", object_=f"member:{row.id}",
            after={
                "login": row.login, "roles": list(row.roles), "email": row.email, "supervisor": row.supervisor,
                "on_roster_as": row.identity_id or "",
            },
        )  # fmt: skip
        self._tell_of(unit, actor, row, "made an account")

    def _tell_of(self, unit: Unit, actor: Actor, row: MemberRow, what: str) -> None:
        """Tell the person, and IT: an account in somebody's name that they know nothing of would act as them."""
        as_what = ", ".join(role.label for role in sorted(roles_of(row))) or "without a role"
        notice = Notice(
            Topic.MEMBERS,
            f"{actor.name} {what} for {row.login} ({as_what})",
            "If you know nothing of it, tell IT at once: whoever uses the account acts in your name.",
            "/me",
            f"member:{row.id}",
            urgent=True,
        )
        told = [row.email, row.login, *self.notices.settings.it]
        self.notices.tell(unit, notice, told, self.sessions.parties.clock.now())

    def invite_again(self, actor: Actor, member_id: str) -> tuple[str, str]:
        """
        Make a new code for a local member who has forgotten the password; it ends their sessions when used.

        Returns:
            The sign-in name and the code.

        Raises:
            MemberInvalid: If the member signs in elsewhere, or is the actor.
        """
        self._check(actor)
        with self.sessions.store.write() as unit:
            row = self._other(unit, actor, member_id)
            if row.provider != LOCAL:
                raise MemberInvalid("Their password is kept elsewhere.")
            unit.audit(
                at=self.sessions.wall(), actor=actor.trail_name, action="member-invited", object_=f"member:{row.id}"
            )
            self._tell_of(unit, actor, row, "made a new invitation")
            return row.login, self.sign_in.invite(unit, row, actor.id or actor.trail_name)

    def set_roles(
        self, actor: Actor, member_id: str, roles: Collection[str], *, supervisor: str = "", email: str | None = None
    ) -> None:
        """
        Give a local member other roles; whoever signs in elsewhere gets theirs from groups.

        Args:
            actor: Who does it.
            member_id: To whom.
            roles: Values of `Role`.
            supervisor: E-mail address or sign-in name of who is above them.
            email: Another address, taken to be theirs; None leaves it as it is.

        Raises:
            MemberInvalid: If the member's roles come from groups, is the actor, or a role is unknown.
        """
        self._check(actor)
        chosen, now = _roles(roles), self.sessions.wall()
        with self.sessions.store.write() as unit:
            row = self._other(unit, actor, member_id)
            if row.provider != LOCAL:
                raise MemberInvalid("Their roles come from groups; change those.")
            before = {"roles": list(row.roles), "supervisor": row.supervisor, "email": row.email}
            change_roles(row, chosen, now)
            row.supervisor = supervisor.strip()
            if email is not None:
                row.email, row.email_key = _address(email), key_of(email)
            unit.session.add(row)
            unit.audit(
                at=now, actor=actor.trail_name, action="member-changed", object_=f"member:{row.id}",
                before=before, after={"roles": chosen, "supervisor": row.supervisor, "email": row.email},
            )  # fmt: skip
            if before != {"roles": row.roles, "supervisor": row.supervisor, "email": row.email}:
                self._tell_of(unit, actor, row, "changed the account")

    def disable(self, actor: Actor, member_id: str) -> int:
        """
        Let somebody sign in no more, by whatever account of theirs; their sessions end at once.

        Other accounts with the same vouched-for names are disabled too; `enable` gives back one at a time.

        Returns:
            How many sessions ended.

        Raises:
            MemberInvalid: If it is the actor.
        """
        self._check(actor)
        now = self.sessions.wall()
        with self.sessions.store.write() as unit:
            row = self._other(unit, actor, member_id)
            ended = 0
            for account in {row.id: row, **{m.id: m for m in members.by_keys(unit, keys_of(row))}}.values():
                account.disabled_at = account.disabled_at or now
                unit.session.add(account)
                own = members.end_sessions(unit, now, member_ids=[account.id])
                unit.audit(
                    at=now, actor=actor.trail_name, action="member-disabled", object_=f"member:{account.id}",
                    after={"sessions_ended": own, "provider": account.provider},
                )  # fmt: skip
                ended += own
        return ended

    def enable(self, actor: Actor, member_id: str) -> None:
        """Let a disabled member sign in again."""
        self._check(actor)
        now = self.sessions.wall()
        with self.sessions.store.write() as unit:
            row = self._other(unit, actor, member_id)
            row.disabled_at, row.roles_since = None, now
            unit.session.add(row)
            unit.audit(at=now, actor=actor.trail_name, action="member-enabled", object_=f"member:{row.id}")
            self._tell_of(unit, actor, row, "enabled the account")

    def make_employee(self, actor: Actor, member_id: str) -> None:
        """
        Say that a member is an employee: contracts that began until today mean nothing for them any more.

        For whoever was converted, and for an employee whose address came onto a roster by mistake.
        """
        self._check(actor)
        with self.sessions.store.write() as unit:
            row = self._other(unit, actor, member_id)
            before = row.identity_id or ""
            row.identity_id, row.employee_since = None, self.sessions.parties.clock.now()
            row.roles_since = self.sessions.wall()
            unit.session.add(row)
            unit.audit(
                at=self.sessions.wall(), actor=actor.trail_name, action="member-made-employee",
                object_=f"member:{row.id}", before={"on_roster_as": before}, after={"on_roster_as": ""},
            )  # fmt: skip
            self._tell_of(unit, actor, row, "said that they are an employee,")

    def forget_passkeys(self, actor: Actor, member_id: str) -> int:
        """Forget the passkeys of somebody who has lost their device; return how many there were."""
        self._check(actor)
        with self.sessions.store.write() as unit:
            row = self._other(unit, actor, member_id)
            result: Any = unit.session.execute(delete(PasskeyRow).where(PasskeyRow.__table__.c.member_id == row.id))
            unit.audit(
                at=self.sessions.wall(),
                actor=actor.trail_name,
                action="passkeys-forgotten",
                object_=f"member:{row.id}",
                after={"count": result.rowcount},
            )
            if result.rowcount:
                if row.provider == LOCAL:  # with the password alone: whoever knows it could be somebody else
                    row.invited_by, row.invited_at = actor.id or actor.trail_name, self.sessions.wall()
                    unit.session.add(row)
                self._tell_of(unit, actor, row, "had the passkeys forgotten")
        return int(result.rowcount)

    def _check(self, actor: Actor) -> None:
        authorize(actor, Action.MANAGE_MEMBERS)
        check_fresh(actor, self.sessions.wall())

    @staticmethod
    def _other(unit: Unit, actor: Actor, member_id: str) -> MemberRow:
        row = members.get(unit, member_id)
        if row is None:
            raise NotFound("There is no such member.")
        if row.id == actor.id or keys_of(row) & actor.keys:
            raise MemberInvalid("Somebody else must change your own account.")
        return row


def _address(email: str) -> str:
    """Return one e-mail address, or none: without one nobody knows whether its owner has another account."""
    if email.strip() and not is_address(email.strip()):
        raise MemberInvalid("An e-mail address has one @ and no blanks, or leave it empty.")
    return email.strip()


def _on_roster(unit: Unit, worker_id: str, email: str) -> str | None:
    """Return who on the roster is meant, by worker id or else by address; None for whoever is not on it."""
    if worker_id:
        found = people.identities_called(unit, worker_ids=[worker_id])
        if len(found) != 1:
            raise MemberInvalid(f"{'Nobody has' if not found else 'Several people have'} that worker id.")
        return found[0].id
    found = people.identities_called(unit, emails=[email])
    if len(found) > 1:
        raise MemberInvalid("Several people on the roster have that address: say the worker id.")
    return found[0].id if found else None


def _roles(roles: Collection[str]) -> list[str]:
    known = {role.value for role in Role} - {Role.CONTRACTOR.value}
    unknown = sorted(set(roles) - known)
    if unknown:
        raise MemberInvalid(f"{unknown[0]} is no role to give.")
    return sorted(set(roles))
