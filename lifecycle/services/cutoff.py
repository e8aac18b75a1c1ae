"""Ending somebody's access now, seeing it through to the last account, and undoing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from lifecycle.domain.approval import Kind, check_use
from lifecycle.domain.entitlement import Tier
from lifecycle.domain.errors import LifecycleError, NotFound
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.domain.party import key_of
from lifecycle.services.authorisation import Action, Actor, authorize, check_fresh
from lifecycle.services.case import Case
from lifecycle.services.casebook import Casebook
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.services.parties import addresses_of
from lifecycle.services.persons import Persons, Standing
from lifecycle.services.promotion import Promotion
from lifecycle.services.requests import Requests
from lifecycle.services.targets import Targets
from lifecycle.store import decisions, members, people, requests, state
from lifecycle.store.people_tables import MemberRow
from lifecycle.store.request_tables import CutOffRow, RequestRow
from lifecycle.store.unit import Store, Unit


class NotConfirmed(LifecycleError):
    """What was typed is not the person's name, or the reason is missing."""

    code = "not-confirmed"


class AlreadyCutOff(LifecycleError):
    """Somebody has ended this person's access before."""

    code = "already-cut-off"


class SecondPersonNeeded(LifecycleError):
    """Whoever ended the access cannot give it back."""

    code = "second-person-needed"


@dataclass(frozen=True)
class AccountState:
    """One account on its way out."""

    target: str
    title: str
    account: str
    holds: tuple[str, ...]
    closed: bool
    waiting: tuple[str, ...]
    """What is still to be done, with the target's own words where it failed."""

    @property
    def proven(self) -> bool:
        """Whether the target was read back and shows that nothing is left."""
        return self.closed and not self.holds and not self.waiting


@dataclass(frozen=True)
class CutOffView:
    """What a person's access looks like while it is being ended, and before."""

    identity: Identity
    standing: Standing
    vendor: str
    systems: tuple[str, ...]
    accounts: tuple[AccountState, ...]
    in_force: CutOffRow | None
    by: str
    """Name of whoever ended it."""
    may_undo: str
    """Why the reader cannot undo it; empty if they can."""
    needs_second: bool
    """Whether the reader has ended so many people's access that the next needs a second person."""
    given_back: CutOffRow | None = None
    """The cut-off that was undone within the last day, where none is in force."""
    given_back_by: str = ""

    @property
    def returning(self) -> bool:
        """Whether some account is still to be opened again after an undo."""
        back = self.given_back is not None and self.standing.desired.live
        return back and any(account.closed or account.waiting for account in self.accounts)

    @property
    def proven(self) -> bool:
        """Whether the last account is proven gone."""
        return all(account.proven for account in self.accounts)


