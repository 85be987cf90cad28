"""LinuxKit's tar becomes a kernel and an initramfs: with the real mksquashfs, sqfs2tar and cpio."""

import io
import json
import os
import subprocess
import tarfile
import zlib
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from release import bundles, convert
from release.arch import ALL, X86_64, Architecture
from release.errors import ReportedError
from release.roottar import RootTar
from tests.fakes.packers import HOST, HostPackers

EPOCH = 1_700_000_000
FILES = {
    "boot/kernel": b"the kernel",
    "boot/cmdline": b"console=ttyS0",
    "usr/bin/busybox": b"busybox",
    "usr/lib/tinkie/initramfs/init": b"#!/bin/busybox sh\n",
    "usr/lib/tinkie/stdout-port": b"#!/bin/sh\n",
    "usr/lib/modules/6.12/kernel/drivers/block/loop.ko": b"loop",
    "usr/lib/modules/6.12/kernel/fs/squashfs/squashfs.ko": b"squashfs",
    "usr/lib/tinkie/seccomp/docker.json": b'{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": []}',
    "containers/services/x/config.json": b"""
        {"root": {"path": "rootfs"}, "process": {"user": {"uid": 5, "gid": 6}}}
    """,
    "containers/services/x/runtime.json": b'{"mkdir": ["/run/x"]}',
    "etc/hosts": b"from the image\n",
}


def _add(tar: tarfile.TarFile, name: str, data: bytes = b"", **fields: object) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    entry.pax_headers = {"LINUXKIT.source": "somewhere"}
    for field, value in fields.items():
        setattr(entry, field, value)
    tar.addfile(entry, io.BytesIO(data))


@pytest.fixture
def linuxkit_tar(tmp_path: Path) -> Path:
    """A tar as LinuxKit writes it: pax headers, a path twice, a link before what it links to."""
    path = tmp_path / "linuxkit.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for folder in sorted({str(parent) for name in FILES for parent in Path(name).parents}):
            _add(tar, f"{folder}/", type=tarfile.DIRTYPE, mode=0o755)
        _add(tar, "etc/a-link", type=tarfile.LNKTYPE, linkname="etc/hosts")
        _add(tar, "bin", type=tarfile.SYMTYPE, linkname="usr/bin")
        for name, data in FILES.items():
            _add(tar, name, data, mtime=12345, uid=7)
        _add(tar, "etc/hosts", b"from the yml\n")
    return path


def _convert(tar: Path, folder: Path) -> Path:
    folder.mkdir()
    files = (folder / "vmlinuz", folder / "initramfs")
    convert.convert(tar, *files, target=X86_64, packers=HOST, level="quick", epoch=EPOCH)
    return folder / "initramfs"


def _extract(initramfs: Path, folder: Path) -> Path:
    folder.mkdir()
    for archive in _archives(initramfs):
        subprocess.run(["cpio", "--extract", "--quiet"], cwd=folder, input=archive, check=True)
    return folder


def _archives(initramfs: Path) -> tuple[bytes, bytes]:
    """Return both archives, the first decompressed, as the kernel finds them."""
    stream = zlib.decompressobj(wbits=31)
    first = stream.decompress(initramfs.read_bytes())
    second = stream.unused_data.lstrip(b"\0")
    assert (initramfs.stat().st_size - len(second)) % 4 == 0  # else the kernel refuses it
    return first, second


def test_the_initramfs_holds_what_mounts_the_root_and_the_root_last(
    linuxkit_tar: Path, tmp_path: Path
) -> None:
    initramfs = _convert(linuxkit_tar, tmp_path / "out")
    tree = _extract(initramfs, tmp_path / "tree")
    assert (tree / "init").read_bytes() == FILES["usr/lib/tinkie/initramfs/init"]
    assert (tree / "init").stat().st_mode & 0o111
    assert int((tree / "root.size").read_text()) == (tree / "root.squashfs").stat().st_size
    names = [
        subprocess.check_output(["cpio", "--list", "--quiet"], input=archive).split()
        for archive in _archives(initramfs)
    ]
    assert b"init" in names[0]
    assert names[1] == [b"root.size", b"root.squashfs"]
    assert (tmp_path / "out" / "vmlinuz").read_bytes() == FILES["boot/kernel"]


def test_the_later_of_two_entries_wins_and_the_kernel_is_not_in_the_root(
    linuxkit_tar: Path, tmp_path: Path
) -> None:
    tree = _extract(_convert(linuxkit_tar, tmp_path / "out"), tmp_path / "tree")
    files = subprocess.check_output(["unsquashfs", "-cat", tree / "root.squashfs", "etc/hosts"])
    assert files == b"from the yml\n"
    listing = subprocess.check_output(["unsquashfs", "-ls", tree / "root.squashfs"], text=True)
    assert "/etc/a-link" in listing
    assert "/boot" not in listing


