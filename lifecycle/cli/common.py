"""What every command shares: opening the product, errors as exit codes, tables and JSON, progress on terminals."""

from __future__ import annotations

import functools
import json
import os
import pwd
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from sqlalchemy.exc import DBAPIError

from lifecycle.domain.errors import InvalidSettings, LifecycleError
from lifecycle.runtime import Runtime
from lifecycle.services.room import is_full

F = TypeVar("F", bound=Callable[..., Any])
REFUSED, MISCONFIGURED = 1, 2


def with_runtime(command: F) -> F:
    """Hand a command the opened product as its first argument, and turn named errors into exit codes."""

    @click.pass_obj
    @functools.wraps(command)
    def opened(config_path: Path, *args: Any, **kwargs: Any) -> None:
        runtime = None
        try:
            runtime = Runtime.from_file(config_path)
            command(runtime, *args, **kwargs)
        except InvalidSettings as exc:
            click.echo(f"lifecycle: {exc}", err=True)
            sys.exit(MISCONFIGURED)
        except LifecycleError as exc:
            click.echo(f"lifecycle: {exc}", err=True)
            sys.exit(REFUSED)
        except DBAPIError as exc:
            click.echo(f"lifecycle: the database cannot be used, and nothing was changed: {exc.orig}", err=True)
            sys.exit(MISCONFIGURED)
        except OSError as exc:
            if not is_full(exc):
                raise
            click.echo("lifecycle: there is no room on the disk; what was begun was not kept", err=True)
            sys.exit(REFUSED)
        finally:
            if runtime is not None:
                runtime.close()

    return cast("F", opened)


def as_json(function: F) -> F:
    """Add ``--json``."""
    option = click.option("--json", "json_", is_flag=True, help="Print JSON instead of a table.")
    return option(function)


def print_json(value: Any) -> None:
    """Print *value* with instants and days as ISO 8601."""
    click.echo(json.dumps(value, indent=2, default=_plain, ensure_ascii=False))


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns as wide as their widest cell; the last one is never padded."""
    if not rows:
        return
    widths = [max(len(line[i]) for line in [header, *rows]) for i in range(len(header) - 1)]
    for n, line in enumerate([header, *rows]):
        text = "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]])
        click.echo(click.style(text, bold=True) if n == 0 else text)


def stamp(at: datetime | None) -> str:
    """Write an instant in UTC to the minute."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ") if at else ""


def person_at_keyboard() -> str:
    """Name whoever runs the command, for the trail."""
    uid = os.getuid()
    name = os.environ.get("SUDO_USER") or next((p.pw_name for p in pwd.getpwall() if p.pw_uid == uid), str(uid))
    return f"cli:{name}"


@contextmanager
def progress(label: str, length: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, and nothing anywhere else. The block calls the function with increments."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=length or 1, label=label, file=sys.stderr, show_eta=length is not None) as bar:

        def advance(count: int) -> None:
            if length is None:
                bar.length = (bar.length or 0) + count
            bar.update(count)

        yield advance


class Instant(click.ParamType[datetime]):
    """An instant as ISO 8601 with a zone; without one it is refused, never guessed."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Parse *value* into an aware UTC instant."""
        if isinstance(value, datetime):
            return value
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not an instant such as 2026-03-31T22:00Z", param, ctx)
        if parsed.tzinfo is None:
            self.fail(f"{value!r} has no zone; end it with Z or an offset such as +02:00", param, ctx)
        return parsed.astimezone(UTC)
