"""``/scim/v2``: identity providers keep the people here whom HR's system would push."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, request
from scim2_flask import ScimServer
from scim2_server.requests import ScimRequest
from scim2_server.routing import Route
from scim2_server.service import ScimService, is_json_media_type
from sqlalchemy.exc import OperationalError

from lifecycle.api.hr import PushServices
from lifecycle.api.machines import later, pushing, refused, unavailable
from lifecycle.api.overtaken import Handler
from lifecycle.domain.errors import LifecycleError
from lifecycle.services import strict_json
from lifecycle.services.authorisation import Actor
from lifecycle.services.scim_models import LARGEST_BODY, provider
from lifecycle.services.scim_users import ScimUsers

NOBODY = Actor("", "", "")


class Server(ScimServer):
    """The server of scim2-flask, with a storage that knows who calls."""

    def __init__(self, use_cases: PushServices) -> None:
        self.use_cases = use_cases
        self.provider = provider()
        super().__init__(self._users(NOBODY), self.provider)
        self.service = ScimService(self.provider)

    def get_subject(self) -> Any:
        """Return whoever calls."""
        return g.caller

    def read_body(self, scim_request: ScimRequest) -> bytes:  # noqa: ARG002 - the limit is set before the body is read
        """Return the body, which has been looked through already."""
        return request.get_data()

    def _make_view(self, route: Route) -> Any:
        def view(**_: str) -> Response:
            operation = getattr(self._handler(), route.operation.value)
            return self._to_response(operation(self.read_request()))

        return view

    def _fallback_view(self, path: str) -> Response:  # noqa: ARG002 - the request has it
        return self._to_response(self._handler().handle(self.read_request()))

    def _handler(self) -> Handler:
        return Handler(self.service, self._users(g.caller))

    def _users(self, actor: Actor) -> ScimUsers:
        pushes = self.use_cases.pushes
        return ScimUsers(pushes.store, pushes, self.provider, actor)


def blueprint(use_cases: PushServices) -> Blueprint:
    """Build the interface around *use_cases*."""
    bp = Server(use_cases).create_blueprint()

    @bp.before_request
    def recognise() -> None:
        g.caller = pushing(use_cases.tokens, use_cases.allowance)
        if request.endpoint == "scim.bulk":
            request.max_content_length = LARGEST_BODY
        body = request.get_data()
        if body and is_json_media_type(request.content_type or "application/json"):
            strict_json.read(body)

    bp.after_request(later)
    bp.register_error_handler(LifecycleError, refused)
    bp.register_error_handler(OperationalError, unavailable)
    return bp
