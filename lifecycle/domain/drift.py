"""The difference between desired and observed, and the changes that close it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lifecycle.domain.access import DesiredAccess
from lifecycle.domain.entitlement import Entitlement, Tier


class Verb(StrEnum):
    """What a work item does in a target, in the order in which an account's items are applied."""

    REVOKE = "revoke"
    DISABLE = "disable"
    SET_EXPIRY = "set-expiry"
    ENABLE = "enable"
    GRANT = "grant"
    OBSERVE = "observe"
    """Find the account and read what it holds; changes nothing."""


class Capability(StrEnum):
    """What a target can do beyond granting and revoking."""

    DISABLE = "disable"
    END_SESSIONS = "end-sessions"
    NATIVE_EXPIRY = "native-expiry"


@dataclass(frozen=True, slots=True)
class Change:
    """One step that closes a difference in one target."""

    verb: Verb
    entitlement: Entitlement | None = None
    """None for what concerns the account as a whole."""
    expires_at: datetime | None = None
    """For ``SET_EXPIRY``: the instant (aware UTC, exclusive) to set in the target; None for never."""

    @property
    def tier(self) -> Tier:
        """How urgent it is: the tier it takes away; account-level changes count as standard."""
        return self.entitlement.tier if self.entitlement else Tier.STANDARD


@dataclass(frozen=True, slots=True)
class ObservedAccount:
    """What one account was last seen to hold, and how it stood."""

    held: frozenset[Entitlement] = frozenset()
    disabled: bool | None = None
    """None where the target cannot say."""
    disabled_here: bool = False
    """Whether this product disabled it: only then may it enable it again."""
    expires_at: datetime | None = None
    """Native expiry in the target, aware UTC; None for never."""


def plan_changes(desired: frozenset[Entitlement], observed: frozenset[Entitlement]) -> tuple[Change, ...]:
    """
    List the changes that turn *observed* into *desired*.

    Revokes come first and the most powerful tier goes first, so that a run cut short has removed the most
    dangerous access. Grants go the other way round: the least powerful first.
    """
    revokes = sorted(observed - desired, key=lambda e: (-e.tier, e.key))
    grants = sorted(desired - observed, key=lambda e: (e.tier, e.key))
    return (*(Change(Verb.REVOKE, e) for e in revokes), *(Change(Verb.GRANT, e) for e in grants))


def plan_account_changes(
    desired: DesiredAccess, account: ObservedAccount, target: str, able: frozenset[Capability]
) -> tuple[Change, ...]:
    """
    List every change for one account in one target, in the order in which they are applied.

    An account is disabled once the last contract has ended and enabled again only where this product disabled
    it; before the first day its state is left alone. The native expiry follows the end of the contracts, set
    before anything is granted so that access dies even if this product is dead.

    The accounts of whoever has become an employee are theirs: they are not disabled, and while a contract still runs
    the expiry is lifted. What was closed before that stays closed until whoever looks after employees opens it.

    Args:
        desired: For the identity that owns the account.
        account: As last observed.
        target: Name of the target.
        able: What the target can do beyond granting and revoking.
    """
    wanted = frozenset(e for e in desired.entitlements if e.target == target)
    changes = plan_changes(wanted, account.held)
    state: list[Change] = []
    ended = desired.has_ended and not desired.accounts_kept
    if Capability.DISABLE in able and ended and account.disabled is False:
        state.append(Change(Verb.DISABLE))
    expires_at = None if desired.accounts_kept else desired.ends_at
    if Capability.NATIVE_EXPIRY in able and desired.live and account.expires_at != expires_at:
        state.append(Change(Verb.SET_EXPIRY, expires_at=expires_at))
    if Capability.DISABLE in able and desired.live and account.disabled and account.disabled_here:
        state.append(Change(Verb.ENABLE))
    revokes = [c for c in changes if c.verb is Verb.REVOKE]
    grants = [c for c in changes if c.verb is Verb.GRANT]
    return (*revokes, *state, *grants)
