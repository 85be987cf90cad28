from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from tink_docker.engines_largest import engines_largest

if TYPE_CHECKING:
    from pathlib import Path

CONFIGURATION = "containers/c2/config.v2.json"


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    """An engine's folder with two containers, of which `action` has written 200 kB."""
    containers = {"c1": ("l1", "/tink-worker", 1), "c2": ("l2", "/action", 200)}
    for container, (layer, name, kilobytes) in containers.items():
        write(tmp_path / f"image/overlay2/layerdb/mounts/{container}/mount-id", layer.encode())
        config = json.dumps({"Name": name}).encode()
        write(tmp_path / f"containers/{container}/config.v2.json", config)
        write(tmp_path / f"overlay2/{layer}/diff/data/file", b"x" * 1000 * kilobytes)
    return tmp_path


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def largest(data_root: Path, *, kilobytes: int = 0, files: int = 0) -> str:
    used = SimpleNamespace(
        f_blocks=2**30,
        f_bfree=2**30 - kilobytes,
        f_frsize=1000,
        f_files=2**30,
        f_ffree=2**30 - files,
    )
    measured = cast("os.statvfs_result", used)
    return engines_largest(data_root, lambda _: measured, by_files=bool(files))


def test_the_container_that_fills_the_engines_space_is_named(data_root: Path) -> None:
    assert largest(data_root, kilobytes=300).startswith("container action: /data/file (0.2 MB")


def test_images_that_fill_it_are_named(data_root: Path) -> None:
    assert largest(data_root, kilobytes=900).startswith("images (0.7 MB")


def test_many_files_are_named(data_root: Path) -> None:
    for number in range(50):
        write(data_root / f"overlay2/l1/diff/many/{number}", b"")
    assert largest(data_root, files=60) == "container tink-worker: /many (0.0 MB in 51 files)"
    assert largest(data_root, files=900) == "images (845 files)"


def test_a_container_that_goes_meanwhile_has_no_name(data_root: Path) -> None:
    (data_root / CONFIGURATION).unlink()
    assert largest(data_root, kilobytes=300).startswith("container c2: /data/file")
    (data_root / "image/overlay2/layerdb/mounts/c2/mount-id").write_bytes(b"\xff")
    (data_root / "image/overlay2/layerdb/mounts/c1/mount-id").unlink()
    assert largest(data_root, kilobytes=300) == "images (0.3 MB)"


@pytest.mark.parametrize("name", ["image/overlay2/layerdb/mounts/c1/mount-id", CONFIGURATION])
def test_a_fifo_among_the_engines_files_hangs_nothing(data_root: Path, name: str) -> None:
    (data_root / name).unlink()
    os.mkfifo(data_root / name)
    assert largest(data_root, kilobytes=300).startswith("container ")
