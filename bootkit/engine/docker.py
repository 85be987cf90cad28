"""The engine through the Docker library.

A call that fails raises EngineNotReady if the engine does not answer (it is starting), otherwise a
TransientError or a PermanentError with the engine's own text.
"""

from __future__ import annotations

import socket
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bootkit.engine.errors import plain_reason, translated
from bootkit.engine.events import EventStream
from bootkit.engine.interface import EngineNotReady
from bootkit.engine.json import (
    auth_header,
    container_in,
    ended_in,
    progress_in,
    tag_if_needed,
)
from bootkit.plan.worker import ENGINE_LABEL, SPEC_LABEL
from bootkit.policy import (
    ENGINE_ANSWER_SECONDS,
    ENGINE_PING_SECONDS,
    PULL_SILENCE_SECONDS,
    WORKER_LOG_FILE_MEBIBYTES,
    WORKER_LOG_FILES,
    WORKER_LOG_LINE_BYTES,
)
from tinkie.cut import cut_line
from tinkie.error_kinds import ErrorKind
from tinkie.errors import NONSENSE, BootError, PermanentError, TransientError
from tinkie.hints import Asked
from tinkie.paths import WORKER_NAME

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from bootkit.engine.interface import Container, Ended
    from bootkit.plan.credentials import Credentials
    from bootkit.plan.worker import WorkerSpec

OLDEST_API = "1.41"  # Docker 20.10; each connect negotiates the version to use
_LOG_OPTIONS = {"max-size": f"{WORKER_LOG_FILE_MEBIBYTES}m", "max-file": str(WORKER_LOG_FILES)}
_FORWARDING_DRIVERS = ("syslog", "gelf", "fluentd")


