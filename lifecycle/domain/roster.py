"""What a roster says, what is wrong with it, and what it would change."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from lifecycle.domain.engagement import Engagement
from lifecycle.domain.identity import Identity, IdentityId


class Scope(StrEnum):
    """What absence from a roster means: in a full one it is noticed, in a delta it means nothing."""

    FULL = "full"
    DELTA = "delta"


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One usable line of a roster. Days are inclusive and local to ``zone``."""

    line: int
    worker_id: str
    name: str
    first_day: date
    last_day: date
    zone: str
    vendor: str
    reference: str = ""
    """The contract's own number; empty where the feed has none and the worker id stands for it."""
    email: str = ""
    sponsor: str = ""
    role: str = ""
    site: str = ""


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a roster cannot be used: where, what was found, what was expected and what to do."""

    line: int
    """Line of the file, counted from 1; 0 when it concerns the file as a whole."""
    column: str
    value: str
    expected: str
    remedy: str

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line else "file"
        column = f", column {self.column!r}" if self.column else ""
        value = f": found {self.value!r}" if self.value else ""
        return f"{where}{column}{value}; expected {self.expected}. {self.remedy}"


ENGAGEMENT_FIELDS = ("first_day", "last_day", "zone", "vendor", "sponsor", "role", "site")
IDENTITY_FIELDS = ("name", "email")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One fact that differs: as it is stored, and as the roster has it."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class StoredContract:
    """What is confirmed already about one engagement, and about the person it belongs to."""

    engagement: Engagement
    identity: Identity
    vanished: bool = False
    """Whether it was missing from the last full roster."""


@dataclass(frozen=True, slots=True)
class Joiner:
    """A contract that is new here; ``identity_id`` when the person is known already."""

    row: RosterRow
    identity_id: IdentityId | None = None


@dataclass(frozen=True, slots=True)
class Mover:
    """A contract whose facts change; no field changes where it only appears again after having vanished."""

    row: RosterRow
    stored: StoredContract
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True)
class RosterDiff:
    """What a roster would change. A leaver is a mover whose last day comes sooner."""

    joiners: tuple[Joiner, ...] = ()
    movers: tuple[Mover, ...] = ()
    leavers: tuple[Mover, ...] = ()
    vanished: tuple[StoredContract, ...] = ()
    """Stored, not over, and not in this full roster. They are flagged; nobody loses access by absence."""
    unchanged: int = 0
    warnings: tuple[Complaint, ...] = field(default=())

    @property
    def changes_nothing(self) -> bool:
        """Whether confirming would leave every engagement as it is."""
        return not (self.joiners or self.movers or self.leavers or self.vanished)


def find_conflicts(rows: Sequence[RosterRow]) -> Iterator[Complaint]:
    """
    Yield a complaint for every row that contradicts an earlier one.

    The same contract may stand twice only with the same facts, and one worker id belongs to one name.
    """
    by_key: dict[tuple[str, str], RosterRow] = {}
    names: dict[str, RosterRow] = {}
    for row in rows:
        first = names.setdefault(row.worker_id, row)
        if first.name != row.name:
            yield Complaint(
                row.line,
                "worker_id",
                row.worker_id,
                f"one person for each id, but line {first.line} gives it to {first.name} and this line to {row.name}",
                "Ask the vendor which of the two holds this id, and correct the other line.",
            )
            continue
        earlier = by_key.setdefault((row.worker_id, row.reference), row)
        differing = [f for f in (*ENGAGEMENT_FIELDS, *IDENTITY_FIELDS) if getattr(earlier, f) != getattr(row, f)]
        if earlier is not row and differing:
            yield Complaint(
                row.line,
                differing[0],
                str(getattr(row, differing[0])),
                f"{getattr(earlier, differing[0])} as on line {earlier.line}, which is the same contract "
                f"of worker {row.worker_id}",
                "Keep the line that is right and delete the other.",
            )


def find_taken(diff: RosterDiff, stored: Iterable[StoredContract]) -> Iterator[Complaint]:
    """Yield a complaint for every new contract whose number is another one's already, stored or in the file."""
    owners = {s.engagement.reference: f"worker {s.identity.worker_id}, confirmed before" for s in stored}
    for joiner in diff.joiners:
        reference = new_reference(joiner.row)
        if reference in owners:
            expected = f"a number of its own, but {reference} is that of {owners[reference]}"
            remedy = "Ask the vendor which contract this is, and correct the number or the worker id."
            yield Complaint(joiner.row.line, "reference", reference, expected, remedy)
        owners[reference] = f"worker {joiner.row.worker_id} on line {joiner.row.line}"


