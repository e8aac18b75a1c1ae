"""The contract every connector keeps, as one test class. A new connector's tests subclass it with a ``target``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Protocol

import pytest

from connectors.base import (
    AccountDisabler,
    AccountRef,
    BulkReader,
    Capability,
    Connector,
    EntitlementRef,
    NativeExpiry,
    NoSuchAccount,
    NoSuchEntitlement,
    Outcome,
    SessionEnder,
    Severity,
    TargetRefused,
    TargetUnavailable,
)

NAMES = [
    "ada",
    "Zoë Ångström",
    "李 明",
    "o'brien, ada",
    "#1 admin*",
    "a(b)c\\d",
    "  padded  ",
    'quo"te',
    "α+β=γ;<>",
]
END = datetime(2031, 3, 31, 22, 0, tzinfo=UTC)


class ContractTarget(Protocol):
    """A throw-away target with the hands of its own administrator."""

    connector: Any

    def add_account(self, name: str) -> AccountRef:
        """Create an account that `match` finds."""
        ...

    def match(self, name: str) -> dict[str, str]:
        """Return the attributes that resolve the account called *name*."""
        ...

    def add_entitlement(self, name: str) -> tuple[EntitlementRef, str]:
        """Create a right that nobody holds yet; return it and its locator."""
        ...

    def rename_account(self, account: AccountRef, name: str) -> None:
        """Rename an account behind the connector's back."""
        ...

    def remove_account(self, account: AccountRef) -> None:
        """Delete an account behind the connector's back."""
        ...

    def outage(self) -> AbstractContextManager[None]:
        """Make the target unreachable inside the block."""
        ...

    def refusing(self) -> AbstractContextManager[None] | None:
        """Make the target refuse changes inside the block; None where a target cannot refuse."""
        ...

    def open_session(self, account: AccountRef) -> None:
        """Open a session, where the target has any."""
        ...


