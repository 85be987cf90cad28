"""A release is of what lies in out/, in each form that an installer asks for, and whole."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from release import base, iso, oci, pack
from release.version import version
from tests.fakes.release import BOTH, stand_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from release.progress import Progress


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a release of a kernel and an initramfs that need no building."""
    stand_in(tmp_path, monkeypatch)
    return tmp_path


def _files(archive: Path) -> Mapping[str, bytes]:
    with tarfile.open(archive) as tar:
        return {entry.name: _content(tar, entry) for entry in tar}


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(entry)
    assert file
    return file.read()


LTS = {"initramfs-latest-lts-x86_64": b"initramfs", "vmlinuz-latest-lts-x86_64": b"kernel"}


def test_a_release_holds_what_lies_in_out_and_its_checksums_are_true(root: Path) -> None:
    assert pack.pack(root)
    assert _files(root / pack.FLAT) == BOTH
    assert _files(root / pack.FLAT_LTS) == LTS
    for sums in (pack.CHECKSUMS, pack.OSIE_SUM):
        subprocess.run(["sha512sum", "--check", sums], cwd=root, check=True)


def test_hooks_installer_downloads_checks_and_unpacks_it(root: Path, tmp_path: Path) -> None:
    pack.pack(root)
    served, installed = root, tmp_path / "installed"
    installed.mkdir()
    lines = (served / pack.CHECKSUMS).read_text().splitlines()
    wanted = [line for line in lines if "x86_64" in line and ".tar.gz" in line]
    for line in wanted:
        name = line.split()[1]
        (installed / name).write_bytes((served / name).read_bytes())
    text = "\n".join(wanted) + "\n"
    subprocess.run(["sha512sum", "-c"], input=text, cwd=installed, text=True, check=True)
    for file in sorted(installed.glob("*.tar.gz")):
        subprocess.run(["tar", "--overwrite", "-ozxf", file], cwd=installed, check=True)
    archives = {pack.FLAT, pack.FLAT_LTS}
    assert {path.name for path in installed.iterdir()} == {*BOTH, *LTS, *archives}


def test_the_2021_sandbox_installs_it_as_an_osie(root: Path, tmp_path: Path) -> None:
    pack.pack(root)
    scratch, current, workflow = (tmp_path / name for name in ("scratch", "current", "workflow"))
    for folder in (scratch, current, workflow):
        folder.mkdir()
    steps = (
        'cd "$1" && tar -zxf "$2" && cd osie*/',
        'mv workflow-helper.sh workflow-helper-rc "$3"',
        'cp -r ./* "$4"',
    )
    places = (scratch, root / pack.OSIE, workflow, current)
    subprocess.run(["bash", "-euc", "\n".join(steps), "-", *places], check=True)
    assert {path.name: path.read_bytes() for path in current.iterdir()} == BOTH
    assert {path.name for path in workflow.iterdir()} == set(pack.HELPERS)
    assert all(path.stat().st_mode & 0o111 for path in workflow.iterdir())


def test_the_oci_image_is_what_its_digests_say(root: Path) -> None:
    pack.pack(root)
    files = _files(root / pack.OCI)
    for name, blob in files.items():
        if name.startswith("blobs/sha256/"):
            assert hashlib.sha256(blob).hexdigest() == name.rsplit("/", 1)[1]

    def described(entry: Mapping[str, str]) -> bytes:
        return files["blobs/" + entry["digest"].replace(":", "/")]

    (entry,) = json.loads(files["index.json"])["manifests"]
    image = json.loads(described(entry))
    (layer,) = image["layers"]
    config = json.loads(described(image["config"]))
    assert config["rootfs"]["diff_ids"] == [layer["digest"]]
    assert (config["architecture"], config["os"]) == (pack.GO_ARCH, "linux")
    (root / "layer.tar").write_bytes(described(layer))
    assert _files(root / "layer.tar") == BOTH


def test_nothing_is_packed_twice_and_the_same_bytes_after_it_was_lost(root: Path) -> None:
    pack.pack(root)
    assert not pack.pack(root)
    before = {name: (root / name).read_bytes() for name in pack.RESULTS}
    (root / pack.FLAT).unlink()
    assert pack.pack(root)
    assert {name: (root / name).read_bytes() for name in pack.RESULTS} == before


def test_a_release_that_was_interrupted_is_no_release(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_root: Path, _progress: Progress) -> None:
        raise KeyboardInterrupt

    pack.pack(root)
    (root / "out" / "initramfs-x86_64").write_bytes(b"newer")
    with monkeypatch.context() as patch:
        patch.setattr(pack, "_pack_contents", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pack.pack(root)
    assert pack.pack(root)
    assert _files(root / pack.FLAT)["initramfs-x86_64"] == b"newer"


def test_the_age_of_its_debian_packages_is_printed(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pack.pack(root)
    monkeypatch.setattr(pack, "PROJECT", root)
    monkeypatch.setattr(pack, "pack", lambda _root, _progress: False)
    monkeypatch.setattr(base, "age_message", lambda _now: "they are 9 days old")
    pack.main()
    assert "they are 9 days old\n" in capsys.readouterr().out


def test_smee_finds_its_placeholder_in_any_sector_of_a_cd() -> None:
    assert re.fullmatch(r"[a-z0-9]{1024}", iso.PLACEHOLDER)
    sector = 2048
    assert len(iso.grub_cfg()) <= sector
    assert iso.grub_cfg().count(iso.PLACEHOLDER) == 1


def test_an_image_is_named_by_its_version(root: Path) -> None:
    oci.write(root / "image", {"file": b"1"}, "arm64")
    (entry,) = json.loads(_files(root / "image")["index.json"])["manifests"]
    assert entry["annotations"]["org.opencontainers.image.ref.name"] == version()
