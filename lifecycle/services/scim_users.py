"""People as SCIM clients keep them; each change of one is pushed to roster intake in the same transaction."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scim2_models import (
    InvalidValueException,
    Meta,
    NotFoundException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    SCIMException,
    ScimProvider,
    SearchRequest,
    TooManyException,
    UniquenessException,
    default_comparison_key,
)
from scim2_models.path import Comparison, Path
from scim2_server.storage import ScimStorage, SearchPage
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from lifecycle.services.authorisation import Actor
from lifecycle.services.numbers import MOST
from lifecycle.services.push import Pushes
from lifecycle.services.push_bulk import Operation
from lifecycle.services.push_rows import ENDED, ENTERPRISE, LONGEST, PersonUnusable, pushed
from lifecycle.services.room import words_of
from lifecycle.services.scim_models import User, check_whole
from lifecycle.services.strict_json import unsafe_text
from lifecycle.store import pushes
from lifecycle.store.push_tables import ScimUserRow
from lifecycle.store.unit import Store, Unit

MOST_SCANNED = 10_000
"""People that one search looks through; the filters that clients look somebody up with need no looking through."""
_U = ScimUserRow.__table__.c


class Unavailable(SCIMException):
    """Nothing is wrong with the request; the same succeeds later."""

    status = 503


@dataclass
class ScimUsers(ScimStorage):
    """What one caller does to them. Every call is a transaction of its own; versions tell changes at once apart."""

    store: Store
    pushes: Pushes
    provider: ScimProvider
    actor: Actor

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,  # noqa: ARG002 - the server cuts the answer down
    ) -> Resource[Any]:
        """Load one; see `ScimStorage.get`."""
        with self.store.read() as unit:
            return self._resource(_found(unit, resource_id), resource_type)

    def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None
    ) -> SearchPage:
        """Load a page, in the order of the ids; see `ScimStorage.search`."""
        del position  # pages are counted
        (resource_type,) = resource_types
        # beyond the last person there is nothing, however far; no database counts further than this
        start, count = min(search_request.start_index_0 or 0, MOST), search_request.count
        wanted = search_request.filter
        indexed = _indexed(wanted) if wanted is not None else None
        with self.store.read() as unit:
            if wanted is not None and indexed is None:
                everybody = self._everybody(unit, resource_type)
                matching = [person for person in everybody if wanted.match(person)]
                return SearchPage(len(matching), matching[start : None if count is None else start + count])
            conditions = [] if indexed is None else [indexed]
            total = unit.session.execute(select(func.count()).select_from(ScimUserRow).where(*conditions)).scalar_one()
            query = select(ScimUserRow).where(*conditions).order_by(_U.id).offset(start).limit(count)
            return SearchPage(total, [self._resource(row, resource_type) for row in unit.session.scalars(query)])

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Keep somebody new; see `ScimStorage.create`."""
        now = self.pushes.clock.now()
        document = self._document(resource)
        row = ScimUserRow(
            id=str(uuid.uuid4()), document=document, created_at=now, modified_at=now, version=1, **_keys(document)
        )
        try:
            with self.store.write() as unit:
                unit.session.add(row)
                unit.session.flush()
                self._push(unit, row, "scim-user-created", [self._operation(unit, document)], now)
        except IntegrityError as exc:
            raise UniquenessException(detail="This userName or externalId is somebody else's.") from exc
        return self._resource(row, resource_type)

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        """Keep somebody's new state; see `ScimStorage.update`."""
        now = self.pushes.clock.now()
        document = self._document(resource)
        try:
            with self.store.write() as unit:
                row = _found(unit, str(resource.id), expected_version)
                old = row.external_id
                row.document, row.modified_at, row.version = document, now, row.version + 1
                row.external_id, row.user_name_key = _keys(document).values()
                unit.session.add(row)
                unit.session.flush()
                # whoever is known by another number from now on is nobody under the old one
                ends = [_end(old)] if old and old != row.external_id else []
                self._push(unit, row, "scim-user-changed", [*ends, self._operation(unit, document)], now)
        except IntegrityError as exc:
            raise UniquenessException(detail="This userName or externalId is somebody else's.") from exc
        return self._resource(row, resource_type)

    def delete(
        self,
        resource_type: ResourceType,  # noqa: ARG002 - there is one
        resource_id: str,
        *,
        expected_version: str | None = None,
    ) -> None:
        """Forget somebody, whose contracts end with that; see `ScimStorage.delete`."""
        with self.store.write() as unit:
            row = _found(unit, resource_id, expected_version)
            unit.session.delete(row)
            ends = [_end(row.external_id)] if row.external_id else []
            self._push(unit, row, "scim-user-deleted", ends, self.pushes.clock.now())

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Answer a database that cannot be used by 503, also where it is one operation of many."""
        try:
            yield
        except OperationalError as exc:
            raise Unavailable(detail=words_of(exc)) from exc

    def _push(self, unit: Unit, row: ScimUserRow, action: str, operations: list[Operation], now: datetime) -> None:
        push_id = self.pushes.enqueue(unit, self.actor, "scim", operations) if operations else ""
        after = {"worker_id": row.external_id, "version": row.version, "push": push_id}
        unit.audit(at=now, actor=self.actor.trail_name, action=action, object_=f"scim-user:{row.id}", after=after)

    def _operation(self, unit: Unit, document: Mapping[str, Any]) -> Operation:
        data = _lower(document)
        worker_id = data.get("externalid", "")
        _name_manager(unit, data)
        try:
            person = pushed(data, self.pushes.settings)
        except PersonUnusable as exc:
            return Operation.refused(str(exc), worker_id)
        # a person who is not active has no contract that goes on, whatever its number
        return _end(person.worker_id) if person.ends else Operation.of(person)

    def _everybody(self, unit: Unit, resource_type: ResourceType) -> list[Resource[Any]]:
        rows = list(unit.session.scalars(select(ScimUserRow).order_by(_U.id).limit(MOST_SCANNED + 1)))
        if len(rows) > MOST_SCANNED:
            raise TooManyException(detail="Look somebody up by userName eq, externalId eq or id eq.")
        return [self._resource(row, resource_type) for row in rows]

    def _document(self, resource: Resource[Any]) -> dict[str, Any]:
        """Write *resource* as it is stored: without what the server adds, and without schemas that are not kept."""
        if unsafe_text(resource.unknown_attributes) or unsafe_text(document := resource.model_dump()):
            raise InvalidValueException(detail="A text holds characters that cannot be seen or that reorder it.")
        check_whole(resource)
        known = {str(schema.id) for schema in self.provider.schemas}
        document["schemas"] = [schema for schema in document["schemas"] if schema in known]
        return {name: value for name, value in document.items() if name not in {"id", "meta"}}

    def _resource(self, row: ScimUserRow, resource_type: ResourceType) -> Resource[Any]:
        model: Any = self.provider.model_for(resource_type)
        resource: Resource[Any] = model.model_validate(row.document)
        resource.id = row.id
        resource.meta = Meta(
            resource_type=resource_type.name,
            created=row.created_at,
            last_modified=row.modified_at,
            version=_version(row),
        )
        return resource


def _version(row: ScimUserRow) -> str:
    return f'W/"{row.version}"'


def _found(unit: Unit, user_id: str, expected_version: str | None = None) -> ScimUserRow:
    """Load one, to change it if a version is expected."""
    try:
        row = pushes.scim_user(unit, str(uuid.UUID(user_id)), lock=expected_version is not None)
    except ValueError:
        row = None
    if row is None:
        raise NotFoundException(detail="There is nobody of this id.")
    if expected_version is not None and expected_version != _version(row):
        raise PreconditionFailedException
    return row


def _keys(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns by which somebody is found, ``external_id`` first."""
    external_id, user_name = str(document.get("externalId") or ""), str(document.get("userName") or "")
    if not user_name.strip() or max(len(external_id), len(user_name)) > LONGEST:
        raise InvalidValueException(detail=f"userName and externalId have at most {LONGEST} characters; userName one.")
    return {"external_id": external_id, "user_name_key": default_comparison_key(_USER_NAME, user_name)}


