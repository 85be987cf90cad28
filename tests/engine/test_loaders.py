"""The release's CD image and EFI program say which of Debian's boot loaders are in them."""

import os
from pathlib import Path

import pytest

from release import base, engine, images, iso, manifest, uki
from release.arch import AARCH64, ALL, X86_64, Architecture
from release.progress import Progress
from tests.keys import signing_key

GRUB = {
    X86_64: {"grub-efi-amd64-signed", "grub-pc-bin"},
    AARCH64: {"grub-efi-arm64-signed"},
}


@pytest.mark.parametrize("target", ALL)
def test_the_manifest_lists_the_packages_of_the_boot_loaders(
    target: Architecture, tmp_path: Path
) -> None:
    signer = uki.Signer(*signing_key(tmp_path, "db"), "quiet")
    files = {name: tmp_path / name for name in ("vmlinuz", "initramfs")}
    for path in files.values():
        path.write_text("not started here")
    found = manifest.Contents()
    with engine.running() as host, images.locked_names():
        base.provide(os.environ | {"DOCKER_HOST": host}, Progress(), refresh=False)
        manifest.add(found, "cd", iso.write(tmp_path / "cd.iso", files, target))
        # Without a kernel it is an add-on, whose stub is of the same package.
        manifest.add(found, "uki", uki.write(tmp_path / "x.efi", {}, signer, target))
    names = {name: {row["package"] for row in image.debian} for name, image in found.images.items()}
    assert names == {"cd": {"shim-signed", *GRUB[target]}, "uki": {"systemd-boot-efi"}}
    rows = [row for image in found.images.values() for row in image.debian]
    assert all(len(row["sha256"]) == 64 and row["version"] for row in rows)
    assert {row["architecture"] for row in rows} == {target.debian}
    assert "grub2" in {row["source"] for row in found.images["cd"].linked}
    assert {f"{row['package']}.copyright" for row in rows} == set(found.licences)
