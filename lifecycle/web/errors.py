"""One table from errors to answers."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, SecurityError

from lifecycle.domain.approval import ReasonMissing
from lifecycle.domain.errors import LifecycleError, NotFound, NotPermitted
from lifecycle.domain.renewal import AnswerInvalid
from lifecycle.services.authorisation import StepUpNeeded
from lifecycle.services.clock import ClockGoesBack
from lifecycle.services.cutoff import NotConfirmed
from lifecycle.services.files import FileTooLarge
from lifecycle.services.membership import MemberInvalid
from lifecycle.services.passkeys import PasskeyRefused
from lifecycle.services.requests import RequestInvalid
from lifecycle.services.room import RETRY_SECONDS, NoRoom, is_full, words_of
from lifecycle.services.secrets import TooManyAttempts
from lifecycle.services.sessions import NotSignedIn
from lifecycle.services.signin import DirectoryDown, SignInRefused
from lifecycle.services.staleness import FeedStale
from lifecycle.services.team import WordsMissing
from lifecycle.services.tokens import TokenInvalid
from lifecycle.web import confirm, forms
from lifecycle.web.services import services, signed_in

STATUS: dict[type[LifecycleError], int] = {
    NotFound: 404,
    NotPermitted: 403,
    SignInRefused: 403,
    PasskeyRefused: 403,
    RequestInvalid: 422,
    AnswerInvalid: 422,
    MemberInvalid: 422,
    WordsMissing: 422,
    NotConfirmed: 422,
    ReasonMissing: 422,
    TokenInvalid: 422,
    DirectoryDown: 503,
    FeedStale: 503,
    TooManyAttempts: 429,
    ClockGoesBack: 409,
    FileTooLarge: 413,
    NoRoom: 507,
}
ELSEWHERE = (NotFound, NotPermitted, StepUpNeeded, NotSignedIn, TooManyAttempts)
"""What is answered by a page of its own, wherever it happens."""
SCIM_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
TITLES = {
    400: "That request cannot be read",
    403: "That is not permitted",
    404: "There is nothing here",
    422: "That cannot be done so",
    503: "Not just now",
    405: "That cannot be done here",
    409: "That is no longer possible",
    413: "That is too large",
    429: "Not so fast",
    507: "There is no room",
    500: "Something went wrong here",
}


def register(app: Flask) -> None:
    """Have every error answered by a page with a status and words a person can act on."""
    app.register_error_handler(NotSignedIn, _ask_to_sign_in)
    app.register_error_handler(StepUpNeeded, _ask_to_confirm)
    app.register_error_handler(LifecycleError, _refused)
    app.register_error_handler(OperationalError, _unavailable)
    app.register_error_handler(OSError, _no_room)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http)


def _ask_to_sign_in(_: NotSignedIn) -> ResponseReturnValue:
    page = "access.setup" if services().sign_in.needs_setup() else "access.sign_in"
    target = url_for(page, next=request.full_path.rstrip("?") if request.method == "GET" else None)
    if request.headers.get("HX-Request"):
        return "", 401, {"HX-Redirect": url_for(page)}
    return redirect(target, 303)


def _ask_to_confirm(error: StepUpNeeded) -> ResponseReturnValue:
    """Ask who is there; what was about to be done is kept in the page and goes on afterwards."""
    again = request.method == "POST"
    resume = request.path if again else request.full_path.rstrip("?")
    return confirm.page(signed_in(), resume, confirm.carried(), str(error), again=again), 403


def status_of(error: LifecycleError) -> int:
    """Return the status that answers *error*."""
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 409)


def status_here(error: LifecycleError) -> int:
    """
    Return the status with which the form's own page says *error*, with what was typed kept.

    Raises:
        LifecycleError: *error* itself, where a page of its own answers it.
    """
    if isinstance(error, ELSEWHERE):
        raise error
    return status_of(error)


def _refused(error: LifecycleError) -> ResponseReturnValue:
    status = status_of(error)
    headers = {"Retry-After": str(max(1, round(error.seconds)))} if isinstance(error, TooManyAttempts) else {}
    return _page(status, str(error)), status, headers


def _unavailable(error: OperationalError) -> ResponseReturnValue:
    current_app.logger.error("the database cannot be used: %s", error.orig)
    return _page(503, words_of(error)), 503, {"Retry-After": str(RETRY_SECONDS)}


def _no_room(error: OSError) -> ResponseReturnValue:
    """Answer a full disk wherever it is noticed: a large form is kept on it while it arrives."""
    if not is_full(error):
        raise error
    current_app.logger.error("the disk is full: %s", error)
    return _refused(NoRoom("There is no room on the disk for this; nothing was kept."))


def _stale_form(_: CSRFError) -> ResponseReturnValue:
    return _page(
        400, "This form was opened before the server was restarted, or elsewhere. Go back and send it again."
    ), 400


def _http(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, SecurityError):  # without a host that is trusted there are no addresses to put on a page
        return "This site is not served under that name.", 400, {"Content-Type": "text/plain"}
    status = error.code or 500
    if request.path.startswith("/api/"):
        return {"error": error.name.lower().replace(" ", "-"), "message": error.description or ""}, status
    if request.path.startswith("/hr/"):
        body = {"schemas": [SCIM_ERROR], "status": str(status), "detail": error.description or ""}
        headers = {name: value for name, value in error.get_headers() if name == "Allow"}
        return body, status, {**headers, "Content-Type": "application/scim+json"}
    return _page(status, error.description or ""), status


def _page(status: int, words: str) -> str:
    context: dict[str, Any] = {"status": status, "title": TITLES.get(status, "That did not work"), "words": words}
    context["back"] = forms.came_from() if request.method == "POST" else ""
    return render_template("error.html", **context)