@dataclass
class CutOffs:
    """Ends access at once."""

    store: Store
    casebook: Casebook
    persons: Persons
    targets: Targets
    requests: Requests
    notices: Notices
    wall: Callable[[], datetime]

    def view(self, actor: Actor, identity_id: str) -> CutOffView:
        """
        Say what would be ended, or how far it is.

        Raises:
            NotFound, NotPermitted: If there is no such person, or they are not the actor's to end.
        """
        now = self.casebook.clock.now()
        with self.store.read() as unit:
            authorize(actor, Action.REVOKE_NOW, self.casebook.parties.about(unit, identity_id))
            standing = self.persons.standings(unit, [identity_id], now).get(IdentityId(identity_id))
            if standing is None:
                raise NotFound("There is no such person.")
            in_force = decisions.cut_off_in_force(unit, identity_id)
            member = members.get(unit, in_force.by_member) if in_force else None
            needs_second = self._needs_second(unit, actor, identity_id, now)
            same = member is not None and self._is_same(unit, actor, member)
            undone = None if in_force else decisions.cut_off_undone(unit, identity_id, now - timedelta(days=1))
            undoer = members.get(unit, undone.undone_by) if undone else None
        contract = standing.contract
        accounts = self._accounts(standing, now)
        return CutOffView(
            identity=standing.identity,
            standing=standing,
            vendor=contract.engagement.vendor if contract else "no vendor",
            systems=tuple(a.title for a in accounts),
            accounts=accounts,
            in_force=in_force,
            by=(member.name or member.login) if member else "",
            may_undo="You ended it; somebody else must undo it." if same else "",
            needs_second=needs_second,
            given_back=undone,
            given_back_by=(undoer.name or undoer.login) if undoer else "",
        )

    def _accounts(self, standing: Standing, now: datetime) -> tuple[AccountState, ...]:
        found = []
        for target in self.targets.names:
            account = standing.accounts.get(target)
            waiting = [item for item in standing.waiting if item.target == target]
            if account is None and not waiting:
                continue
            cut = standing.cut_off(now)
            found.append(
                AccountState(
                    target=target,
                    title=self.targets[target].title,
                    account=account.name if account else "not found yet",
                    holds=tuple(sorted(account.held)) if account else (),
                    closed=bool(account and account.disabled) or (cut and self._cannot_disable(target)),
                    waiting=tuple(f"{i.verb.value}: {i.error}" if i.error else i.verb.value for i in waiting),
                )
            )
        return tuple(found)

    def _cannot_disable(self, target: str) -> bool:
        return not any(c.name == "DISABLE" for c in self.targets.planned_capabilities(target))

    def end_now(self, actor: Actor, identity_id: str, *, typed: str, reason: str) -> str:
        """
        End all access of one person, or ask for a second person where the actor has done so to many.

        Decision, trail and queue are one transaction; the engine is woken.

        Returns:
            Id of the request that waits for a second person; empty where access is ended.

        Raises:
            NotConfirmed: If *typed* is not the person's name, or there is no reason.
            AlreadyCutOff: If it is ended already.
            NotPermitted: If the person is not the actor's to end.
        """
        now = self.casebook.clock.now()
        with self.store.write() as unit:
            members.lock(unit, self._accounts_of(unit, actor))
            people.lock_identity(unit, identity_id)
            identity = self._checked(unit, actor, identity_id, typed, reason)
            if self._needs_second(unit, actor, identity_id, now):
                return self._ask(unit, actor, identity, reason, now)
            self._execute(unit, identity, actor.id, actor.trail_name, reason.strip(), "", now)
        return ""

    def _checked(self, unit: Unit, actor: Actor, identity_id: str, typed: str, reason: str) -> Identity:
        authorize(actor, Action.REVOKE_NOW, self.casebook.parties.about(unit, identity_id))
        identity = people.identities(unit, [identity_id]).get(IdentityId(identity_id))
        if identity is None:
            raise NotFound("There is no such person.")
        if key_of(typed) != key_of(identity.name):
            raise NotConfirmed(f"Nothing was done: type the name exactly, {identity.name}.")
        if len(reason.strip()) < 4:
            raise NotConfirmed("Nothing was done: please say why, for the trail.")
        if decisions.cut_off_in_force(unit, identity_id) is not None:
            raise AlreadyCutOff(f"The access of {identity.name} was ended already.")
        return identity

    def _needs_second(self, unit: Unit, actor: Actor, identity_id: str, now: datetime) -> bool:
        settings = self.casebook.settings
        since = now - timedelta(minutes=settings.cut_off_minutes)
        done = decisions.people_cut_off(unit, self._accounts_of(unit, actor), since) - {identity_id}
        return len(done) >= settings.cut_off_people

    def _accounts_of(self, unit: Unit, actor: Actor) -> list[str]:
        """Return the ids of every account that is or may be the actor's: together they count as one person."""
        parties = self.casebook.parties
        return sorted({actor.id} | {member.id for member in parties.accounts_like(unit, parties.of_actor(unit, actor))})

    def _ask(self, unit: Unit, actor: Actor, identity: Identity, reason: str, now: datetime) -> str:
        pending = requests.pending_for(unit, identity.id, "", Kind.CUT_OFF.value)
        if pending is not None:
            raise AlreadyCutOff(f"{pending.id} asks for it already and waits for a second person.")
        contracts = self.casebook.parties.contracts(unit, identity.id)
        contract = max(contracts, key=lambda c: c.timeline.ends_at, default=None)
        if contract is None:
            raise NotFound(f"No contract of {identity.name} is known.")
        row = RequestRow(
            id=requests.next_id(unit),
            kind=Kind.CUT_OFF.value,
            identity_id=identity.id,
            engagement_id=contract.engagement.id,
            requester_id=actor.id,
            at_once=1,
            reason=reason.strip(),
            approvals_needed=1,
            created_at=now,
            expires_at=now + timedelta(hours=self.casebook.settings.expire_god_hours),
        )
        row.terms = self.casebook.terms(row, contract, None)
        requests.add(unit, row)
        unit.audit(
            at=now, actor=actor.trail_name, action="cut-off-held", object_=f"request:{row.id}",
            after={"reason": row.reason, "limit": self.casebook.settings.cut_off_people}, request=row.id,
        )  # fmt: skip
        self.requests.tell_reviewers(unit, self.casebook.load(unit, row), now)
        return row.id

    def approved(self, unit: Unit, case: Case, now: datetime) -> None:
        """Do what a second person has agreed to."""
        check_use(
            case.request,
            self.casebook.reviewers.approvers(unit, case),
            self.casebook.terms(case.row, case.contract, None),
        )
        if decisions.cut_off_in_force(unit, case.identity.id) is None:
            trail_name = f"member:{case.requester.login}"
            self._execute(unit, case.identity, case.requester.id, trail_name, case.row.reason, case.row.id, now)

    def _execute(
        self, unit: Unit, identity: Identity, by: str, trail_name: str, reason: str, request: str, now: datetime
    ) -> None:
        people.cut_off(unit, identity.id, now)
        ended = self._end_god_grants(unit, identity.id, now)
        closed = requests.close_all(unit, identity.id, now)
        parties = self.casebook.parties
        own = [member.id for member in parties.accounts_like(unit, parties.of_identity(unit, identity))]
        sessions = members.end_sessions(unit, self.wall(), member_ids=own) if own else 0
        asked = requests.withdraw_all(unit, own, now) if own else []
        decisions.add_cut_off(
            unit, CutOffRow(identity_id=identity.id, by_member=by, at=now, reason=reason, request_id=request)
        )
        people.make_due(unit, now, [identity.id])
        Promotion(unit, self.casebook.rulebook, self.targets, now).run_for({identity.id: now})
        state.nudge(unit)
        unit.audit(
            at=now, actor=trail_name, action="cut-off", object_=f"identity:{identity.id}", request=request,
            after={
                "reason": reason, "god_grants_ended": ended, "requests_closed": [*closed, *asked],
                "sessions_ended": sessions,
                "systems": list(self.targets.names),
            },
        )  # fmt: skip
        sponsors = self.casebook.parties.about(unit, identity.id).sponsors
        notice = Notice(
            Topic.CUT_OFF, f"Access of {identity.name} was ended now", reason, f"/people/{identity.id}/revoke",
            f"identity:{identity.id}", urgent=True,
        )  # fmt: skip
        told = addresses_of(unit, sponsors)
        self.notices.tell(unit, notice, [*told, *self.notices.settings.it, *self.notices.settings.hr], now)

    def _end_god_grants(self, unit: Unit, identity_id: str, now: datetime) -> list[str]:
        """End god mode for good: an undo must not bring it back without its two people."""
        catalogue = self.casebook.rulebook.catalogue.entitlements
        ended = []
        for own in people.grants_of(unit, [identity_id]).values():
            for grant in own:
                entitlement = catalogue.get(grant.entitlement)
                is_god = entitlement is None or entitlement.tier is Tier.GOD
                if is_god and grant.ends_at > now:
                    people.end_grant(unit, grant, now)
                    ended.append(grant.request or grant.id)
        return ended

    def _is_same(self, unit: Unit, actor: Actor, member: MemberRow) -> bool:
        parties = self.casebook.parties
        return parties.of_actor(unit, actor).is_same_as(parties.of_member(unit, member))

    def undo(self, actor: Actor, identity_id: str, reason: str) -> None:
        """
        Give back what was held, god mode excepted.

        Raises:
            SecondPersonNeeded: If the actor is who ended it.
            StepUpNeeded: If the actor's authentication is older than five minutes.
            NotFound: If it is not ended.
            NotConfirmed: If there is no reason.
        """
        now = self.casebook.clock.now()
        with self.store.write() as unit:
            authorize(actor, Action.UNDO_REVOKE, self.casebook.parties.about(unit, identity_id))
            check_fresh(actor, self.wall())
            people.lock_identity(unit, identity_id)
            row = decisions.cut_off_in_force(unit, identity_id)
            if row is None:
                raise NotFound("This person's access is not ended.")
            by = members.get(unit, row.by_member)
            person = people.identities(unit, [identity_id])[IdentityId(identity_id)]
            party = self.casebook.parties.of_actor(unit, actor)
            if party.invited:
                hours = self.casebook.parties.invited_hours
                raise SecondPersonNeeded(f"For {hours} hours after an invitation nobody undoes what another has ended.")
            concerned = self.casebook.parties.of_identity(unit, person)
            if party.is_same_as(concerned) or (by is not None and self._is_same(unit, actor, by)):
                raise SecondPersonNeeded("Whoever ended it, or whom it concerns, or may be either, cannot undo it.")
            if len(reason.strip()) < 4:
                raise NotConfirmed("Please say why, for the trail.")
            row.undone_by, row.undone_at, row.undo_reason = actor.id, now, reason.strip()[:500]
            unit.session.add(row)
            ended = self._end_god_grants(unit, identity_id, now)  # none may have slipped in
            people.cut_off(unit, identity_id, None)
            people.make_due(unit, now, [identity_id])
            state.nudge(unit)
            unit.audit(
                at=now, actor=actor.trail_name, action="cut-off-undone", object_=f"identity:{identity_id}",
                before={"by": by.login if by else "", "at": row.at.isoformat()},
                after={"reason": row.undo_reason, "god_mode": "needs two people again",
                       "god_grants_ended": ended},
            )  # fmt: skip
            notice = Notice(
                Topic.CUT_OFF, f"Access of {person.name} was given back by {actor.name}", row.undo_reason,
                f"/people/{identity_id}", f"identity:{identity_id}", urgent=True,
            )  # fmt: skip
            sponsors = addresses_of(unit, self.casebook.parties.about(unit, identity_id).sponsors)
            settings = self.notices.settings
            self.notices.tell(unit, notice, [*sponsors, *settings.it, *settings.hr], now)