_USER_NAME = Path[User[Any]]("userName").resolve()
_COLUMNS = {"username": _U.user_name_key, "externalid": _U.external_id, "id": _U.id}


def _indexed(wanted: Any) -> ColumnElement[bool] | None:
    """Turn ``userName eq "x"`` and its like into a condition; None for what only looking at people can tell."""
    node = wanted.ast
    if not isinstance(node, Comparison) or str(node.op.value) != "eq" or not isinstance(node.value, str):
        return None
    name = str(node.attr_path).rpartition(":")[2].casefold()
    if name not in _COLUMNS or not node.value or unsafe_text(node.value):
        return None
    value = default_comparison_key(_USER_NAME, node.value) if name == "username" else node.value
    condition: ColumnElement[bool] = _COLUMNS[name] == value
    return condition


def _end(worker_id: str) -> Operation:
    """End all that is known of a worker."""
    return Operation(worker_id, row={"worker_id": worker_id, "reference": "", "status": ENDED}, ends=True)


def _lower(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name.lower(): _lower(item) for name, item in value.items()}
    return [_lower(item) for item in value] if isinstance(value, list) else value


def _name_manager(unit: Unit, data: dict[str, Any]) -> None:
    """Where the manager is named by the id of somebody kept here, put their address or number in its place."""
    manager = (data.get(ENTERPRISE.lower()) or {}).get("manager")
    if not isinstance(manager, dict):
        return
    try:
        known = pushes.scim_user(unit, str(uuid.UUID(str(manager.get("value")))))
    except ValueError:
        return
    if known is not None:
        emails = known.document.get("emails") or [{}]
        manager["value"] = emails[0].get("value") or known.external_id or known.document["userName"]
