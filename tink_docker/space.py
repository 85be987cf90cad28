"""Watches the space for images and containers: RAM is the disk, and whoever fills it says nothing.

dockerd tells only its client that a pull ran full, and that client is mostly a worker.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from tink_docker.engine.daemon_json import DATA_ROOT
from tinkie.error_kinds import ErrorKind
from tinkie.space import PATH, Space, megabytes

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()

# It is short below an eighth of all, but not while another 64 MiB are left; and well again at
# twice as much.
SHORT_SHARE = 8
SHORT_BYTES = 64 * 1024 * 1024
WORTH_WRITING_BYTES = 1024 * 1024
# A pull that runs full is over, and all its space free again, within a fraction of a second.
CALM_SECONDS = 0.5
MOVING_SECONDS = 0.05
MOVING_BYTES = 4 * 1024 * 1024  # from one look to the next

_WHAT_NEXT = "pulls and actions that need more fail with 'no space left on device'"


def measure(data_root: Path = DATA_ROOT, meminfo: Path = Path("/proc/meminfo")) -> Space:
    """Return what the engine's file system has, or what the machine's memory has, if that is less.

    Raises:
        OSError: one of the two cannot be asked.
    """
    disk = os.statvfs(data_root)
    left = disk.f_bavail * disk.f_frsize
    return Space(min(left, _available_memory(meminfo)), disk.f_blocks * disk.f_frsize)


def _available_memory(meminfo: Path) -> int:
    for line in meminfo.read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{meminfo} has no MemAvailable")


@dataclass(slots=True)
class SpaceMonitor:
    """Looks at each `tick`, writes `path` for bootkit, and says once when the space gets short."""

    measure: Callable[[], Space] = measure
    path: Path = PATH
    pace: float = CALM_SECONDS  # until the next tick should come
    _seen: int | None = None
    _written: int | None = None
    _least: int | None = None  # while it is short: what was left at the worst moment

    def tick(self) -> None:
        """Look once; never raises."""
        try:
            space = self.measure()
            self._tell(space)
            self._write(space)
        except OSError as error:
            log.debug("space.unknown", error=str(error))

    def _write(self, space: Space) -> None:
        moved = 0 if self._seen is None else abs(space.free - self._seen)
        self.pace = MOVING_SECONDS if moved >= MOVING_BYTES else CALM_SECONDS
        self._seen = space.free
        if self._written is None or abs(space.free - self._written) >= WORTH_WRITING_BYTES:
            space.write(self.path)
            self._written = space.free

    def _tell(self, space: Space) -> None:
        short = min(space.size // SHORT_SHARE, SHORT_BYTES)
        if self._least is None and space.free < short:
            self._least = space.free
            kind, error = ErrorKind.OUT_OF_SPACE, f"{space} are left for images and containers"
            log.warning("space.low", error=error, kind=str(kind), hint=kind.hint, next=_WHAT_NEXT)
        elif self._least is not None and space.free >= 2 * short:
            log.info("space.recovered", left=str(space), least=megabytes(self._least))
            self._least = None
        elif self._least is not None:
            self._least = min(self._least, space.free)
