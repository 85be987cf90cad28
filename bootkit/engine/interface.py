"""The container engine as bootkit uses it: its calls and their results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tinkie.error_kinds import ErrorKind
from tinkie.errors import TransientError
from tinkie.hints import Asked

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from bootkit.plan.credentials import Credentials
    from bootkit.plan.worker import WorkerSpec


class EngineNotReady(TransientError):
    """The engine does not answer on its socket."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind=ErrorKind.ENGINE_NOT_READY, asked=Asked.ENGINE)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Container:
    """A container in the engine's list."""

    id: str
    name: str
    running: bool
    image: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[str, ...] = ()  # destinations


class Ended(NamedTuple):
    """How a container ended."""

    exit_code: int
    error: str = ""
    out_of_memory: bool = False


class ContainerEvent(NamedTuple):
    """The start or the end of a container; `exit_code` is None for a start."""

    container: str  # name
    image: str
    exit_code: int | None = None


class Events(Protocol):
    """Container events as they happen."""

    def take(self, seconds: float) -> list[ContainerEvent]:
        """Return what has come; wait for the first at most `seconds`; raise at the end."""

    def close(self) -> None:
        """End it."""


class Engine(Protocol):
    """The calls that bootkit makes."""

    def connect(self) -> str:
        """Return the engine's version; raise EngineNotReady if it does not answer."""

    def socket_identity(self) -> str:
        """Return a text that changes when the socket file is replaced."""

    def containers(self) -> list[Container]:
        """Return all containers, including those that have ended."""

    def has_image(self, image: str) -> bool:
        """Return whether the engine has the image."""

    def pull(self, image: str, credentials: Credentials | None) -> Generator[dict[str, Any]]:
        """Pull the image; yield the engine's progress messages, raise at an error among them."""

    def start_worker(self, spec: WorkerSpec, image: str) -> str:
        """Create and start the worker's container; return its id."""

    def ended(self, container: str) -> Ended | None:
        """Return how the container ended, None while it runs."""

    def environment(self, container: str) -> dict[str, str]:
        """Return the variables that a container was created with."""

    def events(self) -> Events:
        """Return the starts and ends of containers from now on."""

    def remove(self, container: str) -> None:
        """Kill and remove a container and its anonymous volumes; ignore a missing one."""

    def log_lines(self, container: str, count: int) -> list[str]:
        """Return the last lines of the container's log."""