def test_files_that_are_the_same_are_one(tmp_path: Path) -> None:
    """Memory then holds what is used of them once."""
    tar = tmp_path / "linuxkit.tar"
    with tarfile.open(tar, "w", format=tarfile.PAX_FORMAT) as linuxkit:
        folders = {str(parent) for name in FILES for parent in Path(name).parents}
        for folder in sorted({"one", "two", "three", *folders}):
            _add(linuxkit, f"{folder}/", type=tarfile.DIRTYPE, mode=0o755)
        for name, data in FILES.items():
            _add(linuxkit, name, data)
        _add(linuxkit, "one/python", b"python")
        _add(linuxkit, "three/python", b"python", mode=0o755)
        _add(linuxkit, "two/python", b"python")
        _add(linuxkit, "two/pythom", b"pythom")
        _add(linuxkit, "two/python3", type=tarfile.LNKTYPE, linkname="two/python")
        _add(linuxkit, "one/empty")
        _add(linuxkit, "two/empty")
    tree = _extract(_convert(tar, tmp_path / "out"), tmp_path / "tree")
    read = subprocess.check_output(["sqfs2tar", tree / "root.squashfs"])
    with tarfile.open(fileobj=io.BytesIO(read)) as root:
        links = {entry.name: entry.linkname for entry in root if entry.islnk()}
    assert links == {"two/python": "one/python", "two/python3": "one/python"}


def test_the_same_inputs_give_the_same_bytes(linuxkit_tar: Path, tmp_path: Path) -> None:
    one = _convert(linuxkit_tar, tmp_path / "one").read_bytes()
    umask = os.umask(0o027)
    try:
        assert one == _convert(linuxkit_tar, tmp_path / "two").read_bytes()
    finally:
        os.umask(umask)


