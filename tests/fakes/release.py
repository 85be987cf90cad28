"""A release that needs no building: kernel and initramfs are some bytes, of each architecture."""

from pathlib import Path

import pytest

from release import assemble, pack
from release.arch import ALL, Architecture
from release.progress import Progress

BOTH = {"initramfs-x86_64": b"initramfs", "vmlinuz-x86_64": b"kernel"}
ARM = {"initramfs-aarch64": b"another initramfs", "vmlinuz-aarch64": b"another kernel"}


def stand_in(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next `pack.pack(root)` find these in out/, and no images to list."""
    out = root / "out"
    out.mkdir()
    for name, content in (BOTH | ARM).items():
        (out / name).write_bytes(content)
    monkeypatch.setattr(assemble, "OUT", out)
    monkeypatch.setattr(pack, "_pack_contents", _write_contents)
    monkeypatch.setattr(assemble, "assemble", _is_built)


def _is_built(_level: str, _progress: Progress, *, target: Architecture) -> bool:
    """Return that nothing had to be built."""
    assert target in ALL
    return False


def _write_contents(root: Path, names: pack.Names, _progress: Progress) -> None:
    dtbs = [names.dtbs] if names.target.has_device_trees else []
    for name in (names.manifest, names.licences, names.iso, *dtbs):
        (root / name).write_text(f"content of {name}")
