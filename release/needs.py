"""What a build needs of the machine, looked at before anything is changed."""

import shutil
from pathlib import Path

from release.cache import cache
from release.errors import BuildError
from release.version import PROJECT

PROGRAMS = ("cpio", "docker", "git", "go", "mksquashfs", "mmdebstrap", "sqfs2tar")
MIB = 1024 * 1024
CACHE_MIB = 512  # our own Go programs, the base and the wheels, if they are not there yet
ENGINE_MIB = 5120  # an engine of our own: eight images and the layers that made them
OUT_MIB = 1536  # LinuxKit's tar, the squashfs, and what it is compared with


def check() -> None:
    """Raises BuildError, in one sentence, if a program or room is lacking."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        raise BuildError(f"programs are missing ({', '.join(missing)}): run `make setup` as root")
    built = (cache() / "engine" / "data").exists() or any(cache().glob("base-*.tar"))
    for folder, needed in ((cache(), CACHE_MIB if built else ENGINE_MIB), (PROJECT, OUT_MIB)):
        _check_room(folder, needed)


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free // MIB
    if free < needed:
        raise BuildError(
            f"{folder} has {free} MiB free and a build needs {needed} MiB: "
            "make room, or set TINKIE_CACHE to a folder on another disk"
        )
