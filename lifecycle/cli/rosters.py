"""``lifecycle roster``: see what a file would do, then do exactly that."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lifecycle.cli.common import REFUSED, as_json, person_at_keyboard, print_json, print_table, progress, with_runtime
from lifecycle.domain.roster import Joiner, Mover
from lifecycle.runtime import Runtime
from lifecycle.services.rosters import Preview

SHOWN = 20
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def roster() -> None:
    """Preview and confirm rosters."""


@roster.command()
@click.argument("file", type=FILE)
@click.option("--profile", required=True, help="How the file is laid out ([profiles.…] in the configuration).")
@click.option("--all", "everything", is_flag=True, help=f"Show every row, not the first {SHOWN} of each kind.")
@as_json
@with_runtime
def preview(runtime: Runtime, file: Path, profile: str, everything: bool, json_: bool) -> None:
    """Show what FILE would change and what that does to access. Nothing is changed.

    Exit code 1 when the file cannot be used.
    """
    shown = _preview(runtime, file, profile)
    if json_:
        print_json(_as_json(shown))
    else:
        _print(shown, None if everything else SHOWN)
    if not shown.usable:
        sys.exit(REFUSED)


@roster.command()
@click.argument("file", type=FILE)
@click.option("--profile", required=True, help="How the file is laid out ([profiles.…] in the configuration).")
@click.option("--expect", metavar="DIGEST", help="Digest that the preview printed; nothing else is confirmed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@with_runtime
def confirm(runtime: Runtime, file: Path, profile: str, expect: str | None, yes: bool, json_: bool) -> None:
    """Apply FILE in one transaction, after showing what it does.

    Exit code 1 when the file cannot be used or no longer does what was shown.
    """
    if expect is None:
        shown = _preview(runtime, file, profile)
        if not shown.usable:
            print_json(_as_json(shown)) if json_ else _print(shown, SHOWN)
            sys.exit(REFUSED)
        if not yes:
            if not json_:  # whoever asks for JSON gets nothing else on standard output
                _print(shown, SHOWN)
            click.confirm("Apply this?", abort=True, err=True)
        expect = shown.digest
    content = file.read_bytes()
    with progress("Confirming") as advance:
        done = runtime.rosters.confirm(
            content,
            profile=profile,
            actor=person_at_keyboard(),
            digest=expect,
            file_name=file.name,
            progress=_by_increments(advance),
        )
    if json_:
        print_json(_as_json(done))
    elif done.same_as is not None and done.diff.changes_nothing:
        click.echo(f"This file was confirmed at {done.same_as.isoformat(timespec='seconds')}; nothing has changed.")
    else:
        counts = ", ".join(f"{count} {name}" for name, count in done.counts().items() if count)
        click.echo(f"Confirmed: {counts}. The next tick acts on it.")


def _preview(runtime: Runtime, file: Path, profile: str) -> Preview:
    content = file.read_bytes()
    lines = content.count(b"\n") or None
    with progress("Reading", lines) as advance:
        increments = _by_increments(advance)
        return runtime.rosters.preview(content, profile=profile, file_name=file.name, progress=increments)


def _by_increments(advance: Callable[[int], None]) -> Callable[[int], None]:
    """Turn "so many lines so far", as readers tell it, into the increments that a progress bar takes."""
    seen = 0

    def report(total: int) -> None:
        nonlocal seen
        advance(total - seen)
        seen = total

    return report


def _print(shown: Preview, limit: int | None) -> None:
    reading = shown.reading
    if reading.complaints:
        click.echo(f"{shown.file_name} cannot be used: {len(reading.complaints)} complaints. Nothing is changed.\n")
        for complaint in reading.complaints[:limit]:
            click.echo(f"  {complaint}")
        _more(len(reading.complaints), limit)
        return
    for warning in reading.warnings:
        click.echo(f"  {warning}")
    click.echo(", ".join(f"{count} {name}" for name, count in shown.counts().items() if name != "complaints"))
    if shown.same_as is not None:
        click.echo(f"This very file was confirmed at {shown.same_as.isoformat(timespec='seconds')}.")
    for title, rows in (
        ("Leavers (last day comes sooner)", shown.diff.leavers),
        ("Movers", shown.diff.movers),
        ("Joiners", shown.diff.joiners),
    ):
        if rows:
            click.echo(f"\n{title}")
            print_table(("LINE", "WORKER", "NAME", "CHANGE", "ACCESS"), [_row(shown, row) for row in rows[:limit]])
            _more(len(rows), limit)
    if shown.diff.vanished:
        click.echo("\nVanished (in no row; flagged, nobody loses access by absence)")
        vanished = [(s.identity.worker_id, s.identity.name, s.engagement.reference) for s in shown.diff.vanished]
        print_table(("WORKER", "NAME", "CONTRACT"), vanished[:limit])
        _more(len(vanished), limit)
    click.echo("\nIf you confirm this")
    for weight, count in shown.totals().items():
        click.echo(f"  {count:>6}  {weight.value}")
    if not shown.consequences:
        click.echo("  nobody's access changes")
    click.echo(f"\nConfirm exactly this with --expect {shown.digest}")


def _more(total: int, limit: int | None) -> None:
    if limit is not None and total > limit:
        click.echo(f"  … and {total - limit} more (--all, --json)")


def _row(shown: Preview, change: Joiner | Mover) -> tuple[str, ...]:
    row = change.row
    if isinstance(change, Mover):
        words = "; ".join(f"{c.field}: {c.old or '–'} → {c.new or '–'}" for c in change.changes) or "is back"
    else:
        words = f"{row.first_day} to {row.last_day}, {row.vendor}"
        words += ", known already" if change.identity_id else ""
    return str(row.line), row.worker_id, row.name, words, shown.consequences[row.line].words


def _as_json(shown: Preview) -> dict[str, Any]:
    def changed(mover: Mover) -> dict[str, Any]:
        changes = {c.field: {"old": c.old, "new": c.new} for c in mover.changes}
        return {**named(mover), "reference": mover.stored.engagement.reference, "changes": changes}

    def named(change: Joiner | Mover) -> dict[str, Any]:
        row, consequence = change.row, shown.consequences[change.row.line]
        access = {"weight": consequence.weight.value, "words": consequence.words}
        return {"line": row.line, "worker_id": row.worker_id, "name": row.name, "access": access}

    def joined(joiner: Joiner) -> dict[str, Any]:
        row = joiner.row
        days = {"first_day": row.first_day, "last_day": row.last_day}
        return {**named(joiner), **days, "vendor": row.vendor, "known": joiner.identity_id is not None}

    return {
        "profile": shown.profile,
        "file": shown.file_name,
        "sha256": shown.reading.sha256,
        "usable": shown.usable,
        "digest": shown.digest,
        "counts": shown.counts(),
        "access": {weight.value: count for weight, count in shown.totals().items()},
        "complaints": [
            {"line": c.line, "column": c.column, "value": c.value, "expected": c.expected, "remedy": c.remedy}
            for c in shown.reading.complaints
        ],
        "warnings": [str(w) for w in shown.reading.warnings],
        "joiners": [joined(j) for j in shown.diff.joiners],
        "movers": [changed(m) for m in shown.diff.movers],
        "leavers": [changed(m) for m in shown.diff.leavers],
        "vanished": [
            {"worker_id": s.identity.worker_id, "name": s.identity.name, "reference": s.engagement.reference}
            for s in shown.diff.vanished
        ],
    }
