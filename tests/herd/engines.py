"""The engines of a whole herd in one process: a simulated one behind each socket.

Run as a program of its own: python -m tests.herd.engines AUTHORITY SOCKET... It tells
"serving" once all of them can be asked.
"""

import selectors
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.fakes.engine import FakeEngine
from tests.herd.dockerd import RegistryClient


def main(ca: str, *sockets: str) -> None:
    """Serve until ended; a thread for each connection, none for a socket that nobody asks."""
    registry = RegistryClient.trusting(Path(ca))
    with ExitStack() as stack, selectors.DefaultSelector() as knocking:
        for path in sockets:
            server = stack.enter_context(FakeEngine(Path(path), registry=registry.pull).server())
            knocking.register(server, selectors.EVENT_READ, server)
        print("serving", flush=True)
        while True:
            for key, _ in knocking.select():
                key.data.handle_request()


if __name__ == "__main__":
    main(*sys.argv[1:])
