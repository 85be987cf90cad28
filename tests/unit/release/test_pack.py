"""A release is of what lies in out/, in each form that an installer asks for, and whole."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from release import assemble, base, convert, iso, pack, published, verify
from release.arch import AARCH64, X86_64
from release.errors import ReportedError
from release.filenames import HELPERS, Names
from release.packed import RECORDS
from release.version import version
from tests.fakes.release import ARM, BOTH, stand_in
from tests.keys import signing_key
from tests.locks import is_held

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


def test_nobody_writes_out_while_it_is_packed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        held.append(is_held(root / "out" / convert.LOCK))

    held: list[bool] = []
    monkeypatch.setattr(pack, "_pack_files", refused)
    with pytest.raises(FileNotFoundError):  # the archives that were not written
        pack.pack(root)
    assert held == [True]


@pytest.mark.parametrize("good", [0, 1])
def test_what_changed_meanwhile_is_in_no_release(
    root: Path, monkeypatch: pytest.MonkeyPatch, good: int
) -> None:
    levels = iter(["release"] * good + [""])
    monkeypatch.setattr(assemble, "built_level", lambda: next(levels))
    with pytest.raises(ReportedError, match="have changed since out/ was built"):
        pack.pack(root)
    monkeypatch.setattr(assemble, "built_level", lambda: "release")
    assert pack.pack(root)


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


TAKEN_OVER = sorted({*X86.results} - {verify.CHECKSUMS, X86.oci, X86.provenance})


@pytest.mark.parametrize("fault", ["lost", "content", "{}"])
@pytest.mark.parametrize("name", TAKEN_OVER)
def test_an_architecture_of_which_a_file_was_lost_or_changed_is_left_out_and_named(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    fault: str,
) -> None:
    pack.pack(root)
    if fault == "lost":
        (root / name).unlink()
    else:
        (root / name).write_text(fault)
    monkeypatch.setenv("ARCH", AARCH64.name)
    pack.pack(root)
    found = "missing" if fault == "lost" else f"changed: its SHA-512 is not that of {RECORDS}"
    message = f"{name!r} (is|was) {re.escape(found)}: what was packed for x86_64 is left out"
    assert re.search(message, capsys.readouterr().out)
    assert _summed(root) == {*Names(AARCH64).summed}
    assert _images(root) == {"amd64": ARM, "arm64": ARM}


def test_no_digest_of_a_changed_file_comes_into_a_release(
    root: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack.pack(root)
    content = (root / X86.iso).read_bytes()
    (root / X86.iso).write_bytes(b"changed")
    changed = verify.sha512(root / X86.iso)
    monkeypatch.setenv("ARCH", AARCH64.name)
    pack.pack(root)
    (root / X86.iso).write_bytes(content)
    monkeypatch.setenv("SIGN", str(ssh_key(key.parent / "ssh")))
    for target in (AARCH64, X86_64):
        monkeypatch.setenv("ARCH", target.name)
        pack.pack(root)
    assert {*X86.summed, *Names(AARCH64).summed} <= _summed(root)
    for name in (X86.provenance, Names(AARCH64).provenance):
        assert changed not in (root / name).read_text()


def test_nothing_is_packed_twice_and_the_same_bytes_after_it_was_lost(root: Path) -> None:
    pack.pack(root)
    assert not pack.pack(root)
    before = {name: (root / name).read_bytes() for name in X86.results}
    (root / X86.flat).unlink()
    assert pack.pack(root)
    assert {name: (root / name).read_bytes() for name in X86.results} == before


UNSIGNED = [verify.CHECKSUMS, *sorted({*X86.results} - {verify.CHECKSUMS})]
ADDED = (*X86.of_key, verify.SIGNATURE)


@pytest.mark.parametrize("content", ["", "nothing", "more", None])
@pytest.mark.parametrize("name", UNSIGNED)
def test_a_release_is_up_to_date_only_if_each_file_is_as_it_was_written(
    root: Path, name: str, content: str | None
) -> None:
    pack.pack(root)
    before = {one: (root / one).read_bytes() for one in X86.results}
    damage(root / name, content)
    assert pack.pack(root)
    assert {one: (root / one).read_bytes() for one in X86.results} == before
    assert not pack.pack(root)


def damage(path: Path, content: str | None) -> None:
    """Write another content into a file, or more of it; None deletes it."""
    if content is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + b"more" if content == "more" else content.encode())


# ssh-keygen leaves out what is behind a signature.
OF_A_KEY = [
    (name, content)
    for name in (verify.CHECKSUMS, *ADDED)
    for content in ("nothing", "more", None)
    if (name, content) != (verify.SIGNATURE, "more")
]


@pytest.mark.parametrize("damaged", OF_A_KEY)
def test_a_signed_release_is_up_to_date_only_with_all_that_its_key_added(
    root: Path,
    key: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    damaged: tuple[str, str | None],
) -> None:
    name, content = damaged
    monkeypatch.setenv("SIGN", str(ssh_key(key.parent / "ssh")))
    pack.pack(root)
    monkeypatch.delenv("SIGN")
    assert not pack.pack(root)
    capsys.readouterr()
    damage(root / name, content)
    assert pack.pack(root)
    assert re.search(f"{name!r} (is|was) .*; the release for x86_64 is", capsys.readouterr().out)
    assert {path.name for path in root.iterdir() if path.is_file()} == {*X86.results}
    assert not pack.pack(root)


@pytest.mark.parametrize("name", ADDED)
def test_a_release_without_a_signature_is_not_up_to_date_beside_one_of_another(
    root: Path, name: str
) -> None:
    pack.pack(root)
    (root / name).write_text("of another release")
    assert pack.pack(root)
    assert not (root / name).exists()


def test_a_release_is_not_up_to_date_if_the_other_architecture_was_changed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack.pack(root)
    monkeypatch.setenv("ARCH", AARCH64.name)
    pack.pack(root)
    assert not pack.pack(root)
    (root / X86.iso).write_text("changed")
    assert pack.pack(root)
    assert _summed(root) == {*Names(AARCH64).summed}


def test_what_make_verify_would_refuse_for_its_size_is_not_packed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack.pack(root)
    size = max((root / name).stat().st_size for name in X86.results)
    (root / X86.flat).unlink()
    monkeypatch.setattr(verify, "FILE_BYTES", size)
    assert pack.pack(root)
    assert not pack.pack(root)
    (root / X86.flat).unlink()
    monkeypatch.setattr(verify, "FILE_BYTES", size - 1)
    with pytest.raises(ReportedError, match=r"packing failed: '.*' is too large"):
        pack.pack(root)


@pytest.mark.parametrize("name", sorted(BOTH))
def test_what_make_reproduce_would_refuse_for_its_size_is_not_packed(
    root: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with (root / "out" / name).open("wb") as file:
        file.truncate(published.MOST_BYTES + 1)
    monkeypatch.setattr(pack, "_key", lambda *_: "key")  # not of so many bytes
    with pytest.raises(ReportedError, match=f"packing failed: .*{name} is too large"):
        pack.pack(root)
    assert [path for path in root.iterdir() if path.is_file()] == []


def test_a_manifest_that_make_reproduce_would_refuse_is_not_packed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "MOST_ENTRIES", 0)
    with pytest.raises(ReportedError, match="packing failed: `make reproduce` would refuse"):
        pack.pack(root)
    assert not (root / verify.CHECKSUMS).exists()


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


def ssh_key(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


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
