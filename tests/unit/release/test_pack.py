"""A release is of what lies in out/, in each form that an installer asks for, and whole."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from release import base, iso, pack, verify
from release.arch import AARCH64, X86_64
from release.filenames import HELPERS, Names
from release.version import version
from tests.fakes.release import ARM, BOTH, stand_in
from tests.keys import signing_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


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


X86 = Names(X86_64)
LTS = {"initramfs-latest-lts-x86_64": b"initramfs", "vmlinuz-latest-lts-x86_64": b"kernel"}


def test_a_release_holds_what_lies_in_out_and_its_checksums_are_true(root: Path) -> None:
    assert pack.pack(root)
    assert _files(root / X86.flat) == BOTH
    assert _files(root / X86.flat_lts) == LTS
    for sums in (verify.CHECKSUMS, X86.osie_sum):
        subprocess.run(["sha512sum", "--check", sums], cwd=root, check=True)


def test_hooks_installer_downloads_checks_and_unpacks_it(root: Path, tmp_path: Path) -> None:
    pack.pack(root)
    served, installed = root, tmp_path / "installed"
    installed.mkdir()
    lines = (served / verify.CHECKSUMS).read_text().splitlines()
    wanted = [line for line in lines if "x86_64" in line and ".tar.gz" in line]
    for line in wanted:
        name = line.split()[1]
        (installed / name).write_bytes((served / name).read_bytes())
    text = "\n".join(wanted) + "\n"
    subprocess.run(["sha512sum", "-c"], input=text, cwd=installed, text=True, check=True)
    for file in sorted(installed.glob("*.tar.gz")):
        subprocess.run(["tar", "--overwrite", "-ozxf", file], cwd=installed, check=True)
    archives = {X86.flat, X86.flat_lts}
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
    places = (scratch, root / X86.osie, workflow, current)
    subprocess.run(["bash", "-euc", "\n".join(steps), "-", *places], check=True)
    assert {path.name: path.read_bytes() for path in current.iterdir()} == BOTH
    assert {path.name for path in workflow.iterdir()} == set(HELPERS)
    assert all(path.stat().st_mode & 0o111 for path in workflow.iterdir())


def _blobs(image: Path) -> dict[str, bytes]:
    """Return an OCI image's blobs by their digests, which are what they say."""
    prefix = "blobs/sha256/"
    blobs = {
        name.removeprefix(prefix): blob
        for name, blob in _files(image).items()
        if name.startswith(prefix)
    }
    for digest, blob in blobs.items():
        assert hashlib.sha256(blob).hexdigest() == digest
    return {f"sha256:{digest}": blob for digest, blob in blobs.items()}


def _images(root: Path) -> dict[str, dict[str, bytes]]:
    """Return the files of the OCI image by the architecture of a node that pulls it."""
    image = root / X86.oci
    blobs = _blobs(image)
    (entry,) = json.loads(_files(image)["index.json"])["manifests"]
    assert entry["annotations"]["org.opencontainers.image.ref.name"] == version()
    found = {}
    for node in json.loads(blobs[entry["digest"]])["manifests"]:
        manifest = json.loads(blobs[node["digest"]])
        config = json.loads(blobs[manifest["config"]["digest"]])
        layers = [layer["digest"] for layer in manifest["layers"]]
        assert config["rootfs"]["diff_ids"] == layers
        assert node["platform"] == {key: config[key] for key in ("architecture", "os")}
        found[config["architecture"]] = _in_layers(root, [blobs[digest] for digest in layers])
    return found


