"""A release is of what lies in out/, also after it was interrupted."""

import hashlib
import tarfile
from pathlib import Path

import pytest

from release import assemble, manifest, pack

NAMES = ("TARBALL", "LICENCES", "MANIFEST", "CHECKSUMS")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a kernel and an initramfs that need no building, and a release of an older."""
    monkeypatch.setattr(pack, "OUT", tmp_path)
    for module in (pack, manifest):
        monkeypatch.setattr(module, "KERNEL", tmp_path / "vmlinuz-x86_64")
        monkeypatch.setattr(module, "INITRAMFS", tmp_path / "initramfs-x86_64")
    for name in NAMES:
        monkeypatch.setattr(pack, name, tmp_path / name)
        (tmp_path / name).write_bytes(b"of an older commit")
    (tmp_path / "vmlinuz-x86_64").write_bytes(b"kernel")
    (tmp_path / "initramfs-x86_64").write_bytes(b"initramfs")
    monkeypatch.setattr(assemble, "assemble", lambda _level: False)
    monkeypatch.setattr(pack, "_contents", manifest.Contents)
    return tmp_path


def test_a_release_holds_what_lies_in_out_and_its_checksums_are_true(project: Path) -> None:
    assert pack.pack()
    with tarfile.open(project / "TARBALL") as tar:
        assert tar.getnames() == ["initramfs-x86_64", "vmlinuz-x86_64"]
        kernel = tar.extractfile("vmlinuz-x86_64")
        assert kernel
        assert kernel.read() == b"kernel"
    lines = [line.split("  ") for line in (project / "CHECKSUMS").read_text().splitlines()]
    assert [name for _, name in lines] == ["TARBALL", "LICENCES", "MANIFEST"]
    for digest, name in lines:
        assert hashlib.sha512((project / name).read_bytes()).hexdigest() == digest


def test_nothing_is_packed_twice_and_the_same_bytes_after_it_was_lost(project: Path) -> None:
    pack.pack()
    assert not pack.pack()
    before = (project / "TARBALL").read_bytes()
    (project / "TARBALL").unlink()
    assert pack.pack()
    assert (project / "TARBALL").read_bytes() == before


def test_a_release_that_was_interrupted_is_no_release(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> manifest.Contents:
        raise KeyboardInterrupt

    pack.pack()
    (project / "initramfs-x86_64").write_bytes(b"newer")
    with monkeypatch.context() as patch:
        patch.setattr(pack, "_contents", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pack.pack()
    assert pack.pack()
    with tarfile.open(project / "TARBALL") as tar:
        initramfs = tar.extractfile("initramfs-x86_64")
        assert initramfs
        assert initramfs.read() == b"newer"
