"""An idle tick costs the same for 1,000 and for 100,000 engagements: it asks one index one question."""

import statistics
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import insert

from lifecycle.store.tables import EngagementRow, IdentityRow
from tests.services.world import World

TICKS = 200


def filled(folder: Path, count: int) -> World:
    """A world with *count* engagements, none of them due."""
    world = World(f"sqlite:///{folder}/{count}.db")
    now = world.clock.now()
    with world.runtime.store.write() as unit:
        connection = unit.session.connection()
        people = [
            {"id": f"i{n}", "source": "f", "worker_id": f"w{n}", "name": f"P {n}", "email": "", "version": 1,
             "created_at": now}
            for n in range(count)
        ]  # fmt: skip
        contracts = [
            {"id": f"e{n}", "identity_id": f"i{n}", "source": "f", "reference": f"C{n}", "first_day": date(2026, 1, 1),
             "last_day": date(2027, 1, 1), "zone": "UTC", "vendor": "v", "line": n,
             "next_change_at": now + timedelta(days=1 + n % 300)}
            for n in range(count)
        ]  # fmt: skip
        connection.execute(insert(IdentityRow), people)
        connection.execute(insert(EngagementRow), contracts)
    world.runtime.engine._notice_new_rules = lambda: None  # type: ignore[method-assign]
    return world


def main() -> None:
    """Measure both, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        worlds = {count: filled(Path(folder), count) for count in (1_000, 100_000)}
        seconds: dict[int, list[float]] = {count: [] for count in worlds}
        for world in worlds.values():
            world.tick()
        for _ in range(TICKS):
            for count, world in worlds.items():
                began = time.perf_counter()
                world.tick()
                seconds[count].append(time.perf_counter() - began)
        for world in worlds.values():
            world.close()
    medians = {count: statistics.median(values) for count, values in seconds.items()}
    for count, median in medians.items():
        low, *_, high = (value * 1e3 for value in statistics.quantiles(seconds[count], n=10))
        print(f"{count:>7} engagements: idle tick median {median * 1e3:.2f} ms (p10 {low:.2f}, p90 {high:.2f})")
    print(f"ratio 100,000 : 1,000 = {medians[100_000] / medians[1_000]:.2f}")


if __name__ == "__main__":
    main()
