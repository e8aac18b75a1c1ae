"""The command as people type it: words, JSON, exit codes."""

import json
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from connectors.local import AccessFile
from lifecycle.cli import COMMANDS, main
from lifecycle.runtime import Runtime
from lifecycle.settings import load
from tests.full_disk import no_file_beyond

CHECKOUT = Path(__file__).parents[2]


class Shell:
    """A folder with a configuration, an access file and rosters."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        text = (CHECKOUT / "config.toml").read_text()
        self.config = folder / "config.toml"
        self.config.write_text(text + '\n[clock]\nmode = "manual"\n')
        self.console = AccessFile.create("console", folder / "var/console.db")
        for right in ("god-mode", "agent", "viewer"):
            self.console.add_entitlement(right)

    def run(self, *arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(main, ["--config", str(self.config), *arguments], **options)

    def json(self, *arguments: str) -> Any:
        result = self.run(*arguments, "--json")
        return json.loads(result.stdout)

    def roster(self, *rows: str) -> str:
        path = self.folder / "roster.csv"
        header = "Contract,Worker ID,Name,Vendor,Role,Site,First day,Last day,Email,Sponsor\n"
        path.write_text(header + "".join(f"{row}\n" for row in rows))
        return str(path)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def agent(worker: str, last: str = "2027-03-31") -> str:
    role = "Northgate,Support agent,berlin"
    return f"C-{worker},{worker},Person {worker},{role},2026-01-01,{last},{worker}@example.com,boss"


def test_the_whole_road(shell: Shell) -> None:
    shell.console.add_account("ada", worker_id="W1")
    roster = shell.roster(agent("W1"))
    shown = shell.json("roster", "preview", roster, "--profile", "plain")
    assert shown["counts"]["new"] == 1
    assert shown["rows"][0]["access"]["words"] == "gets console.agent at once"

    refused = shell.run("roster", "confirm", roster, "--profile", "plain", "--expect", "0123456789abcdef")
    assert refused.exit_code == 1
    assert "not what was shown" in refused.stderr

    done = shell.run("roster", "confirm", roster, "--profile", "plain", "--expect", shown["digest"])
    assert done.exit_code == 0, done.output
    assert "1 new" in done.output
    assert shell.json("tick")["finished"] >= 2
    assert [x["entitlement"] for x in shell.json("explain", "W1")["entitlements"] if x["held"]] == ["console.agent"]
    assert [s["at"] for s in shell.json("plan", "W1") if s["ends"]] == ["2027-03-31T22:00:00+00:00"]
    assert shell.json("who", "--tier", "standard")[0]["account"] == "ada"

    assert shell.json("tick", "--now", "2027-03-31T21:59:59Z")["finished"] == 0
    assert shell.json("tick", "--now", "2027-03-31T22:00:00Z")["finished"] == 2
    assert shell.json("who", "--tier", "standard") == []
    assert shell.json("who", "--tier", "standard", "--at", "2027-03-31T21:00Z")[0]["worker_id"] == "W1"
    back = shell.run("tick", "--now", "2027-01-01T00:00:00Z")
    assert back.exit_code == 1
    assert "only moves forward" in back.stderr
    assert shell.json("reconcile", "--dry-run")[0]["differences"] == []
    assert shell.json("trail", "verify")["fault"] is None
    for arguments in (("plan",), ("explain", "W1"), ("who",), ("reconcile",), ("trail", "verify"), ("tick",)):
        assert shell.run(*arguments).exit_code == 0


def test_a_file_that_cannot_be_used_says_why_and_exits_with_1(shell: Shell) -> None:
    roster = shell.roster(agent("W1", last="31/03/2027"))
    for arguments in (("roster", "preview"), ("roster", "confirm", "--yes")):
        result = shell.run(*arguments, roster, "--profile", "plain")
        assert result.exit_code == 1
        assert "line 2, column 'Last day': found '31/03/2027'; expected a day as YYYY-MM-DD." in result.output
    assert shell.json("plan") == []


def test_of_two_profiles_with_one_header_none_is_taken(shell: Shell) -> None:
    columns = load(shell.config).profiles["plain"].columns
    fields = "".join(f'{field} = "{header}"\n' for field, header in columns.items())
    more = f'\n[profiles.changes]\nscope = "delta"\n\n[profiles.changes.columns]\n{fields}'
    shell.config.write_text(shell.config.read_text() + more)
    result = shell.run("roster", "preview", shell.roster(agent("W1")))
    assert result.exit_code == 1
    assert "Two layouts have this header: “plain” and “changes”." in result.output
    assert "everybody, or changes only? Name its layout with --profile" in result.output


def test_confirming_asks_unless_told_not_to(shell: Shell) -> None:
    roster = shell.roster(agent("W1"))
    assert shell.run("roster", "confirm", roster, "--profile", "plain", input="n\n").exit_code == 1
    assert shell.run("roster", "confirm", roster, "--profile", "plain", input="y\n").exit_code == 0
    other = shell.roster(agent("W1"), agent("W2"))
    asked = shell.run("roster", "confirm", other, "--profile", "plain", "--json", input="y\n")
    assert json.loads(asked.stdout)["counts"]["new"] == 1
    roster = other
    again = shell.run("roster", "confirm", roster, "--profile", "plain", "--yes")
    assert "This very file was confirmed" in again.output


def test_a_changed_trail_is_named(shell: Shell) -> None:
    shell.run("roster", "confirm", shell.roster(agent("W1")), "--profile", "plain", "--yes")
    with sqlite3.connect(shell.folder / "var/lifecycle.db") as db:
        db.execute("DROP TRIGGER audit_no_update")
        db.execute("UPDATE audit SET actor = 'nobody' WHERE seq = 1")
    db.close()
    result = shell.run("trail", "verify")
    assert result.exit_code == 1
    assert "record 1 was changed" in result.stderr


def test_a_target_that_is_gone_is_an_outage(shell: Shell) -> None:
    (shell.folder / "var/console.db").unlink()
    result = shell.run("reconcile")
    assert result.exit_code == 1
    assert "cannot be used" in result.stderr
    assert shell.run("config", "check").exit_code == 1
    assert shell.run("config", "check", "--offline").exit_code == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("[web]", "[webb]"), "webb: unknown key"),
        (('zone = "Europe/Berlin"', 'zone = "Europe/Bärlin"'), "no IANA time zone"),
        (('ceiling = "elevated"', 'ceiling = "none"'), "would raise the ceiling"),
        (('connector = "local"', 'connector = "floppy"'), "targets.console: connector = 'floppy' is not one of"),
        (('path = "var/console.db"', 'paht = "x"'), "targets.console"),
        (('narrows_to = "console.agent"', 'narrows_to = "console.god-mode"'), "whose tier is not lower"),
        (('country = "DE"', 'country = "ZZ"'), "holidays"),
        (("port = 8731", 'host = "0.0.0.0"'), "loopback"),
        (('locator = "god-mode"', 'locator = "god-mode'), "is not TOML"),
        (('entitlements = ["console.agent"]', 'entitlements = ["console.x"]'), "not in [entitlements]"),
        (('last_day = "Last day"', 'last_dy = "Last day"'), "columns.last_dy is no field"),
        (('date_format = "%Y-%m-%d"', 'date_format = "%d.%m.%y"'), "four digits"),
    ],
)
def test_a_wrong_configuration_stops_the_program_and_is_named(shell: Shell, change: tuple[str, str], says: str) -> None:
    shell.config.write_text(shell.config.read_text().replace(*change))
    result = shell.run("tick")
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_a_database_that_is_not_there_is_said_so(shell: Shell) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    shell.config.write_text(shell.config.read_text().replace("sqlite:///var/lifecycle.db", url))
    result = shell.run("tick")
    assert result.exit_code == 2
    assert "the database cannot be used" in result.stderr
    (shell.folder / "var/broken.db").write_bytes(b"this is no database" * 100)
    shell.config.write_text(shell.config.read_text().replace(url, "sqlite:///var/broken.db"))
    result = shell.run("tick")
    assert (result.exit_code, "Traceback" in result.stderr) == (2, False)


def test_a_port_in_use_is_said_so(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shell.config.write_text(shell.config.read_text().replace("port = 8731", f"port = {port}"))
        command = [sys.executable, "-m", "tests.cli", "--config", str(shell.config), "serve", "--no-scheduler"]
        result = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert f"port {port} cannot be used" in result.stderr


def test_a_secret_in_the_file_is_refused(shell: Shell) -> None:
    target = '\n[targets.x]\nconnector = "ldap"\npassword = "hunter2"\nmatch = { uid = "email" }\n'
    shell.config.write_text(shell.config.read_text() + target)
    result = shell.run("config", "check")
    assert result.exit_code == 2
    assert "a secret is never written here" in result.stderr


def test_the_shipped_configuration_is_valid() -> None:
    assert load(CHECKOUT / "config.toml").offboarding.stages[3].name == "narrowing"


def test_every_command_has_help() -> None:
    for name, (_, _, words) in COMMANDS.items():
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0
        assert words.split(".")[0].split(",")[0][:12] in result.output or name in result.output


def test_an_unknown_instant_is_not_guessed(shell: Shell) -> None:
    result = shell.run("who", "--at", "2026-03-01T10:00")
    assert result.exit_code == 2
    assert "has no zone" in result.stderr


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from lifecycle.cli import main; main(['--help'], standalone_mode=False); "
        "print([m for m in ('sqlalchemy', 'flask', 'ldap3', 'pydantic') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"


def test_somebody_locked_out_is_let_in_at_the_machine(shell: Shell) -> None:
    invited = shell.run("member", "invite", "breaker", "--role", "it-administrator", "--email", "b@example.com")
    assert invited.exit_code == 0, invited.output
    code = invited.output.strip().rsplit("code=", 1)[1]
    assert shell.run("member", "invite", "Breaker").exit_code == 1
    assert shell.run("member", "invite", "x", "--role", "contractor").exit_code == 2
    assert [(m["login"], m["roles"]) for m in shell.json("member", "list")] == [("breaker", ["it-administrator"])]
    runtime = Runtime(load(shell.config))
    token = runtime.sign_in.accept(code=code, login="breaker", password="correct horse battery", address="here")
    assert runtime.sessions.actor(token).login == "breaker"
    assert runtime.trail.search(action="member-added")[0].actor.startswith("cli:")
    runtime.close()


def test_a_roster_without_room_on_the_disk_is_said_so(shell: Shell) -> None:
    roster = shell.roster(agent("W1"))
    assert shell.run("roster", "preview", roster).exit_code == 0
    largest = max(path.stat().st_size for path in shell.folder.glob("var/lifecycle.db*")) + 500_000
    with Path(roster).open("a") as file:
        file.write("\n" * 2 * largest)
    with no_file_beyond(largest):
        result = shell.run("roster", "confirm", roster, "--yes")
    words = "lifecycle: There is no room on the disk for this file; nothing was kept.\n"
    assert (result.exit_code, result.stderr) == (1, words)
