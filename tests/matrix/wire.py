"""A port in front of another one, with the faults of a bad network: silent, slow, cut."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import BaseRequestHandler, ThreadingTCPServer

from sandbox.network import Network
from tests.fakes.thread import served

CHUNK_BYTES = 64 * 1024
POLL_SECONDS = 0.1


@dataclass
class Wire:
    """A proxy whose faults can be changed at any time, also for open connections.

    silent: nothing is handed on. cut_after: bytes from the server after which a connection ends.
    bytes_per_second: from the server, of each connection. delay: seconds before anything is
    handed on, either way.
    """

    network: Network
    upstream: int
    silent: bool = False
    cut_after: int | None = None
    bytes_per_second: int | None = None
    delay: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def heal(self) -> None:
        """Pass everything on from now on."""
        self.silent, self.cut_after, self.bytes_per_second, self.delay = False, None, None, 0.0

    def join(self, client: socket.socket) -> None:
        """Carry one connection until its end."""
        with self.network.inside():
            server = socket.create_connection((self.network.address, self.upstream))
        with server:
            there = threading.Thread(target=self._carry, args=(client, server), daemon=True)
            there.start()
            self._carry(server, client, from_server=True)
            for end in (client, server):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            there.join()

    def _carry(
        self, source: socket.socket, target: socket.socket, *, from_server: bool = False
    ) -> None:
        seen = 0
        with suppress(OSError):
            while not self.over.is_set() and (data := source.recv(CHUNK_BYTES)):
                while self.silent and not self.over.wait(POLL_SECONDS):
                    pass
                time.sleep(self.delay)
                seen += len(data)
                if from_server:
                    if self.cut_after is not None and seen > self.cut_after:
                        return
                    if self.bytes_per_second:
                        time.sleep(len(data) / self.bytes_per_second)
                target.sendall(data)


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Server6(_Server):
    address_family = socket.AF_INET6


@contextmanager
def wire(
    network: Network,
    port: int,
    upstream: int,
    *,
    at: str = "",
    tls: ssl.SSLContext | None = None,
) -> Iterator[Wire]:
    """Join a port of the network with another of its ports until the end of the with block.

    at: an address of the network, if it is not to be the usual one. tls: ends here.
    """
    made = Wire(network, upstream)
    address = at or network.address
    kind = _Server6 if ":" in address else _Server

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # nobody listens there: the client's connection ends
                if tls is None:
                    made.join(self.request)
                else:
                    with tls.wrap_socket(self.request, server_side=True) as plain:
                        made.join(plain)

    with network.inside():
        server = kind((address, port), Handler)
    with served(server):
        try:
            yield made
        finally:
            made.over.set()
