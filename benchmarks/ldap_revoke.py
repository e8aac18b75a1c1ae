"""
5,000 leavers × 3 groups, one of them with 20,000 members, on a real OpenLDAP.

Peer: ``ldapmodify`` with prepared LDIF that deletes one value at a time and locks each account. We do the same, and
also read back every membership, write an audit record a change, and survive being killed.
"""

import argparse
import os
import subprocess
import tempfile
import time
from datetime import date
from pathlib import Path

from lifecycle.runtime import Runtime
from tests.campaigns.crash import configuration
from tests.servers.certificates import make_certificates
from tests.servers.slapd import GROUPS, PEOPLE, SERVICE, SERVICE_PASSWORD, Slapd, group_ldif, people_ldif
from tests.services.rosters import apply
from tests.services.world import line, roster_bytes

GROUP_NAMES = ("god", "agents", "wiki")


def directory(folder: Path, people: int, leavers: int, fsync: bool) -> Slapd:
    """A directory in which the leavers hold all three groups and everybody holds the first."""
    server = Slapd(folder / "slapd", make_certificates(folder), fsync=fsync)
    names = [f"w{n}" for n in range(people)]
    server.load(people_ldif(names))
    server.load(group_ldif(GROUP_NAMES[0], names))
    for name in GROUP_NAMES[1:]:
        server.load(group_ldif(name, names[: leavers + 100]))
    return server.start()


def peer(folder: Path, people: int, leavers: int, fsync: bool) -> float:
    """Seconds that ldapmodify takes."""
    server = directory(folder, people, leavers, fsync)
    ldif = folder / "changes.ldif"
    with ldif.open("w") as out:
        for n in range(leavers):
            for group in GROUP_NAMES:
                out.write(f"dn: cn={group},{GROUPS}\nchangetype: modify\ndelete: member\nmember: uid=w{n},{PEOPLE}\n\n")
            out.write(f"dn: uid=w{n},{PEOPLE}\nchangetype: modify\nadd: pwdEndTime\npwdEndTime: 19700101000000Z\n-\n")
            out.write("add: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n\n")
    command = ["ldapmodify", "-x", "-H", server.url, "-D", SERVICE, "-w", SERVICE_PASSWORD, "-f", str(ldif)]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - began
    server.stop()
    return seconds


def ours(folder: Path, people: int, leavers: int, fsync: bool) -> tuple[float, float]:
    """Seconds to get to know everybody, and to revoke and prove."""
    os.environ["CRASH_LDAP_PASSWORD"] = SERVICE_PASSWORD
    server = directory(folder, people, leavers, fsync)
    config = configuration(folder, server)
    text = (
        config.read_text()
        .replace("batch = 20", "batch = 500")
        .replace("[engine]", '[clock]\nmode = "manual"\n[engine]')
    )
    config.write_text(text)
    runtime = Runtime.from_file(config)
    last = date(2027, 3, 31)
    content = roster_bytes(*(line(f"w{n}", "any", date(2026, 1, 1), last) for n in range(leavers)))
    apply(runtime, content)
    assert runtime.leadership.try_to_lead()
    began = time.perf_counter()
    runtime.engine.tick()
    known = time.perf_counter() - began
    end = runtime.persons.standing(runtime.persons.find("w1")).contracts[0].timeline.ends_at
    runtime.clock.move_to(end, "benchmark")  # type: ignore[attr-defined]
    began = time.perf_counter()
    runtime.engine.tick()
    seconds = time.perf_counter() - began
    report = runtime.reconciler.reconcile("corp", dry_run=True)
    left = sum(d.identity_id is not None for d in report.differences)
    assert left == 0, f"{left} differences are left"
    assert runtime.trail.verify().fault is None
    runtime.targets.connector("corp").close()  # type: ignore[attr-defined]
    runtime.close()
    server.stop()
    return known, seconds


def main() -> None:
    """Measure both, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--leavers", type=int, default=5_000)
    parser.add_argument("--no-fsync", action="store_true", help="Let slapd not wait for the disk.")
    given = parser.parse_args()
    sizes = (given.people, given.leavers, not given.no_fsync)
    print(f"{given.leavers:,} leavers × {len(GROUP_NAMES)} groups + lock; one group of {given.people:,}")
    with tempfile.TemporaryDirectory() as folder:
        baseline = peer(Path(folder), *sizes)
    print(f"peer: ldapmodify, one value a modify: {baseline:.1f} s")
    with tempfile.TemporaryDirectory() as folder:
        known, seconds = ours(Path(folder), *sizes)
    print(f"ours, everything read back and audited: {seconds:.1f} s = {seconds / baseline:.2f} × ldapmodify")
    print(f"(finding {given.leavers:,} accounts, reading what they hold and setting their native end: {known:.1f} s)")


if __name__ == "__main__":
    main()
