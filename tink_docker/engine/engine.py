"""The engine: dockerd, and the containerd that it needs, as one thing that lives and ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from tink_docker.engine.api import Ping
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, TransientError
from tinkie.policy import HEALTHY_AFTER_SECONDS
from tinkie.running.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tink_docker.engine.api import EngineVersion
    from tink_docker.engine.child import Child

    Wait = Callable[[float, Sequence[int]], None]

log = structlog.get_logger()

SERVING_SECONDS = 60.0
POLL_SECONDS = 0.05
AGAIN = Backoff(first=0.2, ceiling=10.0)


@dataclass(slots=True)
class Engine:
    """One life of dockerd; containerd may have several in it, and containers outlive them."""

    dockerd: Child
    containerd: Child
    start_containerd: Callable[[], Child]
    now: Callable[[], float]
    _failures: int = 0
    _started: float = 0.0
    _due: float | None = field(default=None)

    @classmethod
    def start(
        cls,
        start_containerd: Callable[[], Child],
        start_dockerd: Callable[[], Child],
        is_serving: Callable[[], bool],
        *,
        wait: Wait,
        now: Callable[[], float],
    ) -> Engine:
        """Start containerd, and dockerd once that serves.

        Raises:
            PermanentError: one of them cannot be started.
            TransientError: containerd does not serve.
        """
        containerd = start_containerd()
        try:
            _wait_until(is_serving, containerd, wait, now)
            return cls(start_dockerd(), containerd, start_containerd, now, _started=now())
        except BaseException:
            containerd.stop(wait)
            raise

    @property
    def files(self) -> list[int]:
        """Return the descriptors to wait on."""
        return self.dockerd.files + (self.containerd.files if self._due is None else [])

    def ended(self) -> bool:
        """Say whether dockerd has ended."""
        return self.dockerd.ended()

    @property
    def status(self) -> str:
        """Return how dockerd ended, in words."""
        return self.dockerd.status

    @property
    def last_lines(self) -> list[str]:
        """Return what dockerd said last."""
        return self.dockerd.last_lines

    def look_after(self) -> None:
        """Log what both have said, and start containerd again if it has ended."""
        self.dockerd.read_output()
        if self._due is None:
            self.containerd.read_output()
            if self.containerd.ended():
                self._tell_end()
        if self._due is not None and self.now() >= self._due:
            self._start_again()

    def stop(self, wait: Wait) -> None:
        """End both in order, within bounds; containers run on."""
        try:
            self.dockerd.stop(wait)
        finally:
            if self._due is None:
                self.containerd.stop(wait)

    def _tell_end(self) -> None:
        healthy = self.now() - self._started >= HEALTHY_AFTER_SECONDS
        self._failures = 1 if healthy else self._failures + 1
        seconds = AGAIN.delay(self._failures)
        self._due = self.now() + seconds
        log.error(
            "containerd.ended",
            error=f"containerd ended by itself: {self.containerd.status}",
            last_lines=self.containerd.last_lines,
            next=f"starting it again in {seconds:.1f} s; containers run on",
        )
        self.containerd.close()

    def _start_again(self) -> None:
        try:
            self.containerd = self.start_containerd()
            self._started, self._due = self.now(), None
        except BootError as error:
            self._failures += 1
            self._due = self.now() + AGAIN.delay(self._failures)
            log.error("containerd.failed", error=str(error), hint=error.hint)  # noqa: TRY400


def await_answer(
    engine: Engine,
    address: Path,
    seconds: float,
    *,
    turn: Callable[[list[int]], None],
    now: Callable[[], float],
) -> EngineVersion | None:
    """Return what dockerd answers to a ping at its socket, or None if it has ended.

    `turn` lets some time pass, less if one of the given descriptors becomes readable.

    Raises:
        TransientError: nothing came within `seconds`.
    """
    ping, end = Ping(), now() + seconds
    try:
        while not engine.ended():
            version = ping.answer(address)
            if version:
                return version
            if now() >= end:
                message = f"dockerd runs, but did not answer for {seconds:.0f} s"
                raise TransientError(message, kind=ErrorKind.TIMEOUT)
            turn(ping.files)
    finally:
        ping.close()
    return None


def _wait_until(
    is_serving: Callable[[], bool], containerd: Child, wait: Wait, now: Callable[[], float]
) -> None:
    deadline = now() + SERVING_SECONDS
    while not is_serving():
        if containerd.ended() or now() >= deadline:
            containerd.read_output()
            message = f"containerd does not serve ({containerd.status}): {containerd.last_lines}"
            raise TransientError(message, kind=ErrorKind.ENGINE_NOT_READY)
        wait(POLL_SECONDS, [])
        containerd.read_output()
