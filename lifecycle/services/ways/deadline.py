"""The end of a look at a source, also for a server that sends one byte now and then and passes every other limit."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress


class Deadline:
    """
    Ends the connections of one look when its time is up. Used as a context; safe to use from several threads.

    A read that waits then ends at once, as if the other side had hung up.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.passed = False
        self._guarded: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self.expire)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        """Begin to count."""
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop counting and let go of the connections, which stay as they are."""
        self._timer.cancel()
        with self._lock:
            for connection in self._guarded:
                connection.close()
            self._guarded.clear()

    def guard(self, connection: socket.socket) -> None:
        """End *connection* when the time is up; TLS may be begun on it afterwards."""
        own = socket.socket(fileno=os.dup(connection.fileno()))
        with self._lock:
            self._guarded.append(own)
            if self.passed:
                _end(own)

    def expire(self) -> None:
        """Let the time be up."""
        with self._lock:
            self.passed = True
            for connection in self._guarded:
                _end(connection)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # the other side was faster
        connection.shutdown(socket.SHUT_RDWR)
