"""Which file or folder holds most of a file system, found with a bounded number of looks."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tink_docker import policy
from tink_docker.mounts import read_mounts
from tinkie.space import megabytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = 512  # bytes, of st_blocks: stat(2)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Weight:
    """Bytes on disk, and the number of files and folders."""

    size: int = 0
    files: int = 0

    def __add__(self, other: Weight) -> Weight:
        return Weight(self.size + other.size, self.files + other.files)

    def __str__(self) -> str:
        """Return both for people."""
        count = f" in {self.files} files" if self.files > 1 else ""
        return f"{megabytes(self.size)}{count}"

    def counted(self, *, by_files: bool) -> int:
        """Return one of both."""
        return self.files if by_files else self.size


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Heaviest:
    """The deepest file or folder that holds at least half of the folder around it.

    `path` is relative, `.` for the whole; `total` is the weight of all that was seen, which is not
    everything if the bound ended the search.
    """

    path: str
    weight: Weight
    total: Weight


def heaviest(root: Path, *, by_files: bool) -> Heaviest:
    """Look at a bounded number of files and folders of one file system; raise no OSError.

    by_files: search for many files instead of many bytes.
    """
    children: dict[str, dict[str, Weight]] = defaultdict(dict)
    for looks, (folder, path, weight) in enumerate(_entries(str(root))):
        if looks >= policy.SPACE_LOOKS_MAXIMUM:
            break
        children[folder][path] = weight
    weights = _sums(children)
    top = path = str(root)
    total = weights.get(top, Weight())
    weight = total
    while found := children.get(path):
        best = max(found, key=lambda child: weights[child].counted(by_files=by_files))
        if 2 * weights[best].counted(by_files=by_files) < weight.counted(by_files=by_files):
            break
        path, weight = best, weights[best]
    return Heaviest(os.path.relpath(path, top), weight, total)


def _entries(root: str) -> Iterator[tuple[str, str, Weight]]:
    """Yield folder, path and weight of all below a folder on its file system, level by level.

    What is a mount is not even looked at: its server may be dead.
    """
    try:
        mounted = {one.point for one in read_mounts()}
        device = os.lstat(root).st_dev
    except OSError:
        return
    folders = [root]
    for folder in folders:  # it grows meanwhile
        try:
            with os.scandir(folder) as found:
                for one in found:
                    if one.path in mounted:
                        continue
                    state = one.stat(follow_symlinks=False)
                    if state.st_dev == device:
                        yield folder, one.path, Weight(state.st_blocks * _BLOCK, 1)
                        if one.is_dir(follow_symlinks=False):
                            folders.append(one.path)
        except OSError:
            continue  # it went meanwhile


def _sums(children: dict[str, dict[str, Weight]]) -> dict[str, Weight]:
    """Return the weight of each path with all that is below it."""
    weights = {path: weight for found in children.values() for path, weight in found.items()}
    for folder, found in reversed(children.items()):  # the deepest were seen last
        below = sum((weights[child] for child in found), Weight())
        weights[folder] = weights.get(folder, Weight()) + below
    return weights
