"""What tink-docker asks of the engine: /_ping, /containers/json, /images/load (Engine API)."""

from __future__ import annotations

import http.client
import json
import re
import select
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from tinkie.error_kinds import ErrorKind
from tinkie.errors import NONSENSE, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = structlog.get_logger()

Read = TypeVar("Read")

ANSWER_SECONDS = 2.0
LOAD_SECONDS = 120.0  # of silence, while it unpacks
LIMIT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class EngineVersion:
    """What the engine says of itself: 26.1.5 and 1.45, or empty."""

    version: str
    api: str


class Ping:
    """A question that waits in the socket's queue until an engine is there to answer it."""

    def __init__(self) -> None:
        self._connection: _Connection | None = None

    @property
    def files(self) -> list[int]:
        """Return the descriptor that becomes readable with the answer, while there is one.

        An answer that ends the connection leaves none.
        """
        sock = self._connection.sock if self._connection else None
        return [sock.fileno()] if sock else []

    def answer(self, path: Path) -> EngineVersion | None:
        """Return the answer if it has come, without waiting; ask if nothing is under way."""
        try:
            if self._connection is None or not self.files:
                self._connection = _ask(path, "/_ping")
            if not select.select(self.files, [], [], 0)[0]:
                return None
            response, _ = _response(self._connection, "/_ping")
        except TransientError as error:
            log.debug("engine.silent", error=str(error))
            self.close()
            return None
        server = re.match(r"Docker/(\S+)", response.getheader("Server") or "")
        return EngineVersion(server[1] if server else "", response.getheader("Api-Version") or "")

    def close(self) -> None:
        """Take the question back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def running_containers(path: Path) -> list[str]:
    """Return the names of the containers that run.

    Raises:
        TransientError: the engine did not answer within two seconds, or something else.
    """
    return _answer(path, "/containers/json", lambda rows: [_name(row) for row in rows])


def processes(path: Path) -> dict[str, int]:
    """Return the number of the first process of each container that runs, by its name.

    Raises:
        TransientError: as running_containers.
    """
    ids = _answer(
        path, "/containers/json", lambda rows: {_name(row): str(row["Id"]) for row in rows}
    )
    return {name: _process(path, container) for name, container in ids.items()}


def load(path: Path, archive: Path) -> None:
    """Put the images of an archive, as `docker save` writes it, into the engine's store.

    Raises:
        TransientError: it did not take them; what it said.
    """
    question = "/images/load?quiet=1"
    connection = _Connection(path, LOAD_SECONDS)
    try:
        with archive.open("rb") as body:
            connection.request("POST", question, body, {"Content-Type": "application/x-tar"})
            _, said = _response(connection, question)
        told = [json.loads(line) for line in said.splitlines()]
        errors = [error for row in told if (error := row.get("error"))]
    except (OSError, *NONSENSE) as error:
        raise TransientError(f"loading {archive.name}: {error!r}") from error
    finally:
        connection.close()
    if errors:
        raise TransientError(f"loading {archive.name}: {'; '.join(map(str, errors))}")


def _process(path: Path, container: str) -> int:
    question = f"/containers/{container}/json"
    return _answer(path, question, lambda about: int(about["State"]["Pid"]))


def _answer(path: Path, question: str, read: Callable[[Any], Read]) -> Read:
    connection = _ask(path, question)
    try:
        return read(json.loads(_response(connection, question)[1]))
    except NONSENSE as error:
        raise TransientError(f"asking the engine for {question}: {error!r}") from error
    finally:
        connection.close()


def _name(container: dict[str, Any]) -> str:
    names = container.get("Names") or [container.get("Id", "")]
    return str(names[0]).removeprefix("/")


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket, each step bounded."""

    def __init__(self, path: Path, seconds: float | None = None) -> None:
        super().__init__("docker", timeout=seconds or ANSWER_SECONDS)
        self._path = str(path)

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _ask(path: Path, question: str) -> _Connection:
    connection = _Connection(path)
    try:
        connection.request("GET", question)
    except OSError as error:
        connection.close()
        raise _failure(question, error) from error
    return connection


def _response(connection: _Connection, question: str) -> tuple[http.client.HTTPResponse, bytes]:
    try:
        response = connection.getresponse()
        body = response.read(LIMIT_BYTES)  # a length that is only claimed takes no memory
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
    except (OSError, http.client.HTTPException) as error:
        raise _failure(question, error) from error
    if response.status != http.client.OK:
        message = f"asking the engine for {question}: {response.status} {response.reason}"
        raise TransientError(message, kind=ErrorKind.SERVER_ERROR)
    return response, body


def _failure(question: str, error: Exception) -> TransientError:
    kind = ErrorKind.TIMEOUT if isinstance(error, TimeoutError) else ErrorKind.CUT_OFF
    return TransientError(f"asking the engine for {question}: {error}", kind=kind)
