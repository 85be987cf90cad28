"""Remove the layers that a dockerd was unpacking when it was killed.

dockerd 26.1 to 29 cleans up after a pull that fails, but never after a layer that it was unpacking
when it was killed; and RAM is the disk. At its start it removes a blob that it was downloading.
Complete layers stay: the next pull uses them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tink_docker.engine.daemon_json import DATA_ROOT
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from pathlib import Path

log = get_logger()

_LINKS = "l"  # overlay2's folder of short names: symbolic links to the layers


def remove_incomplete_layers(data_root: Path = DATA_ROOT) -> None:
    """Remove them while no dockerd runs; containers may run. Without its records remove nothing."""
    layers, database = data_root / "overlay2", data_root / "image" / "overlay2" / "layerdb"
    try:
        used = _used_layers(database)
    except (OSError, ValueError) as error:
        log.debug("layers.unknown", error=str(error))
        return
    incomplete = [
        layer for layer in layers.glob("*") if _is_incomplete(layer) and layer.name not in used
    ]
    for layer in incomplete:
        _remove(layer, layers / _LINKS)
    for unfinished in database.glob("tmp/write-set-*"):
        _remove_tree(unfinished)
    if incomplete:
        reason = "dockerd was killed while it unpacked them"
        log.info("layers.removed", count=len(incomplete), reason=reason)


def _used_layers(database: Path) -> set[str]:
    """Return the names of the layers of all images and containers."""
    return {path.read_text(encoding="ascii").strip() for path in database.glob("*/*/*-id")}


def _is_incomplete(layer: Path) -> bool:
    """Return whether it is a layer without dockerd's mark of a complete one."""
    return layer.name != _LINKS and not (layer / "committed").exists()


def _remove(layer: Path, links: Path) -> None:
    try:
        (links / (layer / "link").read_text(encoding="ascii").strip()).unlink(missing_ok=True)
    except OSError as error:
        log.debug("layer.unlinked", error=str(error))
    _remove_tree(layer)


def _remove_tree(folder: Path) -> None:
    import shutil  # noqa: PLC0415 - it loads archive formats, for a repair that is rare

    shutil.rmtree(folder, ignore_errors=True)
