"""
The only road by which targets are changed: lease, call, end sessions, read back, finish with the audit row.

A change is done when the target, read again, shows it. Everything here may be cut off at any point and done again.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby

from connectors.base import AmbiguousAccount, NoSuchAccount
from lifecycle.domain.backoff import delay_before
from lifecycle.domain.drift import Verb
from lifecycle.services.calls import Calls
from lifecycle.services.clock import Clock
from lifecycle.services.outcomes import Done, Failed
from lifecycle.services.rulebook import Rulebook
from lifecycle.services.settlement import Settlement
from lifecycle.services.targets import Targets
from lifecycle.settings import EngineSettings
from lifecycle.store import observations, people, work
from lifecycle.store.observations import StoredAccount
from lifecycle.store.unit import Store, Unit
from lifecycle.store.work import WorkItem

CALL_SECONDS = 15
"""No single call to a target takes longer; a lease with too little left for a group of them is prolonged first."""
ALONE = frozenset({Verb.GRANT, Verb.DISABLE, Verb.ENABLE, Verb.SET_EXPIRY})
"""Verbs done one account at a time; revokes and observations of one kind go together."""


@dataclass
class Provisioner:
    """Works off the queue of one target at a time. Safe to use from several threads for different targets."""

    store: Store
    targets: Targets
    rulebook: Rulebook
    settings: EngineSettings
    clock: Clock
    owner: str
    calls: Calls
    chance: Callable[[], float] = field(default=random.random)
    stopping: threading.Event = field(default_factory=threading.Event)

    def drain(self, target: str) -> int:
        """
        Work until nothing is claimable in *target* or it stops answering.

        Returns:
            How many items were finished.
        """
        finished = 0
        while not self.stopping.is_set():
            items = self._claim(target)
            if not items:
                break
            results = self._perform(target, items)
            finished += sum(isinstance(result, Done) for result in results)
            if not self._settle(target, items, results):
                break
        return finished

    def _claim(self, target: str) -> list[WorkItem]:
        now = self.clock.now()
        with self.store.write() as unit:
            return work.claim(
                unit,
                target=target,
                owner=self.owner,
                now=now,
                until=now + self.settings.lease,
                limit=self.settings.batch,
            )

    def _perform(self, target: str, items: Sequence[WorkItem]) -> list[Done | Failed]:
        """Do items of one kind together; stop at the first sign that the target does not answer."""
        results: list[Done | Failed] = []
        with self.store.read() as unit:
            accounts = self._accounts(unit, target, items)
        for (verb, _), group in groupby(items, key=lambda item: (item.verb, item.aspect)):
            together = list(group)
            for some in [[item] for item in together] if verb in ALONE else [together]:
                ours = self._still_ours(some)
                if ours:
                    results += self.calls.attempt(target, verb, ours, accounts)
                if any(isinstance(result, Failed) and result.kind == "unavailable" for result in results):
                    return results
        return results

    @staticmethod
    def _accounts(unit: Unit, target: str, items: Sequence[WorkItem]) -> dict[str, StoredAccount]:
        found = observations.accounts_of(unit, {item.identity_id for item in items})
        return {identity_id: own[target] for identity_id, own in found.items() if target in own}

    def _still_ours(self, items: list[WorkItem]) -> list[WorkItem]:
        """Prolong the lease where little is left of it, and drop what was lost meanwhile."""
        now = self.clock.now()
        needed = timedelta(seconds=CALL_SECONDS * 3)
        if all(item.lease_until and item.lease_until - now > needed for item in items):
            return items
        with self.store.write() as unit:
            ours = work.renew(unit, [item.id for item in items], owner=self.owner, until=now + self.settings.lease)
        return [item for item in items if item.id in ours]

    def _settle(self, target: str, items: Sequence[WorkItem], results: Sequence[Done | Failed]) -> bool:
        """Store every result with its audit row, all in one commit; False when the target does not answer."""
        now = self.clock.now()
        handled = {result.item.id for result in results}
        down = next((r.error for r in results if isinstance(r, Failed) and r.kind == "unavailable"), None)
        with self.store.write() as unit:
            settlement = Settlement(unit, self.owner, target, now, self._accounts(unit, target, items))
            for result in results:
                if isinstance(result, Done):
                    settlement.done(result)
                else:
                    settlement.failed(result, now + self._delay(result.item.attempts), self._wanted(unit, result))
            for item in items:
                if item.id not in handled:
                    work.release(unit, item, owner=self.owner, retry_at=now + self._delay(1) if down else now)
        self.targets.note(target, now, down)
        return down is None

    def _wanted(self, unit: Unit, failure: Failed) -> bool:
        """Say whether it is tried again: always, except for an account that is not there and that nobody needs."""
        if failure.item.verb is not Verb.OBSERVE or not isinstance(failure.error, NoSuchAccount):
            return True
        if isinstance(failure.error, AmbiguousAccount):
            return True
        identity_id = failure.item.identity_id
        grants = people.grants_of(unit, [identity_id])
        engagements = people.engagements_of(unit, [identity_id]).get(identity_id, [])
        contracts = [self.rulebook.contract(e, grants.get(e.id, ())) for e in engagements]
        desired = self.rulebook.desired(contracts, self.clock.now())
        return any(entitlement.target == failure.item.target for entitlement in desired.entitlements)

    def _delay(self, attempts: int) -> timedelta:
        return delay_before(
            max(attempts, 1),
            base=timedelta(seconds=self.settings.backoff_base_seconds),
            cap=timedelta(seconds=self.settings.backoff_cap_seconds),
            chance=self.chance(),
        )
