"""tink-docker's requests to dockerd: a ping, containers, images (Docker Engine API).

ADR 13 explains why bootkit has another client.
"""

from __future__ import annotations

import json
import os
import re
import select
import socket
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

from tink_docker import policy
from tinkie.container_name import container_name
from tinkie.error_kinds import ErrorKind
from tinkie.errors import NONSENSE, TransientError
from tinkie.hints import Asked
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tink_docker.engine.child import Wait

log = get_logger()

Answer = TypeVar("Answer")

_PING = "/_ping"
_CONTAINERS = "/containers/json"  # the running ones only
_LOAD = "/images/load?quiet=1"
_TAR = "Content-Type: application/x-tar"
_SUCCESSES = (200, 204)
_PART = 64 * 1024


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
        """Return the descriptor that becomes readable with the answer, while one is awaited."""
        return [self._connection.sock.fileno()] if self._connection else []

    def answer(self, path: Path) -> EngineVersion | None:
        """Return the answer if it has come, without waiting; send a request if none is open."""
        try:
            if self._connection is None:
                self._connection = _send(path, _PING)
            if not select.select(self.files, [], [], 0)[0]:
                return None
            headers = _receive(self._connection, _PING).headers
        except TransientError as error:
            log.debug("engine.silent", error=str(error))
            self.close()
            return None
        self.close()
        server = re.match(r"Docker/(\S+)", headers.get("server", ""))
        return EngineVersion(server[1] if server else "", headers.get("api-version", ""))

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
    try:
        answer = _upload(path, archive, wait, now)
        messages = [json.loads(line) for line in answer.splitlines()]
        errors = [error for message in messages if (error := message.get("error"))]
    except (OSError, *NONSENSE) as error:
        raise TransientError(f"loading {archive.name}: {error!r}") from error
    if errors:
        raise TransientError(f"loading {archive.name}: {'; '.join(map(str, errors))}")


def _upload(path: Path, archive: Path, wait: Wait, now: Callable[[], float]) -> bytes:
    connection = _Upload(path, wait, now)
    try:
        with archive.open("rb") as body:
            size = os.fstat(body.fileno()).st_size
            connection.request("POST", _LOAD, _TAR, f"Content-Length: {size}")
            while block := body.read(_PART):
                connection.send(block)
        connection.wait_for_answer()
        return _receive(connection, _LOAD).body
    finally:
        connection.close()


def _pid(path: Path, container: str) -> int:
    return _get(path, f"/containers/{container}/json", lambda state: int(state["State"]["Pid"]))


def _get(path: Path, target: str, read: Callable[[Any], Answer]) -> Answer:
    connection = _send(path, target)
    try:
        return read(json.loads(_receive(connection, target).body))
    except NONSENSE as error:
        raise TransientError(f"asking dockerd for {target}: {error!r}") from error
    finally:
        connection.close()


class _Connection:
    """One request over the engine's socket; each step has a bound.

    In HTTP/1.0 no answer is cut into chunks, and the connection ends with it. That needs no
    `http.client`, which loads a parser of e-mail.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(seconds)
        try:
            self.sock.connect(str(path))
        except OSError:
            self.close()
            raise

    def request(self, method: str, target: str, *headers: str) -> None:
        """Send the head of a request."""
        lines = (f"{method} {target} HTTP/1.0", "Host: docker", *headers, "", "")
        self.send("\r\n".join(lines).encode())

    def send(self, data: bytes) -> None:
        """Send a part of the request."""
        self.sock.sendall(data)

    def receive(self) -> _Response:
        """Return the answer.

        Raises:
            OSError: it does not come.
            ValueError: it is not HTTP, is cut off, or is larger than DOCKERD_ANSWER_BYTES.
        """
        data, response = b"", None
        while response is None or not response.is_whole:
            part = self._part() if response else self.sock.recv(_PART)
            data += part
            if len(data) > policy.DOCKERD_ANSWER_BYTES:
                raise ValueError(f"the answer is larger than {policy.DOCKERD_ANSWER_BYTES} bytes")
            if b"\r\n\r\n" in data or not part:
                response = _Response.parse(data, ended=not part)
        return response

    def _part(self) -> bytes:
        """Return what comes behind the head of an answer; nothing at its end.

        dockerd does not read the end of an archive, for which the kernel resets the connection.
        """
        try:
            return self.sock.recv(_PART)
        except ConnectionResetError:
            return b""

    def close(self) -> None:
        """Close the connection."""
        self.sock.close()


class _Upload(_Connection):
    """A connection for a long request: `wait` is called in each of its waits, and between them."""

    def __init__(self, path: Path, wait: Wait, now: Callable[[], float]) -> None:
        super().__init__(path, policy.EMBEDDED_POLL_SECONDS)
        self._wait, self._now = wait, now
        self._waited_at = now()

    def send(self, data: bytes) -> None:
        """Send a part of the request."""
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


class _Response(NamedTuple):
    """An answer, or what has come of it; the names of `headers` are in lower case."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool

    @classmethod
    def parse(cls, data: bytes, *, ended: bool) -> Self:
        """Take apart what has come, at least the head; `ended`: no more comes.

        Raises:
            ValueError: it is not HTTP, or is cut off.
        """
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, reason = [*first.split(" ", 2), "", ""][:3]
        if not version.startswith("HTTP/1.") or not status.isdecimal():
            raise ValueError("the answer is not HTTP" if data else "closed without an answer")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        missing = int(headers.get("content-length", len(body))) - len(body)
        if ended and missing > 0:
            raise ValueError("the answer is cut off")
        is_whole = ended or ("content-length" in headers and missing <= 0)
        return cls(int(status), reason, headers, body, is_whole)


def _send(path: Path, target: str, method: str = "GET") -> _Connection:
    try:
        connection = _Connection(path, policy.DOCKERD_ANSWER_SECONDS)
    except OSError as error:
        raise _failure(target, error) from error
    try:
        connection.request(method, target, "Content-Length: 0")
    except OSError as error:
        connection.close()
        raise _failure(target, error) from error
    return connection


def _receive(connection: _Connection, target: str) -> _Response:
    try:
        response = connection.receive()
    except (OSError, ValueError) as error:
        raise _failure(target, error) from error
    if response.status not in _SUCCESSES:
        message = f"asking dockerd for {target}: {response.status} {response.reason}"
        raise TransientError(message, kind=ErrorKind.SERVER_ERROR, asked=Asked.ENGINE)
    return response


def _failure(target: str, error: Exception) -> TransientError:
    kind = ErrorKind.TIMEOUT if isinstance(error, TimeoutError) else ErrorKind.CUT_OFF
    message = f"asking dockerd for {target}: {error}"
    return TransientError(message, kind=kind, asked=Asked.ENGINE)
