"""make-kernel-tar, with Debian packages of the test: what goes into the OS, and what beside it."""

from __future__ import annotations

import hashlib
import lzma
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.fakes.broken_program import BrokenProgram, all_calls_matter

SCRIPT = Path(__file__).parent / "make-kernel-tar"
RELEASE = "6.1.0-1-amd64"
MODULES = f"usr/lib/modules/{RELEASE}"
# kmod's: what depends on what is in the test's modules, in a line `depends: PATH...`.
DEPMOD = """#!/bin/bash
set -euo pipefail
base=$2/lib/modules/$3
cd "$base" && find kernel -name '*.ko*' | sort | while read -r module; do
    case $module in
    *.xz) text=$(xz -dc "$module") ;;
    *) text=$(cat "$module") ;;
    esac
    needed=$(sed -n 's/^depends: //p' <<< "$text")
    echo "$module: $needed"
done >modules.dep
"""
MODINFO = """#!/bin/bash
set -euo pipefail
shift 2
for module; do
    case $module in
    *.xz) xz -dc "$module" | sed -n 's/^firmware: //p' ;;
    *) sed -n 's/^firmware: //p' "$module" ;;
    esac
done
"""
CONTROL = """\
Package: {name}
Version: 1.0
Architecture: all
Maintainer: x <x@example.com>
Built-Using: gcc-12 (= 12.2), binutils (= 2.40)
Description: x
"""
FILES = {
    f"boot/vmlinuz-{RELEASE}": "the kernel",
    f"{MODULES}/modules.builtin": "kernel/lib/builtin.ko\n",
    f"{MODULES}/modules.builtin.modinfo": "x",
    f"{MODULES}/modules.order": "kernel/net/a.ko.xz\nkernel/net/b.ko.xz\nkernel/sound/c.ko.xz\n",
    f"{MODULES}/kernel/block/loop.ko.xz": "depends: kernel/lib/d.ko.xz\n~sig",
    f"{MODULES}/kernel/lib/d.ko.xz": (
        "firmware: bnx2x/e1-7.13.21.fw\nfirmware: bnx2x/e1-7.13.15.fw\n"
    ),
    f"{MODULES}/kernel/net/a.ko.xz": (
        "depends: kernel/lib/b.ko.xz\nfirmware: a/*.bin\nfirmware: none.bin\n~sig"
    ),
    f"{MODULES}/kernel/lib/b.ko.xz": "firmware: b.bin\n",
    f"{MODULES}/kernel/sound/c.ko.xz": "firmware: c.bin\n",
    f"usr/lib/linux-image-{RELEASE}/maker/board.dtb": "device tree",
    "usr/lib/firmware/a/1.bin": "a1",
    "usr/lib/firmware/a/2.bin": "a2",
    "usr/lib/firmware/b-2.0.bin": "b",
    "usr/lib/firmware/c.bin": "c",
    "usr/lib/firmware/bnx2x/e1-7.13.21.fw": "new",
    "usr/lib/firmware/bnx2x/e1-7.13.15.fw": "old",
    "usr/share/doc/linux/copyright": "GPL",
}


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder as the image's build has it when the script runs."""
    root = tmp_path / "root"
    for name, text in FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(lzma.compress(text.encode()) if name.endswith(".xz") else text.encode())
    (root / "usr/lib/firmware/b.bin").symlink_to("b-2.0.bin")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {"depmod": DEPMOD, "modinfo": MODINFO}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    control = tmp_path / "package/DEBIAN/control"
    control.parent.mkdir(parents=True)
    control.write_text(CONTROL.format(name="linux-image"))
    subprocess.run(["dpkg-deb", "--build", "package", "x.deb"], cwd=tmp_path, check=True)
    (tmp_path / "modules.list").write_text("+ net/\n= block/loop\n")
    return tmp_path


def make(folder: Path, *first: Path) -> int:
    """Run the script there, with other programs before all others; return its status."""
    path = ":".join(map(str, (*first, folder / "bin", os.environ["PATH"])))
    return subprocess.run(
        [SCRIPT, "root", "modules.list", folder / "out"],
        cwd=folder,
        env=os.environ | {"PATH": path},
        check=False,
    ).returncode


@pytest.fixture
def out(packages: Path) -> Path:
    assert make(packages) == 0
    return packages / "out"


