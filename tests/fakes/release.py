"""A release that needs no building: kernel and initramfs are some bytes, of each architecture."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from release import assemble, pack, uki
from release.arch import ALL, Architecture
from release.filenames import Names
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
    monkeypatch.setattr(assemble, "assemble_held", _is_built)
    monkeypatch.setattr(assemble, "built_level", lambda: "release")


def _is_built(_level: str, _progress: Progress, target: Architecture, **_: bool) -> bool:
    """Return that nothing had to be built."""
    assert target in ALL
    return False


def _write_contents(
    root: Path, names: Names, signer: uki.Signer | None, _progress: Progress
) -> None:
    pack._check_unchanged()
    dtbs = [names.dtbs] if names.target.has_device_trees else []
    signed = [names.uki] if signer else []
    for name in (names.sbom, names.licences, names.iso, *dtbs, *signed):
        (root / name).write_text(f"content of {name}")
    (root / names.manifest).write_text(json.dumps(manifest_of(names.target)))


def manifest_of(target: Architecture) -> dict[str, Any]:
    """Return what manifest.describe makes of two images with a package of each kind."""
    glibc = {"source": "glibc", "source_version": "2.41-12"}
    libc6 = {"package": "libc6", "version": "2.41-12", **glibc} | {
        "architecture": target.debian,
        "sha256": digest("libc6.deb"),
    }
    busybox = {"package": "busybox-static", "version": "1:1.37.0-6+b9", "source": "busybox"} | {
        "source_version": "1:1.37.0-6",
        "architecture": target.debian,
        "sha256": digest("busybox.deb"),
    }
    httpx = {"package": "httpx", "version": "0.28.1", "licence": "BSD-3-Clause"} | {
        "wheel": "httpx-0.28.1-py3-none-any.whl",
        "sha256": digest("httpx.whl"),
    }
    own = {"package": "tinkie", "version": "0.1.0", "licence": "Apache-2.0"}
    go = [
        {"program": "dockerd", "module": "go", "version": "go1.26.8", "sum": "-"},
        {
            "program": "dockerd",
            "module": "github.com/marklodato/go-hello-world",
            "version": "v0.0.1",
            "sum": "h1:Khu2En+0gcYPZ2kuIihfswbzxv/mIHXgzPZ018Oty48=",
        },
    ]
    empty: dict[str, Any] = {"debian": [], "linked": [], "python": [], "go": []}
    size = {"size": 1, "content": f"sha256:{digest('image')}"}
    return {
        "version": "0.1.0",
        "commit": "85a9a15b3625",
        "time": 1796020821,
        "modified": False,
        "arch": target.name,
        "parameters": {"ARCH": target.name},
        "base": {"name": "Debian trixie", "sha256": digest("base")},
        "packers": {"cpio": "2.15+dfsg-2", "squashfs-tools": "1:4.6.1-1"},
        "host": {"python": "3.11.7", "zlib": "1.2.13"},
        "linuxkit_files": [{"file": "linuxkit.yml", "sha256": digest("linuxkit.yml")}],
        "files": {
            name: {
                "size": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "sha512": hashlib.sha512(content).hexdigest(),
            }
            for name, content in (BOTH | ARM).items()
            if name.endswith(target.name)
        },
        "images": {
            "r/init:1": empty | size | {"debian": [busybox, libc6], "linked": [glibc]},
            "r/agent:1": empty | size | {"debian": [libc6], "python": [httpx, own], "go": go},
        },
        "embedded": [
            {
                "name": "registry.example:5000/tink-agent:v1",
                "digest": f"sha256:{digest('agent')}",
                "id": f"sha256:{digest('id')}",
                "archive": "0.tar",
            }
        ],
    }


def digest(name: str) -> str:
    """Return a SHA-256 that stands for that of a file."""
    return hashlib.sha256(name.encode()).hexdigest()
