"""A CD image whose boot loader has lost its signature: Secure Boot refuses it, and nothing else."""

import os
from functools import partial
from pathlib import Path

import pefile  # type: ignore[import-untyped]
import pytest

from release import assemble, base, engine, images, iso
from release.arch import ALL, Architecture
from release.process import run
from release.progress import Progress
from sandbox.accelerator import best_accelerator
from sandbox.disk import empty_disk
from sandbox.hardware import Cd, Hardware
from sandbox.machine import machine
from sandbox.network import namespace
from sandbox.objects import MachineIdentity
from sandbox.platforms import Firmware
from sandbox.waiting import wait_for
from tests.boot.machines import MEMORY_MIB

MAC, ADDRESS, GATEWAY = "52:54:00:00:01:31", "172.30.0.131", "172.30.0.1"
# The EFI partition's file system, by what mkfs.fat writes into its first sector, from this byte on.
FILE_SYSTEM, LABEL_AT = b"TINKIE     FAT", 43
SIGNATURE = pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_SECURITY"]
SECONDS = 300.0  # a tenth of that on an idle machine
STARTED = "EFI stub: "  # of the kernel, which the loader starts
# The firmware's message, and its last entry: it does not try the loader again.
REFUSED = ("Access Denied", "EFI Internal Shell")


@pytest.mark.parametrize(
    ("firmware", "shown"), [("UEFI with Secure Boot", REFUSED), ("UEFI", (STARTED,))]
)
@pytest.mark.parametrize("target", ALL)
def test_secure_boot_alone_refuses_a_loader_without_signature(
    target: Architecture, firmware: Firmware, shown: tuple[str, ...], tmp_path: Path
) -> None:
    cd = _cd(tmp_path, target)
    _take_signature(cd, target)
    identity = MachineIdentity("unsigned", MAC, ADDRESS, GATEWAY, arch=target.name)
    accelerator = best_accelerator(assemble.kernel(target), target)
    disk = empty_disk(tmp_path / "disk.img", 64)
    hardware = Hardware(identity, disk, Cd(cd), accelerator, MEMORY_MIB, firmware=firmware)
    with (
        namespace(f"unsigned-{os.getpid()}") as network,
        machine(tmp_path, network, hardware, identity.name) as box,
    ):
        for text in shown:
            wait_for(text, partial(box.console.poll_for, text), seconds=SECONDS)
        assert bool(box.console.find(STARTED)) == (STARTED in shown)


def _cd(folder: Path, target: Architecture) -> Path:
    files = {"vmlinuz": assemble.kernel(target), "initramfs": assemble.initramfs(target)}
    with engine.running() as host, images.locked_names():
        base.provide(os.environ | {"DOCKER_HOST": host}, Progress(), refresh=False)
        iso.write(folder / "cd.iso", files, target)
    return folder / "cd.iso"


def _take_signature(cd: Path, target: Architecture) -> None:
    """Replace the program that the firmware starts by the same one without its signature."""
    partition = f"{cd}@@{cd.read_bytes().index(FILE_SYSTEM) - LABEL_AT}"
    signed, unsigned = (cd.with_name(f"{name}.efi") for name in ("signed", "unsigned"))
    inside = f"::/{target.efi_loader}"
    run("reading the loader", ["mcopy", "-i", partition, inside, signed])
    with pefile.PE(signed, fast_load=True) as program:
        entry = program.OPTIONAL_HEADER.DATA_DIRECTORY[SIGNATURE]
        assert entry.Size
        entry.VirtualAddress = entry.Size = 0
        program.write(unsigned)
    run("replacing the loader", ["mcopy", "-o", "-i", partition, unsigned, inside])
