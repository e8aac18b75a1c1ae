"""Planted faults: each is a mistake somebody could make, and the simulation must catch it."""

from typing import Any

from connectors.base import AccountRef, Connector, EntitlementRef
from lifecycle.domain.drift import Change, Verb
from lifecycle.domain.entitlement import Tier
from lifecycle.runtime import Runtime
from lifecycle.services import provisioning
from lifecycle.services.calls import Calls
from lifecycle.services.outcomes import Done, Failed
from lifecycle.services.promotion import Promotion
from lifecycle.services.settlement import Settlement
from lifecycle.store.work import WorkItem


class DoneBeforeApplied(Calls):
    """Marks a revoke done before applying it."""

    def _revoke(self, connector: Connector, items: list[WorkItem], refs: dict[int, AccountRef]) -> list[Done | Failed]:
        return [Done(item, "changed") for item in items]


class NoReadBack(Calls):
    """Believes what the call returned."""

    def read_back(self, connector: Connector, accounts: Any, right: EntitlementRef) -> frozenset[AccountRef]:
        import inspect

        granting = any(frame.function == "_grant" for frame in inspect.stack()[1:3])
        return frozenset(accounts) if granting else frozenset()


class GivesUp(Settlement):
    """Abandons a change after five tries."""

    def failed(self, result: Failed, retry_at: Any, wanted: bool) -> None:
        super().failed(result, retry_at, wanted=wanted and result.item.attempts < 5)


class HoldsGodEnds(Promotion):
    """Holds back a known end of god mode."""

    def _plan(self, *arguments: Any) -> tuple[Change, ...]:
        changes = super()._plan(*arguments)
        return tuple(c for c in changes if not (c.verb is Verb.REVOKE and c.tier is Tier.GOD))


PLANTS = ("done-before-applied", "no-read-back", "gives-up", "holds-god-ends")


def plant(name: str, runtime: Runtime, monkeypatch: Any) -> None:
    """Put one mistake into the product."""
    provisioner = runtime.engine.provisioner
    if name == "done-before-applied":
        provisioner.calls = DoneBeforeApplied(runtime.store, runtime.targets)
    elif name == "no-read-back":
        provisioner.calls = NoReadBack(runtime.store, runtime.targets)
    elif name == "gives-up":
        monkeypatch.setattr(provisioning, "Settlement", GivesUp)
    elif name == "holds-god-ends":
        from lifecycle.services import engine

        monkeypatch.setattr(engine, "Promotion", HoldsGodEnds)
