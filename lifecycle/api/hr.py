"""``/hr/v1/bulk``: HR's system pushes up to fifty people in one call, and asks later what became of each."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, UnsupportedMediaType

from lifecycle.api.machines import pushing, refused, scim_error, unavailable
from lifecycle.domain.errors import LifecycleError
from lifecycle.services.allowance import Allowance
from lifecycle.services.push import Push, Pushes
from lifecycle.services.push_bulk import read_bulk
from lifecycle.services.strict_json import read
from lifecycle.services.tokens import ServiceTokens

LARGEST_BODY = 2**20
CONTENT_TYPES = {"application/scim+json", "application/json"}


@dataclass(frozen=True)
class PushServices:
    """The use cases behind both ways to push."""

    tokens: ServiceTokens
    pushes: Pushes
    allowance: Allowance


def blueprint(use_cases: PushServices) -> Blueprint:
    """Build the interface around *use_cases*."""
    bp = Blueprint("hr", __name__, url_prefix="/hr/v1")

    @bp.post("/bulk")
    def push() -> ResponseReturnValue:
        """Keep a bulk request; it is worked on after the answer."""
        actor = pushing(use_cases.tokens, use_cases.allowance)
        if request.mimetype not in CONTENT_TYPES:
            raise UnsupportedMediaType("The body has to be application/scim+json.")
        request.max_content_length = LARGEST_BODY
        operations = read_bulk(read(request.get_data()), use_cases.pushes.settings)
        push_id = use_cases.pushes.receive(actor, operations)
        location = url_for("hr.show", push_id=push_id)
        return {"id": push_id, "location": location}, 202, {"Location": location}

    @bp.get("/bulk/<push_id>")
    def show(push_id: str) -> ResponseReturnValue:
        """Say what has become of each operation."""
        actor = pushing(use_cases.tokens, use_cases.allowance)
        return _shown(use_cases.pushes.show(actor, push_id))

    bp.register_error_handler(LifecycleError, refused)
    bp.register_error_handler(OperationalError, unavailable)
    bp.register_error_handler(HTTPException, http_error)
    return bp


def http_error(error: HTTPException) -> ResponseReturnValue:
    """Answer what goes wrong before any use case, in SCIM's shape."""
    if error.response is not None:
        return error
    return scim_error(error.code or 500, error.description or "")


def _shown(push: Push) -> dict[str, object]:
    return {
        "id": push.id,
        "receivedAt": push.received_at.isoformat(),
        "state": push.state.value,
        "operations": [
            {
                "bulkId": operation.bulk_id,
                "externalId": operation.external_id,
                "state": operation.state.value,
                "reason": operation.reason,
            }
            for operation in push.operations
        ],
    }
