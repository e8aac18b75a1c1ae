"""What a sponsor sees of their own contractors, and what a contractor sees of themselves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from lifecycle.domain.access import Contract, Reason
from lifecycle.domain.approval import Kind
from lifecycle.domain.eligibility import extension_opens_at, limit_of, why_none_runs
from lifecycle.domain.entitlement import Entitlement, Tier
from lifecycle.domain.errors import LifecycleError, NotFound
from lifecycle.domain.grant import Grant
from lifecycle.domain.identity import IdentityId
from lifecycle.domain.party import key_of
from lifecycle.services.authorisation import Action, Actor, authorize, may
from lifecycle.services.case import Case
from lifecycle.services.casebook import Casebook
from lifecycle.services.notices import Notice, Notices, Topic
from lifecycle.services.parties import addresses_of
from lifecycle.services.persons import PAGE, Persons, Standing
from lifecycle.services.proposals import SHORTEST
from lifecycle.services.staleness import FeedStale
from lifecycle.store import decisions, members, people, requests
from lifecycle.store.request_tables import HandoverRow, RequestRow
from lifecycle.store.tables import EngagementRow
from lifecycle.store.unit import Store, Unit

LONGEST_WORDS = 500
PAST_GRANTS = timedelta(days=30)
"""Grants that ended are shown so long, so that they can be renewed."""


class WordsMissing(LifecycleError):
    """There is nothing to write down."""

    code = "words-missing"


@dataclass(frozen=True)
class GrantView:
    """A grant with what its holder can do about it."""

    grant: Grant
    entitlement: Entitlement | None
    now: datetime

    @property
    def title(self) -> str:
        """What the right is called."""
        return self.entitlement.title if self.entitlement else self.grant.entitlement

    @property
    def state(self) -> str:
        """``runs``, ``to come`` or ``ended``."""
        if self.grant.ends_at <= self.now:
            return "ended"
        return "runs" if self.grant.active_at(self.now) else "to come"

    @property
    def extendable(self) -> bool:
        """Whether more time can be asked for now."""
        return self.state == "runs" and self.now >= extension_opens_at(self.grant)


@dataclass(frozen=True)
class Helper:
    """Somebody who can help."""

    name: str
    what: str
    email: str


@dataclass(frozen=True)
class OwnAccess:
    """A contractor's page."""

    standing: Standing
    reasons: tuple[Reason, ...]
    grants: tuple[GrantView, ...]
    waiting: tuple[Case, ...]
    """Requests that are pending or can be activated."""
    helpers: tuple[Helper, ...]
    handover: tuple[HandoverRow, ...]
    tiers: dict[datetime, Tier]
    """The highest tier held from each coming step on."""
    objects: tuple[str, ...]
    """What the trail calls this person and their contracts."""