@dataclass(slots=True, eq=False, repr=False)
class DockerEngine:
    """The Docker engine behind a unix socket."""

    socket: Path
    _api: Any = None

    def connect(self) -> str:
        """Connect, negotiate the API's version, return the engine's version."""
        import docker  # noqa: PLC0415 - costs 120 ms; the engine starts meanwhile
        import requests  # noqa: PLC0415 - below docker

        self.close()
        self._probe()
        url = f"unix://{self.socket}"
        # Open it offline first: a constructor that requests the version leaks its connection when
        # it fails.
        with closing(docker.APIClient(url, version=OLDEST_API, timeout=ENGINE_PING_SECONDS)) as api:
            try:
                answer = api.version(api_version=False)
                version = str(answer["ApiVersion"])
                self._api = docker.APIClient(url, version=version, timeout=ENGINE_ANSWER_SECONDS)
                return str(answer["Version"])
            except (docker.errors.DockerException, requests.RequestException, *NONSENSE) as error:
                raise EngineNotReady(f"connect to {self.socket}: {plain_reason(error)}") from error

    def close(self) -> None:
        """Close the connections."""
        if self._api is not None:
            self._api.close()
            self._api = None

    def _probe(self) -> None:
        """Fail at once if nothing listens: the library would leave an open socket."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(ENGINE_PING_SECONDS)
            try:
                probe.connect(str(self.socket))
            except OSError as error:
                raise EngineNotReady(f"connect to {self.socket}: {error.strerror}") from error

    def socket_identity(self) -> str:
        """Return which file the socket is: a container with another one bound reaches no engine.

        The inode alone may be reused; a socket's modification time is its creation time.
        """
        try:
            status = self.socket.stat()
        except OSError as error:
            raise EngineNotReady(f"stat {self.socket}: {error.strerror}") from error
        return f"{status.st_dev}:{status.st_ino}:{status.st_mtime_ns}"

    def containers(self) -> list[Container]:
        """Return all containers, including those that have ended."""
        with translated("list containers"):
            return [container_in(row) for row in self._client().containers(all=True)]

    def has_image(self, image: str) -> bool:
        """Return whether the engine has the image."""
        try:
            with translated(f"look up image {image}"):
                self._client().inspect_image(image)
        except PermanentError as error:
            if error.kind is ErrorKind.NOT_FOUND:
                return False
            raise
        return True

    def pull(self, image: str, credentials: Credentials | None) -> Generator[dict[str, Any]]:
        """Pull through the low-level stream: an error comes inside a 200 answer.

        Always send credentials, empty ones if there are none: otherwise the library would read a
        file of the host for them.
        """
        api = self._client()
        with self._silence_explained(), translated(f"pull {image}", Asked.REGISTRY):
            response = api.post(
                f"{api.base_url}/v{api.api_version}/images/create",
                params={"fromImage": image} | tag_if_needed(image),
                headers={"X-Registry-Auth": auth_header(credentials)},
                stream=True,
                timeout=(ENGINE_ANSWER_SECONDS, PULL_SILENCE_SECONDS),
            )
            with response:
                api._raise_for_status(response)  # noqa: SLF001 - raises the library's own errors
                yield from progress_in(image, response.iter_lines())

    @contextmanager
    def _silence_explained(self) -> Iterator[None]:
        """Blame a pull's silence on the registry if the engine answers something else meanwhile."""
        try:
            yield
        except TransientError as error:
            if error.kind is ErrorKind.TIMEOUT and self._is_alive():
                error.asked = Asked.REGISTRY
            raise

    def _is_alive(self) -> bool:
        import docker  # noqa: PLC0415 - as above

        url = f"unix://{self.socket}"
        try:
            with (
                closing(
                    docker.APIClient(url, version=OLDEST_API, timeout=ENGINE_PING_SECONDS)
                ) as api,
                translated("ping"),
            ):
                return bool(api.ping())
        except BootError:
            return False

    def start_worker(self, spec: WorkerSpec, image: str) -> str:
        """Create and start the worker's container; return its id."""
        labels = {SPEC_LABEL: spec.digest, ENGINE_LABEL: self.socket_identity()}
        api = self._client()
        with translated(f"start {WORKER_NAME} from {image}"):
            made = api.create_container(
                image,
                name=WORKER_NAME,
                environment=spec.environment,
                labels=labels,
                host_config=self._host_config(spec),
            )
            api.start(made["Id"])
            return str(made["Id"])

    def ended(self, container: str) -> Ended | None:
        """Return how the container ended, None while it runs."""
        with translated(f"inspect {WORKER_NAME}"):
            state = self._client().inspect_container(container)["State"]
            return ended_in(state)

    def environment(self, container: str) -> dict[str, str]:
        """Return the variables that a container was created with; passwords are among them."""
        with translated(f"inspect {WORKER_NAME}"):
            config = self._client().inspect_container(container)["Config"]
            pairs = (str(one).partition("=") for one in config.get("Env") or ())
            return {name: value for name, _, value in pairs}

    def events(self) -> EventStream:
        """Return the starts and ends of containers from now on."""
        return EventStream.open(self.socket, self._client().api_version)

    def remove(self, container: str) -> None:
        """Kill and remove a container and its anonymous volumes; ignore a missing one."""
        try:
            with translated(f"remove container {container[:12]}"):
                self._client().remove_container(container, v=True, force=True)
        except PermanentError as error:
            if error.kind is not ErrorKind.NOT_FOUND:
                raise

    def log_lines(self, container: str, count: int) -> list[str]:
        """Return the last lines of the container's log."""
        with translated(f"read the log of {WORKER_NAME}"):
            output = self._client().logs(container, tail=count)
            lines = output.splitlines()[-count:]
            return [cut_line(line, WORKER_LOG_LINE_BYTES) for line in lines]

    def _host_config(self, spec: WorkerSpec) -> Any:
        log = self._log_config()
        return self._client().create_host_config(
            binds=list(spec.binds), network_mode="host", privileged=True, log_config=log
        )

    def _log_config(self) -> dict[str, Any] | None:
        """Bound the log, unless the engine forwards all logs and bounds them itself."""
        driver = str(self._client().info().get("LoggingDriver", ""))
        if driver in _FORWARDING_DRIVERS:
            return None
        return {"Type": "json-file", "Config": _LOG_OPTIONS}

    def _client(self) -> Any:
        if self._api is None:
            raise EngineNotReady(f"not connected to {self.socket}")
        return self._api
