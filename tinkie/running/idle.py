"""Since when no action runs: before that nobody may end the worker, the engine or the machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinkie.paths import WORKER_NAME
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

log = get_logger()


@dataclass(slots=True, eq=False, repr=False)
class Idle:
    """Every container but the worker counts as an action: one that an action started may be needed.

    `running` returns the names of the running containers, and may raise a BootError. Others do not
    count: tink-worker leaves a container behind that it could not start. Whoever ends the worker
    waits for WORKER_REPORT_SECONDS: it reports its last action meanwhile.
    """

    running: Callable[[], list[str]]
    now: Callable[[], float]
    worker_runs: bool = False  # at the last look
    _since: float | None = None

    def forget(self) -> None:
        """Let the time begin anew."""
        self._since = None

    def seconds(self) -> float | None:
        """Look, and return for how long no action has run, None if one does.

        Raises:
            BootError: as `running`; the time begins anew.
        """
        since, self._since = self._since, None
        names = set(self.running())
        self.worker_runs = WORKER_NAME in names
        if names - {WORKER_NAME}:
            return None
        self._since = self.now() if since is None else since
        return self.now() - self._since

    def was_idle_to_the_end(self) -> bool:
        """Look again, directly after the worker was ended; report an action that began meanwhile.

        Docker cannot end a container on the condition that no other one runs.

        Raises:
            BootError: as `running`.
        """
        if self.seconds() is not None:
            return True
        log.warning(
            "worker.ended_in_action",
            error=f"an action began while {WORKER_NAME}, which was idle, was ended",
            next="the worker starts again; whether it gets the action again depends on its version",
        )
        return False
