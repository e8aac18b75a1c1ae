"""One bulk request in the shape of Entra's ``bulkUpload``: fifty people at most, each put in or brought up to date."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from lifecycle.domain.errors import LifecycleError
from lifecycle.services.push_rows import LONGEST, PersonUnusable, Pushed, pushed
from lifecycle.services.strict_json import UNSAFE
from lifecycle.settings import PushSettings

BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
MOST_OPERATIONS = 50


class BulkRefused(LifecycleError):
    """The request as a whole is no bulk request."""

    code = "bulk-refused"


class TooManyOperations(LifecycleError):
    """More operations than are taken at once."""

    code = "too-many-operations"


class OperationState(StrEnum):
    """What has become of one operation."""

    WAITING = "waiting"
    APPLIED = "applied"
    HELD = "held"
    """It waits for people here."""
    REFUSED = "refused"
    SUPERSEDED = "superseded"
    """A later operation of the same request is about the same contract."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, from its arrival to its end."""

    external_id: str = ""
    bulk_id: str = ""
    state: OperationState = OperationState.WAITING
    reason: str = ""
    row: dict[str, str] | None = None
    """What is handed on; None when it is refused, and once it has come to its end."""
    ends: bool = False
    upload: str = ""
    """Id of the file in which it was handed on; empty before."""
    lines: tuple[int, ...] = ()
    """Of that file, counted from 1."""

    @property
    def open(self) -> bool:
        """Whether anything can still become of it."""
        return self.state in {OperationState.WAITING, OperationState.HELD}

    def closed(self, state: OperationState, reason: str = "") -> Operation:
        """Return it at its end, without the facts about the person."""
        return replace(self, state=state, reason=reason, row=None)

    @classmethod
    def of(cls, person: Pushed, bulk_id: str = "") -> Operation:
        """Make one that waits."""
        return cls(person.worker_id, bulk_id, row=dict(person.row), ends=person.ends)

    @classmethod
    def refused(cls, reason: str, external_id: str = "", bulk_id: str = "") -> Operation:
        """Make one that nothing becomes of."""
        return cls(external_id, bulk_id, OperationState.REFUSED, reason)

    @classmethod
    def load(cls, stored: dict[str, Any]) -> Operation:
        """Read one as it was stored."""
        return cls(**{**stored, "state": OperationState(stored["state"]), "lines": tuple(stored["lines"])})

    def stored(self) -> dict[str, Any]:
        """Write it as it is stored."""
        return asdict(self)


def read_bulk(document: Any, settings: PushSettings) -> list[Operation]:
    """
    Read a bulk request, its names in lower case.

    Raises:
        BulkRefused: If it is none, or ``failOnErrors`` is no number.
        TooManyOperations: If it holds more than fifty operations.
    """
    if not isinstance(document, dict):
        raise BulkRefused("The body is not an object.")
    schemas = document.get("schemas")
    if not isinstance(schemas, list) or BULK_REQUEST.lower() not in {str(s).lower() for s in schemas}:
        raise BulkRefused(f"schemas has to name {BULK_REQUEST}.")
    found = document.get("operations")
    if not isinstance(found, list) or not found:
        raise BulkRefused("Operations has to be a list with something in it.")
    if len(found) > MOST_OPERATIONS:
        raise TooManyOperations(f"At most {MOST_OPERATIONS} operations are taken at once; these are {len(found)}.")
    most = _most_errors(document.get("failonerrors"))
    return _superseded(_stopped([_operation(item, settings) for item in found], most))


def _most_errors(said: Any) -> int | None:
    if said is not None and (not isinstance(said, int) or isinstance(said, bool) or said < 1):
        raise BulkRefused("failOnErrors has to be null or a number from 1 on.")
    return said


def _operation(item: Any, settings: PushSettings) -> Operation:
    if not isinstance(item, dict):
        return Operation.refused("The operation is not an object.")
    data = item.get("data")
    bulk_id = _shown(item.get("bulkid"))
    external_id = _shown(data.get("externalid")) if isinstance(data, dict) else ""
    try:
        _check_verb(item)
        return Operation.of(pushed(data, settings), bulk_id)
    except PersonUnusable as exc:
        return Operation.refused(str(exc), external_id, bulk_id)


def _check_verb(item: dict[str, Any]) -> None:
    method, path = item.get("method"), item.get("path")
    if not isinstance(method, str) or method.upper() != "POST":
        raise PersonUnusable("method: expected POST, which puts in or brings up to date")
    if not isinstance(path, str) or path.strip("/").casefold() != "users":
        raise PersonUnusable("path: expected /Users")


def _shown(value: Any) -> str:
    """Return what the caller can recognise the operation by; what could not be stored or shown is left out."""
    return value if isinstance(value, str) and len(value) <= LONGEST and not UNSAFE.search(value) else ""


def _stopped(operations: list[Operation], most: int | None) -> list[Operation]:
    """Refuse what comes after as many errors as the caller puts up with."""
    errors, result = 0, []
    for operation in operations:
        stopped = most is not None and errors >= most
        reason = f"Not done: {errors} operations before it could not be used, and failOnErrors is {most}."
        result.append(operation.closed(OperationState.REFUSED, reason) if stopped and operation.open else operation)
        errors += operation.state is OperationState.REFUSED
    return result


def _superseded(operations: list[Operation]) -> list[Operation]:
    """Close each operation after which another one speaks of the same contract, or ends everything of the worker."""
    result: list[Operation] = []
    spoken: set[tuple[str, str]] = set()
    ended: set[str] = set()
    reason = "A later operation of this request is about the same contract."
    for operation in reversed(operations):
        if operation.row is not None:
            contract = (operation.external_id, operation.row["reference"])
            if contract in spoken or operation.external_id in ended:
                result.append(operation.closed(OperationState.SUPERSEDED, reason))
                continue
            spoken.add(contract)
            if operation.ends and not contract[1]:
                ended.add(operation.external_id)
        result.append(operation)
    return result[::-1]
