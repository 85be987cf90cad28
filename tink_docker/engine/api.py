"""tink-docker's requests to dockerd: a ping, containers, images (Docker Engine API).

ADR 13 explains why bootkit has another client.
"""

from __future__ import annotations

import json
import re
import select
import socket
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from tink_docker import policy
from tinkie.container_name import container_name
from tinkie.error_kinds import ErrorKind
from tinkie.errors import NONSENSE, TransientError
from tinkie.hints import Asked
from tinkie.running.late import loaded_when_used
from tinkie.running.log import get_logger

# The engine's socket needs no TLS, which http.client loads for https://.
with loaded_when_used("ssl"):
    import http.client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tink_docker.engine.child import Wait

log = get_logger()

Answer = TypeVar("Answer")

_PING = "/_ping"
_CONTAINERS = "/containers/json"  # the running ones only
_LOAD = "/images/load?quiet=1"


class EngineVersion(NamedTuple):
    """The engine's version and its API's, such as 26.1.5 and 1.45; empty if it hides them."""

    version: str
    api: str


class Ping:
    """A request that waits in the socket's queue until a dockerd answers it."""

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
        """Return the answer if it has come, without waiting; send a request if none is open."""
        try:
            if self._connection is None or not self.files:
                self._connection = _send(path, _PING)
            if not select.select(self.files, [], [], 0)[0]:
                return None
            response, _ = _receive(self._connection, _PING)
        except TransientError as error:
            log.debug("engine.silent", error=str(error))
            self.close()
            return None
        server = re.match(r"Docker/(\S+)", response.getheader("Server") or "")
        return EngineVersion(server[1] if server else "", response.getheader("Api-Version") or "")

    def close(self) -> None:
        """Give up the request."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def running_containers(path: Path) -> list[str]:
    """Return the names of the running containers.

    Raises:
        TransientError: no answer within two seconds, or one that cannot be understood.
    """
    return _get(path, _CONTAINERS, lambda rows: [container_name(row) for row in rows])


def processes(path: Path) -> dict[str, int]:
    """Return the pid of the first process of each running container, by the container's name.

    Raises:
        TransientError: as running_containers.
    """
    ids = _get(
        path, _CONTAINERS, lambda rows: {container_name(row): str(row["Id"]) for row in rows}
    )
    return {name: _pid(path, container) for name, container in ids.items()}


def kill_container(path: Path, name: str) -> None:
    """Kill a running container.

    Raises:
        TransientError: dockerd refused that, or as running_containers.
    """
    target = f"/containers/{name}/kill"
    connection = _send(path, target, "POST")
    try:
        _receive(connection, target)
    finally:
        connection.close()


def load_images(path: Path, archive: Path, wait: Wait, now: Callable[[], float]) -> None:
    """Load an image's archive, as `docker save` writes it; call `wait` all the time meanwhile.

    Raises:
        TransientError: dockerd refused the image, with its reason, or was silent for
        DOCKERD_LOAD_SILENCE_SECONDS.
    """
    connection = _Upload(path, wait, now)
    try:
        with archive.open("rb") as body:
            connection.request("POST", _LOAD, body, {"Content-Type": "application/x-tar"})
        connection.wait_for_answer()
        _, answer = _receive(connection, _LOAD)
        messages = [json.loads(line) for line in answer.splitlines()]
        errors = [error for message in messages if (error := message.get("error"))]
    except (OSError, *NONSENSE) as error:
        raise TransientError(f"loading {archive.name}: {error!r}") from error
    finally:
        connection.close()
    if errors:
        raise TransientError(f"loading {archive.name}: {'; '.join(map(str, errors))}")


def _pid(path: Path, container: str) -> int:
    return _get(path, f"/containers/{container}/json", lambda state: int(state["State"]["Pid"]))


def _get(path: Path, target: str, read: Callable[[Any], Answer]) -> Answer:
    connection = _send(path, target)
    try:
        return read(json.loads(_receive(connection, target)[1]))
    except NONSENSE as error:
        raise TransientError(f"asking dockerd for {target}: {error!r}") from error
    finally:
        connection.close()


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket; each step has a bound."""

    def __init__(self, path: Path, seconds: float | None = None) -> None:
        super().__init__("docker", timeout=seconds or policy.DOCKERD_ANSWER_SECONDS)
        self._path = str(path)

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Upload(_Connection):
    """A connection for a long request: `wait` is called in each of its waits, and between them."""

    def __init__(self, path: Path, wait: Wait, now: Callable[[], float]) -> None:
        super().__init__(path, policy.EMBEDDED_POLL_SECONDS)
        self._wait, self._now = wait, now
        self._waited_at = now()

    def send(self, data: Any) -> None:
        """Send bytes; `http.client` calls this for each part of a request."""
        if self.sock is None:
            self.connect()
        rest, end = memoryview(data), self._end()
        while rest:
            sent = 0
            try:
                sent = self.sock.send(rest)
            except TimeoutError:
                if self._now() >= end:
                    raise
            rest = rest[sent:]
            if not sent or self._now() - self._waited_at >= policy.EMBEDDED_POLL_SECONDS:
                self._wait(0.0, [])
                self._waited_at = self._now()

    def wait_for_answer(self) -> None:
        """Return when the answer begins: it has one line, and dockerd sends that at the end.

        Raises:
            TimeoutError: none came.
        """
        files, end = [self.sock.fileno()], self._end()
        while not select.select(files, [], [], 0)[0]:
            if self._now() >= end:
                raise TimeoutError("timed out")
            self._wait(policy.EMBEDDED_POLL_SECONDS, files)
        self.sock.settimeout(policy.DOCKERD_LOAD_SILENCE_SECONDS)

    def _end(self) -> float:
        return self._now() + policy.DOCKERD_LOAD_SILENCE_SECONDS


def _send(path: Path, target: str, method: str = "GET") -> _Connection:
    connection = _Connection(path)
    try:
        connection.request(method, target)
    except OSError as error:
        connection.close()
        raise _failure(target, error) from error
    return connection


def _receive(connection: _Connection, target: str) -> tuple[http.client.HTTPResponse, bytes]:
    try:
        response = connection.getresponse()
        # Reads no more than the bound; a larger Content-Length alone takes no memory.
        body = response.read(policy.DOCKERD_ANSWER_BYTES)
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
    except (OSError, http.client.HTTPException) as error:
        raise _failure(target, error) from error
    if response.status not in (http.client.OK, http.client.NO_CONTENT):
        message = f"asking dockerd for {target}: {response.status} {response.reason}"
        raise TransientError(message, kind=ErrorKind.SERVER_ERROR, asked=Asked.ENGINE)
    return response, body


def _failure(target: str, error: Exception) -> TransientError:
    kind = ErrorKind.TIMEOUT if isinstance(error, TimeoutError) else ErrorKind.CUT_OFF
    message = f"asking dockerd for {target}: {error}"
    return TransientError(message, kind=kind, asked=Asked.ENGINE)
