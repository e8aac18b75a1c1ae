"""Due engagements become work items: desired access is computed, compared with what was seen, and queued."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lifecycle.domain.access import Contract, DesiredAccess, next_change_at
from lifecycle.domain.drift import Change, ObservedAccount, Verb, plan_account_changes
from lifecycle.domain.engagement import EngagementId
from lifecycle.domain.identity import IdentityId
from lifecycle.domain.roster import Standing
from lifecycle.services.rulebook import Rulebook
from lifecycle.services.targets import Targets
from lifecycle.store import observations, people, work
from lifecycle.store.observations import StoredAccount, accounts_of
from lifecycle.store.unit import Unit
from lifecycle.store.work import ACCOUNT, EXPIRY, OBSERVE, WorkItem

PEOPLE_AT_ONCE = 500
"""Identities promoted in one transaction."""
OBSERVE_PRIORITY = 125
"""After god mode and elevated rights, before the rest: what has not been looked at may hide anything."""


def priority_of(change: Change) -> int:
    """Say what comes first: revokes by tier, then the account itself, its expiry before its enabling, grants last."""
    match change.verb:
        case Verb.REVOKE:
            return 100 + 10 * change.tier
        case Verb.OBSERVE:
            return OBSERVE_PRIORITY
        case Verb.DISABLE:
            return 105
        case Verb.SET_EXPIRY:
            return 60
        case Verb.ENABLE:
            return 50
        case Verb.GRANT:
            return 40 - change.tier


def aspect_of(change: Change) -> str:
    """Name what a change is about; at most one item for each is open in one target."""
    if change.entitlement is not None:
        return change.entitlement.key
    return {Verb.SET_EXPIRY: EXPIRY, Verb.OBSERVE: OBSERVE}.get(change.verb, ACCOUNT)


@dataclass
class Promotion:
    """Turns what is due at ``now`` into work items, within one unit."""

    unit: Unit
    rulebook: Rulebook
    targets: Targets
    now: datetime

    def run(self, limit: int = PEOPLE_AT_ONCE) -> int:
        """Promote up to *limit* identities and return how many there were; none: nothing more is due."""
        return self.run_for(people.due_identities(self.unit, self.now, limit))

    def run_for(self, due: dict[IdentityId, datetime]) -> int:
        """Promote these identities, each due since the instant beside it, and return how many there were."""
        if not due:
            return 0
        contracts = self._contracts(list(due))
        accounts = accounts_of(self.unit, due)
        items: dict[IdentityId, list[WorkItem]] = defaultdict(list)
        for item in work.open_items(self.unit, due):
            items[item.identity_id].append(item)
        next_changes: dict[EngagementId, datetime | None] = {}
        rows: list[dict[str, Any]] = []
        for identity_id, due_at in due.items():
            own = [self._with_dead_grants(contract) for contract in contracts[identity_id]]
            desired = self.rulebook.desired(own, self.now)
            for target in self.targets.names:
                open_here = [item for item in items[identity_id] if item.target == target]
                account = accounts.get(identity_id, {}).get(target)
                changes = self._plan(desired, account, target)
                rows += self._queue(identity_id, target, changes, open_here, due_at, _cause(own, due_at))
            next_changes |= {c.engagement.id: next_change_at(c, self.now) for c in own}
        work.add(self.unit, rows)
        people.schedule(self.unit, next_changes)
        if rows:
            self.unit.shows()
        return len(due)

    def _with_dead_grants(self, contract: Contract) -> Contract:
        """End the grants of a contract that has ended, so that no roster and no request revives one later."""
        ends_at = self._ended_at(contract)
        if ends_at > self.now or all(g.ends_at <= ends_at for g in contract.grants):
            return contract
        ended = (people.end_grant(self.unit, g, ends_at) if g.ends_at > ends_at else g for g in contract.grants)
        return replace(contract, grants=tuple(ended))

    def _ended_at(self, contract: Contract) -> datetime:
        """Return the end of everything that was given through it; one that was withdrawn ends when that is noticed."""
        if contract.engagement.standing is Standing.WITHDRAWN:
            return min(contract.timeline.ends_at, self.now)
        ends_at, lapsed_at = contract.timeline.ends_at, contract.engagement.measures.lapsed_at
        return min(ends_at, lapsed_at) if contract.engagement.has_lapsed and lapsed_at else ends_at

    def _contracts(self, identity_ids: list[IdentityId]) -> dict[IdentityId, list[Contract]]:
        grants = people.grants_of(self.unit, identity_ids)
        return {
            identity_id: [self.rulebook.contract(e, grants.get(e.id, ())) for e in engagements]
            for identity_id, engagements in people.engagements_of(self.unit, identity_ids).items()
        }

    def _plan(self, desired: DesiredAccess, account: StoredAccount | None, target: str) -> tuple[Change, ...]:
        if account is None or account.observed_at is None:
            # Nothing is concluded about an account that was never seen, except before its owner's first day.
            return (Change(Verb.OBSERVE),) if desired.live or desired.has_ended else ()
        catalogue = self.rulebook.catalogue.entitlements
        observed = ObservedAccount(
            held=frozenset(catalogue[key] for key in account.held if key in catalogue),
            disabled=account.disabled,
            disabled_here=account.disabled_here,
            expires_at=account.expires_at,
        )
        return plan_account_changes(desired, observed, target, self.targets.planned_capabilities(target))

    @staticmethod
    def _leaves_doubt(changes: tuple[Change, ...], open_here: dict[str, WorkItem]) -> bool:
        """Say whether an item that was tried already is about to be closed or redirected."""
        planned = {aspect_of(change): change for change in changes}
        return any(
            item.attempts > 0 and item.verb is not Verb.OBSERVE and not _same(item, planned.get(item.aspect))
            for item in open_here.values()
        )

    def _queue(
        self,
        identity_id: IdentityId,
        target: str,
        changes: tuple[Change, ...],
        open_here: list[WorkItem],
        due_at: datetime,
        cause: str,
    ) -> list[dict[str, Any]]:
        """Open items for what is new, redirect those that go the other way, close those without a point."""
        by_aspect = {item.aspect: item for item in open_here}
        if self._leaves_doubt(changes, by_aspect):
            # A call for what is no longer wanted may have been applied: look before anything is concluded.
            disabling = any(item.verb is Verb.DISABLE and item.attempts for item in open_here)
            observations.forget_observation(self.unit, identity_id, target, disabling=disabling)
            changes = (Change(Verb.OBSERVE),)
        rows = []
        for change in changes:
            known = by_aspect.pop(aspect_of(change), None)
            values = {
                "verb": change.verb.value,
                "priority": priority_of(change),
                "expires_at": change.expires_at,
                "cause": cause,
                "due_at": due_at,
            }
            if known is None:
                fixed = {"identity_id": identity_id, "target": target, "aspect": aspect_of(change), "state": "open"}
                rows.append({**fixed, **values, "created_at": self.now, "retry_at": self.now, **NEW_ITEM})
            elif not _same(known, change):
                work.redirect(self.unit, known.id, self.now, **values)
        work.supersede(self.unit, [item.id for item in by_aspect.values()], self.now)
        return rows


def _same(item: WorkItem, change: Change | None) -> bool:
    return change is not None and (item.verb, item.expires_at) == (change.verb, change.expires_at)


NEW_ITEM: dict[str, Any] = {
    "version": 1,
    "attempts": 0,
    "lease_owner": "",
    "error": "",
    "error_kind": "",
    "outcome": "",
}


def _cause(contracts: list[Contract], due_at: datetime) -> str:
    for contract in contracts:
        if contract.engagement.measures.god_ends_at == due_at:
            return f"god mode of {contract.engagement.reference} ends: its days are not agreed to"
        begun = [t for t in contract.timeline.transitions if t.at == due_at]
        if begun:
            return f"stage '{begun[-1].stage}' of {contract.engagement.reference}"
        grant = next((g for g in contract.grants if due_at in {g.starts_at, g.ends_at}), None)
        if grant is not None:
            return f"grant {grant.request or grant.id} {'begins' if grant.starts_at == due_at else 'ends'}"
    return "facts or observation changed"
