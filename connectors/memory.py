"""A target in memory: for tests and the simulation. It keeps every rule of the protocol and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connectors.base import (
    AccountRef,
    AccountState,
    AmbiguousAccount,
    Capability,
    EntitlementRef,
    Finding,
    NoSuchAccount,
    NoSuchEntitlement,
    Outcome,
    Severity,
    described,
)


@dataclass
class MemoryAccount:
    """One account of a `MemoryConnector`."""

    name: str
    attributes: dict[str, str]
    disabled: bool = False
    expires_at: datetime | None = None
    sessions: int = 0


@dataclass
class MemoryConnector:
    """Accounts by native id, and the native ids that hold each right."""

    name: str
    accounts: dict[str, MemoryAccount] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)

    def add_account(self, native_id: str, name: str = "", **attributes: str) -> AccountRef:
        """Create an account."""
        self.accounts[native_id] = MemoryAccount(name or native_id, attributes)
        return AccountRef(native_id, name or native_id)

    def add_entitlement(self, native_id: str) -> EntitlementRef:
        """Create a right that nobody holds."""
        self.members.setdefault(native_id, set())
        return EntitlementRef(native_id)

    def resolve(self, attributes: Mapping[str, str]) -> AccountRef:
        """See `Connector.resolve`."""
        fits = [
            AccountRef(native_id, account.name)
            for native_id, account in self.accounts.items()
            if attributes and attributes.items() <= {"name": account.name, **account.attributes}.items()
        ]
        if len(fits) != 1:
            raise (AmbiguousAccount if fits else NoSuchAccount)(f"{len(fits)} accounts have {described(attributes)}")
        return fits[0]

    def entitlement(self, locator: str) -> EntitlementRef:
        """See `Connector.entitlement`; locator and native id are the same here."""
        if locator not in self.members:
            raise NoSuchEntitlement(f"there is no {locator!r} in {self.name}")
        return EntitlementRef(locator)

    def held_by(self, account: AccountRef) -> frozenset[EntitlementRef]:
        """See `Connector.held_by`."""
        return frozenset(EntitlementRef(e) for e, held in self.members.items() if account.native_id in held)

    def holders_of(self, entitlements: Collection[EntitlementRef]) -> Mapping[EntitlementRef, frozenset[AccountRef]]:
        """See `Connector.holders_of`."""
        return {
            e: frozenset(AccountRef(i, self.accounts[i].name) for i in self.members[self._known(e)])
            for e in entitlements
        }

    def state_of(self, account: AccountRef) -> AccountState:
        """See `Connector.state_of`."""
        found = self._account(account)
        return AccountState(found.disabled, found.expires_at)

    def grant(self, account: AccountRef, entitlement: EntitlementRef) -> Outcome:
        """See `Connector.grant`."""
        self._account(account)
        held = self.members[self._known(entitlement)]
        if account.native_id in held:
            return Outcome.UNCHANGED
        held.add(account.native_id)
        return Outcome.CHANGED

    def revoke(self, account: AccountRef, entitlement: EntitlementRef) -> Outcome:
        """See `Connector.revoke`."""
        held = self.members.get(entitlement.native_id, set())
        if account.native_id not in held:
            return Outcome.UNCHANGED
        held.remove(account.native_id)
        return Outcome.CHANGED

    def disable(self, account: AccountRef) -> Outcome:
        """See `AccountDisabler.disable`."""
        found = self.accounts.get(account.native_id)
        if found is None or found.disabled:
            return Outcome.UNCHANGED
        found.disabled = True
        return Outcome.CHANGED

    def enable(self, account: AccountRef) -> Outcome:
        """See `AccountDisabler.enable`."""
        found = self._account(account)
        was, found.disabled = found.disabled, False
        return Outcome.CHANGED if was else Outcome.UNCHANGED

    def end_sessions(self, account: AccountRef) -> Outcome:
        """See `SessionEnder.end_sessions`."""
        found = self.accounts.get(account.native_id)
        if found is None or not found.sessions:
            return Outcome.UNCHANGED
        found.sessions = 0
        return Outcome.CHANGED

    def open_sessions(self, account: AccountRef) -> int:
        """See `SessionEnder.open_sessions`."""
        found = self.accounts.get(account.native_id)
        return found.sessions if found else 0

    def set_expiry(self, account: AccountRef, at: datetime | None) -> Outcome:
        """See `NativeExpiry.set_expiry`."""
        found = self._account(account)
        wanted = at.astimezone(UTC) if at else None
        if found.expires_at == wanted:
            return Outcome.UNCHANGED
        found.expires_at = wanted
        return Outcome.CHANGED

    def capabilities(self) -> frozenset[Capability]:
        """Everything."""
        return frozenset(Capability)

    def preflight(self) -> Sequence[Finding]:
        """Nothing can be missing here."""
        return (Finding("access", Severity.OK, f"{len(self.accounts)} accounts in memory"),)

    def _account(self, account: AccountRef) -> MemoryAccount:
        if account.native_id not in self.accounts:
            raise NoSuchAccount(f"account {account.native_id} is gone from {self.name}")
        return self.accounts[account.native_id]

    def _known(self, entitlement: EntitlementRef) -> str:
        if entitlement.native_id not in self.members:
            raise NoSuchEntitlement(f"{entitlement.native_id} is gone from {self.name}")
        return entitlement.native_id
