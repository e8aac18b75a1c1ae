"""Calls at the same instant."""

import threading
from typing import Any

from lifecycle.domain.errors import LifecycleError


def race(*calls: Any) -> list[LifecycleError | None]:
    """Make the calls at once, each in its own thread, and return what each raised."""
    barrier, outcomes = threading.Barrier(len(calls)), [None] * len(calls)

    def run(n: int) -> None:
        barrier.wait()
        try:
            calls[n]()
        except LifecycleError as exc:
            outcomes[n] = exc  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