class ConnectorContract:
    """Success, repetition, rename, outage, refusal, last member, unicode names."""

    def test_an_account_is_resolved_by_its_attributes(self, target: ContractTarget) -> None:
        ada = target.add_account("ada")
        target.add_account("grace")
        assert target.connector.resolve(target.match("ada")) == ada

    def test_an_unknown_person_is_not_guessed(self, target: ContractTarget) -> None:
        target.add_account("ada")
        with pytest.raises(NoSuchAccount):
            target.connector.resolve(target.match("adam"))
        with pytest.raises(NoSuchAccount):
            target.connector.resolve({})

    @pytest.mark.parametrize("name", NAMES)
    def test_names_survive_a_round_trip(self, target: ContractTarget, name: str) -> None:
        account = target.add_account(name)
        right, locator = target.add_entitlement(name)
        connector: Connector = target.connector

        assert connector.entitlement(locator) == right
        assert connector.resolve(target.match(name)) == account
        assert connector.grant(account, right) is Outcome.CHANGED
        assert connector.held_by(account) == {right}
        assert connector.holders_of([right])[right] == {account}
        assert connector.revoke(account, right) is Outcome.CHANGED
        assert connector.held_by(account) == frozenset()

    def test_granting_twice_changes_nothing(self, target: ContractTarget) -> None:
        ada, (admins, _) = target.add_account("ada"), target.add_entitlement("admins")
        assert target.connector.grant(ada, admins) is Outcome.CHANGED
        assert target.connector.grant(ada, admins) is Outcome.UNCHANGED
        assert target.connector.held_by(ada) == {admins}

    def test_revoking_twice_changes_nothing(self, target: ContractTarget) -> None:
        ada, (admins, _) = target.add_account("ada"), target.add_entitlement("admins")
        grace = target.add_account("grace")
        target.connector.grant(ada, admins)
        target.connector.grant(grace, admins)

        assert target.connector.revoke(ada, admins) is Outcome.CHANGED
        assert target.connector.revoke(ada, admins) is Outcome.UNCHANGED
        assert target.connector.held_by(ada) == frozenset()
        assert target.connector.held_by(grace) == {admins}

    def test_the_last_member_goes(self, target: ContractTarget) -> None:
        ada, (admins, _) = target.add_account("ada"), target.add_entitlement("admins")
        for _ in range(2):
            assert target.connector.grant(ada, admins) is Outcome.CHANGED
            assert target.connector.revoke(ada, admins) is Outcome.CHANGED
            assert target.connector.holders_of([admins])[admins] == frozenset()

    def test_a_revoke_touches_no_other_right_and_no_other_person(self, target: ContractTarget) -> None:
        ada, grace = target.add_account("ada"), target.add_account("grace")
        (admins, _), (agents, _) = target.add_entitlement("admins"), target.add_entitlement("agents")
        for account in (ada, grace):
            for right in (admins, agents):
                target.connector.grant(account, right)

        target.connector.revoke(ada, admins)

        assert target.connector.held_by(ada) == {agents}
        assert target.connector.held_by(grace) == {admins, agents}
        assert target.connector.holders_of([admins, agents]) == {admins: {grace}, agents: {ada, grace}}

    def test_a_renamed_account_is_still_the_same_account(self, target: ContractTarget) -> None:
        """Ids survive renames, so a rename cannot dodge a revoke."""
        ada, (admins, _) = target.add_account("ada"), target.add_entitlement("admins")
        target.connector.grant(ada, admins)
        target.rename_account(ada, "grace")

        assert target.connector.revoke(ada, admins) is Outcome.CHANGED
        assert target.connector.held_by(ada) == frozenset()

    def test_an_account_that_is_gone_holds_nothing(self, target: ContractTarget) -> None:
        ada, (admins, _) = target.add_account("ada"), target.add_entitlement("admins")
        target.connector.grant(ada, admins)
        target.remove_account(ada)

        assert target.connector.held_by(ada) == frozenset()
        assert target.connector.revoke(ada, admins) is Outcome.UNCHANGED
        with pytest.raises(NoSuchAccount):
            target.connector.grant(ada, admins)

    def test_a_right_that_is_not_there_is_named(self, target: ContractTarget) -> None:
        ada, (_, locator) = target.add_account("ada"), target.add_entitlement("admins")
        with pytest.raises(NoSuchEntitlement, match="nowhere"):
            target.connector.entitlement(locator.replace("admins", "nowhere"))
        with pytest.raises(NoSuchEntitlement):
            target.connector.grant(ada, EntitlementRef("00000000-0000-0000-0000-000000000000"))
        assert target.connector.revoke(ada, EntitlementRef("00000000-0000-0000-0000-000000000000"))

    def test_an_outage_is_never_taken_for_holding_nothing(self, target: ContractTarget) -> None:
        ada, (admins, locator) = target.add_account("ada"), target.add_entitlement("admins")
        connector = target.connector
        connector.grant(ada, admins)
        calls: list[Callable[[], object]] = [
            lambda: connector.held_by(ada),
            lambda: connector.holders_of([admins]),
            lambda: connector.resolve(target.match("ada")),
            lambda: connector.entitlement(locator),
            lambda: connector.state_of(ada),
            lambda: connector.revoke(ada, admins),
            lambda: connector.grant(ada, admins),
        ]
        with target.outage():
            for call in calls:
                with pytest.raises(TargetUnavailable):
                    call()
        assert connector.held_by(ada) == {admins}

    def test_a_refusal_is_an_error_and_changes_nothing(self, target: ContractTarget) -> None:
        ada, (admins, _) = target.add_account("ada"), target.add_entitlement("admins")
        target.connector.grant(ada, admins)
        refusing = target.refusing()
        if refusing is None:
            return
        with refusing, pytest.raises(TargetRefused):
            target.connector.revoke(ada, admins)
        assert target.connector.held_by(ada) == {admins}

    def test_capabilities_have_their_protocols(self, target: ContractTarget) -> None:
        protocols = {
            Capability.DISABLE: AccountDisabler,
            Capability.END_SESSIONS: SessionEnder,
            Capability.NATIVE_EXPIRY: NativeExpiry,
        }
        for capability in target.connector.capabilities():
            assert isinstance(target.connector, protocols[capability])

    def test_disabling_and_enabling(self, target: ContractTarget) -> None:
        if Capability.DISABLE not in target.connector.capabilities():
            return
        ada = target.add_account("ada")
        assert target.connector.state_of(ada).disabled is False
        assert target.connector.disable(ada) is Outcome.CHANGED
        assert target.connector.disable(ada) is Outcome.UNCHANGED
        assert target.connector.state_of(ada).disabled is True
        assert target.connector.enable(ada) is Outcome.CHANGED
        assert target.connector.enable(ada) is Outcome.UNCHANGED
        assert target.connector.state_of(ada).disabled is False

    def test_native_expiry(self, target: ContractTarget) -> None:
        if Capability.NATIVE_EXPIRY not in target.connector.capabilities():
            return
        ada = target.add_account("ada")
        assert target.connector.state_of(ada).expires_at is None
        assert target.connector.set_expiry(ada, END) is Outcome.CHANGED
        assert target.connector.set_expiry(ada, END) is Outcome.UNCHANGED
        assert target.connector.state_of(ada).expires_at == END
        assert target.connector.set_expiry(ada, None) is Outcome.CHANGED
        assert target.connector.state_of(ada).expires_at is None

    def test_sessions_end(self, target: ContractTarget) -> None:
        if Capability.END_SESSIONS not in target.connector.capabilities():
            return
        ada, grace = target.add_account("ada"), target.add_account("grace")
        target.open_session(ada)
        target.open_session(grace)
        assert target.connector.end_sessions(ada) is Outcome.CHANGED
        assert target.connector.end_sessions(ada) is Outcome.UNCHANGED
        assert target.connector.open_sessions(ada) == 0
        assert target.connector.open_sessions(grace) == 1

    def test_many_are_resolved_as_one_by_one(self, target: ContractTarget) -> None:
        if not isinstance(target.connector, BulkReader):
            return
        names = [f"person {n}" for n in range(120)]
        accounts = [target.add_account(name) for name in names]
        wanted = [target.match(name) for name in names] + [target.match("nobody"), {}]
        found = target.connector.resolve_many(wanted)
        assert list(found[:120]) == accounts
        assert all(isinstance(miss, NoSuchAccount) for miss in found[120:])
        assert target.connector.states_of(accounts).keys() == set(accounts)

    def test_what_many_hold_is_read_as_one_by_one(self, target: ContractTarget) -> None:
        connector: Any = target.connector
        if not hasattr(connector, "holdings_of"):
            return
        ada, grace, gone = (target.add_account(name) for name in ("ada", "grace", "gone"))
        (admins, _), (agents, _) = target.add_entitlement("admins"), target.add_entitlement("agents")
        connector.grant(ada, admins)
        connector.grant(grace, admins)
        connector.grant(grace, agents)
        target.remove_account(gone)
        held = connector.holdings_of([ada, grace, gone], [admins, agents])
        assert held == {ada: {admins}, grace: {admins, agents}, gone: frozenset()}

    def test_many_lose_a_right_as_one_by_one(self, target: ContractTarget) -> None:
        connector: Any = target.connector
        if not hasattr(connector, "revoke_many"):
            return
        accounts = [target.add_account(f"person {n}") for n in range(60)]
        right, _ = target.add_entitlement("admins")
        for account in accounts[:55]:
            connector.grant(account, right)
        outcomes = connector.revoke_many(accounts[5:], right)
        assert [outcomes[a] for a in accounts[5:]] == [Outcome.CHANGED] * 50 + [Outcome.UNCHANGED] * 5
        assert connector.holders_of([right])[right] == set(accounts[:5])
        connector.revoke_many(accounts, right)
        assert connector.holders_of([right])[right] == frozenset()

    def test_preflight_finds_nothing_wrong_here(self, target: ContractTarget) -> None:
        ada, (admins, _) = target.add_account("ada"), target.add_entitlement("admins")
        target.connector.grant(ada, admins)
        findings = target.connector.preflight()
        assert findings
        assert [f for f in findings if f.severity is Severity.ERROR] == []
        assert target.connector.held_by(ada) == {admins}
