"""
Kill a real worker again and again against a real OpenLDAP, then look whether anything was lost.

    python -m tests.campaigns.crash --kills 1000 [--seed 7]

Between kills the roster changes who should hold what. At the end every membership must be as desired, and the trail
must tell every change exactly once. The suite runs thirty kills.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select

from connectors.base import AccountRef
from lifecycle.runtime import Runtime
from lifecycle.store.tables import AuditRow
from tests.servers.certificates import make_certificates
from tests.servers.slapd import GROUPS, PEOPLE, SERVICE, SERVICE_PASSWORD, Slapd, group_ldif, people_ldif
from tests.services.rosters import apply
from tests.services.world import COLUMNS, STAGES, line, roster_bytes

PERSONS = 60
RIGHTS = {"god": "god", "agents": "standard", "wiki": "read-only"}
BACKGROUND = [f"employee-{n}" for n in range(40)]


def configuration(folder: Path, server: Slapd) -> Path:
    """Write a configuration for the directory."""
    stages = ",\n".join("{ " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in stage.items()) + " }" for stage in STAGES)
    columns = "\n".join(f"{field} = {json.dumps(header)}" for field, header in COLUMNS.items())
    rights = "\n".join(
        f'"corp.{name}" = {{ target = "corp", locator = "cn={name},{GROUPS}", tier = "{tier}" }}'
        for name, tier in RIGHTS.items()
    )
    path = folder / "config.toml"
    path.write_text(
        f"""
