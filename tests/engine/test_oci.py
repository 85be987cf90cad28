"""A release's OCI image goes through a real registry and is the same afterwards."""

import json
import tarfile
from pathlib import Path

from release import oci
from tests.engine.world import World

FILES = {"vmlinuz-x86_64": b"kernel", "initramfs-x86_64": b"initramfs" * 100_000}
MORE = {"vmlinuz-aarch64": b"kernel", "initramfs-aarch64": b"another initramfs"}


def test_it_is_pushed_and_read_back(world: World, tmp_path: Path) -> None:
    archive, back = tmp_path / "tinkie.oci.tar", tmp_path / "back"
    oci.write(archive, {"amd64": FILES, "arm64": MORE})
    world.registry.push(archive, "tinkie:1", kind="oci-archive")
    world.registry.fetch("tinkie:1", back)
    found: dict[str, bytes] = {}
    for layer in json.loads((back / "manifest.json").read_text())["layers"]:
        with tarfile.open(back / layer["digest"].removeprefix("sha256:")) as tar:
            files = {member.name: tar.extractfile(member) for member in tar}
            found |= {name: file.read() for name, file in files.items() if file}
    assert found == FILES | MORE
