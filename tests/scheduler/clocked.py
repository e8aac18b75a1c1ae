"""A process of its own that ticks while somebody sets its clock: prints what it believes, once a tick."""

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from lifecycle.app import make_scheduler
from lifecycle.runtime import Runtime


def main() -> None:
    """Tick for a while, with one jump in the middle."""
    config, offset, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    runtime = Runtime.from_file(config)
    scheduler = make_scheduler(runtime)
    ticks = 0
    tick = scheduler.engine.tick

    def counted(*, wait: bool = True) -> object:
        nonlocal ticks
        ticks += 1
        return tick(wait=wait)

    scheduler.engine.tick = counted  # type: ignore[assignment,method-assign]
    scheduler.start()
    time.sleep(seconds / 2)
    before, believed = ticks, runtime.clock.now()
    os.environ["FAKETIME"] = offset
    time.sleep(seconds / 2)
    jumped = (datetime.now(UTC) - believed).total_seconds()
    moved = (runtime.clock.now() - believed).total_seconds()
    sys.stdout.write(f"{before} {ticks - before} {jumped:.0f} {moved:.0f}\n")
    scheduler.stop()
    runtime.close()


if __name__ == "__main__":
    main()
