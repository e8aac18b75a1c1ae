"""The way of a file: laid out, read, compared, and then confirmed, held or left to a person."""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from lifecycle.domain.comparison import WEIGHED, Comparing, Kind
from lifecycle.domain.consequence import Weight
from lifecycle.domain.engagement import Engagement
from lifecycle.domain.errors import LifecycleError
from lifecycle.feed.kinds import Kind as FileKind
from lifecycle.feed.look import Look, look
from lifecycle.feed.matching import headers_match
from lifecycle.feed.read import read_roster
from lifecycle.feed.table import FileLimits, Unreadable
from lifecycle.services.absence import Absence, counts_since, ends_what_lacks_again
from lifecycle.services.age import is_full, overtaken, why_overtaken, why_too_old
from lifecycle.services.claims import SILENT, Claim, Claims
from lifecycle.services.clock import Clock
from lifecycle.services.comparing import Comparer
from lifecycle.services.files import RosterFiles
from lifecycle.services.first_sight import FirstSight
from lifecycle.services.guarding import Guard
from lifecycle.services.known import Known
from lifecycle.services.layouts import Layouts
from lifecycle.services.reading import Stager
from lifecycle.services.rulebook import Rulebook
from lifecycle.services.sponsors import Sponsors
from lifecycle.services.tally import Tally
from lifecycle.services.upload_views import BY_THEMSELVES, ROW_BY_ROW, State, Upload, document_of
from lifecycle.services.uploads import Uploads
from lifecycle.settings.rosters import ProfileSettings, RosterSettings
from lifecycle.store import roster_contracts, roster_imports, roster_items, roster_uploads
from lifecycle.store.roster_tables import RosterSourceRow
from lifecycle.store.unit import Store, Unit

_log = logging.getLogger(__name__)
DELETED_AT_ONCE = 50_000
LAST_LINE = {True: "ended", False: "open", None: ""}
"""`Stager.is_ended` as it is stored."""


@dataclass(frozen=True, slots=True)
class Worked:
    """What comparing an upload came to."""

    tally: Tally
    guard: list[dict[str, Any]]
    digest: str
    base: str
    """Id of the last import of the source that it was compared with."""
    now: datetime
    """The instant that it was worked out for."""
    counts: Mapping[str, int] | None = None
    """What reading came to; None where the file was not read for this."""


