"""Sponsors that a roster names: those nobody knows though somebody with almost that name is here, and those gone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lifecycle.domain.comparison import Kind
from lifecycle.domain.party import is_address, key_of
from lifecycle.domain.roster import Cause, Complaint
from lifecycle.services.claims import Claim
from lifecycle.services.reading import ITEM, complained
from lifecycle.store import members, people, roster_items
from lifecycle.store.unit import Store, Unit

MOST_UNKNOWN = 300
UNKNOWN = "Nobody here is known by that; until somebody is, the fallback reviews requests for these people."
ROWS_AT_ONCE = 5_000


@dataclass
class Sponsors:
    """Notes, beside the rows of an upload, sponsors that somebody should look at."""

    store: Store

    def note(self, upload_id: str, named: Collection[str], claim: Claim) -> None:
        """Add a note for every new or changed row whose sponsor (one of *named*) is misspelt, or no longer here."""
        with self.store.write() as unit:
            claim.keep(unit)
            roster_items.clear_notes(unit, upload_id, Cause.SPONSOR.value)
        with self.store.read() as unit:
            wrong = self._wrong(unit, named)
        if not wrong:
            return
        after, n = -1, None
        while True:
            with self.store.write() as unit:
                claim.keep(unit)
                n = roster_items.last_number(unit, upload_id) if n is None else n
                rows = roster_items.items(unit, upload_id, kinds=(Kind.NEW, Kind.CHANGED, Kind.SOONER, Kind.LATER),
                                     after=after, limit=ROWS_AT_ONCE)  # fmt: skip
                notes = []
                for row in rows:
                    sponsor = row.facts.get("after", {}).get("sponsor", "")
                    if sponsor in wrong:
                        n += 1
                        complaint = Complaint(
                            row.line, "sponsor", sponsor, "somebody who is known here", wrong[sponsor],
                            Cause.SPONSOR, row.worker_id, row.reference, row.name,
                        )  # fmt: skip
                        notes.append({**ITEM, "upload_id": upload_id, "n": n, **complained(complaint, Kind.NOTE)})
                roster_items.add_items(unit, notes)
            if len(rows) < ROWS_AT_ONCE:
                return
            after = rows[-1].n

    def known(self, name: str) -> bool:
        """Say whether somebody here is known by *name*, or sponsors a stored contract under it."""
        with self.store.read() as unit:
            key = key_of(name)
            found = [m for m in members.by_names(unit, [key]) if m.disabled_at is None]
            return bool(found) or key in people.sponsors_in_use(unit)

    @staticmethod
    def _wrong(unit: Unit, named: Collection[str]) -> dict[str, str]:
        """Return sponsors that are misspelt or gone, each with what to do."""
        spellings = {key_of(name): name for name in named if name}
        known = members.by_names(unit, list(spellings)) if spellings else []
        here = {key for m in known if m.disabled_at is None for key in (m.login_key, m.email_key, m.employee_key)}
        gone = {key for m in known if m.disabled_at is not None for key in (m.login_key, m.email_key, m.employee_key)}
        used = people.sponsors_in_use(unit)
        wrong = {}
        for key, name in spellings.items():
            if key in gone - here:
                wrong[name] = "Their account is closed; name whoever answers for the contract now."
        known_keys = here | used | members.addresses(unit)
        unknown = {key: name for key, name in spellings.items() if key not in known_keys | gone}
        if unknown and here and len(unknown) <= MOST_UNKNOWN:  # before anybody signs in, nobody is known
            wrong |= dict.fromkeys(unknown.values(), UNKNOWN)
        if unknown:
            meant = _Spellings(known_keys)
            slips = {name: meant.of(key) for key, name in unknown.items() if is_address(key)}
            wrong |= {name: f"Did you mean {found}?" for name, found in slips.items() if found}
        return wrong


class _Spellings:
    """Finds what was meant by something that is one slip away: a letter too many, too few, wrong, or swapped."""

    def __init__(self, known: Collection[str]) -> None:
        self._by_rest: dict[str, str] = {}
        for key in sorted(known):
            for rest in _slips(key):
                self._by_rest.setdefault(rest, key)

    def of(self, key: str) -> str:
        """Return what was meant by *key*; empty when nothing is near enough."""
        return next((self._by_rest[rest] for rest in _slips(key) if rest in self._by_rest), "")


def _slips(key: str) -> list[str]:
    """Return *key* and everything that one letter less makes of it; two words one slip apart share one of these."""
    return [key, *(key[:n] + key[n + 1 :] for n in range(len(key)))]
