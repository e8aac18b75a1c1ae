"""Free loopback ports, and waiting until something answers there."""

import random
import socket
import time
from contextlib import suppress


def free_port() -> int:
    """Find a port that is free now, below those that the kernel hands to outgoing connections."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as sock, suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


def wait_until_open(port: int, seconds: float = 10.0) -> None:
    """Return as soon as *port* accepts a connection."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
