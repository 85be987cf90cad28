"""Find containers that dockerd lists as running although their process is gone.

This happens when a container ends while no containerd runs. The worker would wait for that action
until its timeout. A dockerd that starts checks all of its containers, so it is started again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tinkie.errors import TransientError, listed
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = get_logger()


@dataclass(slots=True, eq=False, repr=False)
class LostContainers:
    """`processes` returns the pid of each container that dockerd lists as running, by its name."""

    processes: Callable[[], Mapping[str, int]]
    exists: Callable[[int], bool] = lambda pid: Path(f"/proc/{pid}").exists()
    _missing: frozenset[tuple[str, int]] = frozenset()

    def check(self) -> str:
        """Compare dockerd's list with the processes, twice: dockerd may be a moment late.

        Return which containers have ended whose process was missing at the last check already.
        """
        before, self._missing = self._missing, self._missing_now()
        lost = before & self._missing
        if lost:
            self._missing = frozenset()
        names = listed(sorted(name for name, _ in lost), ", ")
        return f"dockerd lists containers as running that have ended: {names}" if lost else ""

    def _missing_now(self) -> frozenset[tuple[str, int]]:
        try:
            found = self.processes().items()
        except TransientError as error:
            log.debug("lost_containers.unknown", error=str(error))
            return frozenset()
        return frozenset((name, pid) for name, pid in found if pid and not self.exists(pid))
