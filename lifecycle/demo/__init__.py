"""
The demo: sixty contractors, three in-house tools with access files of their own, and a clock that moves.

It takes the same road as a real company: a roster is previewed and confirmed, the engine ticks, targets are read
back. Only the people are invented.
"""

from __future__ import annotations

import random
import secrets
import shutil
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from connectors.base import AccountRef
from connectors.local import AccessFile
from lifecycle.demo.cast import (
    ASKED,
    CONTRACTORS_WHO_SIGN_IN,
    EMPLOYEES,
    TOOLS,
    Contractor,
    contractors,
    roster_csv,
)
from lifecycle.domain.approval import Verdict
from lifecycle.domain.errors import InvalidSettings
from lifecycle.domain.party import key_of
from lifecycle.domain.role import Role
from lifecycle.runtime import Runtime
from lifecycle.services.proposals import Draft
from lifecycle.services.sessions import actor_of
from lifecycle.services.signin import new_local
from lifecycle.services.upload_views import State
from lifecycle.store import members, people

SIGN_INS = "sign-in.txt"
"""Who can sign in to the demo, and with what password; made anew with every demo."""
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
    tools = {tool: AccessFile.create(tool, folder / f"{tool}.db") for tool in TOOLS}
    left_over = {tool: _make_tool(tools[tool], rights, people) for tool, rights in TOOLS.items()}
    roster = folder / "roster.csv"
    roster.write_text(roster_csv(people), encoding="utf-8")
    runtime = Runtime.from_file(config)
    try:
        with roster.open("rb") as file:
            taken = runtime.deliveries.deliver(file, file_name=roster.name, way="cli", profile="agencies")
        if taken.state is not State.APPLIED:
            raise InvalidSettings(f"the demo's own roster is wrong: {taken.error or taken.counts}")
        for tool, accounts in left_over.items():  # after the roster: its loss is no surprise that the guard would hold
            _give_back(tools[tool], TOOLS[tool][-1], accounts)
        _invite(runtime, folder)
        _ask(runtime)
        runtime.housekeeping.run()
        if runtime.leadership.try_to_lead():
            runtime.engine.tick()
        for name in runtime.targets.names:
            runtime.targets.preflight(name)
            runtime.reconciler.reconcile(name)
    finally:
        runtime.close()
    click.echo(f"Roster confirmed: {taken.changing} contracts. Access given and read back in {len(TOOLS)} tools.")


def _make_tool(tool: AccessFile, rights: tuple[str, ...], people: list[Contractor]) -> list[AccountRef]:
    """
    Set a tool up as its own administrator would: accounts for contractors and for some employees.

    Returns:
        Accounts of people who have left, of which somebody forgets to take everything away.
    """
    native = {right: tool.add_entitlement(right) for right in rights}
    chance, forgotten = random.Random(7), []  # noqa: S311 - the same demo every time
    for person in people:
        if person.has_accounts:
            account = tool.add_account(person.login, worker_id=person.worker_id, email=person.email)
            if person.stage_days < 0 and chance.random() < 0.5:
                forgotten.append(account)
    for name in ("hosei", "tiglesias", "rmenon"):
        employee = tool.add_account(name, email=f"{name}@example.com")
        tool.grant(employee, native[rights[-1]])
    if "god-mode" in rights:
        tool.grant(tool.add_account("svc-nightly-cleanup"), native["god-mode"])
    return forgotten


def _give_back(tool: AccessFile, right: str, accounts: list[AccountRef]) -> None:
    entitlement = tool.entitlement(right)
    for account in accounts:
        tool.grant(account, entitlement)


def _invite(runtime: Runtime, folder: Path) -> None:
    """Make members of every role, with one password that only this demo's folder knows."""
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    hashed, now = runtime.sign_in.passwords.hash(password), runtime.sessions.wall()
    lines = []
    with runtime.store.write() as unit:
        for employee in EMPLOYEES:
            row = new_local(employee.login, employee.name, [r.value for r in employee.roles], now - timedelta(days=90))
            row.email, row.email_key, row.supervisor = employee.email, key_of(employee.email), employee.supervisor
            row.password_hash = hashed
            unit.session.add(row)
            lines.append((employee.login, ", ".join(role.label for role in employee.roles), employee.name))
        for worker_id in CONTRACTORS_WHO_SIGN_IN:
            person = people.identities_called(unit, worker_ids=[worker_id])[0]
            login = _plain(person.name.split()[0])
            row = new_local(login, person.name, [], now - timedelta(days=90))
            row.identity_id, row.password_hash = person.id, hashed
            unit.session.add(row)
            lines.append((login, Role.CONTRACTOR.label, person.name))
        unit.audit(at=now, actor="it:demo", action="members-added", object_="members", after={"count": len(lines)})
    told = [f"{login:10} {role:18} {name}" for login, role, name in lines]
    sheet = folder / SIGN_INS
    sheet.touch(mode=0o600)
    sheet.write_text("\n".join([f"Password of everybody in this demo: {password}", "", *told]) + "\n", encoding="utf-8")


def _plain(name: str) -> str:
    """Return *name* as people type it: lower case, without accents."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()


def _ask(runtime: Runtime) -> None:
    """Ask for access and review it, as sponsors and reviewers would."""
    with runtime.store.read() as unit:
        rows = members.by_keys(unit, [e.login for e in EMPLOYEES])
    actors = {row.login: actor_of(row, runtime.sessions.wall()) for row in rows}
    by_email = {e.email: e.login for e in EMPLOYEES}
    for asked in ASKED:
        standing = runtime.persons.standing(runtime.persons.find(asked.worker_id))
        if standing.contract is None:
            continue
        draft = Draft(
            standing.identity.id,
            asked.entitlement,
            timedelta(hours=asked.hours),
            asked.reason,
            at_once=asked.at_once,
            window=timedelta(days=3),
        )
        sponsor = by_email[standing.contract.engagement.sponsor]
        request = runtime.requests.ask(actors[sponsor], draft)
        for login in asked.approved_by:
            shown = runtime.reviews.sheet(actors[login], request).shown
            runtime.reviews.review(
                actors[login], request, verdict=Verdict.APPROVE, note="Discussed with the team", shown=shown
            )
