"""100,000 roster rows: previewed against nothing and against 100,000 stored ones with 1 % changed."""

import csv
import io
import resource
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from tests.services.world import HEADER, World, line

ROWS = 100_000
LIMIT_SECONDS, LIMIT_MIB = 10, 500


def roster(changed: int) -> bytes:
    """A full roster in which the first *changed* contracts end later."""
    first = date(2026, 1, 1)
    ends = (date(2026, 6, 1) + timedelta(days=n % 300 + (n < changed)) for n in range(ROWS))
    rows = (line(f"w{n}", "god" if n % 50 == 0 else "agent", first, last) for n, last in enumerate(ends))
    return (HEADER + "\n".join(rows) + "\n").encode()


def peak_mib() -> float:
    """Most memory this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(what: str, seconds: float, peer: float) -> None:
    """Print one line."""
    print(f"{what}: {seconds:.2f} s = {seconds / LIMIT_SECONDS:.2f} of the limit, {seconds / peer:.1f} × csv.reader")


def main() -> None:
    """Measure."""
    before, after = roster(0), roster(ROWS // 100)
    began = time.perf_counter()
    sum(1 for _ in csv.reader(io.StringIO(after.decode())))
    peer = time.perf_counter() - began
    print(f"peer: csv.reader alone {peer:.2f} s for {len(after) / 2**20:.1f} MiB; memory before {peak_mib():.0f} MiB")
    with tempfile.TemporaryDirectory() as folder:
        world = World(f"sqlite:///{Path(folder)}/preview.db")
        began = time.perf_counter()
        shown = world.runtime.rosters.preview(before, profile="plain")
        report(f"first preview, {len(shown.diff.joiners):,} joiners", time.perf_counter() - began, peer)
        print(f"peak memory of the preview {peak_mib():.0f} MiB = {peak_mib() / LIMIT_MIB:.2f} of the limit")
        began = time.perf_counter()
        world.runtime.rosters.confirm(before, profile="plain", actor="hr", digest=shown.digest)
        report("confirmed in one transaction", time.perf_counter() - began, peer)
        del shown
        began = time.perf_counter()
        shown = world.runtime.rosters.preview(after, profile="plain")
        counts = {name: count for name, count in shown.counts().items() if count}
        report(f"second preview, {counts}", time.perf_counter() - began, peer)
        world.close()
    print(f"peak memory of all of it, confirmation included, {peak_mib():.0f} MiB")


if __name__ == "__main__":
    main()
