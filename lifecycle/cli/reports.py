"""``lifecycle plan``, ``who`` and ``explain``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from lifecycle.cli.common import Instant, as_json, print_json, print_table, stamp, with_runtime
from lifecycle.domain.entitlement import Tier
from lifecycle.domain.forecast import Move, Step
from lifecycle.runtime import Runtime
from lifecycle.services.persons import Standing
from lifecycle.services.upload_views import State

EVERYBODY = 10_000_000


@click.command()
@click.argument("person", required=False)
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day to show, inclusive [default: 30 days on].")
@as_json
@with_runtime
def plan(runtime: Runtime, person: str | None, until: datetime | None, json_: bool) -> None:
    """List every coming transition: when, whose, and what changes where.

    PERSON is a worker id, an e-mail address or a name; without it, everybody.
    """
    steps = runtime.persons.plan(until.date() if until else None, person, limit=EVERYBODY)
    if json_:
        print_json([_step_json(standing, step) for standing, step in steps])
        return
    rows = [
        (stamp(step.at), standing.identity.name, standing.identity.worker_id, step.cause, _moves(step))
        for standing, step in steps
    ]
    print_table(("WHEN", "WHO", "WORKER", "STAGE", "WHAT CHANGES"), rows)
    if not rows:
        click.echo("No change is coming in this time.")
    if person is None:
        _print_waiting(runtime)


def _print_waiting(runtime: Runtime) -> None:
    """Name the rosters that would change the plan, and why the guard wants two more people for them."""
    for upload in runtime.uploads.listed(states=(State.READY, State.HELD)):
        click.echo(f"\nNot in this plan: {upload.file_name} ({upload.source}) is {upload.state.value}.")
        for finding in upload.guard:
            click.echo(f"  Two more people must agree: {finding['words']}")


def _moves(step: Step) -> str:
    words = [_move(m) for m in step.moves]
    words += ["accounts disabled"] if step.ends else []
    return ", ".join(words) or "–"


def _move(move: Move) -> str:
    if move.before is None:
        return f"gets {move.after.key}" if move.after else ""
    return f"{move.before.key} → {move.after.key if move.after else 'none'}"


def _step_json(standing: Standing, step: Step) -> dict[str, Any]:
    return {
        "at": step.at,
        "person": standing.identity.name,
        "worker_id": standing.identity.worker_id,
        "identity": standing.identity.id,
        "stage": step.cause,
        "changes": [
            {
                "target": move.target,
                "before": move.before.key if move.before else None,
                "after": move.after.key if move.after else None,
            }
            for move in step.moves
        ],
        "ends": step.ends,
    }


@click.command()
@click.option("--tier", type=click.Choice([t.label for t in Tier if t]), default="god", show_default=True)
@click.option("--at", type=Instant(), help="An instant in the past, such as 2026-03-31T22:00Z [default: now].")
@as_json
@with_runtime
def who(runtime: Runtime, tier: str, at: datetime | None, json_: bool) -> None:
    """List who holds entitlements of a tier, as observed in the targets, soonest end first."""
    holders = runtime.holders.who(Tier.parse(tier), at)
    if json_:
        print_json(
            [
                {
                    "person": h.identity.name if h.identity else None,
                    "worker_id": h.identity.worker_id if h.identity else None,
                    "account": h.account,
                    "target": h.target,
                    "entitlement": h.entitlement,
                    "tier": h.tier.label,
                    "since": h.since,
                    "until": h.until,
                    "ends_at": h.ends_at,
                    "because": h.because,
                }
                for h in holders
            ]
        )
        return
    rows = [
        (
            h.identity.name if h.identity else "nobody known here",
            h.account,
            h.entitlement,
            stamp(h.since),
            stamp(h.until if at else h.ends_at) or "no end",
            h.because,
        )
        for h in holders
    ]
    print_table(("WHO", "ACCOUNT", "ENTITLEMENT", "SINCE", "UNTIL", "WHY"), rows)
    if not rows:
        click.echo(f"Nobody {'held' if at else 'holds'} {tier}{' at ' + stamp(at) if at else ''}.")


@click.command()
@click.argument("person")
@as_json
@with_runtime
def explain(runtime: Runtime, person: str, json_: bool) -> None:
    """Say why PERSON holds each thing: which rule or grant, from which roster row, and until when."""
    standing, explanations = runtime.persons.explain(person)
    if json_:
        contracts = [
            {
                "reference": c.engagement.reference,
                "vendor": c.engagement.vendor,
                "first_day": c.engagement.first_day,
                "last_day": c.engagement.last_day,
                "zone": c.engagement.zone,
                "stage": standing.stage_of(c),
                "ends_at": c.timeline.ends_at,
            }
            for c in standing.contracts
        ]
        print_json(
            {
                "person": standing.identity.name,
                "worker_id": standing.identity.worker_id,
                "identity": standing.identity.id,
                "contracts": contracts,
                "entitlements": [{name: getattr(e, name) for name in e.__dataclass_fields__} for e in explanations],
            }
        )
        return
    click.echo(f"{standing.identity.name} ({standing.identity.worker_id}), stage: {standing.stage}")
    for c in standing.contracts:
        e = c.engagement
        click.echo(
            f"  {e.reference}: {e.first_day} to {e.last_day} ({e.zone}), {e.vendor}, "
            f"{standing.stage_of(c)}, over {stamp(c.timeline.ends_at)}"
        )
    click.echo()
    rows = [
        (x.entitlement, x.tier, "yes" if x.held else "no", stamp(x.until), x.because, x.roster, x.waiting)
        for x in explanations
    ]
    print_table(("ENTITLEMENT", "TIER", "HELD", "UNTIL", "WHY", "ROSTER", "WAITING"), rows)
    if not rows:
        click.echo("Holds nothing and should hold nothing.")