@dataclass
class Intake:
    """Takes files as far as they go without a person."""

    store: Store
    uploads: Uploads
    files: RosterFiles
    layouts: Layouts
    rulebook: Rulebook
    sponsors: Sponsors
    first_sight: FirstSight
    guard: Guard
    settings: RosterSettings
    clock: Clock
    claims: Claims
    _busy: threading.Lock = field(default_factory=threading.Lock)
    _started: set[str] = field(default_factory=set)
    """Uploads that go on in the background, or wait for their turn to."""

    def start(self, upload_id: str, go_on: Callable[[str], object] | None = None) -> None:
        """Go on in the background, by `advance` or as is said; one file is read at a time in one process."""
        if upload_id in self._started:  # it waits for its turn already
            return
        self._started.add(upload_id)
        target = (upload_id, go_on or self.advance)
        threading.Thread(target=self._go_on, args=target, name=f"roster-{upload_id[:8]}", daemon=True).start()

    def forgotten(self) -> list[str]:
        """List uploads that need no person and that nobody has begun for long, oldest first: whoever should is dead."""
        now = self.clock.now()
        with self.store.read() as unit:
            rows = roster_uploads.uploads(unit, states=(State.RECEIVED,), limit=1000)
        waiting = (row for row in reversed(rows) if not row.error and (row.layout or not row.header))
        return [row.id for row in waiting if now - row.received_at > SILENT]

    def _go_on(self, upload_id: str, go_on: Callable[[str], object]) -> None:
        try:
            go_on(upload_id)
        except LifecycleError as exc:
            _log.info("roster %s: %s", upload_id, exc)
        except Exception:  # noqa: BLE001 - whatever it is, the upload says that nobody works on it
            _log.exception("roster %s could not be read", upload_id)
        finally:
            self._started.discard(upload_id)

    def advance(self, upload_id: str) -> Upload:
        """
        Do all that needs no person, in this thread.

        Returns:
            The upload: received where its columns are to be matched, ready, refused, or applied where this very file
            was the last one confirmed.
        """
        with self._busy:
            return self._advance(upload_id)

    def advance_at_once(self, upload_id: str) -> bool:
        """Do what `advance` does and return whether it was done: not while another file is being read."""
        if not self._busy.acquire(blocking=False):
            return False
        try:
            self._advance(upload_id)
        finally:
            self._busy.release()
        return True

    def waits(self, upload_id: str) -> bool:
        """Say whether a file goes on in the background of this process, or waits for its turn to."""
        return upload_id in self._started

    def _advance(self, upload_id: str) -> Upload:
        upload = self.uploads.find(upload_id)
        if upload.state is State.RECEIVED:
            upload = self._lay_out(upload)
        if upload.state is not State.RECEIVED or upload.layout is None or upload.error:
            return upload
        upload = self._check_age(upload)
        return self._read(upload) if upload.state is State.RECEIVED else upload

    def _lay_out(self, upload: Upload) -> Upload:
        """Recognise the header; a header that no profile knows, or that has changed, asks a person."""
        try:
            seen, error = self._look(upload)
        except Unreadable as exc:
            return self._refuse(upload, str(exc.complaint))
        # JSON has no header: each record names what it holds by itself
        header = [] if seen.kind is FileKind.JSON else list(seen.header)
        with self.store.write() as unit:
            name, layout = upload.profile, upload.layout
            if layout is None:
                found = self.layouts.recognise(unit, seen)
                name, error = found.name, found.why
                layout = self.layouts.find(unit, name) if name else None
            known = layout is None or not header or headers_match(self.layouts.profile(name, layout), header)
            if not known and not error:
                error = "The header is not the one this profile knows. Please match the columns anew."
            source = self.layouts.source_of(name, layout) if layout else ""
            document = layout.model_dump(mode="json") if layout else {}
            roster_uploads.change_upload(
                unit, upload.id, (State.RECEIVED,), header=header, error=error, profile=name, source=source,
                layout=document,
            )  # fmt: skip
        return self.uploads.find(upload.id)

    def _look(self, upload: Upload) -> tuple[Look, str]:
        """
        Look at a file as its layout says that it is written; where that fails, as it seems to be, and why it fails.

        Raises:
            Unreadable: If it is no table at all.
        """
        path, layout, limits = self.files.path(upload.id), upload.layout, self._limits_of_files()
        if layout is None:
            return look(path, limits=limits), ""
        said = {"sheet": layout.sheet, "encoding": layout.encoding, "delimiter": layout.delimiter}
        try:
            return look(path, **said, limits=limits), ""
        except Unreadable as exc:
            return look(path, limits=limits), str(exc.complaint)

    def _limits_of_files(self) -> FileLimits:
        return FileLimits(self.settings.largest_mib * 2**20, self.settings.most_rows)

    def _check_age(self, upload: Upload) -> Upload:
        """Refuse a file that is older than the last one, and recognise the last one when it comes again."""
        with self.store.read() as unit:
            same = roster_imports.import_of_file(unit, upload.source, upload.sha256)
            last = roster_imports.last_import(unit, upload.source)
            # what was looked at before, or is one of many that come in order, waits contract by contract
            waits = upload.shown_at is not None or upload.way in ROW_BY_ROW
            too_old = why_overtaken(unit, upload) if waits else why_too_old(unit, upload)
            says_more = self._says_more(unit, upload)
        known = same is not None and last is not None and same.id == last.id and same.profile == upload.profile
        if same is not None and known and not says_more:
            words = f"This very file was confirmed on {same.confirmed_at:%-d %B %Y, %H:%M} UTC; nothing is to be done."
            with self.store.write() as unit:
                values: dict[str, Any] = {
                    "state": State.APPLIED.value,
                    "note": words,
                    "import_id": same.id,
                    "counts": same.counts,
                }
                roster_uploads.change_upload(unit, upload.id, (State.RECEIVED,), **values)
                note_accepted(unit, upload, self.clock.now(), same.id)
            return self.uploads.find(upload.id)
        return self._refuse(upload, too_old) if too_old else upload

    def _says_more(self, unit: Unit, upload: Upload) -> bool:
        """Say whether the last file, made anew by its source, is the second to lack somebody."""
        if upload.way not in BY_THEMSELVES or upload.as_of is None or upload.layout is None:
            return False
        from_ = ends_what_lacks_again(unit, upload.source, upload.layout, self.clock.now().date())
        return from_ is not None and upload.as_of >= from_

    def _refuse(self, upload: Upload, why: str) -> Upload:
        with self.store.write() as unit:
            open_states = (State.RECEIVED, State.READING, State.READY)
            if roster_uploads.change_upload(unit, upload.id, open_states, state=State.REFUSED.value, error=why):
                unit.audit(
                    at=self.clock.now(), actor=upload.actor, action="roster-refused", object_=f"upload:{upload.id}",
                    after={"file": upload.file_name, "why": why},
                )  # fmt: skip
        return self.uploads.find(upload.id)

    # --- reading --------------------------------------------------------------------------------------------------

    def _read(self, upload: Upload) -> Upload:
        assert upload.layout is not None  # noqa: S101 - what has none was left to a person
        layout = upload.layout
        with self.claims.work(upload.id, State.RECEIVED, State.READING, lines=0, octets=0) as claim:
            self._clear(upload.id)
            try:
                stager = self._stage(upload, layout, claim)
            except Unreadable as exc:  # with other columns it may be readable
                self._clear(upload.id)
                claim.end(State.RECEIVED, error=str(exc.complaint))
                return self.uploads.find(upload.id)
            self.show_anew(upload.id, claim, self._compare(upload, layout, claim, stager))
        return self.uploads.find(upload.id)

    def show_anew(self, upload_id: str, claim: Claim, worked: Worked) -> None:
        """Store what an upload would do, for somebody to look at."""
        with self.store.read() as unit:
            values = shown(unit, upload_id, worked, self.clock.now())
        claim.end(State.READY, **values)

    def _stage(self, upload: Upload, layout: ProfileSettings, claim: Claim) -> Stager:
        since = counts_since(self.clock.now().date())
        with self.store.read() as unit:
            last = roster_imports.last_import(unit, upload.source)  # as of what the file is compared with
            # of changes every row is kept: what one of them says again must not be undone by an older one
            known = Known(roster_contracts.stated(unit, upload.source, since) if is_full(upload) else ())
            about = roster_contracts.contracts_about(unit, upload.source, {upload.canary}, ())
            before = roster_imports.last_upload(unit, upload.source, upload.profile)
        limits = self._limits_of_files()
        profile = self.layouts.profile(upload.profile, layout)
        reader = read_roster(self.files.path(upload.id), profile, upload.repairs, limits)
        recalled = known.recall(self.files.lines_path(upload.id), reader.interpretation)
        if not recalled and before:
            recalled = known.recall(self.files.lines_path(before), reader.interpretation)
        carried = ",".join(sorted(layout.columns))
        there = (s for s in about if s.identity.worker_id == upload.canary and s.missing_since is None)
        canary_digests = [s.digest for s in there if s.digest]
        base = last.id if last else ""
        stager = Stager(self.store, claim, upload.id, base, carried, known, upload.canary, canary_digests)
        stager.run(reader, recalled)
        known.remember(self.files.lines_path(upload.id), reader.interpretation)
        with self.store.read() as unit:
            stager.rows.name_workers(roster_contracts.owners(unit, upload.source, stager.rows.references))
        return stager

    # --- comparing ------------------------------------------------------------------------------------------------

    def _compare(self, upload: Upload, layout: ProfileSettings, claim: Claim, stager: Stager | None) -> Worked:
        """
        Compare what is staged; without a *stager* it was compared before, and is worked out for this instant.

        In that case no roster of its source was applied since; that none is before it is applied is looked at then.
        """
        now = self.clock.now()
        if stager is not None:
            claim.beat(lines=stager.counts["lines"], last_line=LAST_LINE[stager.is_ended])
        with self.store.read() as unit:
            contested = stager.rows.contested() if stager else roster_items.contested_references(unit, upload.id)
            comparing = self._comparing(unit, upload, layout, now, contested)
        tally = Tally(self.settings.guard.moved_days, known_of_new="" if stager else upload.digest_of_new)
        comparer = Comparer(
            self.store, self.rulebook, upload.id, comparing, now,
            stager.known if stager else None, tally, claim,
        )  # fmt: skip
        absence = Absence(self.store, upload, layout, comparer)
        comparer.lacks = absence.expected(stager)
        if stager is None:
            comparer.run_anew()
            absence.note_anew()
        else:
            comparer.run(stager.rows)
            absence.note(stager)
            self.sponsors.note(upload.id, comparer.sponsors, claim)
        self.first_sight.note(upload.id, upload.source, tally, claim, now)
        counts = None if stager is None else {**stager.counts, "untouched": stager.untouched}
        with self.store.read() as unit:
            guard = self.guard.findings(unit, upload, tally, now, counts)
        document = layout.model_dump_json()
        said = json.dumps(document_of(upload.repairs), sort_keys=True)
        rules = [upload.sha256, document, said, self.rulebook.fingerprint]
        base = stager.base if stager else upload.base
        return Worked(tally, guard, tally.digest(rules), base, now, counts)

    def _comparing(
        self, unit: Unit, upload: Upload, layout: ProfileSettings, now: datetime, contested: frozenset[str]
    ) -> Comparing:
        @lru_cache(maxsize=512)
        def today(zone: str) -> date:
            return now.astimezone(ZoneInfo(zone)).date()

        def is_over(engagement: Engagement) -> bool:
            return self.rulebook.timeline(engagement).ends_at <= now

        return Comparing(
            source=upload.source,
            today=today,
            is_over=is_over,
            partial=layout.partial,
            says_standing=bool({"status", "worker_type"} & layout.columns.keys()),
            repairs=upload.repairs,
            zeros=roster_contracts.ids_with_zeros(unit, upload.source),
            contested=contested,
            overtaken=overtaken(unit, upload),
        )

    def work_out_anew(self, upload_id: str, claim: Claim) -> Worked:
        """
        Compare an upload as of now. Its file is read again only if another roster of its source was applied since:
        rows that said what was stored then may say something else now.
        """
        upload = self.uploads.find(upload_id)
        assert upload.layout is not None  # noqa: S101 - what was compared before has a layout
        with self.store.read() as unit:
            last = roster_imports.last_import(unit, upload.source)
        if upload.base == (last.id if last else ""):
            return self._compare(upload, upload.layout, claim, None)
        self._clear(upload.id)
        return self._compare(upload, upload.layout, claim, self._stage(upload, upload.layout, claim))

    def _clear(self, upload_id: str) -> None:
        while True:
            with self.store.write() as unit:
                if roster_items.clear_items(unit, upload_id, limit=DELETED_AT_ONCE) < DELETED_AT_ONCE:
                    return