@dataclass
class Team:
    """Sponsors and contractors."""

    store: Store
    casebook: Casebook
    persons: Persons
    notices: Notices

    def page(self, actor: Actor, after: tuple[str, str] = ("", ""), limit: int = PAGE) -> list[Standing]:
        """List the actor's own contractors in the order of names, those included whose contract ended last month."""
        authorize(actor, Action.SEE_TEAM)
        now = self.casebook.clock.now()
        with self.store.read() as unit:
            since = (now - timedelta(days=31)).date()
            ids = people.sponsored_by(unit, actor.keys, since=since, after=after, limit=limit)
            standings = self.persons.standings(unit, ids, now, now + timedelta(days=400))
        return [standings[i] for i in ids]

    def chosen(self, actor: Actor, identity_ids: Collection[str]) -> list[Standing]:
        """List those of some people who are the actor's own contractors, in the order of names."""
        authorize(actor, Action.SEE_TEAM)
        now, parties = self.casebook.clock.now(), self.casebook.parties
        with self.store.read() as unit:
            known = people.identities(unit, identity_ids)
            parties.gather(unit, known)
            own = [i for i in known if may(actor, Action.SEE_PERSON, parties.about(unit, i))]
            standings = self.persons.standings(unit, own, now)
        return sorted(standings.values(), key=lambda s: (s.identity.name, s.identity.id))

    def own_access(self, actor: Actor) -> OwnAccess:
        """
        Gather the actor's own page.

        Raises:
            NotPermitted: If the actor is not here on a contract.
        """
        now = self.casebook.clock.now()
        with self.store.read() as unit:
            authorize(actor, Action.SEE_OWN_ACCESS, self.casebook.parties.about(unit, actor.identity_id))
            standing = self.persons.standings(unit, [actor.identity_id], now)[IdentityId(actor.identity_id)]
            ids = [c.engagement.id for c in standing.contracts]
            return OwnAccess(
                standing=standing,
                reasons=standing.desired.reasons,
                grants=tuple(self.grants(standing)),
                waiting=tuple(self.waiting(unit, actor.identity_id, now)),
                helpers=tuple(self._helpers(unit, standing.contract)),
                handover=tuple(h for h in decisions.handover_of(unit, ids) if h.done_at is None),
                tiers={step.at: self._top(standing, step.at) for step in standing.steps},
                objects=(f"identity:{actor.identity_id}", *(f"engagement:{i}" for i in ids)),
            )

    def _top(self, standing: Standing, at: datetime) -> Tier:
        held = self.casebook.rulebook.desired(standing.contracts, at).entitlements
        return max((e.tier for e in held), default=Tier.NONE)

    def why_not_ask(self, standing: Standing) -> str:
        """Say why nothing at all can be asked for somebody now; empty if something can."""
        contract, now = standing.contract, standing.now
        if contract is None:
            return "No contract is known."
        why_not = "Nothing can be asked for here."
        for right in self.casebook.rulebook.catalogue.entitlements.values():
            if not right.requestable:
                continue
            try:
                limit_of(contract, right, self.casebook.settings.longest(right.tier), now).ends_at(SHORTEST, now)
            except LifecycleError as exc:
                why_not = str(exc)
            else:
                return self._why_stale(contract, now)
        return why_not

    def _why_stale(self, contract: Contract, now: datetime) -> str:
        with self.store.read() as unit:
            try:
                self.casebook.check_fed(unit, contract, god=False, now=now)
            except FeedStale as exc:
                return str(exc)
        return ""

    def grants(self, standing: Standing) -> list[GrantView]:
        """List grants that run, are to come, or ended lately; those that end first on top."""
        catalogue = self.casebook.rulebook.catalogue.entitlements
        every = [g for c in standing.contracts for g in c.grants if g.ends_at > standing.now - PAST_GRANTS]
        views = [GrantView(g, catalogue.get(g.entitlement), standing.now) for g in every]
        return sorted(views, key=lambda v: (v.state == "ended", v.grant.ends_at))

    def waiting(self, unit: Unit, identity_id: str, now: datetime) -> list[Case]:
        """List what is pending or can be activated for one person."""
        rows = [row for row in requests.of_identity(unit, identity_id) if _can_be_shown(row, now)]
        return self.casebook.load_all(unit, rows)

    def waiting_of(self, identity_id: str) -> list[Case]:
        """List what is pending or can be activated for one person; see `waiting`."""
        with self.store.read() as unit:
            return self.waiting(unit, identity_id, self.casebook.clock.now())

    def handover_of(self, standing: Standing) -> list[HandoverRow]:
        """List what one person is to hand over, open first."""
        with self.store.read() as unit:
            return decisions.handover_of(unit, [c.engagement.id for c in standing.contracts])

    def _helpers(self, unit: Unit, contract: Contract | None) -> list[Helper]:
        helpers = []
        sponsor = contract.engagement.sponsor if contract else ""
        if sponsor:
            found = members.by_keys(unit, [key_of(sponsor)])
            name = (found[0].name or sponsor) if found else sponsor
            email = (found[0].email if found else "") or (sponsor if "@" in sponsor else "")
            helpers.append(Helper(name, "Your sponsor. Dates, extensions, hand-over", email))
        desk = self.notices.settings.service_desk
        helpers.append(Helper("IT service desk", "Something you still need has stopped working", desk))
        return helpers

    def report_mistake(self, actor: Actor, words: str) -> None:
        """
        Write down what a contractor says is wrong, and tell the sponsor, HR and IT.

        Raises:
            WordsMissing: If nothing is said.
        """
        now = self.casebook.clock.now()
        with self.store.write() as unit:
            about = self.casebook.parties.about(unit, actor.identity_id)
            authorize(actor, Action.REPORT_MISTAKE, about)
            said = _words(words)
            unit.audit(
                at=now, actor=actor.trail_name, action="mistake-reported", object_=f"identity:{actor.identity_id}",
                after={"words": said},
            )  # fmt: skip
            told = [
                *addresses_of(unit, about.sponsors),
                *self.notices.settings.it,
                *self.notices.settings.hr,
            ]
            notice = Notice(
                Topic.MISTAKE, f"{actor.name} says that something is wrong", said, f"/people/{actor.identity_id}",
                f"identity:{actor.identity_id}",
                dedupe=f"mistake:{actor.identity_id}:{now:%Y-%m-%dT%H}{now.minute // 10}",
            )  # fmt: skip
            self.notices.tell(unit, notice, told, now)

    def add_handover(self, actor: Actor, identity_id: str, task: str, receiver: str) -> None:
        """
        Write down something that is to be handed over before the contract ends.

        Raises:
            WordsMissing: If nothing is said.
            NotPermitted: If it is neither the actor's own contract nor one they sponsor.
            NotFound: If no contract runs.
        """
        now = self.casebook.clock.now()
        with self.store.write() as unit:
            authorize(actor, Action.HAND_OVER, self.casebook.parties.about(unit, identity_id))
            said = _words(task)
            contract = self.casebook.latest_contract(unit, identity_id, now)
            if contract is None:
                raise NotFound(why_none_runs(self.casebook.parties.contracts(unit, identity_id), now))
            row = HandoverRow(
                engagement_id=contract.engagement.id,
                task=said,
                receiver=receiver.strip()[:200],
                added_by=actor.id,
                added_at=now,
            )
            unit.session.add(row)
            unit.audit(
                at=now, actor=actor.trail_name, action="handover-added", object_=f"identity:{identity_id}",
                after={"task": said, "to": row.receiver},
            )  # fmt: skip

    def finish_handover(self, actor: Actor, handover_id: int) -> None:
        """
        Note that something was handed over.

        Raises:
            NotFound: If there is no such open task.
            NotPermitted: If it is neither the actor's own nor of one of their contractors.
        """
        now = self.casebook.clock.now()
        with self.store.write() as unit:
            row = decisions.handover(unit, handover_id)
            engagement = unit.session.get(EngagementRow, row.engagement_id) if row else None
            if row is None or engagement is None or row.done_at is not None:
                raise NotFound("There is no such open task.")
            authorize(actor, Action.HAND_OVER, self.casebook.parties.about(unit, engagement.identity_id))
            row.done_by, row.done_at = actor.id, now
            unit.session.add(row)
            unit.audit(
                at=now, actor=actor.trail_name, action="handover-done", object_=f"identity:{engagement.identity_id}",
                after={"task": row.task},
            )  # fmt: skip


def _words(words: str) -> str:
    said = " ".join(words.split())[:LONGEST_WORDS]
    if len(said) < 4:
        raise WordsMissing("Please say what it is, in a few words.")
    return said


def _can_be_shown(row: RequestRow, now: datetime) -> bool:
    """Say whether a request is pending or can be activated; a held cut-off is nobody's to see here."""
    if row.kind == Kind.CUT_OFF.value:
        return False
    if row.resolution == "pending":
        return row.expires_at > now
    return row.resolution == "approved" and row.activated_at is None and (row.eligible_until or now) > now
