"""Signing in and out, the first administrator, invitations, and the colour theme."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lifecycle.domain.errors import NotFound
from lifecycle.services.oidc import Oidc, ProviderRefused
from lifecycle.services.secrets import TooManyAttempts
from lifecycle.services.sessions import Browser, NotSignedIn
from lifecycle.services.signin import DirectoryDown, SignInRefused
from lifecycle.web import forms
from lifecycle.web.services import services

bp = Blueprint("access", __name__)
DEPARTED = "departed"
DEVICE, DEVICE_SECONDS = "device", 90 * 24 * 3600


def cookie_name(name: str = "sid") -> str:
    """Name a cookie; the prefix makes browsers insist on Secure and on this very host."""
    return f"__Host-{name}" if current_app.config["SECURE_COOKIES"] else name


def browser() -> Browser:
    """Say where the request comes from."""
    return Browser(request.remote_addr or "", request.headers.get("User-Agent", ""))


@bp.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Show the ways to sign in."""
    if services().sign_in.needs_setup():
        return redirect(url_for("access.setup"), 303)
    return _form(forms.local_path(forms.query("next")))


def _form(target: str, error: str = "", status: int = 200) -> ResponseReturnValue:
    oidc = services().oidc
    title = oidc.provider.title if oidc else ""
    login = forms.optional("login")
    return render_template("auth/sign_in.html", next=target, error=error, provider=title, login=login), status


@bp.post("/sign-in")
def do_sign_in() -> ResponseReturnValue:
    """Open a session."""
    target, where, login = forms.local_path(forms.optional("next")), browser(), forms.text("login")
    try:
        token = services().sign_in.sign_in(
            login=login,
            password=forms.text("password"),
            address=where.address,
            agent=where.agent,
            device=request.cookies.get(cookie_name(DEVICE), "")[:256],
        )
    except (SignInRefused, NotSignedIn, DirectoryDown) as exc:
        return _form(target, str(exc), 403)
    services().sessions.end(g.token)  # whoever signs in anew leaves nothing of before behind
    response = cast("Response", with_session(token, target))
    _set_cookie(response, cookie_name(DEVICE), services().sign_in.new_device(login), max_age=DEVICE_SECONDS)
    return response


def provider() -> Oidc:
    """Return the configured provider, or raise `NotFound`."""
    oidc = services().oidc
    if oidc is None:
        raise NotFound("There is no company sign-in here.")
    return oidc


@bp.post("/sign-in/provider")
def depart() -> ResponseReturnValue:
    """Send the browser to the provider."""
    return send_away(forms.local_path(forms.optional("next")))


def send_away(target: str, session_token: str = "") -> ResponseReturnValue:
    """
    Answer with a page that leads to the provider.

    A redirect would do, but browsers apply ``form-action`` to what a form is redirected to.
    """
    departure = provider().depart(target, session_token=session_token)
    page = render_template("auth/departing.html", url=departure.url, title=provider().provider.title)
    response = current_app.make_response(page)
    _set_cookie(response, cookie_name(DEPARTED), departure.browser_secret, max_age=600)
    return response


@bp.get("/sign-in/return")
def arrive() -> ResponseReturnValue:
    """Finish a sign-in at the provider."""
    secret = request.cookies.get(cookie_name(DEPARTED), "")
    answer = {name: value[:4096] for name, value in request.args.items()}
    try:
        arrival = provider().arrive(answer, secret, browser(), g.token)
    except (ProviderRefused, NotSignedIn) as exc:
        return _form("/", str(exc), 403)
    if arrival.token != g.token:
        services().sessions.end(g.token)
    response = cast("Response", with_session(arrival.token, arrival.target))
    response.delete_cookie(cookie_name(DEPARTED), secure=current_app.config["SECURE_COOKIES"], path="/")
    return response


@bp.get("/setup")
def setup() -> ResponseReturnValue:
    """Show the form for the first administrator."""
    if not services().sign_in.needs_setup():
        return redirect(url_for("access.sign_in"), 303)
    return render_template("auth/setup.html", code=forms.query("code"))


@bp.post("/setup")
def do_setup() -> ResponseReturnValue:
    """Make the first administrator, who is signed in at once."""
    code, where = forms.text("code"), browser()
    try:
        token = services().sign_in.set_up(
            code=code,
            login=forms.text("login"),
            name=forms.optional("name"),
            password=forms.text("password"),
            address=where.address,
            agent=where.agent,
            email=forms.optional("email"),
        )
    except SignInRefused as exc:
        typed = {name: forms.optional(name) for name in ("login", "name", "email")}
        return render_template("auth/setup.html", code=code, error=str(exc), **typed), 403
    return with_session(token, "/")


@bp.get("/invitation")
def invitation() -> ResponseReturnValue:
    """Show the form in which somebody invited sets a password."""
    code, login = forms.query("code"), forms.query("login")
    # only who gives both is told, as slowly as whoever tries to use them
    void = bool(code and login) and not _may_be_invited(code, login)
    return render_template("auth/invitation.html", code=code, login=login, void=void)


def _may_be_invited(code: str, login: str) -> bool:
    try:
        return services().sign_in.is_invited(code, login)
    except TooManyAttempts:
        return True  # nobody is told


@bp.post("/invitation")
def accept_invitation() -> ResponseReturnValue:
    """Set the password, and sign in."""
    code, login, where = forms.text("code"), forms.text("login"), browser()
    try:
        token = services().sign_in.accept(
            code=code, login=login, password=forms.text("password"), address=where.address, agent=where.agent
        )
    except SignInRefused as exc:
        return render_template("auth/invitation.html", code=code, login=login, error=str(exc)), 403
    services().sessions.end(g.token)
    return with_session(token, "/")


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session."""
    services().sessions.end(g.token)
    response = cast("Response", redirect(url_for("access.sign_in"), 303))
    response.delete_cookie(cookie_name(), secure=current_app.config["SECURE_COOKIES"], path="/")
    flash("You are signed out.")
    return response


@bp.post("/theme")
def theme() -> ResponseReturnValue:
    """Keep the colour theme in the browser."""
    response = cast("Response", redirect(forms.local_path(forms.optional("back")), 303))
    chosen = forms.text("theme")
    response.set_cookie(
        "theme", chosen if chosen in {"auto", "light", "dark"} else "auto", max_age=31_536_000, samesite="Lax"
    )
    return response


def with_session(token: str, target: str, code: int = 303) -> ResponseReturnValue:
    """Send the browser to *target* with a session cookie."""
    response = cast("Response", redirect(target, code))
    set_session(response, token)
    return response


def set_session(response: Response, token: str) -> None:
    """Give the browser a session cookie."""
    _set_cookie(response, cookie_name(), token)


def _set_cookie(response: Response, name: str, value: str, max_age: int | None = None) -> None:
    response.set_cookie(
        name, value, max_age=max_age, secure=current_app.config["SECURE_COOKIES"], httponly=True, samesite="Lax",
        path="/",
    )  # fmt: skip
