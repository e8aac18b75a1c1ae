"""Sponsors that a roster names: those nobody knows though somebody with almost that name is here, and those gone."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass

from lifecycle.domain.comparison import Kind
from lifecycle.domain.party import is_address, key_of
from lifecycle.domain.roster import Cause, Complaint
from lifecycle.services.reading import ITEM, complained
from lifecycle.store import members, people, rosters
from lifecycle.store.unit import Store, Unit

ALIKE = 0.85
"""How alike two spellings are at least for one to be taken for a slip; one is the same."""
MOST_SPELLINGS = 300
"""More unknown sponsors than this are no slips: the product is new here, and nobody has signed in yet."""
ROWS_AT_ONCE = 5_000


@dataclass
class Sponsors:
    """Notes, beside the rows of an upload, sponsors that somebody should look at."""

    store: Store

    def note(self, upload_id: str, named: Collection[str]) -> None:
        """Add a note for every new or changed row whose sponsor (one of *named*) is misspelt, or no longer here."""
        with self.store.write() as unit:
            rosters.clear_notes(unit, upload_id, Cause.SPONSOR.value)
        with self.store.read() as unit:
            wrong = self._wrong(unit, named)
        if not wrong:
            return
        after, n = -1, None
        while True:
            with self.store.write() as unit:
                n = rosters.last_number(unit, upload_id) if n is None else n
                rows = rosters.items(unit, upload_id, kinds=(Kind.NEW, Kind.CHANGED, Kind.SOONER, Kind.LATER),
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
                rosters.add_items(unit, notes)
            if len(rows) < ROWS_AT_ONCE:
                return
            after = rows[-1].n

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
        unknown = [key for key in spellings if key not in here | gone | used and is_address(key)]
        if len(unknown) > MOST_SPELLINGS:
            return wrong
        candidates = sorted(here | used | members.addresses(unit))
        for key in unknown:
            close = difflib.get_close_matches(key, candidates, n=1, cutoff=ALIKE)
            if close:
                wrong[spellings[key]] = f"Did you mean {close[0]}?"
        return wrong
