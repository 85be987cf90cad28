"""Watch the space for images and containers, and write it for bootkit.

dockerd reports a pull that ran out of space only to its client, which is mostly a worker.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tink_docker import policy
from tink_docker.engine.daemon_json import DATA_ROOT
from tink_docker.low_space import LowMark, log_low, log_recovered, low_bytes
from tinkie.running.log import get_logger
from tinkie.space import PATH, Space, megabytes

if TYPE_CHECKING:
    from collections.abc import Callable

log = get_logger()

_WHAT_NEXT = "pulls and actions that need more fail with 'no space left on device'"


def measure(data_root: Path = DATA_ROOT, meminfo: Path = Path("/proc/meminfo")) -> Space:
    """Return the free space of the engine's file system, or the free memory if that is less.

    Raises:
        OSError: one of the two cannot be read.
    """
    disk = os.statvfs(data_root)
    free = disk.f_bavail * disk.f_frsize
    return Space(min(free, _available_memory(meminfo)), disk.f_blocks * disk.f_frsize)


def _available_memory(meminfo: Path) -> int:
    for line in meminfo.read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{meminfo} has no MemAvailable")


def who_takes_it(data_root: Path = DATA_ROOT, meminfo: Path = Path("/proc/meminfo")) -> str:
    """Return who fills the engine's file system, and that memory is short if that is it.

    Raises:
        OSError: as measure.
    """
    from tink_docker.engines_largest import engines_largest  # noqa: PLC0415 - space is low

    largest = engines_largest(data_root, by_files=False)
    disk = os.statvfs(data_root)
    if _available_memory(meminfo) >= disk.f_bavail * disk.f_frsize:
        return largest
    return f"{largest}; memory is short and not the file system: programs and other files take it"


@dataclass(slots=True, eq=False, repr=False)
class SpaceMonitor:
    """Measures at each `tick`, writes `path` for bootkit, and logs once when space gets low."""

    measure: Callable[[], Space] = measure
    path: Path = PATH
    largest: Callable[[], str] = who_takes_it
    pace: float = policy.SPACE_POLL_SECONDS  # seconds until the next tick should come
    _last: int | None = None  # bytes that were free at the last tick
    _written: int | None = None  # bytes in the file
    _mark: LowMark = field(default_factory=LowMark)

    def tick(self) -> None:
        """Measure once; never raise."""
        try:
            space = self.measure()
            self._log_change(space)
            self._write(space)
        except OSError as error:
            log.debug("space.unknown", error=str(error))

    def _write(self, space: Space) -> None:
        changed = 0 if self._last is None else abs(space.free - self._last)
        changes_fast = changed >= policy.SPACE_FAST_POLL_BYTES
        self.pace = policy.SPACE_FAST_POLL_SECONDS if changes_fast else policy.SPACE_POLL_SECONDS
        self._last = space.free
        unwritten = None if self._written is None else abs(space.free - self._written)
        if unwritten is None or unwritten >= policy.SPACE_WRITE_STEP_BYTES:
            space.write(self.path)
            self._written = space.free

    def _log_change(self, space: Space) -> None:
        match self._mark.update(space.free, low_bytes(space.size)):
            case "low":
                error = f"only {space} free for images and containers"
                log_low(DATA_ROOT, error, self.largest, _WHAT_NEXT)
            case "recovered":
                lowest = megabytes(self._mark.lowest)
                log_recovered(DATA_ROOT, str(space), lowest)
