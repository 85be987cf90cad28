"""Restarts of dockerd that something here requires: they wait until no action runs.

The worker is ended, too, and bootkit starts it again. One that lived through the restart would
report an image that it pulls just then as a failed action. One that is ended gets the action again,
with the versions that docs/operations.md ("Known limits") names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tink_docker import policy
from tinkie.errors import BootError
from tinkie.paths import WORKER_NAME
from tinkie.policy import WORKER_REPORT_SECONDS
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tinkie.running.idle import Idle

log = get_logger()


class Cause(Protocol):
    """Something that a restart of dockerd may repair."""

    def reason(self) -> str:
        """Look, and return why dockerd must be restarted; empty if it need not be."""

    def restarting(self) -> None:
        """Note that dockerd is restarted now for that reason."""


@dataclass(slots=True, eq=False, repr=False)
class PlannedRestart:
    """`kill` kills a container by its name. No restart begins while the machine is to reboot."""

    causes: Sequence[Cause]
    idle: Idle
    kill: Callable[[str], None]
    is_rebooting: Callable[[], bool]
    now: Callable[[], float]
    _next_look: float = 0.0

    def due(self) -> str:
        """Return why dockerd must be restarted now, empty if it must not; call it while it runs."""
        if self.now() < self._next_look or self.is_rebooting():
            return ""
        self._next_look = self.now() + policy.PLANNED_RESTART_POLL_SECONDS
        for cause in self.causes:
            reason = cause.reason()
            if reason and self._may_restart():
                cause.restarting()
                return reason
        return ""

    def _may_restart(self) -> bool:
        """Return whether no container runs; end a worker that had time to report its action.

        An action that began just then runs on, with the dockerd that it has.
        """
        try:
            seconds = self.idle.seconds()
            if seconds is None or (self.idle.worker_runs and seconds < WORKER_REPORT_SECONDS):
                return False
            if self.idle.worker_runs:
                self.kill(WORKER_NAME)
                return self.idle.was_idle_to_the_end()
        except BootError as error:
            log.debug("containers.unknown", error=str(error))
            return False
        return True
