"""``lifecycle sources``: where rosters come from by themselves."""

from __future__ import annotations

import sys

import click

from lifecycle.cli.common import REFUSED, as_json, print_json, print_table, stamp, with_runtime
from lifecycle.runtime import Runtime


@click.group()
def sources() -> None:
    """List where rosters come from by themselves, and look there now."""


@sources.command("list")
@as_json
@with_runtime
def list_(runtime: Runtime, json_: bool) -> None:
    """List the sources in the configuration."""
    visits = runtime.visits
    feeds = {delivery.name: feed for feed in runtime.sources.listed() for delivery in feed.deliveries}
    found = [(name, visits.source(name), visits.place(name), visits.frozen(name)) for name in visits.names]
    if json_:
        print_json(
            [
                {
                    "name": name,
                    "way": source.location.way,
                    "profile": source.profile,
                    "every_minutes": source.every_minutes,
                    "place": place,
                    "frozen": frozen,
                    "state": feeds[name].state.value,
                    "accepted_at": feeds[name].row.accepted_at,
                    "error": feeds[name].error,
                }
                for name, source, place, frozen in found
            ]
        )
        return
    rows = [
        (
            name,
            source.location.way,
            source.profile,
            f"{source.every_minutes} min",
            "frozen" if frozen else feeds[name].state.value,
            stamp(feeds[name].row.accepted_at),
            place,
        )
        for name, source, place, frozen in found
    ]
    print_table(("NAME", "WAY", "PROFILE", "EVERY", "STATE", "ACCEPTED", "PLACE"), rows)


@sources.command()
@click.argument("name")
@as_json
@with_runtime
def check(runtime: Runtime, name: str, json_: bool) -> None:
    """Look at the source NAME once, now, and deliver what is new there.

    A file that may still be written to is taken by a later look. Exit code 1 when the source cannot be used.
    """
    visit = runtime.visits.look(name)
    if json_:
        print_json({"source": visit.source, "failed": visit.failed, "settling": visit.settling, "words": visit.words})
    else:
        for words in visit.words:
            click.echo(f"{visit.source}: {words}", err=visit.failed)
    if visit.failed:
        sys.exit(REFUSED)
