"""What a full roster lacks: noted at first, ended at the second time, each contract in the scope of the roster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from lifecycle.domain.known_contracts import StoredContract
from lifecycle.domain.party import key_of
from lifecycle.domain.roster import Scope
from lifecycle.services.comparing import PATIENCE, Comparer
from lifecycle.services.reading import Stager
from lifecycle.services.upload_views import Upload
from lifecycle.settings.rosters import ProfileSettings
from lifecycle.store import roster_contracts, roster_items
from lifecycle.store.unit import Store, Unit

AT_ONCE = 2_000
MARGIN = timedelta(days=2)
"""Zones and bridges aside: a contract whose last day is longer ago is over, and its absence means nothing."""


def counts_since(today: date) -> date:
    """Return the first last day of contracts whose absence may mean something."""
    return today - MARGIN


def ends_what_lacks_again(unit: Unit, source: str, layout: ProfileSettings, today: date) -> datetime | None:
    """
    Say when a roster of *layout* must have been made to end a contract that it lacks once more; None if it ends none.

    Said of the contract that is missing longest: such a roster says something new, be it byte for byte the last one.
    """
    if layout.scope is not Scope.FULL:
        return None
    found = roster_contracts.missing_since(unit, source, today)
    own = [at for vendor, at in found.items() if _is_in_scope(layout, vendor)]
    return min(own) + PATIENCE if own else None


def _is_in_scope(layout: ProfileSettings, vendor: str) -> bool:
    """Say whether the absence of a contract of *vendor* means anything in a file of this layout."""
    return not layout.vendor or key_of(vendor) == key_of(layout.vendor)


@dataclass(frozen=True)
class Absence:
    """Compares what one upload lacks."""

    store: Store
    upload: Upload
    layout: ProfileSettings
    comparer: Comparer

    def expected(self, stager: Stager | None) -> Callable[[StoredContract], bool]:
        """Return what says whether it means something that no row speaks of a contract; None: as it was compared."""
        if self.layout.scope is not Scope.FULL or (stager is not None and stager.unreadable):
            return lambda _: False
        if stager is not None:
            own = self.upload.source
            return lambda s: s.engagement.source == own and _is_in_scope(self.layout, s.engagement.vendor)
        with self.store.read() as unit:
            noted = roster_items.absences(unit, self.upload.id)
        return lambda s: s.engagement.id in noted

    def note(self, stager: Stager) -> None:
        """Add what a file that was just read lacks; where rows do not say whom they concern, nothing for certain."""
        if self.layout.scope is not Scope.FULL or stager.unreadable:
            return
        with self.store.read() as unit:
            spoken_of = roster_items.spoken_of(unit, self.upload.id, self.upload.source)
        for _, items in self._compared(sorted(set(stager.known.unstated()) - spoken_of)):
            for item in items:
                stager.n += 1
                item["n"] = stager.n
            with self.store.write() as unit:
                self.comparer.claim.keep(unit)
                roster_items.add_items(unit, items)

    def note_anew(self) -> None:
        """Work out again what it means that an upload lacks some contracts; for some it may mean nothing any more."""
        with self.store.read() as unit:
            numbers = roster_items.absences(unit, self.upload.id)
        for ids, items in self._compared(list(numbers)):
            for item in items:
                item["n"] = numbers[item["engagement_id"]]
            meaningless = set(ids) - {item["engagement_id"] for item in items}
            settled = [{name: item[name] for name in ("n", "kind", "weight", "said", "facts")} for item in items]
            with self.store.write() as unit:
                self.comparer.claim.keep(unit)
                roster_items.delete_items(unit, self.upload.id, [numbers[id_] for id_ in meaningless])
                roster_items.settle_items(unit, self.upload.id, settled)

    def _compared(self, ids: Sequence[str]) -> Iterator[tuple[Sequence[str], list[dict[str, Any]]]]:
        for start in range(0, len(ids), AT_ONCE):
            chunk = ids[start : start + AT_ONCE]
            with self.store.read() as unit:
                stored = roster_contracts.contracts(unit, chunk)
                own = [s for s in stored if _is_in_scope(self.layout, s.engagement.vendor)]
                items = list(self.comparer.absent(unit, sorted(own, key=lambda s: s.engagement.id)))
            yield chunk, items
