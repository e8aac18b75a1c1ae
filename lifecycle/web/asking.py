"""Asking for access: for one contractor, for several at once, for oneself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lifecycle.domain.approval import Kind
from lifecycle.domain.entitlement import Entitlement, Tier
from lifecycle.domain.errors import LifecycleError
from lifecycle.services.authorisation import Action
from lifecycle.services.requests import Draft, Proposal
from lifecycle.web import forms
from lifecycle.web.services import about, permitted, services

bp = Blueprint("asking", __name__)
USUAL_HOURS = {
    Tier.GOD: (1, 2, 4, 8),
    Tier.ELEVATED: (8, 24, 72, 168),
    Tier.STANDARD: (24, 168, 720, 2160),
    Tier.READ_ONLY: (24, 168, 720, 2160),
}
WINDOW_DAYS = (1, 3, 7)


@dataclass(frozen=True)
class Choice:
    """One usual duration, or why it cannot be had."""

    hours: int
    proposal: Proposal


@dataclass(frozen=True)
class Form:
    """What the form shows."""

    rights: list[Entitlement]
    chosen: Entitlement | None
    choices: list[Choice]
    proposal: Proposal | None
    refused: str


def requestable() -> list[Entitlement]:
    """List what can be asked for, by target and from the least to the most powerful."""
    every = services().targets.catalogue.entitlements.values()
    return sorted((e for e in every if e.requestable), key=lambda e: (e.target, e.tier, e.title))


def _form(identity_id: str, draft: Draft) -> Form:
    rights = requestable()
    chosen = next((e for e in rights if e.key == draft.entitlement), None)
    if chosen is None:
        return Form(rights, None, [], None, "")
    actor = permitted(Action.ASK, about(identity_id))
    asking, choices, refused = services().requests, [], ""
    most = services().settings.requests.longest(chosen.tier)
    for hours in USUAL_HOURS[chosen.tier]:
        length = timedelta(hours=hours)
        if length > min(most, chosen.longest or most):
            continue
        try:
            choices.append(Choice(hours, asking.proposal(actor, _with(draft, length), named=False)))
        except LifecycleError as exc:
            refused = str(exc)
            break
    proposal = None
    if choices and not refused:
        try:
            proposal = asking.proposal(actor, draft)
        except LifecycleError as exc:
            refused = str(exc)
    return Form(rights, chosen, choices, proposal, refused)


def _with(draft: Draft, length: timedelta) -> Draft:
    return Draft(draft.identity_id, draft.entitlement, length, draft.reason, kind=draft.kind, grant_id=draft.grant_id)


def _draft(identity_id: str) -> Draft:
    """Read what is asked from the address or the form; without a duration, the second usual one."""
    source = request.form if request.method == "POST" else request.args
    entitlement = source.get("entitlement", "")[: forms.LONGEST_FIELD]
    right = services().targets.catalogue.entitlements.get(entitlement)
    usual = USUAL_HOURS[right.tier] if right else (1, 2)
    days = source.get("window", "")
    return Draft(
        identity_id=identity_id,
        entitlement=entitlement,
        asked=_length(source.get("other", "") or source.get("hours", ""), usual[1]),
        reason=source.get("reason", "")[: forms.LONGEST_TEXT],
        at_once=days in {"", "0"},
        window=timedelta(days=int(days)) if days in {str(d) for d in WINDOW_DAYS} else timedelta(),
        kind=Kind(source["kind"]) if source.get("kind") in {"extend", "renew"} else Kind.NEW,
        grant_id=source.get("grant", "")[:64],
    )


def _length(hours: str, otherwise: int) -> timedelta:
    try:
        value = float(hours) if hours else float(otherwise)
    except ValueError:
        value = -1
    if not 0 < value <= forms.LONGEST_HOURS:
        value = otherwise
    return timedelta(hours=value)


@bp.get("/people/<identity_id>/ask")
def ask(identity_id: str) -> ResponseReturnValue:
    """Show what can be asked for, and what it would mean."""
    return _page(identity_id, "")


def _page(identity_id: str, error: str) -> ResponseReturnValue:
    actor = permitted(Action.ASK, about(identity_id))
    draft = _draft(identity_id)
    return render_template(
        "requests/ask.html",
        nav="my-access" if actor.identity_id == identity_id else "team",
        standing=services().persons.standing(identity_id),
        own=actor.identity_id == identity_id,
        draft=draft,
        hours=draft.asked.total_seconds() / 3600,
        form=_form(identity_id, draft),
        windows=[d for d in WINDOW_DAYS if d <= services().settings.requests.window_days],
        error=error,
    ), (422 if error else 200)


@bp.post("/people/<identity_id>/ask")
def send(identity_id: str) -> ResponseReturnValue:
    """Ask."""
    actor = permitted(Action.ASK, about(identity_id))
    try:
        request_id = services().requests.ask(actor, _draft(identity_id))
    except LifecycleError as exc:
        return _page(identity_id, str(exc))
    flash(f"{request_id} is sent to its reviewers.")
    return redirect(url_for("requests.show", request_id=request_id), 303)


@bp.get("/team/ask")
def ask_for_several() -> ResponseReturnValue:
    """Show what can be asked for several people at once."""
    permitted(Action.SEE_TEAM)
    return _page_for_several("", None)


def _page_for_several(error: str, batch: object) -> ResponseReturnValue:
    actor = permitted(Action.SEE_TEAM)
    most = services().settings.requests.most_at_once
    if forms.query("everybody"):
        standings = services().team.page(actor, limit=most)
    else:
        chosen = set(forms.several("id", most))
        standings = [s for s in services().team.page(actor, limit=1000) if s.identity.id in chosen]
    draft = _draft("")
    right = services().targets.catalogue.entitlements.get(draft.entitlement)
    return render_template(
        "requests/several.html",
        nav="team",
        standings=standings,
        rights=requestable(),
        chosen=right,
        usual=USUAL_HOURS[right.tier] if right else (),
        draft=draft,
        hours=draft.asked.total_seconds() / 3600,
        error=error,
        batch=batch,
    ), (422 if error else 200)


@bp.post("/team/ask")
def send_for_several() -> ResponseReturnValue:
    """Ask the same for several people, one request each."""
    actor = permitted(Action.SEE_TEAM)
    try:
        batch = services().requests.ask_for_several(actor, forms.several("id"), _draft(""))
    except LifecycleError as exc:
        return _page_for_several(str(exc), None)
    return _page_for_several("", batch)
