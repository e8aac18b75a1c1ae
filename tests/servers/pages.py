"""An application served as the product serves it, and ended without a race."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from waitress.server import create_server


@contextmanager
def serving(app: Flask, port: int = 0) -> Iterator[str]:
    """Serve *app* on *port* (any free one when 0), and lend its address.

    Requests that run are waited for, and the server is closed by the thread that waits on its sockets: closed by
    another, that thread looks at a descriptor that is no more, or at somebody else's.
    """
    server = create_server(app, host="127.0.0.1", port=port, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()

    def close() -> None:
        for channel in list(server.active_channels.values()):
            channel.handle_close()
        server.close()

    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.task_dispatcher.shutdown()
        server.trigger.pull_trigger(close)
        thread.join(timeout=5)
        assert not thread.is_alive()
