"""A release that needs no building: a kernel and an initramfs of some bytes."""

from pathlib import Path

import pytest

from release import assemble, pack
from release.progress import Progress

BOTH = {"initramfs-x86_64": b"initramfs", "vmlinuz-x86_64": b"kernel"}


def stand_in(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next `pack.pack(root)` find these in out/, and no images to list."""
    out = root / "out"
    out.mkdir()
    for name, content in BOTH.items():
        (out / name).write_bytes(content)
    monkeypatch.setattr(pack, "OUT", out)
    monkeypatch.setattr(pack, "KERNEL", out / "vmlinuz-x86_64")
    monkeypatch.setattr(pack, "INITRAMFS", out / "initramfs-x86_64")
    monkeypatch.setattr(pack, "_pack_contents", _write_contents)
    monkeypatch.setattr(assemble, "assemble", lambda _level, _progress: False)


def _write_contents(root: Path, _progress: Progress) -> None:
    (root / pack.MANIFEST).write_text("{}")
    (root / pack.LICENCES).write_bytes(b"licences")
    (root / pack.ISO).write_bytes(b"a CD")
