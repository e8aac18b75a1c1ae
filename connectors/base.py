"""What a target system can be asked: the protocol, its references, its outcomes and its errors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable


class ConnectorError(Exception):
    """A target did not do or say what was asked. Leaves: the classes below."""

    retryable: ClassVar[bool] = True
    """Whether waiting may help by itself. Everything is tried again; what is not retryable needs a person."""


class TargetUnavailable(ConnectorError):
    """No answer, or an answer that says "not now". Whether a change was applied is unknown: read it back."""


class IncompleteRead(TargetUnavailable):
    """The answer is cut off (size limit, missing page), so it proves nothing about what is not in it."""


class TargetRefused(ConnectorError):
    """The target answered and said no: rights, schema, credentials."""

    retryable = False


class NoSuchAccount(TargetRefused):
    """No account fits, or more than one does: a person is never matched by guessing."""


class AmbiguousAccount(NoSuchAccount):
    """More than one account fits."""


class NoSuchEntitlement(TargetRefused):
    """The right named in the configuration is not there."""


def described(attributes: Mapping[str, str]) -> str:
    """Write attributes as people read them."""
    return " and ".join(f"{name} {value or '(empty)'}" for name, value in attributes.items()) or "nothing to match by"


class Outcome(StrEnum):
    """Whether a call altered the target."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Capability(StrEnum):
    """What a target can do beyond granting and revoking. Each has a protocol below."""

    DISABLE = "disable"
    END_SESSIONS = "end-sessions"
    NATIVE_EXPIRY = "native-expiry"


@dataclass(frozen=True, slots=True)
class AccountRef:
    """An account. Equality is by ``native_id``: immutable in the target, never a name and never a DN."""

    native_id: str
    name: str = field(default="", compare=False)
    """What administrators of the target call it now; for pages only."""


@dataclass(frozen=True, slots=True)
class EntitlementRef:
    """A right in one target, by its immutable native id."""

    native_id: str


@dataclass(frozen=True, slots=True)
class AccountState:
    """How an account stands, beside what it holds."""

    disabled: bool | None = None
    """None where the target cannot say."""
    expires_at: datetime | None = None
    """Native expiry, aware UTC, exclusive; None for never."""


class Severity(StrEnum):
    """How much a preflight finding matters."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing preflight looked at: what it is about, how it stands, and what to do."""

    topic: str
    severity: Severity
    message: str
    remedy: str = ""


class Connector(Protocol):
    """
    A target system.

    Every method may raise `TargetUnavailable` or `TargetRefused` and nothing else. Every call has a deadline.
    Changes are idempotent: asking for a state that already holds returns ``UNCHANGED``. An instance is used
    from one thread at a time.
    """

    name: str

    def resolve(self, attributes: Mapping[str, str]) -> AccountRef:
        """
        Find the one account whose attributes equal all of *attributes*.

        Raises:
            NoSuchAccount: If none fits, or more than one.
        """
        ...

    def entitlement(self, locator: str) -> EntitlementRef:
        """
        Find a right by the name its administrators use.

        Raises:
            NoSuchEntitlement: If it is not there.
        """
        ...

    def held_by(self, account: AccountRef) -> frozenset[EntitlementRef]:
        """Read what *account* holds now. An account that is gone holds nothing."""
        ...

    def holders_of(self, entitlements: Collection[EntitlementRef]) -> Mapping[EntitlementRef, frozenset[AccountRef]]:
        """
        Read who holds each of *entitlements* now, completely.

        Raises:
            IncompleteRead: If the target did not show everything.
            NoSuchEntitlement: If one of them is gone.
        """
        ...

    def state_of(self, account: AccountRef) -> AccountState:
        """
        Read how *account* stands.

        Raises:
            NoSuchAccount: If it is gone.
        """
        ...

    def grant(self, account: AccountRef, entitlement: EntitlementRef) -> Outcome:
        """
        Make *account* hold *entitlement*.

        Raises:
            NoSuchAccount: If the account is gone.
            NoSuchEntitlement: If the right is gone.
        """
        ...

    def revoke(self, account: AccountRef, entitlement: EntitlementRef) -> Outcome:
        """Succeed also when account, entitlement or membership is already gone."""
        ...

    def capabilities(self) -> frozenset[Capability]:
        """Say what this target can do; it may have to be asked, so this may raise as any call."""
        ...

    def preflight(self) -> Sequence[Finding]:
        """Look for what would make revoking, reading or expiring fail later, and change nothing."""
        ...


@runtime_checkable
class AccountDisabler(Protocol):
    """A target that can forbid login without removing the account."""

    def disable(self, account: AccountRef) -> Outcome:
        """Forbid login. An account that is gone counts as disabled."""
        ...

    def enable(self, account: AccountRef) -> Outcome:
        """
        Allow login again, and lift an expiry that has passed.

        Raises:
            NoSuchAccount: If it is gone.
        """
        ...


@runtime_checkable
class SessionEnder(Protocol):
    """A target whose open sessions can be seen and ended."""

    def end_sessions(self, account: AccountRef) -> Outcome:
        """End every open session of *account*."""
        ...

    def open_sessions(self, account: AccountRef) -> int:
        """Count the sessions open now."""
        ...


@runtime_checkable
class NativeExpiry(Protocol):
    """A target that can end an account by itself at an instant."""

    def set_expiry(self, account: AccountRef, at: datetime | None) -> Outcome:
        """
        Let *account* end at *at* (aware, exclusive, whole seconds); None for never.

        Raises:
            NoSuchAccount: If it is gone.
        """
        ...


@runtime_checkable
class BulkReader(Protocol):
    """A target that resolves many accounts faster than one by one."""

    def resolve_many(self, wanted: Sequence[Mapping[str, str]]) -> Sequence[AccountRef | NoSuchAccount]:
        """Do `Connector.resolve` for each of *wanted*, in order; a miss is an item and is not raised."""
        ...

    def states_of(self, accounts: Collection[AccountRef]) -> Mapping[AccountRef, AccountState]:
        """Read `Connector.state_of` for many; accounts that are gone are left out."""
        ...

    def holdings_of(
        self, accounts: Collection[AccountRef], entitlements: Collection[EntitlementRef]
    ) -> Mapping[AccountRef, frozenset[EntitlementRef]]:
        """Read which of *entitlements* each of *accounts* holds; accounts that are gone hold nothing."""
        ...


@runtime_checkable
class BulkChanger(Protocol):
    """A target that takes one right from many accounts in few writes."""

    def revoke_many(
        self, accounts: Collection[AccountRef], entitlement: EntitlementRef
    ) -> Mapping[AccountRef, Outcome]:
        """Do `Connector.revoke` for each of *accounts*."""
        ...
