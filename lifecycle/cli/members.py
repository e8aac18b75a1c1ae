"""``lifecycle member``: what helps when nobody can sign in any more."""

from __future__ import annotations

import click

from lifecycle.cli.common import as_json, person_at_keyboard, print_json, print_table, with_runtime
from lifecycle.domain.role import Role
from lifecycle.runtime import Runtime
from lifecycle.services.authorisation import Actor

GIVEN = [role.value for role in Role if role is not Role.CONTRACTOR]


def _keyboard(runtime: Runtime) -> Actor:
    """Whoever sits at the machine may do what an administrator may; the trail says that it was done here."""
    name = person_at_keyboard().removeprefix("cli:")
    roles = frozenset({Role.IT_ADMINISTRATOR})
    return Actor("", name, name, roles, authenticated_at=runtime.sessions.wall(), kind="cli")


@click.group()
def member() -> None:
    """See who may sign in, and invite somebody."""


@member.command("list")
@as_json
@with_runtime
def list_(runtime: Runtime, json_: bool) -> None:
    """List who may sign in, employees first."""
    found = runtime.membership.list(_keyboard(runtime))
    rows = [
        (m.login, ", ".join(r.label for r in m.roles), m.provider, "disabled" if m.disabled_at else "") for m in found
    ]
    if json_:
        print_json(
            [
                {"login": m.login, "roles": m.roles, "provider": m.provider, "disabled_at": m.disabled_at, "id": m.id}
                for m in found
            ]
        )
    else:
        print_table(("LOGIN", "ROLES", "SIGNS IN WITH", ""), rows)


@member.command()
@click.argument("login")
@click.option("--name", default="", help="Name for pages.")
@click.option("--email", default="", help="E-mail address.")
@click.option("--role", "roles", multiple=True, type=click.Choice(GIVEN), help="May be repeated.")
@with_runtime
def invite(runtime: Runtime, login: str, name: str, email: str, roles: tuple[str, ...]) -> None:
    """Make a local member and print the address at which they set a password, once, within three days."""
    code = runtime.membership.invite(_keyboard(runtime), login=login, name=name, email=email, roles=roles)
    click.echo(f"{runtime.settings.web.address}/invitation?login={login}&code={code}")
