"""Check what a build needs of the machine, before anything is changed."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from release.cache import cache
from release.errors import ReportedError
from release.version import PROJECT

PROGRAMS = ("cpio", "docker", "git", "go", "mmdebstrap", "openssl", "sqfs2tar")
MIB = 1024 * 1024
CACHE_MIB = 512  # Go programs, base image and wheels, if they are not cached yet
ENGINE_MIB = 5120  # an engine of our own: eight images and their build layers
GO_MIB = 3072  # each of Go's two caches: modules and compiled packages
OUT_MIB = 1536  # LinuxKit's tar, the squashfs, and its verification


def check() -> None:
    """Raise ReportedError if a program is missing or there is too little space."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        raise ReportedError(
            f"programs are missing ({', '.join(missing)}): run `make setup` as root"
        )
    built = (cache() / "engine" / "data").exists() or any(cache().glob("base-*.tar"))
    for folder, needed in ((cache(), CACHE_MIB if built else ENGINE_MIB), (PROJECT, OUT_MIB)):
        _check_space(folder, needed)


def check_go(folders: Iterable[Path]) -> None:
    """Raise ReportedError if there is too little space for Go's caches, which need not exist."""
    for folder in folders:
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        _check_space(existing, GO_MIB, "GOCACHE and GOMODCACHE")


def _check_space(folder: Path, needed: int, variables: str = "TINKIE_CACHE") -> None:
    free = shutil.disk_usage(folder).free // MIB
    if free < needed:
        raise ReportedError(
            f"{folder} has {free} MiB free and a build needs {needed} MiB: "
            f"free some, or set {variables} to a folder on another disk"
        )
