"""Who fills the engine's file system: images, or a container with its largest file or folder."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from tink_docker import policy
from tink_docker.engine.daemon_json import DATA_ROOT
from tink_docker.heaviest import heaviest
from tinkie.errors import NONSENSE
from tinkie.files import read_file
from tinkie.policy import STATE_FILE_BYTES
from tinkie.space import megabytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tink_docker.heaviest import Heaviest


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
