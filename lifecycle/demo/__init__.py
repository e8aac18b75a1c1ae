"""
The demo: sixty contractors, three in-house tools with access files of their own, and a clock that moves.

It takes the same road as a real company: a roster is previewed and confirmed, the engine ticks, targets are read
back. Only the people are invented.
"""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from connectors.local import AccessFile
from lifecycle.demo.cast import GOD_GRANTS, TOOLS, Contractor, contractors, roster_csv
from lifecycle.domain.errors import InvalidSettings
from lifecycle.domain.grant import Grant
from lifecycle.runtime import Runtime
from lifecycle.services.grants import Grants

MARK = ".lifecycle-demo"
"""A folder without this file is never emptied."""


def make_demo(folder: Path, *, port: int, keep: bool) -> Path:
    """
    Make the demo in *folder* and return its configuration.

    Args:
        folder: Emptied first, if it holds an earlier demo.
        port: For the pages.
        keep: Leave an earlier demo as it is.

    Raises:
        SystemExit: If *folder* holds something that is no demo.
    """
    config = folder / "config.toml"
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            click.echo(f"lifecycle: {folder} is not empty and holds no demo; choose another --folder", err=True)
            raise SystemExit(2)
        if keep:
            return config
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()
    template = Path(__file__).with_name("config.toml").read_text(encoding="utf-8")
    config.write_text(template.replace("port = 8731", f"port = {port}"), encoding="utf-8")
    _fill(folder, config)
    return config


def _fill(folder: Path, config: Path) -> None:
    today = datetime.now(UTC).date()
    people = contractors(today)
    for tool, rights in TOOLS.items():
        _make_tool(AccessFile.create(tool, folder / f"{tool}.db"), rights, people)
    roster = folder / "roster.csv"
    roster.write_text(roster_csv(people), encoding="utf-8")
    runtime = Runtime.from_file(config)
    try:
        content = roster.read_bytes()
        shown = runtime.rosters.preview(content, profile="agencies", file_name=roster.name)
        if not shown.usable:
            raise InvalidSettings(f"the demo's own roster is wrong: {shown.reading.complaints[0]}")
        runtime.rosters.confirm(
            content, profile="agencies", actor="hr:demo", digest=shown.digest, file_name=roster.name
        )
        _give_god_mode(runtime)
        if runtime.leadership.try_to_lead():
            runtime.engine.tick()
        for name in runtime.targets.names:
            runtime.targets.preflight(name)
            runtime.reconciler.reconcile(name)
    finally:
        runtime.close()
    counts = ", ".join(f"{count} {name}" for name, count in shown.counts().items() if count)
    click.echo(f"Roster confirmed: {counts}. Access given and read back in {len(TOOLS)} tools.")


def _make_tool(tool: AccessFile, rights: tuple[str, ...], people: list[Contractor]) -> None:
    """Set a tool up as its own administrator would: accounts for contractors and for some employees."""
    native = {right: tool.add_entitlement(right) for right in rights}
    chance = random.Random(7)  # noqa: S311 - the same demo every time
    for person in people:
        if person.has_accounts:
            account = tool.add_account(person.login, worker_id=person.worker_id, email=person.email)
            if person.stage_days < 0 and chance.random() < 0.5:
                tool.grant(account, native[rights[-1]])  # somebody forgot to take it away when the contract ended
    for name in ("hosei", "tiglesias", "rmenon"):
        employee = tool.add_account(name, email=f"{name}@example.com")
        tool.grant(employee, native[rights[-1]])
    if "god-mode" in rights:
        tool.grant(tool.add_account("svc-nightly-cleanup"), native["god-mode"])


def _give_god_mode(runtime: Runtime) -> None:
    """Record grants that two people have approved, each for an interval of its own."""
    grants = Grants(runtime.store, runtime.rulebook, runtime.clock)
    now = runtime.clock.now()
    for number, given in enumerate(GOD_GRANTS, start=2041):
        standing = runtime.persons.standing(runtime.persons.find(given.worker_id))
        contract = standing.contract
        if contract is None:
            continue
        grant = Grant(
            id=f"GR-{number}",
            engagement_id=contract.engagement.id,
            entitlement=given.entitlement,
            starts_at=now - timedelta(hours=1),
            ends_at=now + timedelta(hours=given.hours),
            reason=given.reason,
            request=f"GR-{number}",
            approved_by=given.approved_by,
        )
        grants.record(grant, identity_id=standing.identity.id, actor="it:demo")
