"""One person at a time: what they hold, why, and what changes when."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from lifecycle.domain import roster
from lifecycle.domain.access import Contract, DesiredAccess, Reason
from lifecycle.domain.calendar import start_of_day
from lifecycle.domain.errors import NotFound
from lifecycle.domain.forecast import Step, forecast
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.domain.party import key_of
from lifecycle.services.clock import Clock
from lifecycle.services.rulebook import Rulebook
from lifecycle.store import observations, people, state, work
from lifecycle.store.observations import StoredAccount
from lifecycle.store.tables import RosterImportRow
from lifecycle.store.unit import Store, Unit
from lifecycle.store.work import WorkItem

PAGE = 50
CANDIDATES = 6
CUT_OFF, LAPSED, WITHDRAWN = "cut off", "lapsed", "withdrawn"


@dataclass(frozen=True)
class Standing:
    """Everything about one person at one instant."""

    identity: Identity
    contracts: tuple[Contract, ...]
    desired: DesiredAccess
    accounts: dict[str, StoredAccount]
    """By target."""
    waiting: tuple[WorkItem, ...]
    steps: tuple[Step, ...]
    now: datetime

    @property
    def contract(self) -> Contract | None:
        """
        The contract that matters most now: the one that runs and ends last, else the next, else the last.

        One that gives nothing, whatever its days say, counts only where there is no other.
        """
        giving = [c for c in self.contracts if not c.gives_nothing]
        live = [c for c in giving if c.timeline.live_at(self.now)] or self.lapsed
        coming = [c for c in giving if c.timeline.starts_at > self.now]
        if live:
            return max(live, key=lambda c: c.timeline.ends_at)
        if coming:
            return min(coming, key=lambda c: c.timeline.starts_at)
        return max(giving or self.contracts, key=lambda c: c.timeline.ends_at, default=None)

    @property
    def lapsed(self) -> list[Contract]:
        """The contracts that run and give nothing, because they were extended after access had ended."""
        return [c for c in self.contracts if c.has_lapsed_at(self.now)]

    def cut_off(self, now: datetime) -> bool:
        """Say whether a person has ended everything by *now*."""
        return any(c.engagement.measures.cut_off(now) for c in self.contracts)

    @property
    def stage(self) -> str:
        """Name of the stage of `contract`; ``cut off`` where a person has ended everything."""
        contract = self.contract
        if self.cut_off(self.now):
            return CUT_OFF
        return self.stage_of(contract) if contract else "unknown"

    def stage_of(self, contract: Contract) -> str:
        """Name the stage of one contract; ``lapsed`` or ``withdrawn`` where it gives nothing whatever its days say."""
        if contract.engagement.standing is roster.Standing.WITHDRAWN:
            return WITHDRAWN
        return LAPSED if contract.has_lapsed_at(self.now) else contract.timeline.stage_at(self.now)

    @property
    def employee_since(self) -> datetime | None:
        """When HR confirmed that the person had become an employee; None for whoever has not, or is back since."""
        since = (c.engagement.measures.employee_since for c in self.contracts)
        return next(since, None) if self.desired.accounts_kept else None

    @property
    def held(self) -> frozenset[str]:
        """Keys of what was last seen to be held, in all targets."""
        return frozenset(key for account in self.accounts.values() for key in account.held)


@dataclass(frozen=True)
class Explanation:
    """Why one thing is held or should be, down to the line of the roster."""

    entitlement: str
    target: str
    tier: str
    held: bool
    """Whether it was seen in the target."""
    because: str
    contract: str
    roster: str
    until: datetime | None
    waiting: str
    """What is still to be done about it, with the target's own words where it failed."""


@dataclass(frozen=True)
class Portrait:
    """One person's page."""

    standing: Standing
    explanations: tuple[Explanation, ...]

    @property
    def objects(self) -> list[str]:
        """What the trail calls this person and their contracts."""
        contracts = [f"engagement:{c.engagement.id}" for c in self.standing.contracts]
        return [f"identity:{self.standing.identity.id}", *contracts]