def shown(unit: Unit, upload_id: str, worked: Worked, now: datetime) -> dict[str, Any]:
    """Return the columns of an upload that say what it would do."""
    counted = {kind: n for (kind,), n in roster_items.count_rows(unit, upload_id, "kind").items()}
    read = worked.counts if worked.counts is not None else Uploads.row(unit, upload_id).counts
    kept = {name: n for name, n in read.items() if name not in set(Kind)}
    totals = Counter(roster_items.count_weights(unit, upload_id, WEIGHED))
    totals.update({weight.value: n for weight, n in worked.tally.also.items()})
    if doubtful := len(worked.tally.god_in_doubt):  # of rows that contradict each other, one ends it all the same
        totals[Weight.GOD_SOONER.value] += doubtful
    return {
        "counts": {**kept, **counted},
        "totals": dict(totals),
        "guard": worked.guard,
        "digest": worked.digest,
        "digest_of_new": worked.tally.digest_of_new,
        "base": worked.base,
        "shown_at": now,
    }


def note_accepted(unit: Unit, upload: Upload, now: datetime, import_id: str) -> None:
    """Note that a source has delivered what was confirmed."""
    row = unit.session.get(RosterSourceRow, upload.source)
    if row is None:
        row = RosterSourceRow(name=upload.source, headers={}, seen={})
    row.accepted_at, row.import_id = now, import_id
    row.as_of = max(filter(None, (row.as_of, upload.as_of)), default=None)
    row.headers = {**row.headers, upload.profile: list(upload.header)}
    unit.session.add(row)
    unit.session.flush()
