"""*Right now*: the page that IT watches, its live part, and the demo's clock."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from lifecycle.services.authorisation import Action, may
from lifecycle.services.clock import manual
from lifecycle.web import forms
from lifecycle.web.services import permitted, services, signed_in, start_of

bp = Blueprint("it", __name__)


@bp.get("/")
def dashboard() -> ResponseReturnValue:
    """Show what holds now and what comes next; whoever it is not for begins elsewhere."""
    actor = signed_in()
    if not may(actor, Action.SEE_DASHBOARD):
        return redirect(url_for(start_of(actor)), 303)
    can_act = may(actor, Action.RETRY_TARGET)
    return render_template("it/dashboard.html", nav="dashboard", d=services().overview.dashboard(), can_act=can_act)


@bp.get("/live")
def live() -> ResponseReturnValue:
    """Answer 204 while nothing looks different from version ``v``, else the page's live part."""
    actor, overview = permitted(Action.SEE_DASHBOARD), services().overview
    if forms.query("v") == overview.version():
        return "", 204
    return render_template("it/_live.html", d=overview.dashboard(), can_act=may(actor, Action.RETRY_TARGET))


@bp.post("/targets/<name>/retry")
def retry(name: str) -> ResponseReturnValue:
    """Ask a target again now, and everything that waits for it."""
    actor = permitted(Action.RETRY_TARGET)
    services().engine.retry(name, actor.trail_name)
    flash(f"{services().targets[name].title} was asked again.")
    return redirect(url_for("it.dashboard"), 303)


@bp.post("/clock")
def move_clock() -> ResponseReturnValue:
    """Move the demo's clock forward, and do what is due then."""
    actor = permitted(Action.MOVE_CLOCK)
    clock = manual(services().clock)
    step = forms.clock_step()
    to = services().persons.next_change() if step == "next" else clock.now() + forms.STEPS[step]
    now = clock.move_to(to or clock.now(), actor.trail_name)
    if services().scheduler:
        services().engine.tick()
    flash(f"It is {now:%A %-d %B %Y, %H:%M} UTC now.")
    return redirect(forms.local_path(forms.optional("back")), 303)
