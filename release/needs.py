"""What a build needs of the machine, looked at before anything is changed."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from release.cache import cache
from release.errors import ReportedError
from release.version import PROJECT

PROGRAMS = ("cpio", "docker", "git", "go", "mksquashfs", "mmdebstrap", "sqfs2tar")
MIB = 1024 * 1024
CACHE_MIB = 512  # our own Go programs, the base and the wheels, if they are not there yet
ENGINE_MIB = 5120  # an engine of our own: eight images and the layers that made them
GO_MIB = 3072  # of each of Go's two caches: modules, and what is compiled of them
OUT_MIB = 1536  # LinuxKit's tar, the squashfs, and what it is compared with


def check() -> None:
    """Raises ReportedError, in one sentence, if a program or room is lacking."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        raise ReportedError(
            f"programs are missing ({', '.join(missing)}): run `make setup` as root"
        )
    built = (cache() / "engine" / "data").exists() or any(cache().glob("base-*.tar"))
    for folder, needed in ((cache(), CACHE_MIB if built else ENGINE_MIB), (PROJECT, OUT_MIB)):
        _check_space(folder, needed)


def check_go(folders: Iterable[Path]) -> None:
    """Raises ReportedError, in one sentence, if Go's caches (which need not exist) have no room."""
    for folder in folders:
        there = next(path for path in (folder, *folder.parents) if path.exists())
        _check_space(there, GO_MIB, "GOCACHE and GOMODCACHE")


def _check_space(folder: Path, needed: int, variables: str = "TINKIE_CACHE") -> None:
    free = shutil.disk_usage(folder).free // MIB
    if free < needed:
        raise ReportedError(
            f"{folder} has {free} MiB free and a build needs {needed} MiB: "
            f"make room, or set {variables} to a folder on another disk"
        )
