"""Reading targets back: what is held there that should not be, what is missing, and whose accounts nobody knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connectors.base import (
    AccountRef,
    AccountState,
    Connector,
    ConnectorError,
    EntitlementRef,
    IncompleteRead,
    NoSuchEntitlement,
)
from lifecycle.domain.entitlement import Entitlement, Tier
from lifecycle.domain.identity import IdentityId
from lifecycle.services.calls import resolve, states_of
from lifecycle.services.clock import Clock
from lifecycle.services.targets import Targets
from lifecycle.store import observations, people, work
from lifecycle.store.observations import StoredAccount
from lifecycle.store.unit import Store, Unit

IMPLAUSIBLE_FROM = 5
"""So many known holders of one right rarely vanish at once: then some of them are asked about one by one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a target shows and the store does not, or the other way round."""

    target: str
    account: str
    identity_id: IdentityId | None
    """None for an account that belongs to nobody known here."""
    entitlement: str
    """Key, or what about the account differs."""
    found: str
    """``extra``, ``missing``, ``unknown account`` or ``state``."""


@dataclass
class Report:
    """What reading one target back found. With a ``problem`` nothing was concluded."""

    target: str
    read_at: datetime
    holders: int = 0
    differences: list[Difference] = field(default_factory=list)
    problem: str = ""


@dataclass
class Reconciler:
    """Reads targets back. Differences are stored as seen, and the next tick closes them."""

    store: Store
    targets: Targets
    clock: Clock

    def reconcile(self, target: str, *, only: Tier | None = None, dry_run: bool = False) -> Report:
        """
        Read one target back.

        Args:
            only: Look at entitlements of this tier only, and not at accounts' states; None for everything.
            dry_run: Store nothing.

        Returns:
            The differences; an outage or an implausible answer is a problem in the report and changes nothing.
        """
        report = Report(target, self.clock.now())
        try:
            rights, problems = self.targets.refs(target)
            wanted = {ref: e for ref, e in rights.items() if only is None or e.tier is only}
            connector = self.targets.connector(target)
            holders = self._holders(connector, wanted, problems)
            wanted = {ref: e for ref, e in wanted.items() if ref in holders}
            with self.store.read() as unit:
                accounts = {a.native_id: a for a in observations.accounts_in(unit, target)}
            _check_plausible(connector, wanted, holders, accounts.values())
            states: Mapping[AccountRef, AccountState] = {}
            if only is None:
                states = states_of(connector, [AccountRef(a.native_id, a.name) for a in accounts.values()])
                gone = [a for a in accounts.values() if AccountRef(a.native_id) not in states]
                self._link_new_accounts(target, accounts, gone, dry_run=dry_run)
        except ConnectorError as exc:
            report.problem = str(exc)
            if not dry_run:
                self.targets.note(target, report.read_at, exc)
            return report
        report.problem = "; ".join(problems)
        report.holders = sum(map(len, holders.values()))
        self._compare(report, wanted, holders, accounts, states, dry_run=dry_run)
        if not dry_run:
            values = {"reconciled_at": report.read_at} if only is None else {}
            self.targets.note(target, report.read_at, None, **values)
        return report

    def _compare(
        self,
        report: Report,
        wanted: Mapping[EntitlementRef, Entitlement],
        holders: Mapping[EntitlementRef, frozenset[AccountRef]],
        accounts: Mapping[str, StoredAccount],
        states: Mapping[AccountRef, AccountState],
        *,
        dry_run: bool,
    ) -> None:
        unit_of = self.store.read if dry_run else self.store.write
        with unit_of() as unit:
            # What was changed by work items since the read began is known better already.
            busy = work.busy_since(unit, report.target, report.read_at)
            comparison = _Comparison(unit, report, busy, dry_run=dry_run)
            for ref, entitlement in wanted.items():
                comparison.holders(entitlement, holders[ref], accounts)
            for account in accounts.values():
                state = states.get(AccountRef(account.native_id))
                if state is not None:
                    comparison.state(account, state)
            comparison.conclude()

    @staticmethod
    def _holders(
        connector: Connector, wanted: Collection[EntitlementRef], problems: list[str]
    ) -> Mapping[EntitlementRef, frozenset[AccountRef]]:
        """Read who holds what; a right that is gone is a problem of its own and blinds nobody for the others."""
        try:
            return connector.holders_of(wanted)
        except NoSuchEntitlement:
            found: dict[EntitlementRef, frozenset[AccountRef]] = {}
            for ref in wanted:
                try:
                    found |= connector.holders_of([ref])
                except NoSuchEntitlement as exc:
                    problems.append(str(exc))
            return found

    def _link_new_accounts(
        self, target: str, accounts: Mapping[str, StoredAccount], gone: list[StoredAccount], *, dry_run: bool
    ) -> None:
        """Look whether people without an account here, or whose account is gone, have a new one by now."""
        with self.store.read() as unit:
            missing = [*observations.without_account(unit, target), *(a.identity_id for a in gone)]
            waiting = {i.identity_id for i in work.open_items(unit, missing) if i.target == target}
            persons = people.identities(unit, [i for i in missing if i not in waiting])
            engagements = people.engagements_of(unit, persons)
        wanted = [
            self.targets[target].attributes_of(person, [e.reference for e in reversed(engagements.get(i, []))])
            for i, person in persons.items()
        ]
        found = resolve(self.targets.connector(target), wanted)
        new = [
            identity_id
            for identity_id, account in zip(persons, found, strict=True)
            if isinstance(account, AccountRef) and account.native_id not in accounts
        ]
        if new and not dry_run:
            with self.store.write() as unit:
                for identity_id in new:
                    observations.forget_observation(unit, identity_id, target)
                people.make_due(unit, self.clock.now(), new)


def _check_plausible(
    connector: Connector,
    wanted: Mapping[EntitlementRef, Entitlement],
    holders: Mapping[EntitlementRef, frozenset[AccountRef]],
    accounts: Collection[StoredAccount],
) -> None:
    for ref, entitlement in wanted.items():
        known = [account for account in accounts if entitlement.key in account.held]
        if len(known) < IMPLAUSIBLE_FROM or holders[ref]:
            continue
        if any(ref in connector.held_by(AccountRef(a.native_id, a.name)) for a in known[:IMPLAUSIBLE_FROM]):
            raise IncompleteRead(f"{entitlement.key} reads empty although {len(known)} people hold it; not believed")


@dataclass
class _Comparison:
    """Compares within one unit and stores what was seen."""

    unit: Unit
    report: Report
    busy: set[tuple[str, str]]
    dry_run: bool
    changed: set[IdentityId] = field(default_factory=set)

    def holders(
        self, entitlement: Entitlement, seen: frozenset[AccountRef], accounts: Mapping[str, StoredAccount]
    ) -> None:
        """Compare who was seen to hold *entitlement* with who is known to."""
        key = entitlement.key
        ids = {ref.native_id for ref in seen}
        for account in accounts.values():
            has, had = account.native_id in ids, key in account.held
            if has == had or (account.identity_id, key) in self.busy or account.observed_at is None:
                continue
            self._differs(account, key, "extra" if has else "missing")
            if not self.dry_run:
                note = observations.note_held if has else observations.note_gone
                note(self.unit, account.id, key, self.report.read_at)
        if entitlement.tier is Tier.GOD:
            self._strays(entitlement, {ref.native_id: ref.name for ref in seen if ref.native_id not in accounts})

    def _strays(self, entitlement: Entitlement, seen: dict[str, str]) -> None:
        if self.dry_run:
            new = list(seen.values())
        else:
            target, at = entitlement.target, self.report.read_at
            new, gone = observations.replace_strays(self.unit, target, entitlement.key, seen, at)
            for name, action in [(n, "unknown-account-found") for n in new] + [
                (n, "unknown-account-gone") for n in gone
            ]:
                self._audit(action, f"target:{target}", {"entitlement": entitlement.key, "account": name})
        self.report.differences += [
            Difference(entitlement.target, name, None, entitlement.key, "unknown account") for name in new
        ]

    def state(self, account: StoredAccount, seen: AccountState) -> None:
        """Compare how an account stands with how it was known to."""
        known = AccountState(account.disabled, account.expires_at)
        aspects = {(account.identity_id, work.ACCOUNT), (account.identity_id, work.EXPIRY)}
        if seen == known or seen.disabled is None or aspects & self.busy or account.observed_at is None:
            return
        self._differs(account, f"disabled {seen.disabled}, expires {seen.expires_at or 'never'}", "state")
        if not self.dry_run:
            values = {"disabled": int(seen.disabled), "expires_at": seen.expires_at}
            if not seen.disabled:  # somebody enabled it: the next one who disables it is not us
                values["disabled_here"] = 0
            observations.note_state(self.unit, account.id, self.report.read_at, **values)

    def _differs(self, account: StoredAccount, what: str, found: str) -> None:
        difference = Difference(self.report.target, account.name, account.identity_id, what, found)
        self.report.differences.append(difference)
        self.changed.add(account.identity_id)
        self._audit(f"drift-{found}", f"identity:{account.identity_id}", {"target": account.target, "what": what})

    def _audit(self, action: str, object_: str, after: dict[str, str]) -> None:
        if not self.dry_run:
            self.unit.audit(at=self.report.read_at, actor="scheduler", action=action, object_=object_, after=after)

    def conclude(self) -> None:
        """Have the access of everybody concerned computed anew by the next tick."""
        if self.changed and not self.dry_run:
            people.make_due(self.unit, self.report.read_at, self.changed)
