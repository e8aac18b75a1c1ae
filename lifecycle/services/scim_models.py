"""What SCIM clients can keep here: no more of a person than access needs, and the days of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import Field
from pydantic.alias_generators import to_camel
from scim2_models import (
    URN,
    AnyExtension,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    Filter,
    InvalidPathException,
    InvalidValueException,
    Mutability,
    Patch,
    PatchOp,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

from lifecycle.services.push_bulk import MOST_OPERATIONS
from lifecycle.services.push_rows import CONTRACT, ENTERPRISE

LARGEST_BODY = 2**20
MOST_RESULTS = 200


class _Name(ComplexAttribute):
    formatted: str | None = None
    family_name: str | None = None
    given_name: str | None = None


class _Email(ComplexAttribute):
    value: str | None = None
    type: str | None = Field(None, examples=["work", "home", "other"])
    primary: bool | None = None


class User(Resource[AnyExtension]):
    """The core user, without telephones, addresses, pictures and passwords: what is not kept cannot leak."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    name: _Name | None = None
    Name: ClassVar[type[ComplexAttribute]] = _Name
    display_name: str | None = None
    title: str | None = None
    user_type: str | None = None
    timezone: str | None = None
    active: bool | None = None
    emails: list[_Email] | None = None
    Emails: ClassVar[type[ComplexAttribute]] = _Email


class _Manager(ComplexAttribute):
    value: Annotated[str | None, CaseExact.true] = None
    """Id of a person kept here, or the number or address by which the manager is known; ``$ref`` is not asked for."""
    display_name: Annotated[str | None, Mutability.read_only] = None


class EnterpriseUser(Extension):
    """The enterprise extension."""

    __schema__ = URN(ENTERPRISE)

    employee_number: str | None = None
    organization: str | None = None
    division: str | None = None
    department: str | None = None
    manager: _Manager | None = None


class Contract(Extension):
    """The contract: days are calendar days, ``YYYY-MM-DD``, and both are worked."""

    __schema__ = URN(CONTRACT)

    contract_number: Annotated[str | None, CaseExact.true] = None
    first_day: str | None = None
    last_day: str | None = None
    time_zone: str | None = None
    vendor: str | None = None
    sponsor: str | None = None
    site: str | None = None
    role: str | None = None
    status: str | None = None


CONFIGURATION = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=True, max_operations=MOST_OPERATIONS, max_payload_size=LARGEST_BODY),
    filter=Filter(supported=True, max_results=MOST_RESULTS),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=False),
    etag=ETag(supported=True),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="Bearer token",
            description="A token made here for the scope hr:push",
            primary=True,
        )
    ],
)
TOLERANT = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
)
"""For what Entra and Okta send beside the specification; an attribute that is not kept is dropped, not refused."""


_OURS = CONTRACT.casefold()
_NAMESPACE = "urn:contractor-lifecycle:"
_KEPT = frozenset(name.casefold() for name in (to_camel(field) for field in Contract.model_fields))


def check_patch(patch: PatchOp[Any]) -> None:
    """
    Refuse a change of what the contract does not have: dropped in silence, it would look as if it were done.

    Raises:
        InvalidPathException: Naming it.
    """
    for operation in patch.operations or ():
        for path in _paths(str(operation.path or ""), operation.value):
            if _is_foreign(path):
                raise InvalidPathException(detail=f"{path} is nothing that is kept; see /Schemas/{CONTRACT}")


def check_whole(resource: Resource[Any]) -> None:
    """
    Refuse a person with something in the contract that it does not have, see `check_patch`.

    Raises:
        InvalidValueException: Naming it.
    """
    contract = resource[Contract]
    if contract is not None and contract.unknown_attributes:
        names = ", ".join(sorted(contract.unknown_attributes))
        raise InvalidValueException(detail=f"{names}: nothing of a contract that is kept; see /Schemas/{CONTRACT}")


def _paths(path: str, value: Any) -> Iterator[str]:
    """Yield what an operation changes, attributes of the contract each by its whole path."""
    if path and path.casefold() != _OURS:
        yield path
        return
    for key, changed in ({path: value} if path else value if isinstance(value, dict) else {}).items():
        if key.casefold() == _OURS and isinstance(changed, dict):
            yield from (f"{CONTRACT}:{name}" for name in changed)
        else:
            yield key


def _is_foreign(name: str) -> bool:
    """Say whether a path means the contract, as far as one can tell, and names nothing of it."""
    folded = name.casefold()
    if not folded.startswith(_NAMESPACE) or folded == _OURS:
        return False
    return not folded.startswith(f"{_OURS}:") or folded[len(_OURS) + 1 :] not in _KEPT


def provider() -> ScimProvider:
    """Describe the service."""
    return ScimProvider(
        models=[User, EnterpriseUser, Contract],
        resource_types=[ResourceType.from_resource(User[EnterpriseUser | Contract])],
        config=CONFIGURATION,
        policy=TOLERANT,
    )
