"""Disks of virtual machines, and the small system that the workflow installs.

The system is the kernel of the artifacts with an initramfs that only prints MARKER. Its image is a
whole disk: partition table, FAT file system, syslinux.
"""

import gzip
import shutil
from pathlib import Path

from release.process import run
from sandbox.images import BUSYBOX

MARKER = "TINKIE-SANDBOX: the installed disk has started"
MIB = 1024 * 1024
PARTITION_OFFSET = MIB
SPACE_FOR_FILES = 8 * MIB  # boot loader, initramfs, file system
BOOT_CODE_BYTES = 440  # up to the partition table
MBR = Path("/usr/lib/syslinux/mbr/mbr.bin")
LAYOUT = "label: dos\nstart=2048, type=c, bootable\n"
SYSLINUX = """DEFAULT installed
LABEL installed
  KERNEL /vmlinuz
  INITRD /initrd
  APPEND console=ttyS0 quiet
"""
INIT = f"""#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
echo "{MARKER}" >/dev/ttyS0
exec /bin/busybox sleep 2147483647
"""


def empty_disk(path: Path, size_mib: int) -> Path:
    """Create (or empty) a sparse disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as disk:
        disk.truncate(size_mib * MIB)
    return path


def fill(path: Path) -> None:
    """Write data into the first and the last MiB, as on a used disk."""
    size = path.stat().st_size
    with path.open("r+b") as disk:
        for offset in (0, size - MIB):
            disk.seek(offset)
            disk.write(b"in use! " * (MIB // 8))


def is_zero(path: Path) -> bool:
    """Return whether a whole disk reads as zeros."""
    with path.open("rb") as disk:
        return not any(any(block) for block in iter(lambda: disk.read(MIB), b""))


def system_image(folder: Path, kernel: Path) -> Path:
    """Return a gzip-compressed image of a disk that boots this kernel and prints MARKER."""
    folder.mkdir(parents=True, exist_ok=True)
    image = folder / "system.img"
    size = PARTITION_OFFSET + kernel.stat().st_size + SPACE_FOR_FILES + BUSYBOX.stat().st_size
    empty_disk(image, -(-size // MIB))
    run("partitioning the disk image", ["sfdisk", "--quiet", image], stdin=LAYOUT)
    _fill_partition(image, folder, kernel)
    with image.open("r+b") as disk:
        disk.write(MBR.read_bytes()[:BOOT_CODE_BYTES])
    packed = folder / "system.img.gz"
    with image.open("rb") as source, gzip.open(packed, "wb", compresslevel=1) as target:
        shutil.copyfileobj(source, target)
    image.unlink()
    return packed


def _fill_partition(image: Path, folder: Path, kernel: Path) -> None:
    sector = str(PARTITION_OFFSET // 512)
    run("creating the file system", ["mkfs.fat", f"--offset={sector}", "-n", "SYSTEM", image])
    config = folder / "syslinux.cfg"
    config.write_text(SYSLINUX)
    initrd = _marker_initramfs(folder)
    partition = f"{image}@@{PARTITION_OFFSET}"
    for source, name in ((kernel, "vmlinuz"), (initrd, "initrd"), (config, "syslinux.cfg")):
        run(f"copying {name} into the disk image", ["mcopy", "-i", partition, source, f"::/{name}"])
    offset = f"--offset={PARTITION_OFFSET}"
    run("installing the boot loader", ["syslinux", offset, "--install", image])


def _marker_initramfs(folder: Path) -> Path:
    tree = folder / "initrd.d"
    shutil.rmtree(tree, ignore_errors=True)
    for name in ("bin", "dev"):
        (tree / name).mkdir(parents=True)
    shutil.copy(BUSYBOX, tree / "bin/busybox")
    init = tree / "init"
    init.write_text(INIT)
    init.chmod(0o755)
    packed = folder / "initrd"
    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    options = ["--create", "--format=newc", "--quiet", f"--directory={tree}", f"--file={packed}"]
    run("packing the marker's initramfs", ["cpio", *options], stdin=names)
    return packed
