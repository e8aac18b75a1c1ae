"""What the ways in for HR's systems have in common: a token, a limit to calls, strict JSON, and SCIM's errors."""

from __future__ import annotations

import math

from flask import Response, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError

from lifecycle.domain.errors import LifecycleError, NotFound, NotPermitted
from lifecycle.services.allowance import Allowance, TooManyCalls
from lifecycle.services.authorisation import Action, Actor, authorize
from lifecycle.services.push_bulk import BulkRefused, TooManyOperations
from lifecycle.services.room import RETRY_SECONDS, NoRoom, words_of
from lifecycle.services.strict_json import JsonRefused
from lifecycle.services.tokens import ServiceTokens, TokenRefused

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
STATUS: dict[type[LifecycleError], tuple[int, str]] = {
    TokenRefused: (401, ""),
    NotPermitted: (403, ""),
    NotFound: (404, ""),
    TooManyOperations: (413, "tooMany"),
    TooManyCalls: (429, ""),
    BulkRefused: (400, "invalidSyntax"),
    JsonRefused: (400, "invalidSyntax"),
    NoRoom: (503, ""),
}
"""Error to HTTP status and SCIM's type of error, where it has one."""


def pushing(tokens: ServiceTokens, allowance: Allowance) -> Actor:
    """
    Say which program calls, by its token, and count the call.

    Raises:
        TokenRefused: No token, or none that is valid; it does not say which.
        NotPermitted: If the token is not for pushing.
        TooManyCalls: If it has called too often.
    """
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    actor = tokens.actor(token.strip() if kind.casefold() == "bearer" else "")
    authorize(actor, Action.PUSH_ROSTER)
    allowance.take(actor.id)
    return actor


def refused(error: LifecycleError) -> ResponseReturnValue:
    """Answer *error* in SCIM's shape."""
    status, scim_type = next((answer for kind, answer in STATUS.items() if isinstance(error, kind)), (409, ""))
    response = current_app.make_response(scim_error(status, str(error), scim_type))
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="lifecycle"'
    if isinstance(error, TooManyCalls):
        response.headers["Retry-After"] = str(max(1, math.ceil(error.seconds)))
    return later(response)


def unavailable(error: OperationalError) -> ResponseReturnValue:
    """Answer a database that cannot be used, in SCIM's shape."""
    current_app.logger.error("the database cannot be used: %s", error.orig)
    return later(current_app.make_response(scim_error(503, words_of(error))))


def later(response: Response) -> Response:
    """Say when to call again where an answer says that the product cannot serve just now."""
    if response.status_code == 503:
        response.headers.setdefault("Retry-After", str(RETRY_SECONDS))
    return response


def scim_error(status: int, detail: str, scim_type: str = "") -> ResponseReturnValue:
    """Return an error as RFC 7644, section 3.12, has it."""
    body = {"schemas": [ERROR], "status": str(status), "detail": detail}
    if scim_type:
        body["scimType"] = scim_type
    return body, status, {"Content-Type": "application/scim+json"}
