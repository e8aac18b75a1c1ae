"""The calls to targets that one group of work items needs, each followed by a read that proves it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import cast

from connectors.base import (
    AccountDisabler,
    AccountRef,
    AccountState,
    BulkChanger,
    BulkReader,
    Capability,
    Connector,
    ConnectorError,
    EntitlementRef,
    NativeExpiry,
    NoSuchAccount,
    Outcome,
    SessionEnder,
    TargetRefused,
)
from lifecycle.domain.drift import Verb
from lifecycle.services.outcomes import UNSUPPORTED, Done, Failed, Seen, Unproven
from lifecycle.services.targets import Target, Targets, can
from lifecycle.store import observations, people
from lifecycle.store.observations import StoredAccount
from lifecycle.store.unit import Store
from lifecycle.store.work import WorkItem

TOGETHER_FROM = 2
"""From so many accounts on, a target that can read or revoke many at once is asked to."""
_log = logging.getLogger(__name__)


@dataclass
class Calls:
    """Speaks to targets. Holds no transaction open while it does."""

    store: Store
    targets: Targets

    def attempt(
        self, target: str, verb: Verb, items: list[WorkItem], accounts: dict[str, StoredAccount]
    ) -> list[Done | Failed]:
        """
        Do *items*, which are all of one verb and one aspect; whatever goes wrong is in the results.

        Args:
            accounts: Known accounts in *target* by identity.
        """
        try:
            return self._do(target, verb, items, accounts)
        except ConnectorError as exc:
            if not exc.retryable and len(items) > 1:  # one of them is the reason; the others shall not wait for it
                return [result for item in items for result in self.attempt(target, verb, [item], accounts)]
            return [Failed(item, exc) for item in items]
        except Exception as exc:  # noqa: BLE001 - the edge to connectors, which anybody may write: one item must not stop the rest
            _log.exception("connector of %s failed at %s", target, verb)
            return [Failed(item, TargetRefused(f"the connector itself failed: {exc!r}")) for item in items]

    def _do(
        self, target: str, verb: Verb, items: list[WorkItem], accounts: dict[str, StoredAccount]
    ) -> list[Done | Failed]:
        connector = self.targets.connector(target)
        if verb is Verb.OBSERVE:
            return self._observe(self.targets[target], connector, items)
        known = {item.id: accounts[item.identity_id] for item in items if item.identity_id in accounts}
        refs = {i: AccountRef(account.native_id, account.name) for i, account in known.items()}
        results: list[Done | Failed] = [
            Failed(i, NoSuchAccount("the account is not known any more")) for i in items if i.id not in refs
        ]
        able = [item for item in items if item.id in refs]
        if verb is Verb.REVOKE:
            return results + (self._revoke(connector, able, refs) if able else [])
        act = self._grant if verb is Verb.GRANT else self._set_state
        return results + [act(connector, item, refs[item.id]) for item in able]

    def _right(self, item: WorkItem) -> EntitlementRef:
        entitlement = self.targets.catalogue.entitlements.get(item.aspect)
        if entitlement is None:
            raise TargetRefused(f"{item.aspect} is no longer in config.toml; put it back so that it can be revoked")
        return self.targets.ref(entitlement)

    def _revoke(self, connector: Connector, items: list[WorkItem], refs: dict[int, AccountRef]) -> list[Done | Failed]:
        right = self._right(items[0])
        accounts = [refs[item.id] for item in items]
        if isinstance(connector, BulkChanger) and len(accounts) >= TOGETHER_FROM:
            outcomes = dict(connector.revoke_many(accounts, right))
        else:
            outcomes = {account: connector.revoke(account, right) for account in accounts}
        self._end_sessions(connector, accounts)
        still = self.read_back(connector, accounts, right)
        return [
            Failed(item, Unproven(f"revoked, but {item.aspect} is still there when read again"))
            if refs[item.id] in still
            else Done(item, outcomes[refs[item.id]].value)
            for item in items
        ]

    def _grant(self, connector: Connector, item: WorkItem, account: AccountRef) -> Done | Failed:
        right = self._right(item)
        outcome = connector.grant(account, right)
        if account not in self.read_back(connector, [account], right):
            return Failed(item, Unproven(f"granted, but {item.aspect} is not there when read again"))
        return Done(item, outcome.value)

    def read_back(
        self, connector: Connector, accounts: Collection[AccountRef], right: EntitlementRef
    ) -> frozenset[AccountRef]:
        """Ask the target which of *accounts* hold *right* now: the only proof that a change has happened."""
        if isinstance(connector, BulkReader) and len(accounts) >= TOGETHER_FROM:
            held = connector.holdings_of(accounts, [right])
            return frozenset(account for account in accounts if right in held[account])
        return frozenset(account for account in accounts if right in connector.held_by(account))

    def _end_sessions(self, connector: Connector, accounts: Collection[AccountRef]) -> None:
        """End sessions and see that they have ended: a right that is gone may live on in an open one."""
        if not can(connector, Capability.END_SESSIONS):
            return
        ender = cast("SessionEnder", connector)
        for account in accounts:
            ender.end_sessions(account)
            if ender.open_sessions(account):
                raise Unproven(f"{account.name or account.native_id} still has open sessions")

    def _set_state(self, connector: Connector, item: WorkItem, account: AccountRef) -> Done | Failed:
        needs = Capability.NATIVE_EXPIRY if item.verb is Verb.SET_EXPIRY else Capability.DISABLE
        if not can(connector, needs):
            return Done(item, UNSUPPORTED)
        match item.verb:
            case Verb.SET_EXPIRY:
                outcome = cast("NativeExpiry", connector).set_expiry(account, item.expires_at)
            case Verb.ENABLE:
                outcome = cast("AccountDisabler", connector).enable(account)
            case _:
                outcome = cast("AccountDisabler", connector).disable(account)
                self._end_sessions(connector, [account])
        try:
            seen = connector.state_of(account)
        except NoSuchAccount:
            if item.verb is not Verb.DISABLE:
                raise
            seen = AccountState(disabled=True)  # an account that is gone admits nobody
        wrong = {
            Verb.SET_EXPIRY: seen.expires_at != item.expires_at,
            Verb.ENABLE: seen.disabled is not False,
            Verb.DISABLE: seen.disabled is not True,
        }[item.verb]
        if wrong:
            return Failed(item, Unproven(f"{item.verb.value} was accepted, but the account reads {seen}"))
        return Done(item, outcome.value, state=seen)

    def _observe(self, target: Target, connector: Connector, items: list[WorkItem]) -> list[Done | Failed]:
        """Find accounts and read what they hold; a person without an account simply has none."""
        rights, _ = self.targets.refs(target.name)
        found = self._find(target, connector, items)
        accounts = [account for account in found.values() if isinstance(account, AccountRef)]
        held = holdings_of(connector, accounts, rights)
        states = states_of(connector, accounts)
        results: list[Done | Failed] = []
        for item in items:
            match found[item.id]:
                case AccountRef() as account:
                    keys = frozenset(rights[right].key for right in held[account] if right in rights)
                    # an account that is gone admits nobody
                    seen = Seen(account, keys, states.get(account, AccountState(disabled=True)))
                    results.append(Done(item, Outcome.UNCHANGED.value, seen=seen))
                case NoSuchAccount() as missing:
                    results.append(Failed(item, missing))
        return results

    def _find(
        self, target: Target, connector: Connector, items: list[WorkItem]
    ) -> dict[int, AccountRef | NoSuchAccount]:
        with self.store.read() as unit:
            persons = people.identities(unit, {item.identity_id for item in items})
            engagements = people.engagements_of(unit, persons)
            known = observations.accounts_of(unit, persons)
        wanted: list[dict[str, str]] = []
        for item in items:
            references = [e.reference for e in reversed(engagements.get(item.identity_id, []))]
            wanted.append(target.attributes_of(persons[item.identity_id], references))
        found = dict(zip([item.id for item in items], resolve(connector, wanted), strict=True))
        for item in items:
            account = known.get(item.identity_id, {}).get(target.name)
            if account is not None and isinstance(found[item.id], NoSuchAccount):
                # Known, and no longer found by its attributes: renamed, perhaps; an account made anew was found above.
                found[item.id] = AccountRef(account.native_id, account.name)
        return found


def resolve(connector: Connector, wanted: Sequence[dict[str, str]]) -> Sequence[AccountRef | NoSuchAccount]:
    """Resolve many accounts, together where the target can; a miss is an item."""
    if isinstance(connector, BulkReader) and len(wanted) >= TOGETHER_FROM:
        return connector.resolve_many(wanted)
    return [_resolve_one(connector, attributes) for attributes in wanted]


def _resolve_one(connector: Connector, attributes: dict[str, str]) -> AccountRef | NoSuchAccount:
    if not attributes or not all(attributes.values()):
        return NoSuchAccount("the roster does not say what an account could be matched by")
    try:
        return connector.resolve(attributes)
    except NoSuchAccount as exc:
        return exc


def holdings_of(
    connector: Connector, accounts: Sequence[AccountRef], rights: Collection[EntitlementRef]
) -> dict[AccountRef, frozenset[EntitlementRef]]:
    """Read which of *rights* many accounts hold, together where the target can."""
    if isinstance(connector, BulkReader) and len(accounts) >= TOGETHER_FROM:
        return dict(connector.holdings_of(accounts, rights))
    return {account: connector.held_by(account) for account in accounts}


def states_of(connector: Connector, accounts: Sequence[AccountRef]) -> dict[AccountRef, AccountState]:
    """Read how many accounts stand, together where the target can; those that are gone are left out."""
    if isinstance(connector, BulkReader) and len(accounts) >= TOGETHER_FROM:
        return dict(connector.states_of(accounts))
    found = {}
    for account in accounts:
        try:
            found[account] = connector.state_of(account)
        except NoSuchAccount:
            continue
    return found
