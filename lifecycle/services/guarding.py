"""What the guard says of an upload: the file as a whole against the last one, and whom it takes by surprise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from lifecycle.domain.comparison import SPEAKS_OF_KNOWN, Kind
from lifecycle.domain.guard import WINDOW, Feed, Finding
from lifecycle.services.age import is_full
from lifecycle.services.layouts import Layouts
from lifecycle.services.tally import SOONER_BY_FAR, Tally, findings
from lifecycle.services.upload_views import Upload, rows_that_count
from lifecycle.services.uploads import Uploads
from lifecycle.settings.rosters import GuardSettings
from lifecycle.store import roster_contracts, roster_imports, roster_items
from lifecycle.store.roster_tables import RosterSourceRow
from lifecycle.store.tables import RosterImportRow
from lifecycle.store.unit import Unit


@dataclass(frozen=True)
class Guard:
    """Asks the guard, in preview, at confirmation and at release alike."""

    uploads: Uploads
    layouts: Layouts
    settings: GuardSettings

    def findings(
        self, unit: Unit, upload: Upload, tally: Tally, now: datetime, read: Mapping[str, int] | None
    ) -> list[dict[str, Any]]:
        """
        Ask the guard about an upload as it was compared.

        Args:
            unit: To read in.
            upload: Which.
            tally: What its rows add up to.
            now: The instant that it was compared for.
            read: `Worked.counts`.

        Returns:
            The findings as they are stored.
        """
        row = self.uploads.row(unit, upload.id)
        read = row.counts if read is None else read
        before = self._full_before(unit, upload)
        source = unit.session.get(RosterSourceRow, upload.source)
        header = source.headers.get(upload.profile) if source else None
        last_line = roster_imports.last_line_before(unit, upload.source, upload.profile)
        counted = {kind: n for (kind,), n in roster_items.count_rows(unit, upload.id, "kind").items()}
        unusable = counted.get(Kind.UNUSABLE, 0)
        sooner, running = self._sooner_lately(unit, upload, tally, now)
        feed = Feed(
            rows=rows_that_count(row.lines, {**read, Kind.UNUSABLE: unusable}),
            rows_before=before.rows if before else 0,
            header_changed=bool(header and row.header) and header != row.header,
            known=read.get("untouched", 0) + roster_items.count_contracts(unit, upload.id, SPEAKS_OF_KNOWN),
            moved=len(tally.moved),
            sooner=sooner,
            running=running,
            unusable=unusable,
            cut_off=(last_line, row.last_line) == ("ended", "open"),
        )
        found = findings(unit, tally, feed=feed, limits=self.settings.limits, now=now)
        if found and (ends := tally.god_ends.keys() | tally.god_in_doubt.keys()):
            count = len(ends)
            words = (
                f"god mode of {count:,} contract{'s' if count > 1 else ''} ends as it says, whoever releases the rest"
            )
            found = (*found, Finding("god", words))
        return [asdict(finding) for finding in found]

    @staticmethod
    def _sooner_lately(unit: Unit, upload: Upload, tally: Tally, now: datetime) -> tuple[int, int]:
        """Count contracts that end sooner with those of the last 24 hours, and all that run, where there are such."""
        if not tally.sooner:
            return 0, 0
        before = sum(c.get(SOONER_BY_FAR, 0) for c in roster_imports.counts_since(unit, upload.source, now - WINDOW))
        if not before:
            return len(tally.sooner), 0
        return len(tally.sooner) + before, roster_contracts.count_running(unit, upload.source, now.date())

    def _full_before(self, unit: Unit, upload: Upload) -> RosterImportRow | None:
        """
        Return the import whose rows a full file is measured by; None where there is none.

        A profile without one of its own is measured by its source, unless it tells of one vendor only; and of the
        source's profiles by one that tells of all of them.
        """
        if upload.layout is None or not is_full(upload):
            return None
        own = roster_imports.last_full_import(unit, upload.profile)
        if own is not None or upload.layout.vendor:
            return own
        layouts = self.layouts.all(unit)
        others = roster_imports.last_full_imports(unit, upload.source)
        return next((o for o in others if o.profile not in layouts or not layouts[o.profile].vendor), None)


def scopes(guard: Iterable[Mapping[str, Any]]) -> frozenset[tuple[str, str, str]]:
    """Return what kind of limits are passed, and for whom; the numbers in their words move every day."""
    return frozenset((finding["scope"], finding["vendor"], finding.get("group", "")) for finding in guard)
