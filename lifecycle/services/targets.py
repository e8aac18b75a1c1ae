"""The configured targets: their connectors, what their entitlements are natively, and how each stands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.base import (
    AccountDisabler,
    Capability,
    Connector,
    ConnectorError,
    EntitlementRef,
    NativeExpiry,
    NoSuchEntitlement,
    SessionEnder,
    Severity,
)
from lifecycle.domain import drift
from lifecycle.domain.entitlement import Catalogue, Entitlement
from lifecycle.domain.errors import NotFound
from lifecycle.domain.identity import Identity
from lifecycle.domain.known_contracts import number_of
from lifecycle.services.clock import Clock
from lifecycle.store import observations, state, work
from lifecycle.store.unit import Store

UP, DOWN = "up", "down"


@dataclass(frozen=True)
class Target:
    """One target as configured. ``connect`` makes a connector; each thread uses its own."""

    name: str
    title: str
    match: Mapping[str, str]
    """Attribute in the target to fact of the person."""
    connect: Callable[[], Connector]

    def attributes_of(self, person: Identity, references: Iterable[str] = ()) -> dict[str, str]:
        """
        Return the attributes by which the account of *person* is found; empty values match nothing.

        Args:
            person: Whose.
            references: Of their contracts, the last one first: by its number as it came.
        """
        facts = {
            "worker_id": person.worker_id,
            "email": person.email,
            "name": person.name,
            "reference": number_of(next(iter(references), "")),
        }
        return {attribute: facts[fact] for attribute, fact in self.match.items()}


class Targets:
    """All targets by name. Safe to use from several threads."""

    def __init__(self, store: Store, catalogue: Catalogue, targets: Iterable[Target], clock: Clock) -> None:
        self._store, self.catalogue, self._clock = store, catalogue, clock
        self._targets = {target.name: target for target in targets}
        self._local = threading.local()
        self._bound: dict[str, EntitlementRef] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the order of the configuration."""
        return tuple(self._targets)

    def __getitem__(self, name: str) -> Target:
        """
        Look a target up.

        Raises:
            NotFound: If it is not configured.
        """
        if name not in self._targets:
            raise NotFound(f"there is no target {name!r}; there are {', '.join(self._targets) or 'none'}")
        return self._targets[name]

    def connector(self, name: str) -> Connector:
        """Return this thread's connector for a target."""
        connectors: dict[str, Connector] = self._local.__dict__.setdefault("connectors", {})
        if name not in connectors:
            connectors[name] = self[name].connect()
        return connectors[name]

    def planned_capabilities(self, name: str) -> frozenset[drift.Capability]:
        """Return what the kind of target can do; the target itself may still lack it (`Connector.capabilities`)."""
        connector = self.connector(name)
        able = {
            drift.Capability.DISABLE: isinstance(connector, AccountDisabler),
            drift.Capability.END_SESSIONS: isinstance(connector, SessionEnder),
            drift.Capability.NATIVE_EXPIRY: isinstance(connector, NativeExpiry),
        }
        return frozenset(capability for capability, has in able.items() if has)

    def ref(self, entitlement: Entitlement) -> EntitlementRef:
        """
        Return an entitlement's native id, found by its locator and remembered.

        A right that was renamed keeps its id; one that was made anew under the same name has another, and that is
        the one the configuration means.

        Raises:
            NoSuchEntitlement: If it was never found and is not there.
            ConnectorError: If the target cannot be asked.
        """
        known = self._bound.get(entitlement.key)
        if known is None:
            with self._store.read() as unit:
                locator, native_id = observations.bindings(unit).get(entitlement.key, ("", ""))
            known = EntitlementRef(native_id) if native_id and locator == entitlement.locator else None
        try:
            found = self.connector(entitlement.target).entitlement(entitlement.locator)
        except NoSuchEntitlement:
            if known is None:
                raise
            return known
        if found != known:
            with self._store.write() as unit:
                observations.bind(unit, entitlement.key, entitlement.locator, found.native_id)
        self._bound[entitlement.key] = found
        return found

    def refs(self, name: str) -> tuple[dict[EntitlementRef, Entitlement], list[str]]:
        """
        Return the entitlements of a target by native id, and what is wrong with those that are not there.

        Raises:
            ConnectorError: If the target cannot be asked.
        """
        found: dict[EntitlementRef, Entitlement] = {}
        problems = []
        for entitlement in self.catalogue.in_target(name):
            try:
                found[self.ref(entitlement)] = entitlement
            except NoSuchEntitlement as exc:
                problems.append(f"{entitlement.key}: {exc}")
        return found, problems

    def preflight(self, name: str) -> list[dict[str, str]]:
        """
        Ask a target what is missing, and store what it says.

        Returns:
            Findings as topic, severity, message and remedy; an outage is one of them.
        """
        try:
            connector = self.connector(name)
            findings = [
                {"topic": f.topic, "severity": f.severity.value, "message": f.message, "remedy": f.remedy}
                for f in connector.preflight()
            ]
            capabilities = sorted(c.value for c in connector.capabilities())
            _, problems = self.refs(name)
        except ConnectorError as exc:
            self.note(name, self._clock.now(), exc)
            return [_finding("connection", str(exc), "See docs/operations.md, 'A target is down'.")]
        remedy = "Correct locator in config.toml, or create the right in the target."
        findings += [_finding("entitlement", problem, remedy) for problem in problems]
        self.note(name, self._clock.now(), None, capabilities=capabilities, findings=findings)
        return findings

    def note(self, name: str, at: datetime, error: ConnectorError | None, **values: object) -> None:
        """Store that a target answered, or that it did not; what waited for one that is back is tried at once."""
        with self._store.write() as unit:
            new = DOWN if error is not None and error.retryable else UP
            message = str(error) if error is not None else ""
            before = state.note_health(unit, name, at, state=new, message=message, **values)
            if before == new:
                return
            unit.shows()
            if before == DOWN:
                work.wake(unit, name, at)
            if before or new == DOWN:
                unit.audit(
                    at=at, actor="scheduler", action=f"target-{new}", object_=f"target:{name}", after={"why": message}
                )


def _finding(topic: str, message: str, remedy: str) -> dict[str, str]:
    return {"topic": topic, "severity": Severity.ERROR.value, "message": message, "remedy": remedy}


def can(connector: Connector, capability: Capability) -> bool:
    """
    Say whether a target can do something, kind and target itself considered.

    Raises:
        ConnectorError: If the target has to be asked and does not answer.
    """
    protocols = {
        Capability.DISABLE: AccountDisabler,
        Capability.END_SESSIONS: SessionEnder,
        Capability.NATIVE_EXPIRY: NativeExpiry,
    }
    return isinstance(connector, protocols[capability]) and capability in connector.capabilities()
