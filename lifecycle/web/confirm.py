"""Confirming who one is, before something that can do great harm. Afterwards the form that asked for it goes on."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, current_app, g, render_template, request
from flask.typing import ResponseReturnValue

from lifecycle.services.authorisation import Actor
from lifecycle.services.passkeys import PasskeyRefused, Place
from lifecycle.services.signin import DirectoryDown, SignInRefused
from lifecycle.web import access, forms
from lifecycle.web.services import services, signed_in

bp = Blueprint("confirm", __name__, url_prefix="/confirm")
OURS = frozenset({"confirm_password", "resume", "again"})


def page(actor: Actor, resume: str, fields: list[tuple[str, str]], error: str = "", *, again: bool = False) -> str:
    """
    Ask the actor to confirm, with what they have.

    Args:
        actor: Who asks.
        resume: Path to go on to.
        fields: What was sent there.
        error: What went wrong just now.
        again: Send *fields* there again; otherwise the page is only shown.
    """
    use_cases = services()
    passkeys = use_cases.passkeys.list(actor)
    oidc = use_cases.oidc if not passkeys and not use_cases.sign_in.has_password(actor) else None
    return render_template(
        "auth/confirm.html",
        resume=resume,
        # a browser drops the query of an address that a form asks for, and puts the form's fields there
        fields=fields if again else parse_qsl(urlsplit(resume).query),
        again=again,
        error=error,
        passkey=bool(passkeys),
        password=not passkeys and use_cases.sign_in.has_password(actor),
        provider=oidc.provider.title if oidc else "",
    )


def carried() -> list[tuple[str, str]]:
    """Return the form's own fields, without the token and what the confirmation added."""
    return [(n, v) for n, v in request.form.items(multi=True) if n not in OURS and n != "csrf_token"]


def place() -> Place:
    """Say under what address the browser sees these pages."""
    configured = services().settings.web.public_url
    origin = configured.rstrip("/") if configured else f"{request.scheme}://{request.host}"
    return Place(origin, origin.split("://", 1)[1].rsplit(":", 1)[0])


@bp.get("")
def show() -> ResponseReturnValue:
    """Ask, for a page that is only looked at afterwards."""
    return page(signed_in(), forms.local_path(forms.query("next")), [])


@bp.post("")
def by_password() -> ResponseReturnValue:
    """Check the password and go on with what was asked."""
    actor = signed_in()
    resume = forms.local_path(forms.optional("resume"))
    fields, again = carried(), bool(forms.optional("again"))
    if services().passkeys.list(actor):
        return page(actor, resume, fields, "Please use your passkey.", again=again), 403
    try:
        token = services().sign_in.confirm(actor, g.token, forms.text("confirm_password"), request.remote_addr or "")
    except (SignInRefused, DirectoryDown) as exc:
        return page(actor, resume, fields, str(exc), again=again), 403
    # 307 keeps method and fields: the browser sends the very form again that was interrupted
    return access.with_session(token, resume, 307 if again else 303)


@bp.post("/provider")
def by_provider() -> ResponseReturnValue:
    """Have the provider ask again; the page that was interrupted is shown afterwards."""
    actor = signed_in()
    if services().passkeys.list(actor):
        return page(actor, "/", [], "Please use your passkey."), 403
    return access.send_away(forms.local_path(forms.optional("resume")), g.token)


@bp.post("/passkey/options")
def passkey_options() -> ResponseReturnValue:
    """Return what the browser asks the passkey with."""
    return _json(services().passkeys.begin_confirmation(signed_in(), g.token, place()))


@bp.post("/passkey")
def by_passkey() -> ResponseReturnValue:
    """Check the passkey's answer; the script sends the interrupted form again."""
    try:
        token = services().passkeys.confirm(signed_in(), g.token, place(), forms.body())
    except PasskeyRefused as exc:
        return {"error": str(exc)}, 403
    response = current_app.make_response(("", 204))
    access.set_session(response, token)
    return response


def _json(text: str) -> ResponseReturnValue:
    return text, 200, {"Content-Type": "application/json"}
