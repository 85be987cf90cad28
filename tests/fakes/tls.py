"""An HTTPS server on the loopback with any certificate, or a plain HTTP server without one."""

from __future__ import annotations

import socketserver
import ssl
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, ClassVar

from tests.fakes.thread import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from socket import socket

    from sandbox.certificates import Pair

HOST = "127.0.0.1"
SILENCE_SECONDS = 5.0  # more than any client of a test needs

Answer = tuple[int, dict[str, str], bytes]


class Server(socketserver.TCPServer):
    """Answers the paths in `answers`, other ones with 404; `asked` has the paths in order."""

    def __init__(
        self, pair: Pair | None, configure: Callable[[ssl.SSLContext], None] = lambda _: None
    ) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.pair = pair
        self.configure = configure
        super().__init__((HOST, 0), type("Handler", (_Handler,), {"world": self}))

    @property
    def endpoint(self) -> str:
        return f"{HOST}:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{'https' if self.pair else 'http'}://{self.endpoint}"

    def get_request(self) -> tuple[socket, object]:
        connection, client = super().get_request()
        connection.settimeout(SILENCE_SECONDS)
        return self._secured(connection), client

    def _secured(self, connection: socket) -> socket:
        if self.pair is None:
            return connection
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pair.certificate, self.pair.key)
        self.configure(context)
        with connection:  # the client may hang up at the sight of the certificate
            return context.wrap_socket(connection, server_side=True)


@contextmanager
def serving(
    pair: Pair | None = None, configure: Callable[[ssl.SSLContext], None] = lambda _: None
) -> Iterator[Server]:
    """Serve in a thread of the test's own; `configure` changes how it speaks TLS."""
    server = Server(pair, configure)
    with served(server):
        yield server


class _Handler(BaseHTTPRequestHandler):
    world: ClassVar[Server]

    def do_GET(self) -> None:
        self.world.asked.append(self.path)
        status, headers, body = self.world.answers.get(self.path, (404, {}, b""))
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass
