"""
A full roster of a million rows with one per cent changed, against a million stored: seconds, memory, other pages.

Peers in the same run: the database's own bulk load of the same file into a bare table (``.import`` of the sqlite3
shell, ``\\copy`` of psql), and the parse of the file alone. Run with ``python -m benchmarks.roster [sqlite|postgres]
[rows]``.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import psycopg

from lifecycle.feed.read import read_roster
from lifecycle.runtime import Runtime
from lifecycle.services.upload_views import State, Upload
from lifecycle.settings import Settings
from tests.servers.postgres import Postgres
from tests.services.world import settings_dict

ROWS = 1_000_000
LIMIT_MIB = 1024
HEADER = "contract,worker,name,vendor,role,site,first,last,email,sponsor"
VENDORS = [f"Vendor {n}" for n in range(40)]
SITES = ["berlin", "auckland", "honolulu"]


def write(path: Path, rows: int, *, changed: bool) -> None:
    """Write a roster; *changed*: one in a hundred gets another sponsor, one in 400 is gone and one new."""
    start = date(2026, 1, 5)
    with path.open("w") as file:
        file.write(HEADER + "\n")
        for n in range(rows):
            turn = n % 400 if changed else -1
            sponsor = f"boss{(n + (turn % 100 == 1)) % 5000}@example.com"
            worker = rows + n if turn == 3 else n
            first = start + timedelta(days=n % 60)
            last = first + timedelta(days=180 + n % 300)
            file.write(
                f"C-{worker:08},W{worker:08},Person Number {worker},{VENDORS[n % 40]},agent,{SITES[n % 3]},"
                f"{first},{last},person{worker}@example.com,{sponsor}\n"
            )


@contextmanager
def timed(what: str, took: dict[str, float]) -> Iterator[None]:
    """Print how long something took."""
    began = time.perf_counter()
    yield
    took[what] = time.perf_counter() - began
    print(f"{what:<44} {took[what]:7.1f} s   peak memory {peak_mib():5.0f} MiB", flush=True)


def peak_mib() -> float:
    """Return the largest resident set of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bulk_load(folder: Path, path: Path, url: str | None) -> None:
    """Load the file with the database's own tool into a bare table of text."""
    columns = HEADER.split(",")
    if url is None:
        database = folder / "bare.db"
        database.unlink(missing_ok=True)
        script = f".mode csv\n.import --skip 1 {path} bare\n"
        table = f"PRAGMA journal_mode=wal; PRAGMA synchronous=full; CREATE TABLE bare ({', '.join(columns)});\n"
        subprocess.run(["sqlite3", str(database)], input=table + script, text=True, check=True, capture_output=True)
        return
    table = f"DROP TABLE IF EXISTS bare; CREATE TABLE bare ({', '.join(f'{c} text' for c in columns)});"
    copy = f"\\copy bare FROM '{path}' CSV HEADER"
    subprocess.run(
        ["psql", "-q", url.replace("postgresql+psycopg", "postgresql"), "-c", table, "-c", copy],
        check=True,
        capture_output=True,
    )


def settle(url: str | None) -> None:
    """Have all written on disk, and done what PostgreSQL does by itself in minutes: the second comes a day later."""
    if url is not None:
        with psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")
    os.sync()


def take(runtime: Runtime, path: Path) -> Upload:
    """Take a file as far as it goes without a person."""
    with path.open("rb") as stream:
        upload_id = runtime.uploads.receive(stream, file_name=path.name, way="cli", actor="hr", profile="plain")
    return runtime.intake.advance(upload_id)


def confirm(runtime: Runtime, upload: Upload) -> Upload:
    """Apply it, whatever the guard says."""
    upload = runtime.confirmations.confirm(upload.id, actor="hr", digest=upload.digest)
    return runtime.confirmations.release(upload.id, actor="hr") if upload.state is State.HELD else upload


@contextmanager
def reading_meanwhile(runtime: Runtime) -> Iterator[list[float]]:
    """Search people five times a second in another thread, and keep how long each search took."""
    took: list[float] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.wait(0.2):
            began = time.perf_counter()
            runtime.persons.search("Person Number 77")
            took.append(time.perf_counter() - began)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield took
    finally:
        stop.set()
        thread.join()


def best(run: Callable[[], None], times: int = 3) -> float:
    """Return the median of some runs in seconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def measure(folder: Path, rows: int, url: str | None) -> None:
    """Measure on one database."""
    settings = {
        **settings_dict(url or f"sqlite:///{folder}/product.db"),
        "folder": folder,
        "rosters": {"most_rows": 2 * rows},
    }
    runtime = Runtime(Settings.model_validate(settings))
    first, second = folder / "first.csv", folder / "second.csv"
    write(first, rows, changed=False)
    write(second, rows, changed=True)
    with runtime.store.read() as unit:
        profile = runtime.layouts.profile("plain", runtime.layouts.find(unit, "plain"))
    took: dict[str, float] = {}
    print(f"--- {runtime.store.engine.dialect.name}, {rows:,} rows, {second.stat().st_size / 2**20:.0f} MiB")
    parse = best(lambda: [None for _ in read_roster(second, profile).batches()] and None, 1)
    load = best(lambda: bulk_load(folder, second, url))
    print(f"peers: bulk load {load:.1f} s, parse alone {parse:.1f} s; peak memory {peak_mib():.0f} MiB", flush=True)
    with timed("first roster: preview", took):
        shown = take(runtime, first)
    with timed("first roster: apply", took):
        confirm(runtime, shown)
    settle(url)
    with reading_meanwhile(runtime) as pages:
        with timed("one per cent changed: preview", took):
            shown = take(runtime, second)
        print(f"{'':<44} {shown.counts}")
        with timed("one per cent changed: apply", took):
            confirm(runtime, shown)
    both = took["one per cent changed: preview"] + took["one per cent changed: apply"]
    limit = 2 * (load + parse)
    print(f"preview and apply {both:.1f} s = {both / limit:.2f} of twice the bulk load and the parse ({limit:.1f} s)")
    print(f"peak memory {peak_mib():.0f} MiB = {peak_mib() / LIMIT_MIB:.2f} of the limit")
    ordered = sorted(pages)
    print(f"a search meanwhile: median {1000 * statistics.median(ordered):.0f} ms, worst {1000 * ordered[-1]:.0f} ms")
    runtime.close()


def main(arguments: list[str]) -> None:
    """Run on the databases named, or on both."""
    rows = next((int(a) for a in arguments if a.isdigit()), ROWS)
    folder = Path(tempfile.mkdtemp(prefix="lifecycle-roster-"))
    try:
        if "postgres" not in arguments:
            measure(folder, rows, None)
        if "sqlite" not in arguments:
            (folder / "pg").mkdir()
            folder.chmod(0o755)
            server = Postgres(folder / "pg")
            try:
                measure(folder, rows, server.fresh_database())
            finally:
                server.stop()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
