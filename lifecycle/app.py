"""Composition of the ways in: the pages on a server, the scheduler beside them, or the scheduler alone."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from types import FrameType

import click
from flask import Flask
from waitress.server import create_server

from lifecycle.api import hr, scim
from lifecycle.api.app import ApiServices, blueprint
from lifecycle.domain.errors import InvalidSettings
from lifecycle.runtime import Runtime
from lifecycle.scheduler.jobs import Scheduler
from lifecycle.services.allowance import Allowance
from lifecycle.web.app import STATIC, create_app
from lifecycle.web.services import WebServices


def make_app(runtime: Runtime, *, scheduler: bool) -> Flask:
    """Build the pages around *runtime*."""
    services = WebServices(
        settings=runtime.settings,
        sessions=runtime.sessions,
        sign_in=runtime.sign_in,
        oidc=runtime.oidc,
        passkeys=runtime.passkeys,
        tokens=runtime.tokens,
        membership=runtime.membership,
        overview=runtime.overview,
        persons=runtime.persons,
        parties=runtime.parties,
        holders=runtime.holders,
        proposals=runtime.proposals,
        requests=runtime.requests,
        reviews=runtime.reviews,
        inbox=runtime.inbox,
        activation=runtime.activation,
        cut_offs=runtime.cut_offs,
        renewals=runtime.renewals,
        extensions=runtime.extensions,
        resumptions=runtime.resumptions,
        team=runtime.team,
        calendars=runtime.calendars,
        targets=runtime.targets,
        uploads=runtime.uploads,
        intake=runtime.intake,
        confirmations=runtime.confirmations,
        batches=runtime.batches,
        sources=runtime.sources,
        imports=runtime.imports,
        trail=runtime.trail,
        trail_search=runtime.trail_search,
        engine=runtime.engine,
        clock=runtime.clock,
        store=runtime.store,
        scheduler=scheduler,
    )
    api = ApiServices(runtime.tokens, runtime.holders, runtime.persons, runtime.inbox, runtime.trail)
    pushing = hr.PushServices(runtime.tokens, runtime.pushes, Allowance(runtime.settings.push.calls_per_second))
    machines = [hr.blueprint(pushing), scim.blueprint(pushing)]
    return create_app(services, runtime.settings.web, api=blueprint(api), machines=machines)


def make_scheduler(runtime: Runtime) -> Scheduler:
    """Build what ticks around *runtime*."""
    return Scheduler(
        runtime.store,
        runtime.targets,
        runtime.engine,
        runtime.reconciler,
        runtime.settings.engine,
        runtime.housekeeping.run,
        runtime.delivery.run,
        runtime.arrivals,
        runtime.pushes.run,
        runtime.tidying.run,
    )


def serve_pages(runtime: Runtime, *, scheduler: bool) -> None:
    """Serve until interrupted."""
    _log_to_stderr()
    web = runtime.settings.web
    app = make_app(runtime, scheduler=scheduler)
    try:
        server = create_server(app, host=web.host, port=web.port, threads=web.threads)
    except OSError as exc:
        raise InvalidSettings(f"web: {web.host} port {web.port} cannot be used: {exc.strerror}") from exc
    ticking = make_scheduler(runtime) if scheduler else None
    if ticking is not None:
        ticking.start()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _greet(runtime, f"http://{web.host}:{server.effective_port}")
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()
        if ticking is not None:
            ticking.stop()


def _greet(runtime: Runtime, address: str) -> None:
    if not (STATIC / "vendor/htmx.min.js").exists():
        click.echo("Live updates are off: the browser assets are made when the package is installed.", err=True)
    if runtime.sign_in.needs_setup():
        code = runtime.sign_in.new_setup_code()
        click.echo(f"Nobody can sign in yet. Within the hour, open\n\n    {address}/setup?code={code}\n")
    click.echo(f"Serving on {address} (Ctrl+C stops)")
    sys.stdout.flush()


def run_worker(runtime: Runtime) -> None:
    """Tick until interrupted."""
    _log_to_stderr()
    scheduler = make_scheduler(runtime)
    stop = threading.Event()

    def interrupt(_: int, __: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)
    scheduler.start()
    click.echo("Working (Ctrl+C stops)")
    sys.stdout.flush()
    stop.wait()
    scheduler.stop()


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
