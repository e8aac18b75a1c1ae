"""The Flask application: configuration, headers, assets. It decides nothing."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, g, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import BadRequest, Forbidden
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from lifecycle import __version__
from lifecycle.services.authorisation import Action, may
from lifecycle.services.clock import ManualClock
from lifecycle.settings import WebSettings
from lifecycle.web import (
    access,
    account,
    asking,
    columns,
    confirm,
    contractor,
    cutoff,
    errors,
    formats,
    forms,
    held,
    it,
    members,
    people,
    renewals,
    requests,
    roster_review,
    rosters,
    sources,
    team,
    trail,
)
from lifecycle.web.services import KEY, WebServices, places, services

PACKAGE = Path(__file__).parent
STATIC = PACKAGE / "static"
A_YEAR = 365 * 24 * 3600
LARGEST_FORM = 64 * 1024
MACHINES = "MACHINES"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
PAGES = (
    access, account, asking, columns, confirm, contractor, cutoff, held, it, members, people, renewals, requests,
    roster_review, rosters, sources, team, trail,
)  # fmt: skip
THEMES = ("auto", "light", "dark")


def templates_folder() -> Path:
    """Find the templates: packed beside this package, or at the top of a checkout."""
    packed = PACKAGE.parent / "templates"
    return packed if packed.is_dir() else PACKAGE.parent.parent / "templates"


def create_app(
    use_cases: WebServices, settings: WebSettings, *, api: Blueprint, machines: Sequence[Blueprint] = ()
) -> Flask:
    """
    Build the application around *use_cases*, with the JSON interface beside the pages.

    What comes to *machines* carries a token in each request and never a cookie, so that no other site can send it in
    somebody's name; those blueprints read their own bodies, with their own limits.
    """
    app = Flask("lifecycle", template_folder=str(templates_folder()), static_folder=None)
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),  # signs CSRF tokens only; a restart asks for a fresh form
        SESSION_COOKIE_NAME="__Host-csrf" if settings.secure_cookies else "csrf",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.longest_hours),
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        TRUSTED_HOSTS=list(settings.trusted_hosts),
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        SECURE_COOKIES=settings.secure_cookies,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions[KEY] = use_cases
    app.config[MACHINES] = frozenset(machine.name for machine in machines)
    app.before_request(_recognise)
    app.before_request(rosters.allow_large_files)  # before anything looks at a form, which bounds how much is read
    protection = CSRFProtect(app)
    for module in PAGES:
        app.register_blueprint(module.bp)
    app.register_blueprint(api)
    for machine in machines:
        protection.exempt(machine)
        app.register_blueprint(machine)
    errors.register(app)
    app.before_request(_refuse_other_sites)
    app.before_request(_refuse_nul)
    app.after_request(_secure)
    app.context_processor(_for_templates)
    app.jinja_env.globals.update(asset=asset, version=__version__)
    formats.register(app)
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app, root=STATIC, prefix="static/", max_age=A_YEAR, allow_all_origins=False
    )
    return app


def _refuse_other_sites() -> None:
    """
    Refuse a form that another site sent, whatever token it holds.

    Browsers say where it comes from in ``Sec-Fetch-Site``, older ones in ``Origin``; programs send neither.
    """
    if request.method in {"GET", "HEAD", "OPTIONS"} or _for_machines():
        return
    here = {request.host, urlsplit(services().settings.web.public_url).netloc} - {""}
    try:
        foreign = urlsplit(request.headers.get("Origin", f"//{request.host}")).netloc not in here
    except ValueError:
        foreign = True
    if request.headers.get("Sec-Fetch-Site", "same-origin" if not foreign else "") not in {"same-origin", "none"}:
        raise Forbidden("This was sent from another site, so nothing was done. Open the page here and do it again.")


def _for_machines() -> bool:
    return request.blueprint in current_app.config[MACHINES]


def _recognise() -> None:
    g.token = request.cookies.get(access.cookie_name(), "")
    g.actor = None


def _refuse_nul() -> None:
    """Refuse what no database can store as text."""
    if _for_machines():
        return
    values = [*request.args.values(), *(request.view_args or {}).values(), *request.form.values()]
    if any("\0" in str(value) for value in values):
        raise BadRequest("A NUL character cannot be part of that.")


def _secure(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _for_templates() -> dict[str, Any]:
    theme = request.cookies.get("theme", "auto")
    clock, actor = services().clock, g.get("actor")
    movable = isinstance(clock, ManualClock) and actor is not None and may(actor, Action.MOVE_CLOCK)
    return {
        "theme": theme if theme in THEMES else "auto",
        "actor": actor,
        "places": places(actor) if actor else [],
        "here": forms.here,
        "manual_clock": clock.now() if movable else None,
    }


def asset(path: str) -> str:
    """Return the address of a static file, changing with its content so that browsers may keep it for a year."""
    return f"/static/{path}?v={_digest(path, _changed(path))}"


def _changed(path: str) -> int:
    file = STATIC / path
    return file.stat().st_mtime_ns if file.exists() else 0


@lru_cache(maxsize=256)
def _digest(path: str, changed: int) -> str:
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:10] if changed else "missing"