@dataclass
class Persons:
    """Finds people and tells how they stand."""

    store: Store
    rulebook: Rulebook
    clock: Clock

    def find(self, name: str, *, exact: bool = False) -> IdentityId:
        """
        Find one person by our id, worker id, e-mail address or name.

        Args:
            name: Any of these; where nobody has it as a whole, part of one will do.
            exact: A part will not do, nor a name: programs must not guess.

        Raises:
            NotFound: If nobody or more than one fits; the message names some who do.
        """
        with self.store.read() as unit:
            if people.identities(unit, [name]):
                return IdentityId(name)
            found = people.search_identities(unit, name, CANDIDATES)
            named = people.identities_called(unit, emails=[name], worker_ids=[name])
        whole = named or [p for p in found if key_of(p.name) == key_of(name)]
        fits = named if exact else whole or found
        if len(fits) == 1:
            return fits[0].id
        if not fits:
            raise NotFound(f"nobody is called {name!r} and nobody has that worker id")
        several = "; ".join(f"{p.name} ({p.worker_id} of {p.source})" for p in fits)
        raise NotFound(f"{name!r} fits several people: {several}")

    def search(self, words: str, after: tuple[str, str] = ("", ""), limit: int = PAGE) -> list[Standing]:
        """List people in the order of their names; see `lifecycle.store.people.search_identities`."""
        now = self.clock.now()
        with self.store.read() as unit:
            found = people.search_identities(unit, words, limit, after)
            standings = self.standings(unit, [person.id for person in found], now)
        return [standings[person.id] for person in found]

    def leaving(self, last_day: date, limit: int = PAGE) -> list[Standing]:
        """List people one of whose contracts has its last day on *last_day*."""
        now = self.clock.now()
        with self.store.read() as unit:
            ids = {e.identity_id for e in people.ending_between(unit, last_day, last_day, limit)}
            standings = self.standings(unit, ids, now)
        return sorted(standings.values(), key=lambda s: s.identity.name)

    def standing(self, identity_id: str) -> Standing:
        """
        Tell how one person stands now.

        Raises:
            NotFound: If there is no such identity.
        """
        now = self.clock.now()
        with self.store.read() as unit:
            found = self.standings(unit, [identity_id], now)
        if identity_id not in found:
            raise NotFound("there is no such person")
        return found[IdentityId(identity_id)]

    def standings(
        self, unit: Unit, identity_ids: Collection[str], now: datetime, until: datetime | None = None
    ) -> dict[IdentityId, Standing]:
        """Tell how some people stand at *now*, with their changes before *until* (None: for ever)."""
        persons = people.identities(unit, identity_ids)
        engagements = people.engagements_of(unit, persons)
        grants = people.grants_of(unit, persons)
        accounts = observations.accounts_of(unit, persons)
        waiting = work.open_items(unit, persons)
        result = {}
        for identity_id, person in persons.items():
            contracts = tuple(self.rulebook.contract(e, grants.get(e.id, ())) for e in engagements.get(identity_id, ()))
            result[identity_id] = Standing(
                identity=person,
                contracts=contracts,
                desired=self.rulebook.desired(contracts, now),
                accounts=accounts.get(identity_id, {}),
                waiting=tuple(item for item in waiting if item.identity_id == identity_id),
                steps=tuple(forecast(contracts, self.rulebook.catalogue, now, until)),
                now=now,
            )
        return result

    def portrait(self, identity_id: str) -> Portrait:
        """
        Gather one person's page.

        Raises:
            NotFound: If there is no such identity.
        """
        standing = self.standing(identity_id)
        with self.store.read() as unit:
            imports = state.imports(unit, {c.engagement.import_id for c in standing.contracts})
        return Portrait(standing, tuple(self.explanations(standing, imports)))

    def next_change(self) -> datetime | None:
        """Return the next instant at which anybody's access could change; None when nothing is to come."""
        with self.store.read() as unit:
            return people.first_due(unit, self.clock.now())

    def plan(self, until: date | None, person: str | None = None, limit: int = 500) -> list[tuple[Standing, Step]]:
        """
        List coming changes, soonest first.

        Args:
            until: Last day (inclusive, in the contract's own zone); None: 30 days for everybody, all for one person.
            person: As `find` takes it; None for everybody.
            limit: How many people at most when *person* is None.

        Raises:
            NotFound: If there is no such person.
        """
        now = self.clock.now()
        # A day ends last where the sun sets last, 14 hours after UTC's midnight at most; rows are cut by zone below.
        horizon = datetime.combine(until, time(), tzinfo=now.tzinfo) + timedelta(days=2) if until else None
        with self.store.read() as unit:
            if person is not None:
                ids = [self.find(person)]
            else:
                horizon = horizon or now + timedelta(days=30)
                ids = people.due_between(unit, horizon, limit)
            standings = self.standings(unit, ids, now, horizon)
        steps = [(s, step) for s in standings.values() for step in s.steps if until is None or _by(s, step, until)]
        return sorted(steps, key=lambda pair: (pair[1].at, pair[0].identity.name))

    def explain(self, person: str, *, exact: bool = False) -> tuple[Standing, list[Explanation]]:
        """
        Say why *person* holds each thing, from which roster row and until when; *exact* as for `find`.

        Raises:
            NotFound: If there is no such person.
        """
        portrait = self.portrait(self.find(person, exact=exact))
        return portrait.standing, list(portrait.explanations)

    def explanations(self, standing: Standing, imports: dict[str, RosterImportRow]) -> list[Explanation]:
        """Explain what *standing* holds and should hold, most powerful first."""
        waiting = {item.aspect: item for item in standing.waiting}
        found = [_explain(reason, standing, imports, waiting) for reason in standing.desired.reasons]
        wanted = {entitlement.key for entitlement in standing.desired.entitlements}
        for key in sorted(standing.held - wanted):
            entitlement = self.rulebook.entitlement(key)
            tier = entitlement.tier.label if entitlement else "unknown"
            target = entitlement.target if entitlement else ""
            because = "nothing gives it: it is to be revoked"
            found.append(Explanation(key, target, tier, True, because, "", "", None, _state(waiting.get(key))))
        return found


