"""Handing one push on to roster intake as small delta files, and reading back what became of each operation."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from lifecycle.domain.errors import LifecycleError
from lifecycle.services.push_bulk import Operation, OperationState
from lifecycle.services.push_port import Intake
from lifecycle.services.push_rows import ENDED
from lifecycle.services.room import NoRoom
from lifecycle.services.ways.ports import NotNow
from lifecycle.settings import PushSettings
from lifecycle.settings.rosters import PUSHED, PUSHED_ENDS
from lifecycle.store import pushes
from lifecycle.store.push_tables import PushRow
from lifecycle.store.unit import Store

APPLIED, DECIDED_AGAINST = "applied", {"refused", "discarded"}
WAITS = "It waits until somebody here has looked at it."
WAITS_BEHIND = (
    "Something pushed earlier about this worker waits for people; the end follows as soon as they have decided."
)
NOTHING_TO_END = "No running contract of this worker is known here, so there was nothing to end."
ONE_DAY = timedelta(days=1)
"""A contract whose last day was yesterday may still run somewhere west of here."""
Line = tuple[int, dict[str, str]]
"""Number of the operation, and what is said of a contract because of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What intake says of one upload."""

    state: str
    error: str
    unusable: Mapping[int, str]


@dataclass
class Handing:
    """Turns operations into files and answers into states of operations."""

    store: Store
    settings: PushSettings
    intake: Intake

    def hand_on(self, row: PushRow, operations: list[Operation], now: datetime) -> None:
        """
        Hand on what has not been handed on yet, ends first, and note in *operations* how each stands then.

        What was handed on before an error stays noted, so that trying again goes on from there.

        Raises:
            NotNow, NoRoom: If it is to be tried again; so are ``OSError`` and SQLAlchemy's errors understood.
        """
        self._deliver(row, operations, PUSHED_ENDS, self._ends(row, operations, now.date()))
        rows = [(n, dict(o.row)) for n, o in enumerate(operations) if o.row is not None and not o.upload and not o.ends]
        self._deliver(row, operations, PUSHED, rows)
        operations[:] = self.outcome(operations)

    def _deliver(self, row: PushRow, operations: list[Operation], profile: str, lines: list[Line]) -> None:
        if not lines:
            return
        # No two pushes have the same bytes, or ending somebody again after they came back would be taken for the
        # file that was applied before.
        content = "".join(f"{json.dumps({**facts, 'push': row.id}, ensure_ascii=False)}\n" for _, facts in lines)
        name = f"{profile}-{row.received_at:%Y%m%d-%H%M%S}-{row.id[:8]}.jsonl"
        owners = [number for number, _ in lines]
        try:
            taken = self.intake.deliver(
                io.BytesIO(content.encode()), file_name=name, way=row.way, profile=profile, as_of=row.received_at,
                member_id=self._answers_for(row),
            )  # fmt: skip
        except (NotNow, NoRoom):  # neither is the sender's fault, and both pass
            raise
        except LifecycleError as exc:
            for number in set(owners):
                operations[number] = operations[number].closed(OperationState.REFUSED, str(exc))
            return
        for number in set(owners):
            its_lines = tuple(line for line, owner in enumerate(owners, start=1) if owner == number)
            operations[number] = replace(operations[number], upload=taken.id, lines=its_lines)

    def _answers_for(self, row: PushRow) -> str:
        """Return the id of whoever made the token, and has seen it: what was pushed with it may be theirs."""
        with self.store.read() as unit:
            return pushes.maker_of(unit, row.token_id)

    def _ends(self, row: PushRow, operations: list[Operation], today: date) -> list[Line]:
        """
        Name the running contracts that operations end: the one they name, or all that nothing else here speaks of.

        A worker who is no longer active and whose contract is known under another number still loses access.
        """
        kept = {(o.external_id, o.row["reference"]) for o in operations if o.open and o.row is not None and not o.ends}
        lines: list[Line] = []
        for number, operation in enumerate(operations):
            if not operation.ends or operation.upload or operation.row is None:
                continue
            worker, named = operation.external_id, operation.row["reference"]
            with self.store.read() as unit:
                running = pushes.running_contracts(unit, self.settings.source, worker, today - ONE_DAY)
                behind = pushes.is_held(unit, worker, row.n or 0)
            ending = [named] if named in running else [r for r in running if (worker, r) not in kept]
            lines += [(number, {"worker_id": worker, "reference": r, "status": ENDED}) for r in ending]
            if not ending and behind:
                operations[number] = replace(operation, state=OperationState.HELD, reason=WAITS_BEHIND)
            elif not ending:
                operations[number] = operation.closed(OperationState.APPLIED, NOTHING_TO_END)
        return lines

    def outcome(self, operations: Sequence[Operation]) -> list[Operation]:
        """Ask intake how the uploads stand, and return the operations accordingly."""
        uploads = {operation.upload for operation in operations if operation.open and operation.upload}
        answers = {upload: self._answer(upload) for upload in uploads}
        return [_stands(o, answers[o.upload]) if o.upload in answers and o.open else o for o in operations]

    def _answer(self, upload: str) -> Answer:
        taken = self.intake.show(upload)
        state = str(taken.state)
        return Answer(state, taken.error, self.intake.unusable(upload) if state == APPLIED else {})


def _stands(operation: Operation, answer: Answer) -> Operation:
    if answer.state == APPLIED:
        why = next((answer.unusable[line] for line in operation.lines if line in answer.unusable), "")
        return operation.closed(OperationState.REFUSED if why else OperationState.APPLIED, why)
    if answer.state in DECIDED_AGAINST:
        return operation.closed(OperationState.REFUSED, answer.error or "Somebody here has decided against it.")
    return replace(operation, state=OperationState.HELD, reason=WAITS)
