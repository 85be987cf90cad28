"""The container engine, through the Docker library, which only this and engine_errors know.

Its calls either do what their names say or raise: EngineNotReady when the engine does not answer
(it is being started, or started again), otherwise a TransientError or PermanentError that says
what the engine said.
"""

from __future__ import annotations

import socket
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bootkit.engine.errors import plainly, translated
from bootkit.engine.interface import EngineNotReady
from bootkit.engine.json import (
    auth_header,
    container_in,
    ended_in,
    happening_in,
    progress_in,
    tag_if_needed,
)
from bootkit.plan.worker import BINDS, ENGINE_LABEL, SPEC_LABEL
from tinkie.error_kinds import ErrorKind
from tinkie.errors import NONSENSE, PermanentError
from tinkie.paths import WORKER_NAME

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from bootkit.engine.interface import Container, Ended, Happening
    from bootkit.plan.worker import Credentials, WorkerSpec

OLDEST_API = "1.41"  # Docker 20.10; what is really spoken is agreed on at each connect
ANSWER_SECONDS = 30.0  # an engine that is busy with a pull or a stop is slow to answer
PING_SECONDS = 5.0
PULL_SILENCE_SECONDS = 60.0  # between two lines of a pull; the engine itself waits for ever
LOG_OPTIONS = {"max-size": "2m", "max-file": "2"}  # RAM is the disk
_LONGEST_LINE = 2000  # of a worker's log
_FORWARDING_DRIVERS = ("syslog", "gelf", "fluentd")


@dataclass(slots=True)
class DockerEngine:
    """The Docker engine behind a unix socket."""

    socket: Path
    _api: Any = None

    def connect(self) -> str:
        """Connect, agree on the API's version, return the engine's."""
        import docker  # noqa: PLC0415 - costs 120 ms, and the engine is being started meanwhile
        import requests  # noqa: PLC0415 - below docker

        self.close()
        self._knock()
        url = f"unix://{self.socket}"
        # Opened offline first: a constructor that asks for the version leaks its connection if it
        # fails.
        with closing(docker.APIClient(url, version=OLDEST_API, timeout=PING_SECONDS)) as api:
            try:
                answer = api.version(api_version=False)
                version = str(answer["ApiVersion"])
                self._api = docker.APIClient(url, version=version, timeout=ANSWER_SECONDS)
                return str(answer["Version"])
            except (docker.errors.DockerException, requests.RequestException, *NONSENSE) as error:
                raise EngineNotReady(f"ask {self.socket}: {plainly(error)}") from error

    def close(self) -> None:
        """Give up the connections."""
        if self._api is not None:
            self._api.close()
            self._api = None

    def _knock(self) -> None:
        """Fail at once if nobody listens: the library would leave an open socket behind."""
        with socket.socket(socket.AF_UNIX) as knock:
            knock.settimeout(PING_SECONDS)
            try:
                knock.connect(str(self.socket))
            except OSError as error:
                raise EngineNotReady(f"connect to {self.socket}: {error.strerror}") from error

    def socket_identity(self) -> str:
        """Return which file the socket is: who bound another one talks to nobody.

        The inode alone may be used again; a socket's time of modification is that of its making.
        """
        try:
            status = self.socket.stat()
        except OSError as error:
            raise EngineNotReady(f"look at {self.socket}: {error.strerror}") from error
        return f"{status.st_dev}:{status.st_ino}:{status.st_mtime_ns}"

    def containers(self) -> list[Container]:
        """List all containers."""
        with translated("list containers"):
            return [container_in(row) for row in self._client().containers(all=True)]

    def has_image(self, image: str) -> bool:
        """Look the image up by its name."""
        try:
            with translated(f"look up image {image}"):
                self._client().inspect_image(image)
        except PermanentError as error:
            if error.kind is ErrorKind.NOT_FOUND:
                return False
            raise
        return True

    def pull(self, image: str, credentials: Credentials | None) -> Generator[dict[str, Any]]:
        """Pull by the low-level stream: an error comes inside of a 200 answer.

        An empty configuration of credentials is sent rather than none, so that no file of the host
        is read for one.
        """
        api = self._client()
        with translated(f"pull {image}"):
            response = api.post(
                f"{api.base_url}/v{api.api_version}/images/create",
                params={"fromImage": image} | tag_if_needed(image),
                headers={"X-Registry-Auth": auth_header(credentials)},
                stream=True,
                timeout=(ANSWER_SECONDS, PULL_SILENCE_SECONDS),
            )
            with response:
                api._raise_for_status(response)  # noqa: SLF001 - makes the library's own errors
                yield from progress_in(image, response.iter_lines())

    def start_worker(self, spec: WorkerSpec, image: str) -> str:
        """Create and start the container."""
        labels = {SPEC_LABEL: spec.digest, ENGINE_LABEL: self.socket_identity()}
        api = self._client()
        with translated(f"start {WORKER_NAME} from {image}"):
            made = api.create_container(
                image,
                name=WORKER_NAME,
                environment=spec.environment,
                labels=labels,
                host_config=self._host_config(),
            )
            api.start(made["Id"])
            return str(made["Id"])

    def ended(self, container: str) -> Ended | None:
        """Look at the container's state."""
        with translated(f"look at {WORKER_NAME}"):
            state = self._client().inspect_container(container)["State"]
            return ended_in(state)

    def happened(self, since: float, until: float) -> list[Happening]:
        """Read the engine's events of a time that has passed."""
        filters = {"type": ["container"], "event": ["start", "die"]}
        window = {"since": f"{since:.9f}", "until": f"{until:.9f}"}
        with translated("read events"):
            events = self._client().events(**window, filters=filters, decode=True)
            return [happening_in(event) for event in events]

    def remove(self, container: str) -> None:
        """Kill and remove a container."""
        try:
            with translated(f"remove container {container[:12]}"):
                self._client().remove_container(container, v=True, force=True)
        except PermanentError as error:
            if error.kind is not ErrorKind.NOT_FOUND:
                raise

    def log_lines(self, container: str, count: int) -> list[str]:
        """Read the end of the container's log."""
        with translated(f"read the log of {WORKER_NAME}"):
            output = self._client().logs(container, tail=count)
            lines = output.splitlines()[-count:]
            return [line[:_LONGEST_LINE].decode(errors="replace") for line in lines]

    def _host_config(self) -> Any:
        log = self._log_config()
        return self._client().create_host_config(
            binds=list(BINDS), network_mode="host", privileged=True, log_config=log
        )

    def _log_config(self) -> dict[str, Any] | None:
        """Bound the log, unless the engine forwards all logs and has its own bounds for that."""
        driver = str(self._client().info().get("LoggingDriver", ""))
        if driver in _FORWARDING_DRIVERS:
            return None
        return {"Type": "json-file", "Config": LOG_OPTIONS}

    def _client(self) -> Any:
        if self._api is None:
            raise EngineNotReady(f"not connected to {self.socket}")
        return self._api
