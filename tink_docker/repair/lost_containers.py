"""Finds out when the engine takes a container for running whose process is gone.

It happens when a container ends in the moment between two lives of containerd: the worker would
wait for that action until its time is over. An engine that starts looks at all of its containers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from tinkie.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = structlog.get_logger()


@dataclass(slots=True)
class Reckoning:
    """`processes` returns the first process of each container that the engine says runs."""

    processes: Callable[[], Mapping[str, int]]
    is_there: Callable[[int], bool] = lambda pid: Path(f"/proc/{pid}").exists()
    _missing: frozenset[tuple[str, int]] = frozenset()

    def check(self) -> None:
        """Compare with what is there; the engine may be a moment late, so once is no proof.

        Raises:
            TransientError: the same are missing as the last time.
        """
        before, self._missing = self._missing, self._look()
        lost = before & self._missing
        if lost:
            self._missing = frozenset()
            names = ", ".join(sorted(name for name, _ in lost))
            raise TransientError(f"dockerd did not notice the end of {names}")

    def _look(self) -> frozenset[tuple[str, int]]:
        try:
            found = self.processes().items()
        except TransientError as error:
            log.debug("lost_containers.unknown", error=str(error))
            return frozenset()
        return frozenset((name, pid) for name, pid in found if pid and not self.is_there(pid))