[store]
url = "sqlite:///lifecycle.db"
[engine]
tick_seconds = 1
backoff_base_seconds = 1
backoff_cap_seconds = 10
batch = 20
[policy]
stages = [{stages}]
[sites.berlin]
zone = "Europe/Berlin"
[targets.corp]
connector = "ldap"
url = "{server.url}"
ca_file = "{server.certificates.ca}"
bind_dn = "{SERVICE}"
password = {{ env = "CRASH_LDAP_PASSWORD" }}
accounts_base = "{PEOPLE}"
groups_base = "{GROUPS}"
match = {{ employeeNumber = "worker_id" }}
[entitlements]
{rights}
[[baseline]]
name = "everything"
entitlements = {json.dumps([f"corp.{name}" for name in RIGHTS])}
[profiles.plain.columns]
{columns}
"""
    )
    return path


class Campaign:
    """One directory, one database, and many workers that die."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        os.environ["CRASH_LDAP_PASSWORD"] = SERVICE_PASSWORD
        self.server = Slapd(folder / "slapd", make_certificates(folder))
        self.workers = [f"w{n}" for n in range(PERSONS)]
        self.server.load(people_ldif([*self.workers, *BACKGROUND]))
        for name in RIGHTS:
            self.server.load(group_ldif(name, BACKGROUND))
        self.server.start()
        self.config = configuration(folder, self.server)
        self.runtime = Runtime.from_file(self.config)
        self.live: set[str] = set()
        self.contracts = dict.fromkeys(self.workers, 0)

    def change_roster(self) -> None:
        """End some contracts and begin or renew others."""
        changed = set(self.random.sample(self.workers, PERSONS // 2))
        for worker in changed - self.live:  # an ended contract gives nothing back: whoever returns has a new one
            self.contracts[worker] += 1
        self.live ^= changed
        today = self.runtime.clock.now().date()
        ended, far = today - timedelta(days=2), today + timedelta(days=300)
        first = date(2020, 1, 1)
        rows = [
            line(w, "any", first, far if w in self.live else ended, contract=f"C-{w}-{self.contracts[w]}")
            for w in self.workers
        ]
        content = roster_bytes(*rows)
        apply(self.runtime, content)

    def run_and_kill(self) -> None:
        """Start a worker and kill it at a random moment."""
        command = [
            sys.executable,
            "-c",
            "from lifecycle.cli import main; main()",
            "--config",
            str(self.config),
            "worker",
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.8 + self.random.random() * 0.9)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def settle(self) -> None:
        """Work until nothing is left to do."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            if self.runtime.leadership.try_to_lead():
                self.runtime.engine.tick()
                if not self._open_items():
                    return
            time.sleep(0.3)
        raise AssertionError(f"{self._open_items()} items are still open")

    def _open_items(self) -> int:
        from lifecycle.store import work

        with self.runtime.store.read() as unit:
            return sum(total for total, _ in work.count_open(unit).values())

    def check(self) -> None:
        """Compare directory, store and trail with what the roster says."""
        connector = self.runtime.targets.connector("corp")
        rights = {entitlement.key: ref for ref, entitlement in self.runtime.targets.refs("corp")[0].items()}
        holders = connector.holders_of(list(rights.values()))
        told = self._told_by_the_trail()
        everybody = {*BACKGROUND, *self.live}
        for key, ref in rights.items():
            names = {account.name for account in holders[ref]}
            assert names == everybody, (key, "lost", everybody - names, "extra", names - everybody)
            assert told[key] == self.live, (key, "trail", told[key] ^ self.live)
        for worker in self.workers:
            account: AccountRef = connector.resolve({"employeeNumber": worker})
            assert connector.state_of(account).disabled is (worker not in self.live), worker
        report = self.runtime.reconciler.reconcile("corp", dry_run=True)
        assert report.problem == "", report.problem
        assert [d for d in report.differences if d.identity_id] == []
        assert self.runtime.trail.verify().fault is None

    def _told_by_the_trail(self) -> dict[str, set[str]]:
        """Replay the trail: every grant must follow a revoke and every revoke a grant, so each change is told once."""
        held: dict[str, set[str]] = defaultdict(set)
        with self.runtime.store.read() as unit:
            rows = list(unit.session.scalars(select(AuditRow).order_by(AuditRow.__table__.c.seq)))
            people = {
                f"identity:{s.identity.id}": s.identity.worker_id for s in self.runtime.persons.search("", limit=999)
            }
        for row in rows:
            worker, key = people.get(row.object, ""), row.after.get("entitlement", "")
            if row.action == "grant":
                assert worker not in held[key], f"record {row.seq} grants {key} to {worker} a second time"
                held[key].add(worker)
            elif row.action == "revoke":
                assert worker in held[key], f"record {row.seq} revokes {key} from {worker} a second time"
                held[key].remove(worker)
            elif row.action == "drift-extra":
                held[row.after["what"]].add(worker)
            elif row.action == "drift-missing":
                held[row.after["what"]].discard(worker)
            elif row.action == "account-observed":
                for right in (f"corp.{name}" for name in RIGHTS):
                    held[right].discard(worker)
                    if right in row.after["held"]:
                        held[right].add(worker)
        return held

    def close(self) -> None:
        """Stop everything."""
        self.runtime.close()
        self.runtime.targets.connector("corp").close()  # type: ignore[attr-defined]
        self.server.stop()


def run(folder: Path, kills: int, seed: int) -> int:
    """Kill *kills* workers and return how many changes the trail tells."""
    campaign = Campaign(folder, seed)
    try:
        for n in range(kills):
            campaign.change_roster()
            campaign.run_and_kill()
            if n % 25 == 24:
                campaign.settle()
                campaign.check()
                campaign.runtime.engine.leadership.give_up()
        campaign.settle()
        campaign.check()
        return campaign.runtime.trail.verify().records
    finally:
        campaign.close()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments = parser.parse_args()
    sys.stdout.write(f"python -m tests.campaigns.crash --kills {arguments.kills} --seed {arguments.seed}\n")
    with tempfile.TemporaryDirectory() as folder:
        records = run(Path(folder), arguments.kills, arguments.seed)
    sys.stdout.write(
        f"{arguments.kills} kills: nothing lost, nothing extra, {records} records, each change told once\n"
    )


if __name__ == "__main__":
    main()
