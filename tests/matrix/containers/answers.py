"""A server with the same answer to every request, instead of a registry or a file server."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sandbox.certificates import Pair
from sandbox.network import Network, is_listening
from sandbox.waiting import wait_for
from tests.fakes.thread import served

ENDLESS = -1
FREE_SECONDS = 10.0


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; length ENDLESS: the body is repeated until the client goes."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    length: int = 0


@contextmanager
def answering(
    network: Network, port: int, answer: Answer, certificate: Pair | None = None
) -> Iterator[None]:
    """Answer on a port until the end of the with block; by TLS if there is a certificate."""
    server = _server(network, port, _handler(answer))
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.certificate, certificate.key)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    with served(server):
        yield
    # A child that another thread is starting has its socket, too, until it runs its program.
    wait_for(
        f"port {port} to be free",
        lambda: not is_listening(network, port),
        seconds=FREE_SECONDS,
    )


class _Server(ThreadingHTTPServer):
    def handle_error(self, _request: object, _client: object) -> None:
        """Log nothing: clients that go away are what the tests are about."""


def _server(network: Network, port: int, handler: type[BaseHTTPRequestHandler]) -> _Server:
    with network.inside():
        return _Server((network.address, port), handler)


def _handler(answer: Answer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.length != ENDLESS:
                self.send_header("Content-Length", str(answer.length or len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
            while answer.length == ENDLESS:
                self.wfile.write(answer.body)

        do_HEAD = do_GET  # noqa: N815 - http.server's name

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Handler
