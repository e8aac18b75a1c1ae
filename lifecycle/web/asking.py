"""Asking for access: for one contractor, for several at once, for oneself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lifecycle.domain.approval import Kind
from lifecycle.domain.entitlement import Entitlement, Tier
from lifecycle.domain.errors import LifecycleError
from lifecycle.services.authorisation import Action
from lifecycle.services.persons import Standing
from lifecycle.services.proposals import SHORTEST, Draft, Proposal
from lifecycle.web import formats, forms
from lifecycle.web.services import about, permitted, services

bp = Blueprint("asking", __name__)
USUAL_HOURS = {
    Tier.GOD: (1, 2, 4, 8),
    Tier.ELEVATED: (8, 24, 72, 168),
    Tier.STANDARD: (24, 168, 720, 2160),
    Tier.READ_ONLY: (24, 168, 720, 2160),
}
WINDOW_DAYS = (1, 3, 7)
IMPOSSIBLE = f"Give a number of hours: 0.1 (6 minutes) at the least, {forms.LONGEST_HOURS} (a year) at the most."
CHANGED = "Nothing was sent: you changed what is asked. This is what it means now; send it if that is right."
Found = TypeVar("Found")


@dataclass(frozen=True)
class Asked:
    """What the form or the address says."""

    draft: Draft
    right: Entitlement | None
    longest: timedelta
    """The most that `right` may be held at once."""
    usual: tuple[float, ...]
    """Hours to choose from."""
    typed: str
    """Hours of one's own, as typed."""
    error: str
    """What is wrong with the hours."""

    @property
    def hours(self) -> float:
        """How long, in hours."""
        return self.draft.asked.total_seconds() / 3600

    @property
    def mark(self) -> str:
        """What a preview was made for, so that nothing else is sent unseen."""
        return f"{self.draft.entitlement} {self.draft.asked.total_seconds():.0f}" if self.right else ""

    @property
    def shortened(self) -> str:
        """Say that less than what was asked would be had; empty if it would not."""
        if self.right is None or self.draft.asked <= self.longest:
            return ""
        return f"Shortened to {self.longest_words}, the longest for “{self.right.title}”"

    @property
    def longest_words(self) -> str:
        """The most that may be asked for, in words."""
        return formats.length(self.longest.total_seconds() / 3600)


@dataclass(frozen=True)
class Outlook:
    """What asking would mean for one person, or why it cannot be."""

    standing: Standing
    meaning: Proposal | str

    @property
    def proposal(self) -> Proposal | None:
        """What it would mean; None where it cannot be asked."""
        return None if isinstance(self.meaning, str) else self.meaning

    @property
    def refused(self) -> str:
        """Why it cannot be asked; empty where it can."""
        return self.meaning if isinstance(self.meaning, str) else ""


def requestable() -> list[Entitlement]:
    """List what can be asked for, by target and from the least to the most powerful."""
    every = services().targets.catalogue.entitlements.values()
    return sorted((e for e in every if e.requestable), key=lambda e: (e.target, e.tier, e.title))


def _asked(identity_id: str) -> Asked:
    """Read what is asked from the address or the form; without a duration, the second usual one."""
    source = request.form if request.method == "POST" else request.args
    key = source.get("entitlement", "")[: forms.LONGEST_FIELD]
    right = next((e for e in requestable() if e.key == key), None)
    longest = services().proposals.longest(right) if right else timedelta()
    usual = _usual(right, longest)
    typed, chosen = source.get("other", "").strip()[:32], source.get("hours", "")
    if source.get("shown", "").partition(" ")[0] not in {"", key}:
        typed = chosen = ""  # those were hours of another right
    otherwise = usual[min(1, len(usual) - 1)] if usual else 1
    length = _length(typed or chosen, otherwise)
    if not typed and length is not None and length.total_seconds() / 3600 not in usual:
        typed = chosen
    days = source.get("window", "")
    draft = Draft(
        identity_id=identity_id,
        entitlement=key,
        asked=length or timedelta(hours=otherwise),
        reason=forms.plain(source.get("reason", "")),
        at_once=days in {"", "0"},
        window=timedelta(days=int(days)) if days in {str(d) for d in WINDOW_DAYS} else timedelta(),
        kind=Kind(source["kind"]) if source.get("kind") in {"extend", "renew"} else Kind.NEW,
        grant_id=source.get("grant", "")[:64],
    )
    return Asked(draft, right, longest, usual, typed or ("" if length else chosen), "" if length else IMPOSSIBLE)


def _usual(right: Entitlement | None, longest: timedelta) -> tuple[float, ...]:
    if right is None:
        return ()
    most = longest.total_seconds() / 3600
    return tuple(hours for hours in USUAL_HOURS[right.tier] if hours <= most) or (most,)


