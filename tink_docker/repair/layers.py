"""The layers that a dockerd was unpacking when it was killed.

dockerd 26.1 removes what a failed pull has left, full or not, but it never looks again at what it
was unpacking when it was killed; and RAM is the disk. A blob that it was downloading it removes at
its start, and whole layers serve the next try.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import structlog

from tink_docker.engine.daemon_json import DATA_ROOT

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger()

_LINKS = "l"  # overlay2's folder of short names


def clear_half_unpacked(data_root: Path = DATA_ROOT) -> None:
    """Remove them, while no dockerd runs; containers may. What cannot be read stays."""
    layers, database = data_root / "overlay2", data_root / "image" / "overlay2" / "layerdb"
    try:
        known = _known(database)
    except (OSError, ValueError) as error:
        log.debug("layers.unknown", error=str(error))
        return
    left = [layer for layer in layers.glob("*") if _is_half(layer) and layer.name not in known]
    for layer in left:
        _remove(layer, layers / _LINKS)
    for unfinished in database.glob("tmp/write-set-*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    if left:
        log.info("layers.removed", count=len(left), reason="dockerd died while it unpacked them")


def _known(database: Path) -> set[str]:
    """Return the names of all layers that images and containers are made of."""
    return {path.read_text(encoding="ascii").strip() for path in database.glob("*/*/*-id")}


def _is_half(layer: Path) -> bool:
    """Say whether it is a layer that dockerd has not marked as whole."""
    return layer.name != _LINKS and not (layer / "committed").exists()


def _remove(layer: Path, links: Path) -> None:
    try:
        (links / (layer / "link").read_text(encoding="ascii").strip()).unlink(missing_ok=True)
    except OSError as error:
        log.debug("layer.unlinked", error=str(error))
    shutil.rmtree(layer, ignore_errors=True)
