"""What bootkit asks of a container engine, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from tinkie.error_kinds import ErrorKind
from tinkie.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from bootkit.plan.worker import Credentials, WorkerSpec


class EngineNotReady(TransientError):
    """The engine does not answer on its socket."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind=ErrorKind.ENGINE_NOT_READY)


@dataclass(frozen=True, slots=True)
class Container:
    """A container as the engine lists it."""

    id: str
    name: str
    running: bool
    image: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[str, ...] = ()  # destinations


@dataclass(frozen=True, slots=True)
class Ended:
    """How a container ended."""

    exit_code: int
    error: str = ""
    out_of_memory: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """A container that started or ended; `exit_code` is None for a start."""

    container: str  # name
    image: str
    exit_code: int | None = None


class Engine(Protocol):
    """What bootkit asks of an engine."""

    def connect(self) -> str:
        """Return the engine's version once it answers, or raise EngineNotReady."""

    def socket_identity(self) -> str:
        """Return a text that changes when the socket file is another one."""

    def containers(self) -> list[Container]:
        """Return all containers, also those that have ended."""

    def has_image(self, image: str) -> bool:
        """Say whether the image is there."""

    def pull(self, image: str, credentials: Credentials | None) -> Generator[dict[str, Any]]:
        """Pull the image; yields the engine's progress messages, raises at an error among them."""

    def start_worker(self, spec: WorkerSpec, image: str) -> str:
        """Create and start the worker's container; returns its id."""

    def ended(self, container: str) -> Ended | None:
        """Return how the container ended, None while it runs."""

    def happened(self, since: float, until: float) -> list[Happening]:
        """Return what started and ended between two times (Unix, of this machine's clock)."""

    def remove(self, container: str) -> None:
        """Kill and remove a container, its anonymous volumes too; one that is gone is fine."""

    def log_lines(self, container: str, count: int) -> list[str]:
        """Return the last lines of the container's log."""
