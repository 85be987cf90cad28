"""The engine's two daemons, dockerd and its containerd: started, watched and stopped together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tink_docker.engine.api import Ping
from tink_docker.engine.containerd import Containerd
from tinkie.error_kinds import ErrorKind
from tinkie.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tink_docker.engine.api import EngineVersion
    from tink_docker.engine.child import Child, Wait

_SILENT = "it is restarted: look at its lines in /var/log/messages, and at free memory"


@dataclass(slots=True, eq=False, repr=False)
class EngineDaemons:
    """One run of dockerd, in which containerd may be started again. Containers outlive both."""

    dockerd: Child
    containerd: Containerd

    @classmethod
    def start(
        cls,
        start_containerd: Callable[[], Child],
        start_dockerd: Callable[[], Child],
        is_serving: Callable[[], bool],
        *,
        wait: Wait,
        now: Callable[[], float],
    ) -> EngineDaemons:
        """Start containerd, then dockerd as soon as containerd serves.

        Raises:
            PermanentError: one of them cannot be started.
            TransientError: containerd does not serve.
        """
        containerd = Containerd.start(start_containerd, now)
        try:
            containerd.wait_until_serving(is_serving, wait)
            return cls(start_dockerd(), containerd)
        except BaseException:
            containerd.stop(wait)
            raise

    @property
    def files(self) -> list[int]:
        """Return the descriptors to wait on."""
        return self.dockerd.files + self.containerd.files

    def ended(self) -> bool:
        """Return whether dockerd has ended."""
        return self.dockerd.ended()

    @property
    def status(self) -> str:
        """Return how dockerd ended, in words."""
        return self.dockerd.status

    @property
    def last_lines(self) -> list[str]:
        """Return dockerd's last lines of output."""
        return self.dockerd.last_lines

    @property
    def noticed(self) -> list[str]:
        """Return the lines of dockerd with a sign of trouble that has a repair."""
        return list(self.dockerd.noticed)

    def look_after(self) -> None:
        """Log the output of both, and start containerd again if it has ended."""
        self.dockerd.read_output()
        self.containerd.look_after()

    def stop(self, wait: Wait) -> None:
        """Stop both in order, within bounds; containers run on."""
        try:
            self.dockerd.stop(wait)
        finally:
            self.containerd.stop(wait)


def wait_for_answer(
    daemons: EngineDaemons,
    address: Path,
    seconds: float,
    *,
    turn: Callable[[list[int]], None],
    now: Callable[[], float],
) -> EngineVersion | None:
    """Return dockerd's answer to a ping at its socket, or None if it has ended.

    `turn` lets some time pass, less if one of the given descriptors becomes readable.

    Raises:
        TransientError: no answer came within `seconds`.
    """
    ping, end = Ping(), now() + seconds
    try:
        while not daemons.ended():
            version = ping.answer(address)
            if version:
                return version
            if now() >= end:
                message = f"dockerd runs, but did not answer for {seconds:.0f} s"
                raise TransientError(message, kind=ErrorKind.TIMEOUT, hint=_SILENT)
            turn(ping.files)
    finally:
        ping.close()
    return None
