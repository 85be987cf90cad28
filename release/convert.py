"""`python -m release.convert TAR FOLDER`: LinuxKit's tar -> kernel and initramfs (ARCH=name).

The initramfs is two newc cpio archives, one after the other. The first, compressed with gzip, has
the files that mount the root: /init, busybox, a script and two kernel modules. The second, not
compressed, has /root.size, the squashfs's size in bytes, and /root.squashfs. So a truncated
download still starts, and /init reports it (docs/adr/0002).
"""

import argparse
import os
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from release import arch, bundles
from release.arch import Architecture
from release.cache import locked
from release.errors import ReportedError, reported_errors
from release.packers import Packers, packers_of_the_base
from release.process import read_from, run, written_to
from release.progress import Progress
from release.roottar import KERNEL, RootTar, describe
from release.version import source_date_epoch

# Path inside the initramfs -> pattern of its path in LinuxKit's tar.
BOOTSTRAP = {
    "init": "usr/lib/tinkie/initramfs/init",
    "bin/busybox": "usr/bin/busybox",
    "stdout-port": "usr/lib/tinkie/stdout-port",
    "modules/loop.ko": "usr/lib/modules/*/kernel/drivers/block/loop.ko",
    "modules/squashfs.ko": "usr/lib/modules/*/kernel/fs/squashfs/squashfs.ko",
}
MOUNT_POINTS = ("dev", "proc", "sys", "root")
ROOT_FILES = ("root.size", "root.squashfs")
FIRMWARE = "/lib/firmware/"
PADDING = 512  # bytes; the kernel needs 4
LOCK = ".lock"  # in the folder
LEVELS = {"quick": 1, "release": 22}  # of zstd


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder, which is created: one program at a time writes its files, or packs them."""
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / LOCK):
        yield


def stamp(folder: Path, target: Architecture) -> Path:
    """Return the path of the digest of what a folder's files were built from (release.assemble)."""
    return folder / f"inputs-{target.name}"


def convert(
    tar: Path,
    kernel: Path,
    initramfs: Path,
    *,
    target: Architecture,
    packers: Packers,
    level: str,
    epoch: int,
) -> None:
    """Write kernel and initramfs from LinuxKit's tar.

    level is a key of LEVELS, epoch the time of every file in seconds since 1970.
    Raises ReportedError.
    """
    with RootTar(tar) as root, tempfile.TemporaryDirectory(dir=initramfs.parent) as folder:
        _check_programs(root, target)
        bundles.finish(root, target)
        tree = Path(folder) / "initramfs"
        _bootstrap(root, tree)
        squashfs = tree / "root.squashfs"
        _squash(root, squashfs, packers, LEVELS[level], epoch)
        (tree / "root.size").write_text(f"{squashfs.stat().st_size}\n")
        archive = Path(folder) / "initramfs.cpio"
        with ThreadPoolExecutor(max_workers=1) as beside:
            archived = beside.submit(_archive, tree, archive, packers, epoch)
            _verify(root, squashfs)
            archived.result()
        _verify_archive(archive, squashfs)
        archive.rename(initramfs)
        kernel.write_bytes(root.read(KERNEL))


def _check_programs(root: RootTar, target: Architecture) -> None:
    """Raise ReportedError if the root has a program of another architecture than target.

    It would fail on the machine only: "Exec format error". What is for neither, as a boot loader of
    BIOS or a BPF program, and firmware are not for the machine's processor.
    """
    others = {one.elf for one in arch.ALL if one != target}
    wrong = sorted(
        path
        for path, machine in root.programs()
        if machine in others and FIRMWARE not in f"/{path}"
    )
    if wrong:
        raise ReportedError(
            f"{len(wrong)} programs are not for {target.name}, first {wrong[0]}: "
            "the images must be of one architecture"
        )


def _bootstrap(root: RootTar, tree: Path) -> None:
    for name in MOUNT_POINTS:
        (tree / name).mkdir(parents=True)
    for name, source in BOOTSTRAP.items():
        file = tree / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(root.read(root.find(source)))
        file.chmod(0o755)


def _squash(root: RootTar, squashfs: Path, packers: Packers, level: int, epoch: int) -> None:
    command = [*packers.command("mksquashfs"), "-", squashfs, "-tar"]
    command += ["-quiet", "-no-progress", "-noappend"]
    command += ["-comp", "zstd", "-Xcompression-level", str(level), "-b", "256K"]
    # The tar has no entry for the root itself: its mode and time are set here.
    command += ["-mkfs-time", str(epoch), "-all-time", str(epoch), "-root-mode", "0755"]
    with written_to("compressing the root file system", command) as pipe:
        root.write(pipe, epoch)


