"""Signing in and out, the first operator, and the colour theme."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lifecycle.services.signin import SignInRefused
from lifecycle.web import forms
from lifecycle.web.services import services

bp = Blueprint("access", __name__)


def cookie_name() -> str:
    """Name the session cookie; the prefix makes browsers insist on Secure and on this very host."""
    return "__Host-sid" if current_app.config["SECURE_COOKIES"] else "sid"


@bp.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Show the form."""
    if services().sign_in.needs_setup():
        return redirect(url_for("access.setup"), 303)
    return render_template("auth/sign_in.html", next=forms.local_path(forms.query("next")))


@bp.post("/sign-in")
def do_sign_in() -> ResponseReturnValue:
    """Open a session."""
    target = forms.local_path(forms.optional("next"))
    try:
        token = services().sign_in.sign_in(
            login=forms.text("login"), password=forms.text("password"), address=request.remote_addr or ""
        )
    except SignInRefused as exc:
        return render_template("auth/sign_in.html", next=target, error=str(exc)), 403
    return _signed_in(token, target)


@bp.get("/setup")
def setup() -> ResponseReturnValue:
    """Show the form for the first operator."""
    if not services().sign_in.needs_setup():
        return redirect(url_for("access.sign_in"), 303)
    return render_template("auth/setup.html", code=forms.query("code"))


@bp.post("/setup")
def do_setup() -> ResponseReturnValue:
    """Make the first operator, who is signed in at once."""
    code = forms.text("code")
    try:
        token = services().sign_in.set_up(
            code=code,
            login=forms.text("login"),
            name=forms.optional("name"),
            password=forms.text("password"),
            address=request.remote_addr or "",
        )
    except SignInRefused as exc:
        return render_template("auth/setup.html", code=code, error=str(exc)), 403
    return _signed_in(token, "/")


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session."""
    services().sign_in.sign_out(g.token)
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


def _signed_in(token: str, target: str) -> ResponseReturnValue:
    response = cast("Response", redirect(target, 303))
    response.set_cookie(
        cookie_name(), token, secure=current_app.config["SECURE_COOKIES"], httponly=True, samesite="Lax", path="/"
    )
    return response
