"""``lifecycle serve``, ``worker``, ``tick`` and ``demo``."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import click

from lifecycle.cli.common import Instant, as_json, person_at_keyboard, print_json, progress, with_runtime
from lifecycle.domain.errors import NotLeading
from lifecycle.runtime import Runtime
from lifecycle.services.clock import manual


@click.command()
@click.option("--now", "instant", type=Instant(), help="Move a manual clock to this instant first.")
@as_json
@with_runtime
def tick(runtime: Runtime, instant: datetime | None, json_: bool) -> None:
    """Make one pass: everything that is due is planned, done in the targets and read back.

    --now works only where the configuration says mode = "manual" under [clock]. Exit code 1 when another process
    leads; that one ticks by itself.
    """
    if instant is not None:
        manual(runtime.clock).move_to(instant, person_at_keyboard())
    _lead(runtime)
    with progress("Working") as advance:
        done = runtime.engine.tick(progress=advance)
    if json_:
        print_json({"now": done.now, "promoted": done.promoted, "finished": done.finished})
    else:
        click.echo(f"{done.now.isoformat(timespec='seconds')}: {done.promoted} people, {done.finished} changes done.")


def _lead(runtime: Runtime) -> None:
    """Wait out a leader that has just died; a living one ticks by itself."""
    deadline = time.monotonic() + runtime.settings.engine.leader_seconds + 1
    while not runtime.leadership.try_to_lead():
        if time.monotonic() > deadline:
            raise NotLeading("another process leads and ticks by itself (lifecycle serve or worker)")
        time.sleep(0.2)


@click.command()
@click.option("--no-scheduler", is_flag=True, help="Serve pages only; another process ticks (lifecycle worker).")
@with_runtime
def serve(runtime: Runtime, no_scheduler: bool) -> None:
    """Serve the pages on loopback, and tick unless told otherwise."""
    from lifecycle.app import serve_pages

    serve_pages(runtime, scheduler=not no_scheduler)


@click.command()
@with_runtime
def worker(runtime: Runtime) -> None:
    """Tick until stopped. Several may run; one leads, and another takes over when it dies."""
    from lifecycle.app import run_worker

    run_worker(runtime)


@click.command()
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=Path("var/demo"), show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8731, show_default=True)
@click.option("--keep", is_flag=True, help="Go on with the demo that is there instead of starting anew.")
@click.option("--no-serve", is_flag=True, help="Only make the demo.")
def demo(folder: Path, port: int, keep: bool, no_serve: bool) -> None:
    """Start the product with sixty contractors of its own, in a folder of its own, with a clock that moves."""
    from lifecycle.demo import SIGN_INS, make_demo

    config = make_demo(folder, port=port, keep=keep)
    sheet = folder / SIGN_INS
    if sheet.exists():
        click.echo(f"\n{sheet.read_text(encoding='utf-8')}")
    if no_serve:
        click.echo(f"Made. Start it with: lifecycle --config {config} serve")
        return
    context = click.get_current_context()
    context.obj = config
    context.invoke(serve, no_scheduler=False)
