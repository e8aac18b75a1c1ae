"""What accounts of newcomers hold already: whatever a roster does not give them is taken away once it counts."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from connectors.base import AccountRef
from lifecycle.domain.access import Contract, DesiredAccess
from lifecycle.domain.comparison import Kind
from lifecycle.domain.consequence import Consequence, Weight, consequence_of
from lifecycle.domain.entitlement import Catalogue, Entitlement, Tier
from lifecycle.domain.identity import Identity, IdentityId
from lifecycle.services.calls import holdings_of, resolve
from lifecycle.services.claims import Claim
from lifecycle.services.rulebook import Rulebook
from lifecycle.services.tally import Tally
from lifecycle.services.targets import Targets
from lifecycle.store import observations, roster_items
from lifecycle.store.unit import Store

MOST = 5_000
"""So many new rows are looked at: with the first roster of a large company it would take an hour."""
AT_ONCE = 50
LONGEST = 60.0
"""Seconds for all of them, and in each target; what was not looked at by then is as what a target did not answer."""
Item = Any
"""A row of the items, see `lifecycle.store.roster_tables.RosterItemRow`."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Newcomer:
    """Somebody whom the product sees for the first time, with what a roster says of them."""

    person: Identity
    items: Sequence[Item]
    contracts: Sequence[Contract]
    desired: DesiredAccess


@dataclass(frozen=True)
class FirstSight:
    """Looks into the targets. One that does not answer says nothing, and delays no roster."""

    store: Store
    rulebook: Rulebook
    targets: Targets

    def note(self, upload_id: str, source: str, tally: Tally, claim: Claim, now: datetime) -> None:
        """
        Count what newcomers lose as surprise, and say so of their rows.

        God mode is no surprise that could be held: it is found in the target and taken away whatever is released.

        Args:
            upload_id: Of a roster that was compared.
            source: Whose numbering it uses.
            tally: What the roster adds up to; filled in.
            claim: The right to work on it.
            now: Aware.
        """
        newcomers, until = self._newcomers(upload_id, source, now), monotonic() + LONGEST
        for start in range(0, len(newcomers), AT_ONCE):
            some = newcomers[start : start + AT_ONCE]
            held, answered = self._held(some, claim, until)
            changed = []
            for newcomer, rights in zip(some, held, strict=True):
                lost = _lost(rights, newcomer.desired, self.targets.catalogue) + self._lost_before(newcomer, answered)
                if lost:
                    vendor = newcomer.contracts[0].engagement.vendor
                    tally.lose_new(newcomer.person.worker_id, vendor, frozenset(e.key for e in lost))
                changed += self._said(newcomer, lost, now)
            with self.store.write() as unit:
                claim.keep(unit)
                roster_items.settle_items(unit, upload_id, changed)

    def _newcomers(self, upload_id: str, source: str, now: datetime) -> list[_Newcomer]:
        with self.store.read() as unit:
            new = roster_items.items(unit, upload_id, kinds=(Kind.NEW.value,), after=-1, limit=MOST + 1)
        by_worker: dict[str, list[Item]] = defaultdict(list)
        for item in new if len(new) <= MOST and self.targets.names else ():
            if not item.identity_id:
                by_worker[item.worker_id].append(item)
        return [self._newcomer(items, source, now) for items in by_worker.values()]

    def _newcomer(self, items: Sequence[Item], source: str, now: datetime) -> _Newcomer:
        name, email, worker_id = items[0].facts["person"]
        person = Identity(IdentityId(""), name, worker_id, source, email)
        contracts = [
            self.rulebook.contract(
                roster_items.engagement_of(i.facts["after"], id_=str(i.n), identity_id="", source=source, import_id="")
            )
            for i in items
        ]
        return _Newcomer(person, items, contracts, self.rulebook.desired(contracts, now))

    def _held(
        self, newcomers: Sequence[_Newcomer], claim: Claim, until: float
    ) -> tuple[list[set[Entitlement]], frozenset[str]]:
        """
        Return what accounts of theirs hold that are nobody else's here, and which targets have answered.

        A connector may be anybody's: whatever goes wrong in one is no reason to read no roster.
        """
        found: list[set[Entitlement]] = [set() for _ in newcomers]
        answered = set()
        for name in self.targets.names:
            claim.beat_now_and_then()
            if monotonic() > until:
                break
            try:
                held = self._held_in(name, newcomers)
            except Exception as exc:  # noqa: BLE001 - the edge to connectors
                _log.info("target %s: not looked at for a roster: %s", name, exc)
                continue
            answered.add(name)
            for index, rights in held.items():
                found[index].update(rights)
        return found, frozenset(answered)

    def _lost_before(self, newcomer: _Newcomer, answered: frozenset[str]) -> list[Entitlement]:
        """Return what a look before found lost in targets that do not answer now: silence takes nothing back."""
        keys = {key for item in newcomer.items for key in item.facts.get("lost", ())}
        known = (self.targets.catalogue.entitlements.get(key) for key in sorted(keys))
        return [e for e in known if e is not None and e.target not in answered]

    def _held_in(self, name: str, newcomers: Sequence[_Newcomer]) -> Mapping[int, Collection[Entitlement]]:
        target, connector = self.targets[name], self.targets.connector(name)
        wanted = [target.attributes_of(n.person, _references(n)) for n in newcomers]
        resolved = {n: ref for n, ref in enumerate(resolve(connector, wanted)) if isinstance(ref, AccountRef)}
        with self.store.read() as unit:
            free = {n: ref for n, ref in resolved.items() if observations.owner_of(unit, name, ref.native_id) is None}
        if not free:
            return {}
        rights, _ = self.targets.refs(name)
        held = holdings_of(connector, list(free.values()), rights)
        return {n: [rights[ref] for ref in held.get(account, ()) if ref in rights] for n, account in free.items()}

    def _said(self, newcomer: _Newcomer, lost: Collection[Entitlement], now: datetime) -> list[dict[str, Any]]:
        """Return what is to be said of the rows of one person, where it is not what is said already."""
        names = ", ".join(sorted(e.key for e in lost))
        changed = []
        for item, contract in zip(newcomer.items, newcomer.contracts, strict=True):
            told = consequence_of(None, contract, self.rulebook.catalogue, now)
            if lost:
                told = Consequence(Weight.REMOVED_NOW, f"{told.words}; loses {names} at once, which the account holds")
            if (told.weight.value, told.words) != (item.weight, item.said) and (lost or _was_told(item)):
                facts = {**item.facts, "lost": sorted(e.key for e in lost)}
                changed.append({"n": item.n, "weight": told.weight.value, "said": told.words, "facts": facts})
        return changed


def _was_told(item: Item) -> bool:
    """Say whether a row says that something is lost: nobody who is new loses anything otherwise."""
    return bool(item.weight == Weight.REMOVED_NOW.value)


def _lost(held: Collection[Entitlement], desired: DesiredAccess, catalogue: Catalogue) -> list[Entitlement]:
    """Return what goes, unless it is what something that is given narrows to: whoever gets more loses nothing."""
    gives = {e.key for e in desired.entitlements}
    return [
        e
        for e in held
        if e.tier is not Tier.GOD and e.key not in gives and not any(catalogue.narrows(key, e.key) for key in gives)
    ]


def _references(newcomer: _Newcomer) -> list[str]:
    return [contract.engagement.reference for contract in reversed(newcomer.contracts)]
