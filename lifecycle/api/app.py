"""The JSON interface, version 1: who holds what, what is asked, and the trail. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError

from lifecycle.domain.audit import AuditRecord
from lifecycle.domain.entitlement import Tier
from lifecycle.domain.errors import InvalidCatalogue, LifecycleError, NotFound, NotPermitted
from lifecycle.services.authorisation import Action, Actor, authorize
from lifecycle.services.case import Case
from lifecycle.services.holders import Holder, Holders
from lifecycle.services.inbox import Inbox
from lifecycle.services.numbers import whole
from lifecycle.services.persons import Explanation, Persons
from lifecycle.services.room import RETRY_SECONDS, words_of
from lifecycle.services.tokens import ServiceTokens, TokenRefused
from lifecycle.services.trail import Trail

MOST = 200
STATUS: dict[type[LifecycleError], int] = {TokenRefused: 401, NotPermitted: 403, NotFound: 404, InvalidCatalogue: 400}


@dataclass(frozen=True)
class ApiServices:
    """The use cases behind it."""

    tokens: ServiceTokens
    holders: Holders
    persons: Persons
    inbox: Inbox
    trail: Trail


def blueprint(use_cases: ApiServices) -> Blueprint:
    """Build the interface around *use_cases*."""
    bp = Blueprint("api", __name__, url_prefix="/api/v1")

    def permitted(action: Action) -> Actor:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        actor = use_cases.tokens.actor(token.strip() if kind.casefold() == "bearer" else "")
        authorize(actor, action)
        return actor

    _routes(bp, use_cases, permitted)
    bp.register_error_handler(LifecycleError, _refused)
    bp.register_error_handler(OperationalError, _unavailable)
    return bp


def _routes(bp: Blueprint, use_cases: ApiServices, permitted: Callable[[Action], Actor]) -> None:
    @bp.get("/holders")
    def holders() -> ResponseReturnValue:
        """Who holds rights of a tier now: ``?tier=god``."""
        permitted(Action.READ_ACCESS)
        found = use_cases.holders.who(Tier.parse(request.args.get("tier", "god")))
        return {"holders": [_holder(holder) for holder in found]}

    @bp.get("/people/<name>/access")
    def access(name: str) -> ResponseReturnValue:
        """What one person holds and should hold; by id, worker id or e-mail address, in full."""
        permitted(Action.READ_ACCESS)
        standing, explanations = use_cases.persons.explain(name, exact=True)
        return {
            "identity": standing.identity.id,
            "worker_id": standing.identity.worker_id,
            "stage": standing.stage,
            "access": [_explanation(explanation) for explanation in explanations],
        }

    @bp.get("/requests")
    def requests() -> ResponseReturnValue:
        """What waits for a review."""
        actor = permitted(Action.READ_REQUESTS)
        return {"requests": [_request(case) for case in use_cases.inbox.pending(actor)]}

    @bp.get("/trail")
    def trail() -> ResponseReturnValue:
        """Records of the trail, newest first: ``?before=SEQ`` for the next page."""
        permitted(Action.READ_TRAIL)
        number = whole(request.args.get("before", ""))
        return {"records": [_record(record) for record in use_cases.trail.search(before=number, limit=MOST)]}


def _holder(holder: Holder) -> dict[str, object]:
    return {
        "entitlement": holder.entitlement,
        "target": holder.target,
        "account": holder.account,
        "identity": holder.identity.id if holder.identity else None,
        "worker_id": holder.identity.worker_id if holder.identity else None,
        "since": _stamp(holder.since),
        "ends_at": _stamp(holder.ends_at),
    }


def _explanation(explanation: Explanation) -> dict[str, object]:
    return {
        "entitlement": explanation.entitlement,
        "target": explanation.target,
        "tier": explanation.tier,
        "held": explanation.held,
        "because": explanation.because,
        "until": _stamp(explanation.until),
    }


def _request(case: Case) -> dict[str, object]:
    return {
        "id": case.row.id,
        "kind": case.row.kind,
        "identity": case.row.identity_id,
        "entitlement": case.row.entitlement,
        "approvals": len(case.request.approvals),
        "approvals_needed": case.row.approvals_needed,
        "expires_at": _stamp(case.row.expires_at),
    }


def _record(record: AuditRecord) -> dict[str, object]:
    return {
        "seq": record.seq,
        "at": _stamp(record.at),
        "actor": record.actor,
        "on_behalf": record.on_behalf,
        "action": record.action,
        "object": record.object,
        "before": dict(record.before),
        "after": dict(record.after),
        "request": record.request,
    }


def _refused(error: LifecycleError) -> ResponseReturnValue:
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 409)
    headers = {"WWW-Authenticate": 'Bearer realm="lifecycle"'} if status == 401 else {}
    return {"error": error.code, "message": str(error)}, status, headers


def _unavailable(error: OperationalError) -> ResponseReturnValue:
    current_app.logger.error("the database cannot be used: %s", error.orig)
    return {"error": "unavailable", "message": words_of(error)}, 503, {"Retry-After": str(RETRY_SECONDS)}


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