def _archive(tree: Path, archive: Path, packers: Packers, epoch: int) -> None:
    paths = (path for path in tree.rglob("*") if path.name not in ROOT_FILES)
    names = (".", *sorted(str(path.relative_to(tree)) for path in paths))
    for name in (*names, *ROOT_FILES):
        # The files of BOOTSTRAP are executable; no mode depends on the umask.
        (tree / name).chmod(0o644 if name in ROOT_FILES else 0o755)
        os.utime(tree / name, (epoch, epoch))
    first = archive.with_suffix(".first")
    with first.open("wb") as out:
        _cpio(tree, packers, names, out)
    # No name and no time of the file are in the result.
    with first.open("rb") as file:
        command = [*packers.command("gzip"), "--no-name", "-9"]
        compressed = run("compressing the start", command, stdin=file, seconds=None).stdout
    with archive.open("wb") as out:
        out.write(compressed + bytes(-len(compressed) % PADDING))
        out.flush()  # cpio writes to the same file
        _cpio(tree, packers, ROOT_FILES, out)


def _cpio(tree: Path, packers: Packers, names: tuple[str, ...], out: IO[bytes]) -> None:
    command = [*packers.command("cpio"), "--create", "--format=newc"]
    command += ["--reproducible", "--owner=+0:+0", "--quiet"]
    listing = "\n".join(names)
    run("writing the initramfs", command, cwd=tree, stdin=listing, stdout=out, seconds=None)


def split(initramfs: Path) -> tuple[bytes, int]:
    """Return the first archive, decompressed, and where the second one begins."""
    with initramfs.open("rb") as file:
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # of gzip
        first = b""
        while not stream.eof and (block := file.read(1 << 20)):
            first += stream.decompress(block)
        end = file.tell() - len(stream.unused_data)
    return first, end + -end % PADDING


def _verify(root: RootTar, squashfs: Path) -> None:
    """Compare content, owner and mode of every path in the squashfs with the root."""
    with ThreadPoolExecutor(max_workers=1) as beside:
        digests = beside.submit(dict, root.digests())
        found = _read_back(squashfs)
    expected = digests.result()
    paths = expected.keys() | found.keys()
    wrong = sorted(path for path in paths if expected.get(path) != found.get(path))
    if wrong:
        message = f"{squashfs.name}: {len(wrong)} paths differ from the root that was to be written"
        raise ReportedError(f"{message}, first {wrong[0]}")


def _verify_archive(archive: Path, squashfs: Path) -> None:
    """Compare the squashfs in the archive with the file."""
    _, second = split(archive)
    command = ["cpio", "--extract", "--to-stdout", "--quiet", squashfs.name]
    with archive.open("rb") as file, squashfs.open("rb") as expected:
        os.lseek(file.fileno(), second, os.SEEK_SET)
        with read_from("reading the initramfs back", command, stdin=file) as found:
            same = _same(found, expected)
    if not same:
        raise ReportedError(f"{archive.name}: its {squashfs.name} is not the one that was written")


def _same(one: IO[bytes], other: IO[bytes]) -> bool:
    while block := one.read(1 << 20):
        if block != other.read(len(block)):
            return False
    return not other.read(1)


def _read_back(squashfs: Path) -> dict[str, str]:
    """Return the description of each path; sqfs2tar shares no code with mksquashfs."""
    found: dict[str, str] = {}
    with (
        read_from("reading the squashfs back", ["sqfs2tar", str(squashfs)]) as pipe,
        tarfile.open(fileobj=pipe, mode="r|") as tar,
    ):
        for entry in tar:
            linked = found.get(entry.linkname.strip("/")) if entry.islnk() else None
            found[entry.name.strip("/")] = linked or describe(tar.extractfile, entry)
    return found


def _convert_into(folder: Path, tar: Path, level: str) -> None:
    target, epoch = arch.wanted(), source_date_epoch()
    files = (folder / target.kernel, folder / target.initramfs)
    with held(folder):
        packers = packers_of_the_base()
        stamp(folder, target).unlink(missing_ok=True)  # its files will not be of these sources
        with Progress().step(f"initramfs (level: {level})"):
            convert(tar, *files, target=target, packers=packers, level=level, epoch=epoch)


def main() -> None:
    """Run this module's command line."""
    parser = argparse.ArgumentParser(prog="release.convert", description=__doc__)
    parser.add_argument("tar", type=Path, help="the result of linuxkit build --format tar")
    parser.add_argument("folder", type=Path, help="gets the two files")
    parser.add_argument("--level", choices=LEVELS, default="release")
    arguments = parser.parse_args()
    with reported_errors():
        _convert_into(arguments.folder, arguments.tar, arguments.level)


if __name__ == "__main__":
    main()