def _in_layers(folder: Path, layers: list[bytes]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for layer in layers:
        (folder / "layer.tar").write_bytes(layer)
        files |= _files(folder / "layer.tar")
    return files


def test_a_node_of_each_architecture_gets_the_files_of_all_machines(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack.pack(root)
    assert _images(root) == {"amd64": BOTH, "arm64": BOTH}
    monkeypatch.setenv("ARCH", "aarch64")
    pack.pack(root)
    assert _images(root) == {"amd64": BOTH | ARM, "arm64": BOTH | ARM}


def test_architectures_lie_beside_each_other_under_one_list_of_checksums(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack.pack(root)
    monkeypatch.setenv("ARCH", "aarch64")
    pack.pack(root)
    subprocess.run(["sha512sum", "--check", verify.CHECKSUMS], cwd=root, check=True)
    lines = (root / verify.CHECKSUMS).read_text().splitlines()
    arm = Names(AARCH64)
    assert [line.split()[1] for line in lines] == list(dict.fromkeys([*X86.summed, *arm.summed]))
    assert arm.dtbs in arm.results
    assert X86.dtbs not in X86.results
    assert _files(root / arm.flat) == ARM
    assert set(_files(root / arm.flat_lts)) == {name.replace("-", "-latest-lts-") for name in ARM}
    assert _files(root / X86.flat) == BOTH
    subprocess.run(["sha512sum", "--check", X86.osie_sum], cwd=root, check=True)


def test_what_was_packed_from_another_commit_is_not_in_the_release(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack, "commit", lambda: "before")
    pack.pack(root)
    monkeypatch.setattr(pack, "commit", lambda: "now")
    monkeypatch.setenv("ARCH", "aarch64")
    pack.pack(root)
    assert X86.flat not in (root / verify.CHECKSUMS).read_text()
    assert _images(root) == {"amd64": ARM, "arm64": ARM}


def test_an_architecture_of_which_a_file_was_lost_is_left_out_and_named(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARCH", AARCH64.name)
    pack.pack(root)
    lost = Names(AARCH64).iso
    (root / lost).unlink()
    monkeypatch.delenv("ARCH")
    pack.pack(root)
    assert f"{lost} is missing: what was packed for aarch64 is left out" in capsys.readouterr().out
    summed = (root / verify.CHECKSUMS).read_text()
    assert X86.iso in summed
    assert "aarch64" not in summed


def test_nothing_is_packed_twice_and_the_same_bytes_after_it_was_lost(root: Path) -> None:
    pack.pack(root)
    assert not pack.pack(root)
    before = {name: (root / name).read_bytes() for name in X86.results}
    (root / X86.flat).unlink()
    assert pack.pack(root)
    assert {name: (root / name).read_bytes() for name in X86.results} == before


def test_a_release_that_was_interrupted_is_no_release(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    pack.pack(root)
    (root / "out" / "initramfs-x86_64").write_bytes(b"newer")
    with monkeypatch.context() as patch:
        patch.setattr(pack, "_pack_contents", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pack.pack(root)
    assert pack.pack(root)
    assert _files(root / X86.flat)["initramfs-x86_64"] == b"newer"


@pytest.fixture
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key that can sign, with its certificate beside it."""
    return signing_key(tmp_path_factory.mktemp("keys"), "db")[0]


def _summed(root: Path) -> set[str]:
    return {line.split()[1] for line in (root / verify.CHECKSUMS).read_text().splitlines()}


def test_a_key_adds_a_signed_image_that_goes_with_it(
    root: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack.pack(root)
    assert X86.uki not in _summed(root)
    monkeypatch.setenv("UKI", str(key))
    assert pack.pack(root)
    assert not pack.pack(root)
    assert X86.uki in _summed(root)
    subprocess.run(["sha512sum", "--check", verify.CHECKSUMS], cwd=root, check=True)
    monkeypatch.delenv("UKI")
    assert pack.pack(root)
    assert X86.uki not in _summed(root)
    assert not (root / X86.uki).exists()


def test_other_words_or_another_certificate_sign_it_anew(
    root: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UKI", str(key))
    pack.pack(root)
    monkeypatch.setenv("UKI_CMDLINE", "console=ttyS0")
    assert pack.pack(root)
    monkeypatch.setenv("UKI", str(signing_key(key.parent, "other")[0]))
    assert pack.pack(root)
    assert not pack.pack(root)


def test_the_signed_image_of_the_other_architecture_stays_in_the_checksums(
    root: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UKI", str(key))
    pack.pack(root)
    monkeypatch.delenv("UKI")
    monkeypatch.setenv("ARCH", "aarch64")
    pack.pack(root)
    assert X86.uki in _summed(root)
    assert Names(AARCH64).uki not in _summed(root)


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