def _by(standing: Standing, step: Step, until: date) -> bool:
    zones = {c.engagement.zone for c in standing.contracts}
    return all(step.at < start_of_day(until + timedelta(days=1), zone) for zone in zones)


def _explain(
    reason: Reason, standing: Standing, imports: dict[str, RosterImportRow], waiting: dict[str, WorkItem]
) -> Explanation:
    entitlement = reason.entitlement
    return Explanation(
        entitlement=entitlement.key,
        target=entitlement.target,
        tier=entitlement.tier.label,
        held=entitlement.key in standing.held,
        because=because(reason),
        contract=f"{reason.engagement.reference} with {reason.engagement.vendor}",
        roster=roster_of(reason, imports),
        until=reason.until,
        waiting=_state(waiting.get(entitlement.key)),
    )


def because(reason: Reason) -> str:
    """Say in words what gives an entitlement."""
    if reason.grant is not None:
        approvers = " and ".join(reason.grant.approved_by)
        words = f"grant {reason.grant.request or reason.grant.id}: {reason.grant.reason}"
        words += f" (approved by {approvers})" if approvers else ""
    else:
        words = f"baseline '{reason.rule}'"
    return f"{words}, narrowed from {reason.given}" if reason.narrowed else words


def roster_of(reason: Reason, imports: dict[str, RosterImportRow]) -> str:
    """Name the roster row that a reason comes from."""
    engagement = reason.engagement
    found = imports.get(engagement.import_id)
    if found is None:
        return ""
    day = found.confirmed_at.date().isoformat()
    return f"{found.file_name or found.profile} line {engagement.line}, confirmed {day} by {found.actor}"


def _state(item: WorkItem | None) -> str:
    if item is None:
        return ""
    if item.error:
        return f"{item.verb.value} failed {item.attempts} times: {item.error}"
    return f"{item.verb.value} is queued"