def test_no_variable_of_the_host_changes_the_bytes(
    linuxkit_tar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = _convert(linuxkit_tar, tmp_path / "one").read_bytes()
    monkeypatch.setenv("GZIP", "--rsyncable")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert one == _convert(linuxkit_tar, tmp_path / "two").read_bytes()


def test_the_root_is_of_the_commits_time_and_written_by_nobody_else(
    linuxkit_tar: Path, tmp_path: Path
) -> None:
    tree = _extract(_convert(linuxkit_tar, tmp_path / "out"), tmp_path / "tree")
    command = ["unsquashfs", "-UTC", "-lln", "-dest", "root", str(tree / "root.squashfs")]
    listing = subprocess.check_output(command, text=True)
    root = next(line for line in listing.splitlines() if line.endswith(" root"))
    assert root.startswith("drwxr-xr-x 0/0 ")
    assert "2023-11-14 22:13" in root  # EPOCH


def _elf(machine: int) -> bytes:
    """Return the head of a program for a processor (elf(5))."""
    return b"\x7fELF\x02\x01\x01" + bytes(11) + machine.to_bytes(2, "little") + bytes(44)


@pytest.mark.parametrize("target", ALL)
def test_a_program_of_another_architecture_is_refused_by_name(
    linuxkit_tar: Path, tmp_path: Path, target: Architecture
) -> None:
    (wrong,) = (one for one in ALL if one != target)
    with tarfile.open(linuxkit_tar, "a") as tar:
        for one in ALL:
            _add(tar, f"usr/bin/for-{one.name}", _elf(one.elf))
        _add(tar, "usr/bin/script", b"#!/bin/sh\n")
        # Of the NIC's own processor, of a boot loader, of the kernel's machine.
        for name, machine in (("nic", 24576), ("grub.mod", 3), ("x.bpf.o", 247)):
            _add(tar, f"usr/lib/{name}", _elf(machine))
        _add(tar, f"containers/services/x/rootfs/usr/lib/firmware/{wrong.name}", _elf(wrong.elf))
    files = (tmp_path / target.kernel, tmp_path / target.initramfs)
    message = f"1 programs are not for {target.name}, first usr/bin/for-{wrong.name}: "
    with pytest.raises(ReportedError, match=message):
        convert.convert(
            linuxkit_tar, *files, target=target, packers=HOST, level="quick", epoch=EPOCH
        )
    assert not any(path.exists() for path in files)


def test_what_was_written_is_compared_with_what_was_meant(
    linuxkit_tar: Path, tmp_path: Path
) -> None:
    initramfs = _convert(linuxkit_tar, tmp_path / "out")
    with tarfile.open(linuxkit_tar, "a") as tar:
        _add(tar, "etc/hosts", b"changed since\n")
    squashfs = _extract(initramfs, tmp_path / "tree") / "root.squashfs"
    _fails_to_verify(linuxkit_tar, squashfs, path="etc/a-link")


def _fails_to_verify(tar: Path, squashfs: Path, *, path: str) -> None:
    with RootTar(tar) as root:
        bundles.finish(root, X86_64)
        with pytest.raises(ReportedError, match=f"first {path}"):
            convert._verify(root, squashfs)


@pytest.mark.parametrize(
    ("program", "does", "message"),
    [
        ("mksquashfs", 'mksquashfs "$@" -all-root', "paths differ from the root"),
        ("cpio", 'cpio "$@" | tr q r', "is not the one that was written"),
    ],
)
def test_files_that_are_not_what_was_meant_are_not_kept(
    linuxkit_tar: Path, tmp_path: Path, program: str, does: str, message: str
) -> None:
    class Faulty(HostPackers):
        def command(self, name: str) -> list[Path | str]:
            start = super().command(name)
            return [*start[:-1], "sh", "-c", does, "sh"] if name == program else start

    files = (tmp_path / "vmlinuz", tmp_path / "initramfs")
    faulty = Faulty(Path("/"))
    with pytest.raises(ReportedError, match=message):
        convert.convert(
            linuxkit_tar, *files, target=X86_64, packers=faulty, level="quick", epoch=EPOCH
        )
    assert not any(path.exists() for path in files)


def test_a_file_that_was_replaced_is_described_anew(linuxkit_tar: Path) -> None:
    with RootTar(linuxkit_tar) as root:
        before = dict(root.digests())
        root.put("etc/hosts", b"new\n")
        after = dict(root.digests())
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {"etc/hosts", "etc/a-link"}


@pytest.mark.parametrize("change", [lambda old: old[:-1], lambda old: old + b"x", bytes.upper])
def test_the_archive_has_to_hold_the_squashfs_that_was_compared(
    linuxkit_tar: Path, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    initramfs = _convert(linuxkit_tar, tmp_path / "out")
    squashfs = _extract(initramfs, tmp_path / "tree") / "root.squashfs"
    convert._verify_archive(initramfs, squashfs)
    squashfs.write_bytes(change(squashfs.read_bytes()))
    with pytest.raises(ReportedError, match="is not the one that was written"):
        convert._verify_archive(initramfs, squashfs)


def test_owners_and_modes_are_compared_as_well(linuxkit_tar: Path, tmp_path: Path) -> None:
    initramfs = _convert(linuxkit_tar, tmp_path / "out")
    squashfs = _extract(initramfs, tmp_path / "tree") / "root.squashfs"
    busybox = FILES["usr/bin/busybox"]
    for number, fields in enumerate(({"uid": 7, "mode": 0o4755}, {"uid": 8, "mode": 0o644})):
        changed = tmp_path / f"changed{number}.tar"
        changed.write_bytes(linuxkit_tar.read_bytes())
        with tarfile.open(changed, "a") as tar:
            _add(tar, "usr/bin/busybox", busybox, **fields)
        _fails_to_verify(changed, squashfs, path="usr/bin/busybox")


def test_the_root_has_runnable_bundles(linuxkit_tar: Path, tmp_path: Path) -> None:
    tree = _extract(_convert(linuxkit_tar, tmp_path / "out"), tmp_path / "tree")
    squashfs = tree / "root.squashfs"
    cat = ["unsquashfs", "-cat", str(squashfs)]
    made = subprocess.check_output([*cat, "containers/services/x/config.json"])
    assert json.loads(made)["root"] == {"path": "/containers/services/x/rootfs"}
    assert b"mkdir -p /run/x\n" in subprocess.check_output([*cat, bundles.SCRIPT])
    listing = subprocess.check_output(["unsquashfs", "-ls", squashfs], text=True)
    assert "runtime.json" not in listing
    assert "seccomp" not in listing


def test_a_tar_without_a_module_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "linuxkit.tar"
    with tarfile.open(path, "w") as tar:
        for name, data in FILES.items():
            if "loop" not in name:
                _add(tar, name, data)
    with pytest.raises(ReportedError, match=r"block/loop\.ko"):
        _convert(path, tmp_path / "out")


@pytest.mark.parametrize("broken", [None, b""])
def test_what_another_tar_gave_is_not_taken_for_a_build_of_the_sources(
    linuxkit_tar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: bytes | None
) -> None:
    stamp = convert.stamp(tmp_path, X86_64)
    stamp.write_text("of an earlier build")
    monkeypatch.setenv("ARCH", X86_64.name)
    monkeypatch.setattr(convert, "packers_of_the_base", lambda: HOST)
    monkeypatch.setattr("sys.argv", ["convert", "--level=quick", str(linuxkit_tar), str(tmp_path)])
    if broken is not None:
        linuxkit_tar.write_bytes(broken)
    with nullcontext() if broken is None else pytest.raises(SystemExit):
        convert.main()
    assert not stamp.exists()
    assert (tmp_path / X86_64.initramfs).exists() == (broken is None)
