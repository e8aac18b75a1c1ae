"""``lifecycle sources`` and what ``config check`` says about them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lifecycle.cli import main
from lifecycle.runtime import Runtime
from lifecycle.services.visits import Visits
from tests.services.intake import Recorder
from tests.services.world import HandClock

CHECKOUT = Path(__file__).parents[2]
SOURCES = """
[sources.northgate]
profile = "plain"
every_minutes = 5
location = { way = "folder", path = "inbox", pattern = "*.csv" }

[sources.workday]
profile = "plain"
[sources.workday.location]
way = "https"
url = "https://reports.example.com/workers?key=hidden"
username = "reader"
password = { file = "report-password" }
"""


class Shell:
    """A folder with a configuration that has two sources."""

    def __init__(self, folder: Path, recorder: Recorder) -> None:
        self.folder, self.recorder = folder, recorder
        self.config = folder / "config.toml"
        self.config.write_text((CHECKOUT / "config.toml").read_text() + SOURCES)
        self.inbox = folder / "inbox"
        self.inbox.mkdir()
        secret = folder / "report-password"
        secret.write_text("secret")
        secret.chmod(0o600)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, ["--config", str(self.config), *arguments])


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    recorder = Recorder()

    def visits(runtime: Runtime) -> Visits:
        return Visits(runtime.settings, recorder, recorder, HandClock())

    monkeypatch.setattr(Runtime, "visits", property(visits))
    return Shell(tmp_path, recorder)


def test_sources_are_listed_without_secrets(shell: Shell) -> None:
    shell.recorder.frozen_because["workday"] = "rejected"
    listed = shell.run("sources", "list")
    assert listed.exit_code == 0, listed.output
    assert "northgate  folder  plain    5 min   stale             /" in listed.output
    assert "workday    https   plain    60 min  frozen            https://reports.example.com/workers" in listed.output
    found: list[dict[str, Any]] = json.loads(shell.run("sources", "list", "--json").output)
    assert [source["name"] for source in found] == ["northgate", "workday"]
    assert "hidden" not in listed.output


def test_a_source_is_looked_at_now(shell: Shell) -> None:
    (shell.inbox / "roster.csv").write_text("content")
    first = shell.run("sources", "check", "northgate")
    assert (first.exit_code, first.output) == (
        0, "northgate: roster.csv is there; it is taken once it no longer changes.\n",
    )  # fmt: skip
    second = json.loads(shell.run("sources", "check", "northgate", "--json").output)
    assert second["words"] == ["roster.csv was applied.", "There is nothing new."]
    assert shell.recorder.delivered == [("roster.csv", b"content")]


def test_a_source_that_fails_exits_with_1(shell: Shell) -> None:
    shell.inbox.rmdir()
    failed = shell.run("sources", "check", "northgate")
    assert failed.exit_code == 1
    assert "is not there" in failed.stderr
    unknown = shell.run("sources", "check", "nowhere")
    assert unknown.exit_code == 1
    assert "there is no source 'nowhere'; there are northgate, workday" in unknown.stderr


def test_the_configuration_check_names_folders_and_secrets_that_cannot_be_used(shell: Shell) -> None:
    assert shell.run("config", "check", "--offline").exit_code == 0
    shell.inbox.rmdir()
    (shell.folder / "report-password").chmod(0o644)
    checked = shell.run("config", "check", "--offline")
    assert checked.exit_code == 1
    assert f"northgate  the folder {shell.inbox} is not there" in checked.output
    assert "can be read by others" in checked.output
    found = json.loads(shell.run("config", "check", "--offline", "--json").output)["sources"]
    assert [len(problems) for problems in found.values()] == [1, 1]


def test_a_source_without_a_profile_stops_the_program(shell: Shell) -> None:
    shell.config.write_text(shell.config.read_text().replace('profile = "plain"', 'profile = "nope"'))
    result = shell.run("sources", "list")
    assert result.exit_code == 2
    assert "sources.northgate: there is no profile 'nope'; there are plain" in result.stderr