def _length(hours: str, otherwise: float) -> timedelta | None:
    """Read a number of hours; None if it is none that can be asked for."""
    try:
        value = float(hours) if hours else float(otherwise)
    except ValueError:
        return None
    least = SHORTEST.total_seconds() / 3600
    return timedelta(hours=value) if least <= value <= forms.LONGEST_HOURS else None


def _windows(right: Entitlement | None) -> list[tuple[int, int]]:
    """List in how many days, and hours, something may be activated; god mode keeps no longer than a request for it."""
    limits = services().settings.requests
    if right is not None and right.tier is Tier.GOD:
        return [(WINDOW_DAYS[0], limits.expire_god_hours)]
    return [(days, days * 24) for days in WINDOW_DAYS if days <= limits.window_days]


def _or_why_not(ask: Callable[[], Found]) -> tuple[Found | None, str]:
    try:
        return ask(), ""
    except LifecycleError as exc:
        return None, str(exc)


def _is_sent(asked: Asked) -> bool:
    """Say whether the form is to be sent: not where it is only to be shown, or says what was not shown."""
    return not asked.error and not request.form.get("show") and request.form.get("shown", "") in {"", asked.mark}


def _status(asked: Asked, error: str) -> int:
    """Return 422 where something was sent that cannot be; what is only shown is no failure."""
    sent = request.method == "POST" and not request.form.get("show")
    return 422 if error or (asked.error and sent) else 200


def _why_shown(asked: Asked) -> str:
    """Say why the form is shown again though it was sent."""
    return CHANGED if not asked.error and not request.form.get("show") else ""


@bp.get("/people/<identity_id>/ask")
def ask(identity_id: str) -> ResponseReturnValue:
    """Show what can be asked for, and what it would mean."""
    return _page(identity_id)


def _page(identity_id: str, error: str = "") -> ResponseReturnValue:
    actor = permitted(Action.ASK, about(identity_id))
    asked = _asked(identity_id)
    proposal, refused = None, ""
    if asked.right is not None:
        proposal, refused = _or_why_not(lambda: services().proposals.proposal(actor, asked.draft))
    return render_template(
        "requests/ask.html",
        nav="my-access" if actor.identity_id == identity_id else "team",
        standing=services().persons.standing(identity_id),
        own=actor.identity_id == identity_id,
        asked=asked,
        draft=asked.draft,
        rights=requestable(),
        p=proposal if not asked.error else None,
        refused=refused,
        windows=_windows(asked.right),
        error=error,
    ), _status(asked, error)


@bp.post("/people/<identity_id>/ask")
def send(identity_id: str) -> ResponseReturnValue:
    """Ask, or with ``show`` only say what it would mean: words do not belong into an address."""
    actor = permitted(Action.ASK, about(identity_id))
    asked = _asked(identity_id)
    if not _is_sent(asked):
        return _page(identity_id, _why_shown(asked))
    request_id, refused = _or_why_not(lambda: services().requests.ask(actor, asked.draft))
    if request_id is None:
        return _page(identity_id, refused)
    flash(f"{request_id} is sent to its reviewers.{f' {asked.shortened}.' if asked.shortened else ''}")
    return redirect(url_for("requests.show", request_id=request_id), 303)


@bp.get("/team/ask")
def ask_for_several() -> ResponseReturnValue:
    """Show what can be asked for several people at once."""
    permitted(Action.SEE_TEAM)
    return _page_for_several()


def _page_for_several(error: str = "") -> ResponseReturnValue:
    asked, standings = _asked(""), _chosen()
    meant = asked.right is not None and not asked.error
    ids = [s.identity.id for s in standings]
    meaning = services().proposals.outlook(permitted(Action.SEE_TEAM), asked.draft, ids) if meant else {}
    outlooks = [Outlook(s, meaning[s.identity.id]) for s in standings if meant]
    return render_template(
        "requests/several.html",
        nav="team",
        standings=standings,
        rights=requestable(),
        asked=asked,
        draft=asked.draft,
        outlooks=outlooks,
        possible=[o for o in outlooks if o.proposal],
        error=error,
    ), _status(asked, error)


def _chosen() -> list[Standing]:
    actor, most = permitted(Action.SEE_TEAM), services().settings.requests.most_at_once
    if forms.query("everybody"):
        return [s for s in services().team.page(actor, limit=most) if not services().team.why_not_ask(s)]
    return services().team.chosen(actor, forms.several("id", most))


@bp.post("/team/ask")
def send_for_several() -> ResponseReturnValue:
    """Ask the same for several people, one request each, or with ``show`` only say what it would mean."""
    actor = permitted(Action.SEE_TEAM)
    asked = _asked("")
    if not _is_sent(asked):
        return _page_for_several(_why_shown(asked))
    ids = forms.several("id")
    batch, refused = _or_why_not(lambda: services().requests.ask_for_several(actor, ids, asked.draft))
    if batch is None:
        return _page_for_several(refused)
    now = services().clock.now()
    return render_template("requests/sent.html", nav="team", batch=batch, asked=asked, now=now)
