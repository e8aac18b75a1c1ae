"""*Requests*: what waits for the reader, and one request with what can be done about it."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from lifecycle.domain.approval import Resolution, Verdict
from lifecycle.domain.errors import LifecycleError
from lifecycle.services.authorisation import Action
from lifecycle.services.numbers import whole
from lifecycle.services.reviews import LONGEST_NOTE
from lifecycle.web import errors, forms
from lifecycle.web.formats import local_to
from lifecycle.web.services import permitted, services, signed_in

bp = Blueprint("requests", __name__)
SHORTER = (0.25, 0.5)
LONGEST_SECONDS = 999_999_999


@bp.get("/requests")
def index() -> ResponseReturnValue:
    """List what waits for the reader's review, and what they asked."""
    actor = permitted(Action.SEE_REQUESTS)
    inbox = services().inbox
    return render_template(
        "requests/index.html",
        nav="requests",
        waiting=inbox.waiting(actor),
        own=inbox.own(actor),
        now=services().clock.now(),
    )


@bp.get("/requests/<request_id>")
def show(request_id: str) -> ResponseReturnValue:
    """Show one request: on a phone one screen, whose button says the outcome."""
    return _page(request_id)


def _page(request_id: str, error: str = "", status: int = 200) -> ResponseReturnValue:
    actor = signed_in()
    sheet = services().reviews.sheet(actor, request_id)
    allowed = sheet.request.allowed
    lengths = [timedelta(seconds=int(allowed.total_seconds() * part) // 60 * 60) for part in (*SHORTER, 1)]
    choices = [(length, min(sheet.starts_at + length, sheet.ends_at)) for length in lengths] if sheet.ends_at else []
    return render_template(
        "requests/show.html",
        nav="requests",
        sheet=sheet,
        case=sheet.case,
        request_=sheet.request,
        choices=[c for c in choices if c[0] >= timedelta(minutes=5)],
        allowed=allowed,
        PENDING=Resolution.PENDING,
        APPROVED=Resolution.APPROVED,
        error=error,
        note=forms.plain(request.form.get("note", "")),
        edited={name: forms.plain(request.form.get(name, "")) for name in ("hours", "reason")},
    ), status


def _told(request_id: str, error: LifecycleError) -> ResponseReturnValue:
    """Say on the request's own page why nothing was done, with what was typed kept."""
    return _page(request_id, str(error), errors.status_here(error))


@bp.post("/requests/<request_id>/reviews")
def review(request_id: str) -> ResponseReturnValue:
    """Count a verdict."""
    actor = signed_in()
    seconds = forms.optional("longest")
    if len(forms.long_text("note").strip()) > LONGEST_NOTE:
        return _page(request_id, f"Nothing was done: a reason has {LONGEST_NOTE} characters at the most.", 422)
    try:
        reviewed = services().reviews.review(
            actor,
            request_id,
            verdict=_verdict(),
            note=forms.long_text("note"),
            shown=forms.text("shown"),
            longest=timedelta(seconds=_seconds(seconds)) if seconds else None,
        )
    except LifecycleError as exc:
        return _told(request_id, exc)
    words = "waits for the second person" if reviewed.resolution is Resolution.PENDING else reviewed.resolution.value
    flash(f"Your review is counted: {request_id} {'is ' if words == reviewed.resolution.value else ''}{words}.")
    return redirect(url_for("requests.show", request_id=request_id), 303)


def _verdict() -> Verdict:
    try:
        return Verdict(forms.text("verdict"))
    except ValueError as exc:
        raise BadRequest("A review approves or denies.") from exc


def _seconds(value: str) -> int:
    seconds = whole(value, LONGEST_SECONDS)
    if seconds is None:
        raise BadRequest("The time allowed is no number of seconds.")
    return seconds


@bp.post("/requests/<request_id>/seen")
def seen(request_id: str) -> ResponseReturnValue:
    """Stop reminders: somebody looks at it."""
    try:
        services().reviews.mark_seen(signed_in(), request_id)
    except LifecycleError as exc:
        return _told(request_id, exc)
    flash("Reminders stop for everybody who could review it.")
    return redirect(url_for("requests.show", request_id=request_id), 303)


@bp.post("/requests/<request_id>/edit")
def edit(request_id: str) -> ResponseReturnValue:
    """Change what was asked; reviews given so far are void."""
    actor = signed_in()
    reviewed = bool(services().reviews.sheet(actor, request_id).request.reviews)
    try:
        services().requests.edit(actor, request_id, asked=forms.hours("hours"), reason=forms.long_text("reason"))
    except BadRequest as exc:
        return _page(request_id, exc.description or "", 422)
    except LifecycleError as exc:
        return _told(request_id, exc)
    flash("Changed. Reviews given so far no longer count." if reviewed else "Changed.")
    return redirect(url_for("requests.show", request_id=request_id), 303)


@bp.post("/requests/<request_id>/withdraw")
def withdraw(request_id: str) -> ResponseReturnValue:
    """Take a request back."""
    try:
        services().requests.withdraw(signed_in(), request_id)
    except LifecycleError as exc:
        return _told(request_id, exc)
    flash(f"{request_id} is withdrawn.")
    return redirect(url_for("requests.show", request_id=request_id), 303)


@bp.post("/requests/<request_id>/activate")
def activate(request_id: str) -> ResponseReturnValue:
    """Start what was approved."""
    actor, now = signed_in(), services().clock.now()
    try:
        grant = services().activation.activate(actor, request_id)
    except LifecycleError as exc:
        return _told(request_id, exc)
    zone = services().reviews.sheet(actor, request_id).case.contract.engagement.zone
    begins = "now" if grant.starts_at <= services().clock.now() else local_to(grant.starts_at, zone, now)
    flash(f"It begins {begins} and ends by itself {local_to(grant.ends_at, zone, now)}.")
    return redirect(_back(url_for("requests.show", request_id=request_id)), 303)


@bp.post("/grants/<grant_id>/end")
def end_grant(grant_id: str) -> ResponseReturnValue:
    """End a grant early."""
    services().activation.end_early(signed_in(), grant_id, forms.long_text("reason"))
    flash("It ends now.")
    return redirect(_back("/"), 303)


def _back(otherwise: str) -> str:
    return forms.local_path(request.form["back"]) if request.form.get("back") else otherwise
