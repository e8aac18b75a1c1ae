"""The command ``lifecycle``. Nothing is imported before it is needed, so that ``--help`` answers at once."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from lifecycle import __version__

COMMANDS = {
    "config": ("lifecycle.cli.control", "config", "Check and show the configuration."),
    "demo": ("lifecycle.cli.run", "demo", "Start the product with sixty contractors of its own."),
    "explain": ("lifecycle.cli.reports", "explain", "Say why a person holds each thing, and until when."),
    "member": ("lifecycle.cli.members", "member", "Let somebody sign in: the first aid for locked-out administrators."),
    "plan": ("lifecycle.cli.reports", "plan", "List every coming change of access."),
    "reconcile": ("lifecycle.cli.control", "reconcile", "Read targets back and show what differs."),
    "roster": ("lifecycle.cli.rosters", "roster", "Preview and confirm rosters."),
    "serve": ("lifecycle.cli.run", "serve", "Serve the pages, and tick."),
    "sources": ("lifecycle.cli.sources", "sources", "List where rosters come from by themselves, and look there now."),
    "tick": ("lifecycle.cli.run", "tick", "Make one pass over what is due."),
    "trail": ("lifecycle.cli.control", "trail", "Verify the audit trail."),
    "who": ("lifecycle.cli.reports", "who", "List who holds a tier, now or at an instant in the past."),
    "worker": ("lifecycle.cli.run", "worker", "Tick without serving pages."),
}


class LazyGroup(click.Group):
    """A group whose commands live in modules that are imported when a command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List commands for ``--help`` without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, _, words) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("config.toml"),
    envvar="LIFECYCLE_CONFIG",
    show_default=True,
    show_envvar=True,
    help="The configuration.",
)
@click.pass_context
def main(context: click.Context, config_path: Path) -> None:
    """Contractor access that follows the contract.

    Exit codes: 0 done; 1 refused, or something was found that needs a person; 2 wrong usage or configuration.
    """
    context.obj = config_path
