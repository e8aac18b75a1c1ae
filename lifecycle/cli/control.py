"""``lifecycle reconcile``, ``trail`` and ``config``."""

from __future__ import annotations

import sys

import click

from lifecycle.cli.common import REFUSED, as_json, print_json, print_table, progress, with_runtime
from lifecycle.runtime import Runtime
from lifecycle.settings import effective


@click.command()
@click.option("--target", "target_names", multiple=True, help="Only this target; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Store nothing and queue nothing.")
@as_json
@with_runtime
def reconcile(runtime: Runtime, target_names: tuple[str, ...], dry_run: bool, json_: bool) -> None:
    """Read targets back: what is held there and should not be, what is missing, whose accounts nobody knows.

    The next tick closes what differs. Exit code 1 when a target could not be read.
    """
    reports = []
    names = target_names or runtime.targets.names
    with progress("Reading", len(names)) as advance:
        for name in names:
            reports.append(runtime.reconciler.reconcile(runtime.targets[name].name, dry_run=dry_run))
            advance(1)
    if json_:
        print_json(
            [
                {
                    "target": r.target,
                    "read_at": r.read_at,
                    "holders": r.holders,
                    "problem": r.problem,
                    "differences": [
                        {
                            "account": d.account,
                            "identity": d.identity_id,
                            "entitlement": d.entitlement,
                            "found": d.found,
                        }
                        for d in r.differences
                    ],
                }
                for r in reports
            ]
        )
    else:
        rows = [(d.target, d.found, d.entitlement, d.account) for r in reports for d in r.differences]
        print_table(("TARGET", "FOUND", "WHAT", "ACCOUNT"), rows)
        for r in reports:
            if r.problem:
                click.echo(f"{r.target}: {r.problem}", err=True)
            else:
                click.echo(f"{r.target}: {r.holders} holders read, {len(r.differences)} differences")
    if any(r.problem for r in reports):
        sys.exit(REFUSED)


@click.group()
def trail() -> None:
    """Verify the audit trail."""


@trail.command()
@as_json
@with_runtime
def verify(runtime: Runtime, json_: bool) -> None:
    """Check every record of the hash chain, and name the first that does not hold.

    Exit code 1 when there is one.
    """
    with progress("Verifying") as advance:
        result = runtime.trail.verify(advance)
    fault = result.fault
    if json_:
        found = {"seq": fault.seq, "reason": fault.reason} if fault else None
        print_json({"records": result.records, "head": result.head, "fault": found})
    elif fault:
        click.echo(f"The trail does not hold: record {fault.seq} {fault.reason}.", err=True)
    else:
        click.echo(f"The trail holds: {result.records} records, head {result.head}.")
    if fault:
        sys.exit(REFUSED)


@click.group()
def config() -> None:
    """Check and show the configuration."""


@config.command()
@click.option("--offline", is_flag=True, help="Do not ask the targets.")
@as_json
@with_runtime
def check(runtime: Runtime, offline: bool, json_: bool) -> None:
    """Read the configuration, prove the policy, and ask every target what is missing.

    Prints what applies, defaults filled in, secrets as references. Exit code 1 when a target reports an error or the
    folder, secret or certificates of a source cannot be used, 2 when the configuration cannot be used.
    """
    _ = runtime.rulebook
    settings = effective(runtime.settings)
    findings = {} if offline else {name: runtime.targets.preflight(name) for name in runtime.targets.names}
    sources = {name: runtime.visits.problems(name) for name in runtime.visits.names}
    if json_:
        print_json({"settings": settings, "targets": findings, "sources": sources})
    else:
        print_json(settings)
        rows = [
            (name, f["severity"].upper(), f["topic"], f["message"] + (f" {f['remedy']}" if f["remedy"] else ""))
            for name, found in findings.items()
            for f in found
        ]
        print_table(("TARGET", "STATE", "ABOUT", "FINDING"), rows)
        problems = [(name, problem) for name, found in sources.items() for problem in found]
        print_table(("SOURCE", "FINDING"), problems)
    if any(sources.values()) or any(f["severity"] == "error" for found in findings.values() for f in found):
        sys.exit(REFUSED)
