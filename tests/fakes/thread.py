"""Socket servers that serve in a thread of the test's own."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from socketserver import BaseServer

POLL_SECONDS = 0.005  # how long its end takes at most


@contextmanager
def served(server: BaseServer) -> Generator[None]:
    """Serve until the end of the with block; the server is closed then."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
