"""The mounts that this container has, and which of them no remote server can block.

A call on a dead NFS or FUSE mount, or on a path below one, does not return, and nothing can
interrupt it. So who mounts what is read from /proc, which asks no file system.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MOUNTS = Path("/proc/self/mountinfo")  # proc_pid_mountinfo(5)

_IN_MEMORY = ("tmpfs", "devtmpfs")
# Those of the OS, and what a build host has instead of its root
_LOCAL = (*_IN_MEMORY, "overlay", "ramfs", "rootfs", "squashfs", "btrfs", "ext4", "xfs")
_OCTAL = r"\\([0-7]{3})"
_SHORTEST = 6  # fields before the separator


class Mount(NamedTuple):
    """One mount: its number and its parent's, the path of its root, and its type."""

    number: str
    parent: str
    point: str
    kind: str
    writable: bool


def read_mounts(path: Path = MOUNTS) -> list[Mount]:
    """Return all mounts.

    Raises:
        OSError: they cannot be read.
    """
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    return list(_parsed(text))


def _parsed(text: str) -> Iterator[Mount]:
    for line in text.split("\n"):  # a path may have what splitlines() takes for a line's end
        of_mount, _, of_system = line.partition(" - ")
        fields, (kind, _, options) = of_mount.split(" "), (*of_system.split(" "), "", "", "")[:3]
        if len(fields) >= _SHORTEST:
            point = re.sub(_OCTAL, lambda code: chr(int(code[1], 8)), fields[4])
            writable = "rw" in fields[5].split(",") and "rw" in options.split(",")
            yield Mount(fields[0], fields[1], point, kind, writable)


def in_memory(mounts: list[Mount]) -> list[Mount]:
    """Return the writable file systems in memory whose paths lead through local mounts only.

    Others may be hidden by a mount, also of a folder above: their paths lead there.
    """
    by_number = {one.number: one for one in mounts}
    children: dict[str, list[Mount]] = {}
    for one in mounts:
        children.setdefault(one.parent, []).append(one)

    def is_local(mount: Mount) -> bool:
        if any(child.point == mount.point for child in children.get(mount.number, ())):
            return False  # another one lies on top
        seen: set[str] = set()
        step: Mount | None = mount
        while step is not None and step.number not in seen:
            seen.add(step.number)
            beside = (one for one in children[step.parent] if one is not step)
            if step.kind not in _LOCAL or any(_is_in(step.point, one.point) for one in beside):
                return False
            step = by_number.get(step.parent)
        return True

    wanted = (one for one in mounts if one.kind in _IN_MEMORY and one.writable)
    return [one for one in wanted if is_local(one)]


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
