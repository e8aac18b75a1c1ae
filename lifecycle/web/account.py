"""*Your account*: sessions, passkeys and calendars."""

from __future__ import annotations

from flask import Blueprint, Response, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from lifecycle.services.authorisation import Action, may
from lifecycle.services.passkeys import PasskeyRefused
from lifecycle.web import confirm, forms
from lifecycle.web.services import permitted, services, signed_in

bp = Blueprint("account", __name__)
CALENDAR = "calendar"


@bp.get("/me")
def show() -> ResponseReturnValue:
    """Show the actor's own account; somebody without a role is told whom to ask."""
    actor, use_cases = signed_in(), services()
    return render_template(
        "account/show.html",
        nav="account",
        sessions=use_cases.sessions.list(actor, g.token),
        passkeys=use_cases.passkeys.list(actor),
        calendars=use_cases.calendars.list(actor),
        team_calendar=may(actor, Action.CALENDAR_OF_TEAM),
        all_calendar=may(actor, Action.CALENDAR_OF_ALL),
        new_calendar=use_cases.once.take(g.token, CALENDAR),
        gone=bool(forms.query("made")),
        device=forms.query("device")[:80],
        now=use_cases.sessions.wall(),
    )


@bp.post("/me/sessions/<session_id>/end")
def end_session(session_id: str) -> ResponseReturnValue:
    """End one of the actor's sessions."""
    services().sessions.end_one(permitted(Action.OWN_ACCOUNT), session_id)
    flash("That session has ended.")
    return redirect(url_for("account.show"), 303)


@bp.post("/me/sessions/end-others")
def end_other_sessions() -> ResponseReturnValue:
    """End every session but this one."""
    ended = services().sessions.end_others(permitted(Action.OWN_ACCOUNT), g.token)
    flash(f"{ended} other session{'s' if ended != 1 else ''} ended.")
    return redirect(url_for("account.show"), 303)


@bp.post("/me/passkeys/options")
def passkey_options() -> ResponseReturnValue:
    """Return what the browser makes a passkey with."""
    actor = permitted(Action.OWN_ACCOUNT)
    forms.fresh(actor)
    options = services().passkeys.begin_registration(actor, g.token, confirm.place())
    return options, 200, {"Content-Type": "application/json"}


@bp.post("/me/passkeys")
def add_passkey() -> ResponseReturnValue:
    """Keep a new passkey."""
    actor = permitted(Action.OWN_ACCOUNT)
    forms.fresh(actor)
    try:
        services().passkeys.register(actor, g.token, confirm.place(), forms.body(), forms.query("name"))
    except PasskeyRefused as exc:
        return {"error": str(exc)}, 403
    return "", 204


@bp.post("/me/passkeys/<key>/remove")
def remove_passkey(key: str) -> ResponseReturnValue:
    """Forget a passkey."""
    actor = permitted(Action.OWN_ACCOUNT)
    forms.fresh(actor)
    services().passkeys.remove(actor, key)
    flash("The passkey is removed.")
    return redirect(url_for("account.show"), 303)


@bp.post("/me/calendars")
def make_calendar() -> ResponseReturnValue:
    """Make a calendar feed and show its address this once."""
    actor = signed_in()
    token = services().calendars.make(actor, everybody=forms.text("whose") == "all")
    services().once.keep(g.token, CALENDAR, services().settings.web.address + url_for("account.calendar", token=token))
    return redirect(url_for("account.show", made=1, _anchor="ca-h"), 303)


@bp.post("/me/calendars/<feed_id>/revoke")
def revoke_calendar(feed_id: str) -> ResponseReturnValue:
    """Take a calendar feed back."""
    services().calendars.revoke(permitted(Action.OWN_ACCOUNT), feed_id)
    flash("The calendar's address no longer works.")
    return redirect(url_for("account.show"), 303)


@bp.get("/calendar/<token>.ics")
def calendar(token: str) -> ResponseReturnValue:
    """Serve a calendar to whoever knows its address."""
    response = Response(services().calendars.read(token), mimetype="text/calendar")
    response.headers["Content-Disposition"] = 'attachment; filename="last-days.ics"'
    return response
