"""Disks of virtual machines, and the small system that the workflow installs.

The system is the kernel of the artifacts with an initramfs that only prints MARKER. Its image is a
whole disk: partition table, FAT file system, and syslinux for BIOS or GRUB for UEFI.
"""

import gzip
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from release import iso
from release.process import run
from sandbox import platforms, programs
from sandbox.ingredients import Ingredients

MARKER = "TINKIE-SANDBOX: the installed disk has started"
MIB = 1024 * 1024
PARTITION_OFFSET = MIB
SPACE_FOR_FILES = 8 * MIB  # boot loader, initramfs, file system
BOOT_CODE_BYTES = 440  # up to the partition table
# A FAT partition for BIOS, or the one that UEFI looks for.
LAYOUTS = {"BIOS": "type=c, bootable", "UEFI": "type=ef"}
SYSLINUX = """DEFAULT installed
LABEL installed
  KERNEL /vmlinuz
  INITRD /initrd
  APPEND {words}
"""
GRUB = """search --file --set=root /vmlinuz
linux /vmlinuz {words}
initrd /initrd
boot
"""
INIT = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
echo "{marker}" >/dev/{serial}
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


def system_image(folder: Path, ingredients: Ingredients) -> Path:
    """Return a gzip-compressed image of a disk that boots this kernel and prints MARKER."""
    folder.mkdir(parents=True, exist_ok=True)
    image = folder / "system.img"
    initrd = _marker_initramfs(folder, ingredients)
    kernel = ingredients.kernel
    platform = platforms.of(ingredients.target.name)
    _disk_with(image, LAYOUTS[platform.usual_firmware], {"vmlinuz": kernel, "initrd": initrd})
    words = f"console={platform.serial} quiet"
    if platform.needs_syslinux:
        _install_syslinux(image, folder, words)
    else:
        _install_grub(image, folder, words, ingredients)
    packed = folder / "system.img.gz"
    with image.open("rb") as source, gzip.open(packed, "wb", compresslevel=1) as target:
        shutil.copyfileobj(source, target)
    image.unlink()
    return packed


def efi_disk(path: Path, files: Mapping[str, Path]) -> Path:
    """Write an image of a disk with an EFI system partition that has these files, by their paths.

    Raises ReportedError.
    """
    _disk_with(path, LAYOUTS["UEFI"], files)
    return path


def _disk_with(image: Path, layout: str, files: Mapping[str, Path]) -> None:
    """Write a disk whose only partition has a FAT file system with these files, by their paths."""
    size = sum(file.stat().st_size for file in files.values())
    empty_disk(image, -(-(PARTITION_OFFSET + size + SPACE_FOR_FILES) // MIB))
    table = f"label: dos\nstart=2048, {layout}\n"
    run("partitioning the disk image", ["sfdisk", "--quiet", image], stdin=table)
    sector = str(PARTITION_OFFSET // 512)
    run("creating the file system", ["mkfs.fat", f"--offset={sector}", "-n", "SYSTEM", image])
    _copy_into(image, files)


def _copy_into(image: Path, files: Mapping[str, Path]) -> None:
    partition = f"{image}@@{PARTITION_OFFSET}"
    folders = {str(folder) for name in files for folder in PurePosixPath(name).parents[:-1]}
    for folder in sorted(folders):
        run("making a folder in the disk image", ["mmd", "-i", partition, f"::/{folder}"])
    for name, source in files.items():
        run(f"copying {name} into the disk image", ["mcopy", "-i", partition, source, f"::/{name}"])


def _install_syslinux(image: Path, folder: Path, words: str) -> None:
    config = folder / "syslinux.cfg"
    config.write_text(SYSLINUX.format(words=words))
    _copy_into(image, {"syslinux.cfg": config})
    offset = f"--offset={PARTITION_OFFSET}"
    run("installing the boot loader", ["syslinux", offset, "--install", image])
    with image.open("r+b") as disk:
        disk.write(platforms.MBR.read_bytes()[:BOOT_CODE_BYTES])


def _install_grub(image: Path, folder: Path, words: str, ingredients: Ingredients) -> None:
    """Install Debian's signed GRUB, which reads the configuration in Debian's folder."""
    config = folder / "grub.cfg"
    config.write_text(GRUB.format(words=words))
    loader = iso.disk_loader(ingredients.target)
    _copy_into(image, {f"EFI/BOOT/{loader.name}": loader, "EFI/debian/grub.cfg": config})


def _marker_initramfs(folder: Path, ingredients: Ingredients) -> Path:
    tree = folder / "initrd.d"
    shutil.rmtree(tree, ignore_errors=True)
    for name in ("bin", "dev"):
        (tree / name).mkdir(parents=True)
    shutil.copy(programs.busybox(folder, ingredients), tree / "bin/busybox")
    init = tree / "init"
    serial = platforms.of(ingredients.target.name).serial
    init.write_text(INIT.format(marker=MARKER, serial=serial))
    init.chmod(0o755)
    packed = folder / "initrd"
    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    options = ["--create", "--format=newc", "--quiet", f"--directory={tree}", f"--file={packed}"]
    run("packing the marker's initramfs", ["cpio", *options], stdin=names)
    return packed
