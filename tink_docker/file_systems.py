"""Watch every file system of the OS in memory: each has a size of its own.

They are those that PID 1 mounts (images/init/lib/rc) and those of services with a writable root.
Containers have more, `/dev` and `/dev/shm` of 64 MB each: who fills them is the only one to lose.
`space.py` watches the bytes of the engine's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tink_docker import policy
from tink_docker.engine.daemon_json import DATA_ROOT
from tink_docker.low_space import LowMark, log_low, log_recovered, low_bytes
from tink_docker.mounts import MOUNTS, in_memory, read_mounts
from tinkie.running.log import get_logger
from tinkie.space import Space, megabytes

if TYPE_CHECKING:
    from collections.abc import Callable

log = get_logger()

HOST_ROOT = Path("/host_root")  # the host's root, with its mounts

_WHAT_FAILS = {
    "/run": "no container starts while it is full",
    "/run/worker": "actions cannot write to /worker while it is full",
    "/dev": "actions cannot write files to /dev while it is full; devices still appear",
    "/containers/services/tink-docker/tmp": "actions cannot write to volumes while it is full",
    str(DATA_ROOT): "pulls and actions that create files fail while it is full",
}
_FAILS = "what writes there fails while it is full"


class FileSystem(NamedTuple):
    """Its mount point for people, as the host names it, and where it is in this container."""

    name: str
    path: Path

    def largest(self, *, by_files: bool) -> str:
        """Return who fills it."""
        from tink_docker.engines_largest import engines_largest  # noqa: PLC0415 - space is low
        from tink_docker.heaviest import heaviest  # noqa: PLC0415 - as above

        if self.path == DATA_ROOT:
            return engines_largest(by_files=by_files)
        found = heaviest(self.path, by_files=by_files)
        return f"{Path(self.name) / found.path} ({found.weight})"


def file_systems(mounts: Path = MOUNTS, host: Path = HOST_ROOT) -> list[FileSystem]:
    """Return the OS's writable file systems in memory, the engine's too.

    Raises:
        OSError: the mounts cannot be read.
    """
    found = {DATA_ROOT: FileSystem(str(DATA_ROOT), DATA_ROOT)}
    for path in (Path(one.point) for one in in_memory(read_mounts(mounts))):
        if path.is_relative_to(host) and not path.is_relative_to(host / DATA_ROOT.relative_to("/")):
            found[path] = FileSystem(str(Path("/") / path.relative_to(host)), path)
    return list(found.values())


@dataclass(slots=True, eq=False, repr=False)
class FileSystemsMonitor:
    """Measures them at each `tick` that is due; logs once when one gets low, and its recovery."""

    now: Callable[[], float]
    file_systems: Callable[[], list[FileSystem]] = file_systems
    measure: Callable[[Path], os.statvfs_result] = os.statvfs
    _next: float = 0.0
    _bytes: dict[str, LowMark] = field(default_factory=dict)
    _files: dict[str, LowMark] = field(default_factory=dict)

    def tick(self) -> None:
        """Measure all of them.

        Raises:
            OSError: the mounts cannot be read.
        """
        if self.now() < self._next:
            return
        self._next = self.now() + policy.SPACE_OTHERS_POLL_SECONDS
        for one in self.file_systems():
            try:
                state = self.measure(one.path)
            except OSError as error:
                log.debug("space.unknown", path=one.name, error=str(error))
                continue
            if one.path != DATA_ROOT:
                self._check_bytes(one, state)
            self._check_files(one, state)

    def _check_bytes(self, one: FileSystem, state: os.statvfs_result) -> None:
        space = Space(state.f_bavail * state.f_frsize, state.f_blocks * state.f_frsize)
        mark = self._bytes.setdefault(one.name, LowMark())
        match mark.update(space.free, low_bytes(space.size)):
            case "low":
                self._log_low(one, f"only {space} free on {one.name}", by_files=False)
            case "recovered":
                log_recovered(one.name, str(space), megabytes(mark.lowest))

    def _check_files(self, one: FileSystem, state: os.statvfs_result) -> None:
        low = min(state.f_files // policy.SPACE_LOW_SHARE, policy.SPACE_LOW_FILES)
        mark = self._files.setdefault(one.name, LowMark())
        free = f"{state.f_favail} of {state.f_files} files"
        match mark.update(state.f_favail, low):  # both are 0 if their number has no bound
            case "low":
                self._log_low(one, f"only {free} free on {one.name}", by_files=True)
            case "recovered":
                log_recovered(one.name, free, f"{mark.lowest} files")

    def _log_low(self, one: FileSystem, error: str, *, by_files: bool) -> None:
        what_next = f"{_WHAT_FAILS.get(one.name, _FAILS)}; Tinkie deletes nothing there"
        log_low(one.name, error, partial(one.largest, by_files=by_files), what_next)
