"""``lifecycle roster``: see what a file would do, then do exactly that."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from lifecycle.cli.common import (
    REFUSED,
    Instant,
    as_json,
    person_at_keyboard,
    print_json,
    print_table,
    stamp,
    with_runtime,
)
from lifecycle.domain.comparison import Kind
from lifecycle.domain.roster import Complaint
from lifecycle.feed.layouts import fitting
from lifecycle.runtime import Runtime
from lifecycle.services.upload_views import OPEN, Item, State, Upload

SHOWN = 20
EVERYTHING = 2**31
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
TITLES = {
    Kind.UNUSABLE: "Rows that cannot be used",
    Kind.SOONER: "Leaving sooner",
    Kind.GONE: "Missing again: their contracts end",
    Kind.LATER: "Leaving later",
    Kind.CHANGED: "Other changes",
    Kind.NEW: "New",
    Kind.MISSING: "Not in this file (flagged; nobody loses access by absence)",
    Kind.NOTE: "Worth a look",
}


@click.group()
def roster() -> None:
    """Preview and confirm rosters."""


@roster.command()
@click.argument("file", type=FILE)
@click.option("--profile", default="", help="How the file is laid out; recognised by its header if left out.")
@click.option("--as-of", type=Instant(), help="When the file was made, if it is not what its date says.")
@click.option("--all", "everything", is_flag=True, help=f"Show every row, not the first {SHOWN} of each kind.")
@as_json
@with_runtime
def preview(runtime: Runtime, file: Path, profile: str, as_of: datetime | None, everything: bool, json_: bool) -> None:
    """Show what FILE would change and what that does to access. Nothing is changed.

    Exit code 1 when the file cannot be used.
    """
    shown = _take(runtime, file, profile, as_of)
    try:
        _show(runtime, shown, EVERYTHING if everything else SHOWN, json_)
    finally:
        if shown.state in OPEN:
            runtime.uploads.discard(shown.id, actor=person_at_keyboard(), why="only looked at")
    if not _is_usable(shown):
        sys.exit(REFUSED)


@roster.command()
@click.argument("file", type=FILE)
@click.option("--profile", default="", help="How the file is laid out; recognised by its header if left out.")
@click.option("--as-of", type=Instant(), help="When the file was made, if it is not what its date says.")
@click.option("--expect", metavar="DIGEST", help="Digest that the preview printed; nothing else is confirmed.")
@click.option("--leave-out", is_flag=True, help="Leave out rows that cannot be used.")
@click.option("--note", default="", help="For the trail.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@with_runtime
def confirm(
    runtime: Runtime,
    file: Path,
    profile: str,
    as_of: datetime | None,
    expect: str | None,
    leave_out: bool,
    note: str,
    yes: bool,
    json_: bool,
) -> None:
    """Apply FILE in one transaction, after showing what it does.

    Where the guard wants two more people, it is held until they have released it in the browser. Exit code 1 when
    the file cannot be used or no longer does what was shown.
    """
    shown, actor = _take(runtime, file, profile, as_of), person_at_keyboard()
    if shown.state is not State.APPLIED:
        done = False
        try:
            if not _is_usable(shown, leave_out=leave_out):
                _show(runtime, shown, SHOWN, json_)
                sys.exit(REFUSED)
            if expect is None and not yes:
                if not json_:  # whoever asks for JSON gets nothing else on standard output
                    _show(runtime, shown, SHOWN, json_)
                click.confirm("Apply this?", abort=True, err=True)
            digest = shown.digest if expect is None else expect
            shown = runtime.confirmations.confirm(shown.id, actor=actor, digest=digest, leave_out=leave_out, note=note)
            done = True
        finally:
            if not done:
                runtime.uploads.discard(shown.id, actor=actor, why="not confirmed")
    if json_:
        print_json(_as_json(runtime, shown, EVERYTHING))
    elif shown.state is State.HELD:
        click.echo("Held, and nothing is changed: two people must release it in the browser, because")
        for finding in shown.guard:
            click.echo(f"  {finding['words']}")
    elif shown.note and not note:
        click.echo(shown.note)
    else:
        click.echo(f"Confirmed: {_counts(shown)}. The next tick acts on it.")


@roster.command(name="list")
@as_json
@with_runtime
def list_(runtime: Runtime, json_: bool) -> None:
    """Show the rosters that came last, and how far they have come."""
    uploads = runtime.uploads.listed()
    if json_:
        print_json([_head(upload) for upload in uploads])
        return
    rows = [(stamp(u.received_at), u.state.value, u.way, u.source or "?", u.file_name, _counts(u)) for u in uploads]
    print_table(("RECEIVED", "STATE", "WAY", "SOURCE", "FILE", "ROWS"), rows)


def _take(runtime: Runtime, file: Path, profile: str, as_of: datetime | None) -> Upload:
    """Take a file in as far as it goes by itself."""
    made = as_of or datetime.fromtimestamp(file.stat().st_mtime, UTC)
    with file.open("rb") as stream:
        upload_id = runtime.uploads.receive(
            stream, file_name=file.name, way="cli", actor=person_at_keyboard(), profile=profile,
            as_of=min(made, runtime.clock.now()),
        )  # fmt: skip
    return runtime.intake.advance(upload_id)


def _is_usable(shown: Upload, *, leave_out: bool = False) -> bool:
    ready = shown.state in {State.READY, State.APPLIED}
    return ready and not shown.error and (leave_out or not shown.unusable)


def _show(runtime: Runtime, shown: Upload, limit: int, json_: bool) -> None:
    if json_:
        print_json(_as_json(runtime, shown, EVERYTHING))
        return
    if shown.error:
        asked = shown.state is State.RECEIVED and shown.layout is None
        hint = " Name its layout with --profile, or match it in the browser." if asked else ""
        click.echo(f"{shown.file_name} cannot be used; nothing is changed.\n\n  {shown.error}{hint}")
        return
    if shown.state is State.APPLIED:
        click.echo(shown.note)
        return
    if shown.state is State.RECEIVED:
        click.echo(f"{shown.file_name} cannot be used; nothing is changed.\n\n  {_unknown(runtime, shown)}")
        return
    click.echo(_counts(shown))
    for kind, title in TITLES.items():
        total = shown.counts.get(kind, 0)
        if total:
            click.echo(f"\n{title}")
            if kind in {Kind.UNUSABLE, Kind.NOTE}:
                for item in runtime.uploads.items(shown.id, kinds=[kind], limit=limit):
                    click.echo(f"  {_sentence(item)}")
            else:
                print_table(("LINE", "WORKER", "NAME", "CHANGE", "ACCESS"), _table(runtime, shown, kind, limit))
            if total > limit:
                click.echo(f"  … and {total - limit} more (--all, --json)")
    click.echo("\nIf you confirm this")
    for weight, count in shown.totals.items():
        click.echo(f"  {count:>6}  {weight}")
    if not shown.totals:
        click.echo("  nobody's access changes")
    for finding in shown.guard:
        click.echo(f"  Two more people must agree: {finding['words']}")
    if shown.unusable:
        click.echo(f"\n{shown.unusable} rows cannot be used. Correct the file, or confirm with --leave-out.")
    click.echo(f"\nConfirm exactly this with --expect {shown.digest}")


def _unknown(runtime: Runtime, shown: Upload) -> str:
    with runtime.store.read() as unit:
        known = ", ".join(runtime.layouts.all(unit)) or "none"
    like = ", ".join(fitting(shown.header))
    hint = f" It looks like {like}, which can be matched in the browser." if like else ""
    return (
        f"No profile knows this header; there are {known}.{hint} Name one with --profile, or match it in the browser."
    )


def _table(runtime: Runtime, shown: Upload, kind: Kind, limit: int) -> Sequence[tuple[str, ...]]:
    items = runtime.uploads.items(shown.id, kinds=[kind], limit=limit)
    return [(str(i.line or "–"), i.worker_id, i.name, _words(i), i.said) for i in items]


def _sentence(item: Item) -> str:
    why = item.complaint
    return str(Complaint(item.line, why["column"], why["value"], why["expected"], why["remedy"]))


def _words(item: Item) -> str:
    if item.changes:
        return "; ".join(f"{c.field}: {c.old or '–'} → {c.new or '–'}" for c in item.changes)
    facts = item.facts
    return f"{facts['first_day']} to {facts['last_day']}, {facts.get('vendor', '')}" if facts else "is back"


def _counts(shown: Upload) -> str:
    words = {kind.value: kind.value for kind in Kind} | {"untouched": "as stored", "same": "as stored otherwise"}
    if shown.state in {State.RECEIVED, State.READING} or shown.error:
        return "not read yet" if not shown.error else "cannot be used"
    found = [f"{shown.counts[name]:,} {word}" for name, word in words.items() if shown.counts.get(name)]
    return ", ".join(found) or "nothing new"


def _head(shown: Upload) -> dict[str, Any]:
    return {
        "id": shown.id,
        "state": shown.state.value,
        "way": shown.way,
        "profile": shown.profile,
        "source": shown.source,
        "file": shown.file_name,
        "sha256": shown.sha256,
        "received_at": shown.received_at,
        "usable": _is_usable(shown),
        "digest": shown.digest,
        "error": shown.error,
        "note": shown.note,
        "counts": shown.counts,
        "access": shown.totals,
        "guard": list(shown.guard),
    }


def _as_json(runtime: Runtime, shown: Upload, limit: int) -> dict[str, Any]:
    rows = runtime.uploads.items(shown.id, kinds=list(TITLES), limit=limit)
    return {
        **_head(shown),
        "rows": [
            {
                "line": i.line,
                "kind": i.kind.value,
                "cause": i.cause,
                "worker_id": i.worker_id,
                "reference": i.reference,
                "name": i.name,
                "changes": {c.field: {"old": c.old, "new": c.new} for c in i.changes},
                "facts": i.facts,
                "complaint": i.complaint,
                "access": {"weight": "" if i.complaint else i.weight, "words": i.said},
            }
            for i in rows
        ],
    }
