"""A server on a unix socket with canned answers, which need not be HTTP."""

from __future__ import annotations

import contextlib
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

HEAD = b"HTTP/1.1 %d X\r\nConnection: close\r\n"


def http(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a whole answer."""
    lines = (f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    length = b"Content-Length: %d\r\n" % len(body)
    return HEAD % status + "".join(lines).encode() + length + b"\r\n" + body


@dataclass
class CannedServer:
    """Answers a request that has `key` in its first line with `answers[key]`, else with 404."""

    path: Path
    answers: dict[bytes, bytes] = field(default_factory=dict)

    @contextmanager
    def serving(self) -> Iterator[None]:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.path))
            listener.listen()
            thread = threading.Thread(target=self._serve, args=(listener,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                thread.join()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        request = connection.recv(64 * 1024)
        first = request.partition(b"\r\n")[0]
        answer = next((canned for key, canned in self.answers.items() if key in first), None)
        if request:
            connection.sendall(http(b"{}", 404) if answer is None else answer)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(64 * 1024):  # a reset would lose the answer
            pass
