"""Watch the space for images and containers: RAM is the disk, and what fills it logs nothing.

dockerd reports a pull that ran out of space only to its client, which is mostly a worker.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tink_docker import policy
from tink_docker.engine.daemon_json import DATA_ROOT
from tink_docker.heaviest import heaviest
from tinkie.error_kinds import ErrorKind
from tinkie.errors import NONSENSE
from tinkie.files import read_file
from tinkie.policy import STATE_FILE_BYTES
from tinkie.running.log import get_logger
from tinkie.space import PATH, Space, megabytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tink_docker.heaviest import Heaviest

log = get_logger()

_HINT = "delete what largest= names, write less, or use a machine with more memory"
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


def low_bytes(size: int) -> int:
    """Return how little free space is low on a file system of this size."""
    return min(size // policy.SPACE_LOW_SHARE, policy.SPACE_LOW_BYTES)


@dataclass(slots=True)
class LowMark:
    """Whether something is low; `lowest` is how little was left, the last time that it was."""

    is_low: bool = False
    lowest: int = 0

    def update(self, free: int, low: int) -> Literal["", "low", "recovered"]:
        """Return what has changed."""
        if not self.is_low and free < low:
            self.is_low, self.lowest = True, free
            return "low"
        if self.is_low and free >= policy.SPACE_RECOVERED_FACTOR * low:
            self.is_low = False
            return "recovered"
        self.lowest = min(self.lowest, free)
        return ""


def log_low(path: Path | str, error: str, largest: Callable[[], str], what_next: str) -> None:
    """Log that space is low on a file system, with what `largest` finds there."""
    try:
        found = largest()
    except OSError as failure:
        found = f"unknown: {failure.strerror}"
    kind = str(ErrorKind.OUT_OF_SPACE)
    log.warning(
        "space.low",
        path=str(path),
        error=error,
        largest=found,
        kind=kind,
        hint=_HINT,
        next=what_next,
    )


def log_recovered(path: Path | str, free: str, lowest: str) -> None:
    """Log that there is enough again, and how little was left."""
    log.info("space.recovered", path=str(path), free=free, lowest=lowest)


def engines_largest(
    data_root: Path = DATA_ROOT,
    measure: Callable[[Path], os.statvfs_result] = os.statvfs,
    *,
    by_files: bool,
) -> str:
    """Return who fills the engine's file system: a container with its file or folder, or images.

    Raises:
        OSError: it cannot be measured.
    """
    state = measure(data_root)
    used = (state.f_blocks - state.f_bfree) * state.f_frsize
    if by_files:
        used = state.f_files - state.f_ffree
    containers = [
        (found, path.parent.name)
        for path in data_root.glob("image/overlay2/layerdb/mounts/*/mount-id")
        if (found := _written(data_root, path, by_files=by_files))
    ]
    sizes = [found.total.counted(by_files=by_files) for found, _ in containers]
    images = max(used - sum(sizes), 0)
    if not sizes or images > max(sizes):
        count = f"{images} files" if by_files else megabytes(images)
        return f"images ({count})"
    found, container = containers[sizes.index(max(sizes))]
    name = _container_name(data_root / "containers" / container / "config.v2.json")
    return f"container {name or container}: /{found.path.removeprefix('.')} ({found.weight})"


def _written(data_root: Path, mount_id: Path, *, by_files: bool) -> Heaviest | None:
    """Return what a container has written to its own root."""
    try:
        layer = read_file(mount_id, STATE_FILE_BYTES).decode("ascii").strip()
    except (OSError, ValueError):
        return None  # the container was removed meanwhile
    return heaviest(data_root / "overlay2" / layer / "diff", by_files=by_files)


def _container_name(config: Path) -> str:
    try:
        content = json.loads(read_file(config, policy.CONTAINER_CONFIGURATION_BYTES))
        return str(content["Name"]).lstrip("/")
    except (OSError, *NONSENSE):
        return ""


def who_takes_it(data_root: Path = DATA_ROOT, meminfo: Path = Path("/proc/meminfo")) -> str:
    """Return who fills the engine's file system, and that memory is short if that is it.

    Raises:
        OSError: as measure.
    """
    largest = engines_largest(data_root, by_files=False)
    disk = os.statvfs(data_root)
    if _available_memory(meminfo) >= disk.f_bavail * disk.f_frsize:
        return largest
    return f"{largest}; memory is short and not the file system: programs and other files take it"


@dataclass(slots=True)
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
