"""Free loopback ports, and waiting until something answers there."""

import socket
import time


def free_port() -> int:
    """Ask the kernel for a port that is free now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


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
