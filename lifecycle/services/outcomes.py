"""What came of a work item: proven, or not proven and why."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.base import AccountRef, AccountState, ConnectorError, NoSuchAccount, TargetUnavailable
from lifecycle.store.work import WorkItem

UNSUPPORTED = "unsupported"
NO_ACCOUNT = "no account"


class Unproven(TargetUnavailable):
    """The call went well, and the target read again shows otherwise."""


@dataclass(frozen=True)
class Seen:
    """What an account was seen to be and to hold."""

    account: AccountRef
    held: frozenset[str]
    state: AccountState


@dataclass(frozen=True)
class Done:
    """A change proven in the target, and how the account stood when it was read back."""

    item: WorkItem
    outcome: str
    seen: Seen | None = None
    state: AccountState | None = None


@dataclass(frozen=True)
class Failed:
    """A change that is not proven. It is tried again; what is not retryable is also shown to a person."""

    item: WorkItem
    error: ConnectorError

    @property
    def kind(self) -> str:
        """``unavailable``, ``unproven``, ``no-account`` or ``refused``."""
        if isinstance(self.error, Unproven):
            return "unproven"
        if isinstance(self.error, NoSuchAccount):
            return "no-account"
        return "unavailable" if self.error.retryable else "refused"
