"""The engine's container events, as they happen.

The request names no times, so a clock that is set changes nothing. A live answer has no end: it is
read as far as it has come, without a thread (ADR 3). The Docker library could only wait for it.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from bootkit.engine.errors import error_from, translated
from bootkit.engine.interface import EngineNotReady
from bootkit.engine.json import event_in
from bootkit.policy import (
    ENGINE_ANSWER_SECONDS,
    EVENT_LINE_BYTES,
    EVENT_READ_BYTES,
    EVENT_READS_MAXIMUM,
)
from tinkie.errors import NONSENSE
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from pathlib import Path

    from bootkit.engine.interface import ContainerEvent

log = get_logger()

_ATTEMPT = "read events"
_FILTERS = quote(json.dumps({"type": ["container"], "event": ["start", "die"]}))


@dataclass(slots=True, eq=False, repr=False)
class EventStream:
    """The starts and ends of containers since it was opened."""

    _socket: socket.socket
    _rest: bytes = b""  # what has come of a line that is not complete

    @classmethod
    def open(cls, address: Path, api_version: str) -> Self:
        """Subscribe at the engine's socket.

        HTTP/1.0 asks for an answer that is not cut into chunks: one event a line.

        Raises:
            BootError: the engine does not answer, or refuses.
        """
        request = f"GET /v{api_version}/events?filters={_FILTERS} HTTP/1.0\r\nHost: docker\r\n\r\n"
        connection = socket.socket(socket.AF_UNIX)
        try:
            with translated(_ATTEMPT):
                connection.settimeout(ENGINE_ANSWER_SECONDS)
                connection.connect(str(address))
                connection.sendall(request.encode())
                return cls(connection, _body_of(connection))
        except BaseException:
            connection.close()
            raise

    def take(self, seconds: float) -> list[ContainerEvent]:
        """Return the events that have come; wait for the first one at most `seconds`.

        Raises:
            BootError: the stream has ended, or is not what the engine sends. Open another one.
        """
        with translated(_ATTEMPT):
            events = self._events_in(b"")
            self._socket.settimeout(0 if events else seconds)
            for _ in range(EVENT_READS_MAXIMUM):
                try:
                    data = self._socket.recv(EVENT_READ_BYTES)
                except (BlockingIOError, TimeoutError):
                    break
                except OSError:
                    if not events:
                        raise
                    break  # the next call reports it
                if not data and not events:
                    raise EngineNotReady(f"{_ATTEMPT}: the engine closed the connection")
                if not data:
                    break  # the same
                events += self._events_in(data)
                self._socket.settimeout(0)
        return events

    def _events_in(self, data: bytes) -> list[ContainerEvent]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > EVENT_LINE_BYTES:
            raise ValueError("an event is too long")
        return [event for line in lines if line.strip() for event in _event(line)]

    def close(self) -> None:
        """End the subscription."""
        self._socket.close()


def _event(line: bytes) -> list[ContainerEvent]:
    """Return the event in a line; none if it cannot be understood, so that the others are used."""
    try:
        return [event_in(json.loads(line))]
    except NONSENSE as error:
        log.debug("event.unreadable", error=repr(error))
        return []


def _body_of(connection: socket.socket) -> bytes:
    """Read an answer up to the end of its head; return what has come of its body."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        data = connection.recv(EVENT_READ_BYTES)
        if not data or len(answer) > EVENT_LINE_BYTES:
            raise ValueError("the answer has no HTTP head")
        answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    version, status, *_ = head.split(b" ", 2)
    if not version.startswith(b"HTTP/1."):
        raise ValueError("the answer is not HTTP")
    if int(status) != HTTPStatus.OK:
        text = f"HTTP status: {int(status)} {body.decode(errors='replace')}"
        raise error_from(_ATTEMPT, text, None)
    return body
