"""The machines that QEMU emulates, one kind for each architecture, and their firmware."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from release.arch import AARCH64, X86_64

MBR = Path("/usr/lib/syslinux/mbr/mbr.bin")  # the boot code of a disk that starts by BIOS
Firmware = Literal["BIOS", "UEFI", "UEFI with Secure Boot"]


@dataclass(frozen=True)
class Flash:
    """A firmware that QEMU does not have itself: its code, and its variables when they are new."""

    code: Path
    variables: Path
    package: str  # of Debian


@dataclass(frozen=True)
class Platform:
    """A kind of machine.

    qemu: the program, of Debian's package `package`. cpu: the model under emulation. board: QEMU's
    options for each firmware; the first one is the usual one. direct: those for a kernel that QEMU
    starts. flash: of each firmware that has one. retries_netboot: whether it tries a refused
    netboot in other ways for minutes, before the disk. nic_rom: whether a NIC needs its ROM to
    netboot. serial: the first serial port's name in Linux. ports: how many there are. pci_serial:
    the name of a serial port on PCI. cd: the controller and the drive of a CD.
    """

    qemu: str
    package: str
    cpu: str
    board: Mapping[Firmware, tuple[str, ...]]
    direct: tuple[str, ...]
    flash: Mapping[Firmware, Flash]
    retries_netboot: bool
    nic_rom: bool
    serial: str
    ports: int
    pci_serial: str
    cd: tuple[tuple[str, ...], str]

    @property
    def usual_firmware(self) -> Firmware:
        """The firmware of a machine for which none is chosen."""
        return next(iter(self.board))

    @property
    def needs_syslinux(self) -> bool:
        """Whether the disk image of such a machine starts by BIOS."""
        return self.usual_firmware == "BIOS"

    def variables(self, folder: Path) -> Path:
        """Return where the firmware of the machine of this folder keeps its variables."""
        return folder / "variables.fd"

    def firmware_options(self, firmware: Firmware, folder: Path) -> list[str]:
        """Return QEMU's options for a firmware; its variables are kept in folder."""
        options = list(self.board[firmware])
        if flash := self.flash.get(firmware):
            variables = self.variables(folder)
            if not variables.exists():
                shutil.copy(flash.variables, variables)
            unit = "if=pflash,format=raw,unit"
            options += ["-drive", f"{unit}=0,readonly=on,file={flash.code}"]
            options += ["-drive", f"{unit}=1,file={variables}"]
        return options


def of(arch: str) -> Platform:
    """Return the platform of an architecture by its name, such as "x86_64"."""
    return PLATFORMS[arch]


def _flash(code: str, variables: str, package: str) -> Flash:
    return Flash(Path("/usr/share") / code, Path("/usr/share") / variables, package)


# graphics=off: firmware and iPXE also write to the serial port.
PC = ("-machine", "pc,graphics=off")
Q35 = ("-machine", "q35,smm=on,graphics=off")
# Secure Boot needs variables that only the firmware can write, in system management mode.
LOCKED = ("-global", "driver=cfi.pflash01,property=secure,value=on")
VIRT = ("-machine", "virt")  # it has no such mode: signatures are verified all the same
PLATFORMS = {
    X86_64.name: Platform(
        qemu="qemu-system-x86_64",
        package="qemu-system-x86",
        cpu="max",
        board={"BIOS": PC, "UEFI": Q35, "UEFI with Secure Boot": (*Q35, *LOCKED)},
        direct=PC,
        flash={
            "UEFI": _flash("OVMF/OVMF_CODE_4M.fd", "OVMF/OVMF_VARS_4M.fd", "ovmf"),
            "UEFI with Secure Boot": _flash(
                "OVMF/OVMF_CODE_4M.ms.fd", "OVMF/OVMF_VARS_4M.ms.fd", "ovmf"
            ),
        },
        retries_netboot=False,
        nic_rom=True,
        serial="ttyS0",
        ports=2,
        pci_serial="ttyS2",
        cd=(("-device", "ahci,id=ahci"), "ide-cd,bus=ahci.0"),
    ),
    AARCH64.name: Platform(
        qemu="qemu-system-aarch64",
        package="qemu-system-arm",
        # The emulation of real pointer authentication takes three times as long.
        cpu="max,pauth-impdef=on",
        board={"UEFI": VIRT, "UEFI with Secure Boot": VIRT},
        direct=VIRT,
        flash={
            "UEFI": _flash("AAVMF/AAVMF_CODE.fd", "AAVMF/AAVMF_VARS.fd", "qemu-efi-aarch64"),
            "UEFI with Secure Boot": _flash(
                "AAVMF/AAVMF_CODE.ms.fd", "AAVMF/AAVMF_VARS.ms.fd", "qemu-efi-aarch64"
            ),
        },
        retries_netboot=True,
        nic_rom=False,
        serial="ttyAMA0",
        ports=1,
        pci_serial="ttyS0",
        cd=(("-device", "qemu-xhci"), "usb-storage"),
    ),
}