def repeated_rows(rows: Sequence[RosterRow]) -> int:
    """Count rows that say nothing new: the same contract with the same facts."""
    return sum(n - 1 for n in Counter((row.worker_id, row.reference) for row in rows).values())


def compare(
    rows: Iterable[RosterRow],
    stored: Iterable[StoredContract],
    *,
    scope: Scope,
    is_over: Callable[[Engagement], bool],
) -> RosterDiff:
    """
    Say what *rows* would change in what is *stored* for the same feed.

    A row is matched by the contract's reference; where the feed has none, by the worker's latest contract,
    unless the row begins after that one ended: then it is a new contract of the same person. A worker id that
    comes back under another name after its contracts are over is another person.

    Args:
        rows: Usable and free of conflicts (`find_conflicts`).
        stored: Every engagement that came from this feed.
        scope: Whether absence is noticed.
        is_over: Says whether an engagement has ended at the instant of the comparison.
    """
    known = _Known(stored)
    joiners, movers, leavers, unchanged = [], [], [], 0
    seen: set[str] = set()
    for row in _each_once(rows):
        match = known.contract_of(row)
        if match is None:
            joiners.append(Joiner(row, known.person_of(row, is_over)))
            continue
        seen.add(match.engagement.id)
        changes = _changes(row, match)
        if not changes and not match.vanished:
            unchanged += 1
        elif row.last_day < match.engagement.last_day:
            leavers.append(Mover(row, match, changes))
        else:
            movers.append(Mover(row, match, changes))
    vanished = (
        ()
        if scope is Scope.DELTA
        else tuple(
            s for s in known.contracts if s.engagement.id not in seen and not s.vanished and not is_over(s.engagement)
        )
    )
    return RosterDiff(tuple(joiners), tuple(movers), tuple(leavers), vanished, unchanged)


def _each_once(rows: Iterable[RosterRow]) -> Iterator[RosterRow]:
    seen: set[tuple[str, str]] = set()
    for row in rows:
        key = (row.worker_id, row.reference)
        if key not in seen:
            seen.add(key)
            yield row


class _Known:
    """What is stored, by the keys a row can be matched on."""

    def __init__(self, stored: Iterable[StoredContract]) -> None:
        self.contracts = tuple(stored)
        self._by_reference = {s.engagement.reference: s for s in self.contracts}
        self._by_worker: dict[str, list[StoredContract]] = defaultdict(list)
        for s in self.contracts:
            self._by_worker[s.identity.worker_id].append(s)

    def contract_of(self, row: RosterRow) -> StoredContract | None:
        if row.reference:
            found = self._by_reference.get(row.reference)
            return found if found and found.identity.worker_id == row.worker_id else None
        of_worker = self._by_worker.get(row.worker_id)
        if not of_worker:
            return None
        latest = max(of_worker, key=lambda s: s.engagement.last_day)
        return None if row.first_day > latest.engagement.last_day else latest

    def person_of(self, row: RosterRow, is_over: Callable[[Engagement], bool]) -> IdentityId | None:
        of_worker = self._by_worker.get(row.worker_id, [])
        for s in of_worker:
            if s.identity.name == row.name:
                return s.identity.id
        still_here = [s for s in of_worker if not is_over(s.engagement)]
        return still_here[0].identity.id if still_here else None


def _changes(row: RosterRow, stored: StoredContract) -> tuple[FieldChange, ...]:
    pairs = [(f, getattr(stored.engagement, f), getattr(row, f)) for f in ENGAGEMENT_FIELDS]
    pairs += [(f, getattr(stored.identity, f), getattr(row, f)) for f in IDENTITY_FIELDS]
    return tuple(FieldChange(f, str(old), str(new)) for f, old, new in pairs if old != new)


def new_reference(row: RosterRow) -> str:
    """Name a new contract: its own number, or worker id and first day where the feed has no numbers."""
    return row.reference or f"{row.worker_id}/{row.first_day.isoformat()}"