@pytest.fixture
def packed(out: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(out / "kernel.tar") as tar:
        return {member.name: member for member in tar}


def content(out: Path, name: str) -> bytes:
    with tarfile.open(out / "kernel.tar") as tar:
        file = tar.extractfile(name)
        assert file
        return file.read()


def text(out: Path, name: str) -> str:
    return content(out, name).decode()


def test_chosen_modules_and_their_dependencies_are_in_it(
    out: Path, packed: dict[str, tarfile.TarInfo]
) -> None:
    modules = {name.removeprefix(f"{MODULES}/") for name in packed if ".ko" in name}
    compressed = {"kernel/net/a.ko.xz", "kernel/lib/b.ko.xz"}
    assert modules == compressed | {"kernel/block/loop.ko", "kernel/lib/d.ko"}
    module = "kernel/net/a.ko.xz"
    assert lzma.decompress(content(out, f"{MODULES}/{module}")).endswith(b"~sig")
    assert text(out, f"{MODULES}/kernel/block/loop.ko").endswith("~sig")


def test_indexes_name_the_modules_as_they_are_now(out: Path) -> None:
    assert ".xz" not in text(out, f"{MODULES}/modules.order")
    assert "kernel/net/a.ko.xz: " in text(out, f"{MODULES}/modules.dep")
    assert "kernel/block/loop.ko: " in text(out, f"{MODULES}/modules.dep")
    assert text(out, f"{MODULES}/modules.builtin") == "kernel/lib/builtin.ko\n"


def test_firmware_of_these_modules_is_in_it_as_the_kernel_reads_it(
    out: Path, packed: dict[str, tarfile.TarInfo]
) -> None:
    folder = "usr/lib/firmware"
    firmware = {name.removeprefix(f"{folder}/") for name in packed if packed[name].isfile()}
    firmware -= {name for name in firmware if name.startswith("usr/")}
    assert firmware == {"a/1.bin.xz", "a/2.bin.xz", "b.bin.xz", "bnx2x/e1-7.13.21.fw.xz"}
    file = content(out, f"{folder}/b.bin.xz")
    assert lzma.decompress(file) == b"b"
    crc32, dictionary = 1, 22  # by the format: the check that the kernel knows, and 4 MiB
    assert file[7] == crc32
    assert file[16] == (dictionary - 12) * 2


def test_all_of_it_is_below_usr_and_depends_on_no_builder(
    packed: dict[str, tarfile.TarInfo],
) -> None:
    for name, member in packed.items():
        assert name == "usr" or name.startswith("usr/")
        assert (member.uid, member.gid, member.mtime) == (0, 0, 0)
    assert list(packed) == sorted(packed, key=lambda name: name.split("/"))


def test_device_trees_are_beside_it(out: Path) -> None:
    with tarfile.open(out / "dtbs.tar.gz") as tar:
        found = {member.name: member for member in tar}
        board = tar.extractfile(f"dtbs-{RELEASE}/maker/board.dtb")
        assert board
        assert board.read() == b"device tree"
    assert {(one.uid, one.gid, one.mtime) for one in found.values()} == {(0, 0, 0)}
    assert all(name.split("/")[0] == f"dtbs-{RELEASE}" for name in found)


def test_kernel_and_the_traces_of_packages_are_beside_it(out: Path, tmp_path: Path) -> None:
    assert (out / "kernel").read_text() == "the kernel"
    traces = out / "usr/share/tinkie"
    total = hashlib.sha256((tmp_path / "x.deb").read_bytes()).hexdigest()
    assert (traces / "packages").read_text() == f"linux-image 1.0 linux-image 1.0 all {total}\n"
    assert (traces / "linked").read_text() == "binutils 2.40\ngcc-12 12.2\n"
    assert (out / "usr/share/doc/linux/copyright").read_text() == "GPL"


@pytest.mark.parametrize(
    "program",
    [
        *("awk", "basename", "cp", "depmod", "dirname", "dpkg-deb", "find", "gzip", "install"),
        *("mkdir", "mktemp", "modinfo", "sed", "sha256sum", "sort", "tar", "tr", "unxz", "xargs"),
        "xz",
    ],
)
def test_program_that_fails_once_makes_it_fail(program: str, packages: Path) -> None:
    broken = BrokenProgram(packages / "broken", program, packages / "bin")
    assert all_calls_matter(broken, lambda call: make(packages, broken.at(call)))
