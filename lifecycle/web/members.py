"""*Members* and *Tokens*: who and what may come in."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lifecycle.domain.errors import LifecycleError
from lifecycle.domain.role import Role
from lifecycle.services.authorisation import SCOPES, Action
from lifecycle.services.membership import LISTED
from lifecycle.services.numbers import whole
from lifecycle.services.tokens import LONGEST_DAYS
from lifecycle.web import errors, forms
from lifecycle.web.services import permitted, services, signed_in

bp = Blueprint("members", __name__)
INVITATION, TOKEN = "invitation", "token"


@bp.get("/members")
def index() -> ResponseReturnValue:
    """List who may sign in."""
    return _page()


def _page(error: str = "", status: int = 200) -> ResponseReturnValue:
    words, after = forms.query("q"), (forms.query("after"), forms.query("id"))
    found = services().membership.list(signed_in(), words, after=after, limit=LISTED + 1)
    return render_template(
        "members/index.html",
        nav="members",
        members=found[:LISTED],
        more=found[LISTED - 1] if len(found) > LISTED else None,
        words=words,
        roles=[role for role in Role if role is not Role.CONTRACTOR],
        invitation=services().once.take(g.token, INVITATION),
        gone=bool(forms.query("made")),
        now=services().sessions.wall(),
        error=error,
        typed=request.form,
        typed_roles=request.form.getlist("role"),
    ), status


def _show_invitation(login: str, code: str) -> ResponseReturnValue:
    address = services().settings.web.address + url_for("access.invitation", login=login, code=code)
    services().once.keep(g.token, INVITATION, address)
    return redirect(url_for("members.index", made=1), 303)


@bp.post("/members")
def invite() -> ResponseReturnValue:
    """Make a local member and show the invitation this once."""
    actor = permitted(Action.MANAGE_MEMBERS)
    login = forms.text("login")
    try:
        code = services().membership.invite(
            actor,
            login=login,
            name=forms.optional("name"),
            email=forms.optional("email"),
            supervisor=forms.optional("supervisor"),
            roles=forms.several("role", 10),
            worker_id=forms.optional("worker_id"),
        )
    except LifecycleError as exc:
        return _page(str(exc), errors.status_here(exc))
    return _show_invitation(login, code)


@bp.post("/members/<member_id>/invitation")
def invite_again(member_id: str) -> ResponseReturnValue:
    """Make a new invitation for a local member."""
    login, code = services().membership.invite_again(signed_in(), member_id)
    return _show_invitation(login, code)


@bp.post("/members/<member_id>/roles")
def set_roles(member_id: str) -> ResponseReturnValue:
    """Give a local member other roles."""
    services().membership.set_roles(
        signed_in(),
        member_id,
        forms.several("role", 10),
        supervisor=forms.optional("supervisor"),
        email=forms.optional("email"),
    )
    flash("Changed.")
    return redirect(url_for("members.index"), 303)


@bp.post("/members/<member_id>/disable")
def disable(member_id: str) -> ResponseReturnValue:
    """Let a member in no more."""
    ended = services().membership.disable(signed_in(), member_id)
    flash(f"Disabled; {ended} session{'s' if ended != 1 else ''} ended.")
    return redirect(url_for("members.index"), 303)


@bp.post("/members/<member_id>/enable")
def enable(member_id: str) -> ResponseReturnValue:
    """Let a member in again."""
    services().membership.enable(signed_in(), member_id)
    flash("Enabled.")
    return redirect(url_for("members.index"), 303)


@bp.post("/members/<member_id>/employee")
def make_employee(member_id: str) -> ResponseReturnValue:
    """Say that a member is an employee."""
    services().membership.make_employee(signed_in(), member_id)
    flash("An employee now; contracts from before mean nothing any more.")
    return redirect(url_for("members.index"), 303)


@bp.post("/members/<member_id>/passkeys/forget")
def forget_passkeys(member_id: str) -> ResponseReturnValue:
    """Forget the passkeys of somebody who has lost their device."""
    forgotten = services().membership.forget_passkeys(signed_in(), member_id)
    flash(f"{forgotten} passkey{'s' if forgotten != 1 else ''} forgotten.")
    return redirect(url_for("members.index"), 303)


@bp.get("/tokens")
def tokens() -> ResponseReturnValue:
    """List the tokens of other programs."""
    return _tokens()


def _tokens(error: str = "", status: int = 200) -> ResponseReturnValue:
    use_cases = services()
    return render_template(
        "members/tokens.html",
        nav="tokens",
        tokens=use_cases.tokens.list(signed_in()),
        scopes=list(SCOPES),
        longest=LONGEST_DAYS,
        new=use_cases.once.take(g.token, TOKEN),
        gone=bool(forms.query("made")),
        now=use_cases.sessions.wall(),
        error=error,
        typed=request.form,
        typed_scopes=request.form.getlist("scope"),
    ), status


@bp.post("/tokens")
def make_token() -> ResponseReturnValue:
    """Make a token and show it this once."""
    actor = permitted(Action.MANAGE_TOKENS)
    days = whole(forms.optional("days"), 999)
    if days is None:
        return _tokens(f"The life of a token is a number of days, 1 to {LONGEST_DAYS}.", 422)
    try:
        token, _ = services().tokens.make(actor, forms.optional("name"), forms.several("scope", 10), days)
    except LifecycleError as exc:
        return _tokens(str(exc), errors.status_here(exc))
    services().once.keep(g.token, TOKEN, token)
    return redirect(url_for("members.tokens", made=1), 303)


@bp.post("/tokens/<token_id>/revoke")
def revoke_token(token_id: str) -> ResponseReturnValue:
    """End a token."""
    services().tokens.revoke(signed_in(), token_id)
    flash("The token no longer works.")
    return redirect(url_for("members.tokens"), 303)
