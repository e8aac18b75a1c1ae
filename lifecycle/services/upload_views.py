"""A file on its way, how far it has come, its rows and its problems, as pages and commands show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from lifecycle.domain.comparison import WEIGHED, FieldChange, Kind
from lifecycle.domain.consequence import Weight
from lifecycle.domain.roster import Cause, Repairs
from lifecycle.settings.rosters import ProfileSettings
from lifecycle.store.roster_tables import RosterUploadRow

_REPAIRS: TypeAdapter[Repairs] = TypeAdapter(Repairs)


class State(StrEnum):
    """How far a file has come."""

    RECEIVED = "received"
    """A person has to say what its columns mean."""
    READING = "reading"
    READY = "ready"
    """Everything it would do is worked out."""
    APPLYING = "applying"
    HELD = "held"
    """Two more people must agree."""
    APPLIED = "applied"
    DISCARDED = "discarded"
    REFUSED = "refused"


OPEN = (State.RECEIVED, State.READING, State.READY, State.APPLYING, State.HELD)
"""States in which something can still come of a file."""
ROW_BY_ROW = frozenset({"push", "scim"})
"""Ways whose rows are sent one by one: one that cannot be used is told to its sender, and stops no other."""
BY_THEMSELVES = ROW_BY_ROW | {"folder", "sftp", "https"}
"""Ways that nobody watches: what comes by them is seen through without anybody who asks for it."""
WORKING = (State.READING, State.APPLYING)
SHOWN = ("first_day", "last_day", "vendor", "sponsor", "role", "site")
"""Facts of a new contract that are shown."""


@dataclass(frozen=True)
class Upload:
    """A file on its way, as pages and commands show it. ``digest`` binds a confirmation to exactly what was shown."""

    id: str
    state: State
    way: str
    actor: str
    member_id: str
    file_name: str
    sha256: str
    size: int
    received_at: datetime
    as_of: datetime | None
    canary: str
    profile: str
    source: str
    layout: ProfileSettings | None
    repairs: Repairs
    header: Sequence[str]
    lines: int
    """Lines with something in them, the header not counted; while it is read, those read so far."""
    octets: int
    """Of the file, read so far."""
    counts: dict[str, int]
    """Kind (`Kind`) to rows; besides ``aside`` for rows left aside, ``repeated`` and ``untouched``."""
    totals: dict[str, int]
    """Weight (`lifecycle.domain.consequence.Weight`) to rows, each counted for all that it means."""
    guard: Sequence[dict[str, Any]]
    """Why two more people must agree (``scope``, ``words``, ``vendor``); empty when nobody must."""
    digest: str
    digest_of_new: str
    base: str
    """Id of the import that it was compared with."""
    shown_at: datetime | None
    import_id: str
    note: str
    error: str
    god_ends: int
    """Contracts whose god mode ends by it though it is held."""
    shaped: bool
    """Whether a person has matched its columns or said something about its rows."""

    @property
    def unusable(self) -> int:
        """How many rows cannot be used."""
        return self.counts.get(Kind.UNUSABLE, 0)

    @property
    def rows(self) -> int:
        """How many rows count, see `rows_that_count`."""
        return rows_that_count(self.lines, self.counts)

    @property
    def uses_nothing(self) -> bool:
        """Whether none of its rows can be used; those left aside are none that can."""
        return self.lines > 0 and self.rows <= self.counts.get("aside", 0)

    @property
    def changing(self) -> int:
        """How many rows change a contract."""
        return sum(self.counts.get(kind, 0) for kind in WEIGHED)

    @property
    def changes_nothing(self) -> bool:
        """Whether confirming would leave every contract as it is, flags of absence and god mode included."""
        return not (self.changing or self.counts.get(Kind.MISSING, 0) or self.totals.get(Weight.GOD_SOONER, 0))


def rows_that_count(lines: int, counts: Mapping[str, int]) -> int:
    """Count the rows of a file that can be used; one that repeats another exactly says nothing of its own."""
    return max(lines - counts.get(Kind.UNUSABLE, 0) - counts.get("repeated", 0), 0)


@dataclass(frozen=True)
class Item:
    """One row that changes something or cannot be used."""

    n: int
    kind: Kind
    cause: str
    line: int
    worker_id: str
    reference: str
    name: str
    identity_id: str
    engagement_id: str
    weight: str
    said: str
    """What it does to access, or why it cannot be used."""
    changes: tuple[FieldChange, ...]
    complaint: dict[str, Any]
    """``column``, ``value``, ``expected``, ``remedy``, ``about``; empty for rows that can be used."""
    facts: dict[str, str]
    """Of a new contract: the fields to show."""


@dataclass(frozen=True)
class Problem:
    """Rows that cannot be used for one cause, with one repair for all of them."""

    cause: Cause
    rows: int
    blocks: bool
    """False where the rows are used as they stand."""
    examples: Sequence[Item]
    values: dict[str, int]
    """What was found to rows, most frequent first, a hundred at most."""


def show(row: RosterUploadRow) -> Upload:
    """Return an upload as it is shown."""
    layout = ProfileSettings.model_validate(row.layout) if row.layout else None
    return Upload(
        row.id, State(row.state), row.way, row.actor, row.member_id, row.file_name, row.sha256, row.size,
        row.received_at, row.as_of, row.canary, row.profile, row.source, layout, repairs_of(row), tuple(row.header),
        row.lines, row.octets, dict(row.counts), dict(row.totals), tuple(row.guard), row.digest,
        row.digest_of_new, row.base, row.shown_at, row.import_id, row.note, row.error, len(row.god_ends),
        bool(row.shapers),
    )  # fmt: skip


def show_item(row: Any) -> Item:
    """Return an item as it is shown."""
    facts, after = row.facts, row.facts.get("after", {})
    return Item(
        row.n, Kind(row.kind), row.cause, row.line, row.worker_id, row.reference, row.name, row.identity_id,
        row.engagement_id, row.weight, row.said, tuple(FieldChange(*c) for c in facts.get("changes", ())),
        facts.get("complaint", {}), {name: after[name] for name in SHOWN if after.get(name)},
    )  # fmt: skip


def repairs_of(row: RosterUploadRow) -> Repairs:
    """Return what a person has said about the rows of an upload."""
    return _REPAIRS.validate_python(row.repairs)


def document_of(repairs: Repairs) -> dict[str, Any]:
    """Return what a person has said as JSON, the same for the same words in every process."""
    return {**_REPAIRS.dump_python(repairs, mode="json"), "converted": sorted(repairs.converted)}
