"""Changes of one person at once: those that set no condition all happen, one after another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from scim2_models import ConflictException, PatchOp, PreconditionFailedException, Resource, ResourceType
from scim2_server.conditions import Conditions
from scim2_server.handler import ScimHandler

from lifecycle.services.scim_models import check_patch, check_whole

T = TypeVar("T")
MOST_ATTEMPTS = 20
_TURN = threading.Lock()
"""Whoever was overtaken once takes turns with the others who were, so that nobody is overtaken for ever."""


class Handler(ScimHandler):
    """
    Loads a person again when somebody else has changed them meanwhile, and applies the change to what they are now.

    412 is kept for callers who named a version: without one there is no condition that could have failed.
    """

    def patch_resource(
        self, resource_type: ResourceType, resource_id: str, patch_op: PatchOp[Any], conditions: Conditions
    ) -> Resource[Any]:
        """See `ScimHandler.patch_resource`."""
        check_patch(patch_op)
        attempt = super().patch_resource
        return _repeated(
            lambda: attempt(resource_type, resource_id, patch_op.model_copy(deep=True), conditions), conditions
        )

    def replace_resource(
        self, resource_type: ResourceType, current: Resource[Any], replacement: Resource[Any], conditions: Conditions
    ) -> Resource[Any]:
        """See `ScimHandler.replace_resource`; *current* is what it was before the first attempt."""
        check_whole(replacement)
        attempt, known = super().replace_resource, [current]

        def replaced() -> Resource[Any]:
            now = known.pop() if known else self.storage.get(resource_type, str(current.id))
            return attempt(resource_type, now, replacement.model_copy(deep=True), conditions)

        return _repeated(replaced, conditions)

    def delete_resource(self, resource_type: ResourceType, resource_id: str, conditions: Conditions) -> None:
        """See `ScimHandler.delete_resource`."""
        attempt = super().delete_resource
        _repeated(lambda: attempt(resource_type, resource_id, conditions), conditions)


def _repeated(attempt: Callable[[], T], conditions: Conditions) -> T:
    """
    Make *attempt* until nobody overtakes it.

    Raises:
        PreconditionFailedException: If the caller set a condition, which does not hold.
        ConflictException: If it was overtaken too often.
    """
    if conditions.if_match or conditions.if_none_match:
        return attempt()
    try:
        return attempt()
    except PreconditionFailedException:
        with _TURN:
            for _ in range(1, MOST_ATTEMPTS):
                try:
                    return attempt()
                except PreconditionFailedException:
                    continue
    raise ConflictException(detail="Others change this person all the time; send it again.")
