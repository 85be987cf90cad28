"""What the manifest and the licences hold, for images in each form of a LinuxKit file."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from release import arch, manifest
from release.arch import X86_64
from release.errors import ReportedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LINUXKIT = """
kernel: {image: "r/kernel:1"}
init: ['r/init:1']
services:
  - {name: x, image: "r/x:1"}
"""
RELEASE_FILE = "var/lib/apt/lists/mirror_debian_dists_trixie_InRelease"
RELEASE = b"""-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Origin: Debian
Codename: trixie
Date: Sat, 21 Nov 2026 09:15:44 UTC
"""
# Creates containers named after their images; a container is a file until it is removed.
DOCKER = """#!/bin/sh
case $1 in
create) [ "$2" = --platform=linux/amd64 ] || exit 1
    name=$(echo "$3" | tr / _); : >"$FOLDER/containers/$name"; echo "$name" ;;
export) cat "$FOLDER/$2.tar" || exit 1 ;;
rm) rm "$FOLDER/containers/$2" ;;
esac
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a stand-in for the docker client; <image>.tar is what it exports."""
    (tmp_path / "containers").mkdir()
    (tmp_path / "linuxkit.yml").write_text(LINUXKIT)
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("FOLDER", str(tmp_path))
    monkeypatch.setenv("LINUXKIT_FILES", str(tmp_path / "linuxkit.yml"))
    monkeypatch.setattr(arch, "own", lambda: X86_64)
    for name in ("kernel", "init", "x"):
        write_image(tmp_path / f"r_{name}:1.tar", name)
    write_image(tmp_path / "tinkie_base:build.tar", "base", {RELEASE_FILE: RELEASE})
    return tmp_path


def write_image(path: Path, package: str, more: Mapping[str, bytes] | None = None) -> None:
    files = {
        f"usr/share/doc/{package}/copyright": f"licence of {package}".encode(),
        f"usr/bin/{package}": b"program",
    }
    with tarfile.open(path, "w") as tar:
        for name, content in (files | dict(more or {})).items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def test_every_image_is_read_in_whatever_form_it_is_written(folder: Path) -> None:
    found = manifest.contents("unix:///nowhere", X86_64)
    assert found.suites == {"trixie": "20261121T091544Z"}
    assert set(found.images) == {"r/kernel:1", "r/init:1", "r/x:1"}
    texts = set(found.licences.values())
    assert texts == {b"licence of kernel", b"licence of init", b"licence of x"}
    assert all(image.size > len(b"program") for image in found.images.values())
    assert len({image.content for image in found.images.values()}) == 3
    assert list((folder / "containers").iterdir()) == []


def test_a_failure_leaves_no_container(folder: Path) -> None:
    (folder / "r_init:1.tar").unlink()
    with pytest.raises((ReportedError, tarfile.TarError)):
        manifest.contents("unix:///nowhere", X86_64)
    assert list((folder / "containers").iterdir()) == []
