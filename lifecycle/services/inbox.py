"""Which requests wait, and for whom: lists for reviewers, for those who asked, and for who keeps things going."""

from __future__ import annotations

from dataclasses import dataclass

from lifecycle.domain.approval import Kind, check_reviewer
from lifecycle.domain.errors import LifecycleError
from lifecycle.domain.party import Party
from lifecycle.services.authorisation import Action, Actor, authorize
from lifecycle.services.case import Case
from lifecycle.services.casebook import Casebook
from lifecycle.store import members, requests
from lifecycle.store.people_tables import MemberRow
from lifecycle.store.request_tables import RequestRow
from lifecycle.store.unit import Store, Unit

LISTED = 100
"""So many requests are listed for one reviewer, those that expire first; the others follow as these are decided."""
MOST_PENDING = 5000


@dataclass
class Inbox:
    """Lists requests."""

    store: Store
    casebook: Casebook

    def reader(self, unit: Unit, actor: Actor) -> tuple[MemberRow | None, Party | None]:
        """Return who reads as a member and as a party; None for a program."""
        member = members.get(unit, actor.id)
        return member, self.casebook.parties.of_member(unit, member) if member is not None else None

    @staticmethod
    def why_not(case: Case, actor: Actor, member: MemberRow | None, party: Party | None) -> str:
        """Say why the actor cannot review *case*; empty if they can. *member* and *party* are what `reader` says."""
        if member is None or party is None:
            return "Only people review."
        try:
            check_reviewer(case.request, party, in_pool=case.pool.holds(member))
            authorize(actor, Action.REVIEW, case.about)
        except LifecycleError as exc:
            return str(exc)
        return ""

    def waiting(self, actor: Actor) -> list[Case]:
        """List pending requests that the actor could review, those that expire first on top."""
        with self.store.read() as unit:
            member, party = self.reader(unit, actor)
            if member is None:
                return []
            rows = self.casebook.reviewers.rows_for(unit, member, self._open(unit))
            found: list[Case] = []
            while rows and len(found) < LISTED:
                cases = self.casebook.load_all(unit, rows[:LISTED])
                found += [c for c in cases if not self.why_not(c, actor, member, party)]
                rows = rows[LISTED:]
            return found[:LISTED]

    def _open(self, unit: Unit) -> list[RequestRow]:
        now = self.casebook.clock.now()
        return [row for row in requests.pending(unit, MOST_PENDING) if row.expires_at > now]

    def pending(self, actor: Actor) -> list[Case]:
        """List what waits for a review and the actor may know of, what expires first on top; at most a thousand."""
        with self.store.read() as unit:
            return self._visible(unit, actor, self.casebook.load_all(unit, self._open(unit)[:1000]))

    def hidden_from(self, actor: Actor) -> frozenset[str]:
        """Return the requests that the actor must not read about: to end their own access, until it is ended."""
        with self.store.read() as unit:
            if self.casebook.parties.of_actor(unit, actor).employee:
                return frozenset()
            rows = [row for row in self._open(unit) if row.kind == Kind.CUT_OFF.value]
            cases = self.casebook.load_all(unit, rows)
            return frozenset({row.id for row in rows} - {case.row.id for case in self._visible(unit, actor, cases)})

    def _visible(self, unit: Unit, actor: Actor, cases: list[Case]) -> list[Case]:
        party = self.casebook.parties.of_actor(unit, actor)
        return [case for case in cases if not case.is_hidden_from(party)]

    def own(self, actor: Actor) -> list[Case]:
        """List what the actor asked for, and what was asked for the actor, newest first."""
        with self.store.read() as unit:
            rows = {row.id: row for row in requests.by_requester(unit, actor.id)}
            if actor.identity_id:
                found = requests.of_identity(unit, actor.identity_id)
                rows |= {row.id: row for row in found if row.kind != Kind.CUT_OFF.value}
            ordered = sorted(rows.values(), key=lambda row: row.created_at, reverse=True)
            return self.casebook.load_all(unit, ordered[:50])

    def stuck(self, unit: Unit) -> list[Case]:
        """List pending requests that fewer people could review than must."""
        cases = self.casebook.load_all(unit, self._open(unit)[:LISTED])
        return [c for c in cases if self.is_stuck(unit, c)]

    def is_stuck(self, unit: Unit, case: Case) -> bool:
        """Say whether fewer people could still review *case* than must; owners who never signed in count."""
        missing = case.request.approvals_needed - len(case.request.approvals)
        return (
            len(self.casebook.reviewers.able(unit, case)) + len(self.casebook.reviewers.strangers(unit, case)) < missing
        )
