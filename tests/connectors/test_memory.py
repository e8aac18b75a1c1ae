"""The contract on the memory connector, with faults put in front of it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from connectors.base import AccountRef, EntitlementRef, TargetRefused, TargetUnavailable
from connectors.memory import MemoryConnector
from connectors.testing import ConnectorContract


class MemoryTarget:
    def __init__(self) -> None:
        self.memory = MemoryConnector("memory")
        self.connector = self.memory
        self._next = 0

    def add_account(self, name: str) -> AccountRef:
        self._next += 1
        return self.memory.add_account(f"id-{self._next}", name)

    def match(self, name: str) -> dict[str, str]:
        return {"name": name}

    def add_entitlement(self, name: str) -> tuple[EntitlementRef, str]:
        return self.memory.add_entitlement(name), name

    def rename_account(self, account: AccountRef, name: str) -> None:
        self.memory.accounts[account.native_id].name = name

    def remove_account(self, account: AccountRef) -> None:
        del self.memory.accounts[account.native_id]
        for held in self.memory.members.values():
            held.discard(account.native_id)

    @contextmanager
    def _failing(self, fault: Exception) -> Iterator[None]:
        names = ("held_by", "holders_of", "resolve", "entitlement", "state_of", "revoke", "grant")

        def fail(*_: object) -> None:
            raise fault

        for name in names:
            setattr(self.memory, name, fail)
        yield
        for name in names:
            delattr(self.memory, name)

    def outage(self) -> AbstractContextManager[None]:
        return self._failing(TargetUnavailable("switched off"))

    def refusing(self) -> AbstractContextManager[None]:
        return self._failing(TargetRefused("no"))

    def open_session(self, account: AccountRef) -> None:
        self.memory.accounts[account.native_id].sessions += 1


class TestMemory(ConnectorContract):
    @pytest.fixture
    def target(self) -> MemoryTarget:
        return MemoryTarget()
