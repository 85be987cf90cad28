"""What the manifest and the licences hold, for images in each form of a LinuxKit file."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from release import (
    arch,
    assemble,
    base,
    manifest,
    packers,
    provenance,
    published,
    sbom,
    wheels,
)
from release.arch import X86_64
from release.errors import ReportedError
from tests.fakes.release import manifest_of

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
create) image=$2 # of the base, which has the engine's architecture
    case $2 in tinkie/base:build) ;; --platform=linux/amd64) image=$3 ;; *) exit 1 ;; esac
    name=$(echo "$image" | tr / _); : >"$FOLDER/containers/$name"; echo "$name" ;;
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
    monkeypatch.setattr(base, "record", lambda _environment: {"name": "x", "sha256": "0"})
    monkeypatch.setattr(packers, "provide", lambda *_: _packers(tmp_path / "packers"))
    monkeypatch.setattr(wheels, "WHEELS", tmp_path / "wheels")
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("FOLDER", str(tmp_path))
    monkeypatch.setenv("LINUXKIT_FILES", str(tmp_path / "linuxkit.yml"))
    monkeypatch.setattr(arch, "own", lambda: X86_64)
    for name in ("kernel", "init", "x"):
        write_image(tmp_path / f"r_{name}:1.tar", name)
    write_image(tmp_path / "tinkie_base:build.tar", "base", {RELEASE_FILE: RELEASE})
    return tmp_path


def _packers(root: Path) -> packers.Packers:
    path = root / packers.PACKAGES
    path.parent.mkdir(parents=True)
    path.write_text("cpio 2.15+dfsg-2 cpio 2.15+dfsg-2 amd64 0\n")
    return packers.Packers(root)


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


def test_what_is_written_has_the_form_that_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assemble, "OUT", folder)
    for path in (assemble.kernel(X86_64), assemble.initramfs(X86_64)):
        path.write_bytes(b"content")
    text = manifest.describe(manifest.contents("unix:///nowhere", X86_64), X86_64)
    (folder / "manifest.json").write_text(text)
    described = json.loads(text)
    assert published.read(folder / "manifest.json") == described
    assert described["packers"]["cpio"] == "2.15+dfsg-2"
    # The provenance is made of it, too.
    predicate = json.loads(provenance.statement([], described))["predicate"]
    made_by = described["packers"] | described["host"]
    assert made_by.keys() == {"cpio", "python", "zlib"}
    assert predicate["runDetails"]["builder"]["version"] == made_by


def test_a_failure_leaves_no_container(folder: Path) -> None:
    (folder / "r_init:1.tar").unlink()
    with pytest.raises((ReportedError, tarfile.TarError)):
        manifest.contents("unix:///nowhere", X86_64)
    assert list((folder / "containers").iterdir()) == []


def test_what_a_file_of_the_release_has_besides_is_in_the_manifest_and_the_sbom(
    tmp_path: Path,
) -> None:
    sums = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("shim", "grub")}
    packages = (
        f"shim-signed 1.47+15.8-1 shim-signed 1.47 amd64 {sums['shim']}\n"
        f"grub-efi-amd64-signed 1+2.12+9 grub-efi-amd64-signed 1+2.12+9 amd64 {sums['grub']}\n"
    )
    more = {manifest.PACKAGES: packages.encode(), manifest.LINKED: b"grub2 2.12-9\n"}
    write_image(tmp_path / "loaders.tar", "shim-signed", more)
    found = manifest.Contents()
    manifest.add(found, "tinkie.iso", (tmp_path / "loaders.tar").read_bytes())
    assert found.licences == {"shim-signed.copyright": b"licence of shim-signed"}
    described = manifest_of(X86_64)
    described["images"] |= {name: vars(image) for name, image in found.images.items()}
    components = json.loads(sbom.document(described, found.licences))["components"]
    of_cd = {
        one["name"]: (one["version"], [each["content"] for each in one.get("hashes", [])])
        for one in components
        if {"name": sbom.IMAGE, "value": "tinkie.iso"} in one.get("properties", [])
    }
    assert of_cd == {
        "shim-signed": ("1.47+15.8-1", [sums["shim"]]),
        "grub-efi-amd64-signed": ("1+2.12+9", [sums["grub"]]),
        "grub2": ("2.12-9", []),
    }


def test_a_package_has_the_digest_of_the_wheel_that_it_was_installed_from(folder: Path) -> None:
    wheel = folder / "wheels/amd64/bootkit/Some_Package-1.0-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    wheel.write_bytes(b"wheel")
    metadata = "usr/lib/python3/dist-packages/x.dist-info/METADATA"
    with tarfile.open(folder / "r_x:1.tar", "w") as tar:
        content = b"Name: some-package\nVersion: 1.0\n"
        entry = tarfile.TarInfo(metadata)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    (row,) = manifest.contents("unix:///nowhere", X86_64).images["r/x:1"].python
    assert row["wheel"] == wheel.name
    assert row["sha256"] == hashlib.sha256(b"wheel").hexdigest()
    assert row["licence"] == ""


def test_only_variables_that_are_given_are_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LINUXKIT_FILES", "EMBED", "BASE"):
        monkeypatch.delenv(name, raising=False)
    assert manifest.parameters(X86_64) == {"ARCH": "x86_64"}
    monkeypatch.setenv("EMBED", "a,b")
    monkeypatch.setenv("BASE", "debian:trixie-slim")
    expected = {"ARCH": "x86_64", "EMBED": "a,b", "BASE": "debian:trixie-slim"}
    assert manifest.parameters(X86_64) == expected
