"""The hardware of a virtual machine, and QEMU's command for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox import platforms
from sandbox.accelerator import Accelerator
from sandbox.network import BRIDGE
from sandbox.objects import MachineIdentity
from sandbox.platforms import Firmware, Platform

CONSOLE = "console.log"


@dataclass(frozen=True)
class DirectBoot:
    """Start a kernel without firmware and iPXE."""

    kernel: Path
    initramfs: Path
    command_line: str


@dataclass(frozen=True)
class Cd:
    """Boot from a CD, or from an image that a management controller presents as one."""

    image: Path


Boot = Literal["network", "disk"] | Cd | DirectBoot


@dataclass(frozen=True)
class Nic:
    """A network card, and the bridge that it is connected to."""

    mac: str
    bridge: str = BRIDGE


@dataclass(frozen=True)
class Disk:
    """One more disk, on a controller of its kind; serial: its serial number."""

    path: Path
    kind: Literal["nvme", "scsi", "sata"]
    serial: str


@dataclass(frozen=True)
class Hardware:
    """A machine's hardware.

    memory: MiB.
    boot: "network" (then the disk), "disk", a CD, or a kernel that QEMU starts.
    stop_at_reboot: the machine powers off instead of rebooting.
    clock: the hardware clock at power-on, as 2026-11-23T12:00:00; empty: the right time.
    shell_port: one more serial port, for sandbox.shell.
    nics: all network cards in their order; empty: one, with the identity's MAC address.
    watchdog: a hardware watchdog, which resets the machine.
    disks: those besides the first one, which is a virtio disk.
    firmware: the platform's usual one if none is given.
    cpus: how many.
    """

    identity: MachineIdentity
    disk: Path
    boot: Boot
    accelerator: Accelerator
    memory: int = 2048
    stop_at_reboot: bool = False
    clock: str = ""
    shell_port: bool = False
    nics: tuple[Nic, ...] = ()
    firmware: Firmware | None = None
    watchdog: bool = False
    disks: tuple[Disk, ...] = ()
    cpus: int = 1

    @property
    def platform(self) -> Platform:
        """The kind of machine."""
        return platforms.of(self.identity.arch)

    @property
    def shell_words(self) -> str:
        """What its kernel's command line needs for sandbox.shell."""
        return f"console={self.platform.pci_serial} tinkie.shell"

    def all_nics(self) -> tuple[Nic, ...]:
        """Return the network cards in their order; the monitor calls them net0, net1, ..."""
        return self.nics or (Nic(self.identity.mac),)


def socket_of(folder: Path, name: str) -> Path:
    """Return the path of a machine's "monitor" or "shell" socket."""
    return folder / f"{name}.sock"


def command(hardware: Hardware, folder: Path, taps: list[str]) -> list[str]:
    """Return the command that powers a machine on; folder gets its console's log and sockets."""
    return [
        *(hardware.platform.qemu, "-nodefaults", "-no-user-config", "-display", "none"),
        *_board(hardware, folder),
        *hardware.accelerator.options,
        *("-smp", str(hardware.cpus), "-m", str(hardware.memory)),
        *(["-rtc", f"base={hardware.clock}"] if hardware.clock else []),
        *("-qmp", f"unix:{socket_of(folder, 'monitor')},server=on,wait=off"),
        *_serial_ports(folder, hardware.platform.ports),
        *(_shell_port(folder) if hardware.shell_port else []),
        *(["-device", "i6300esb"] if hardware.watchdog else []),
        *_nics(hardware, taps),
        *_disk(hardware),
        *(word for disk in hardware.disks for word in _more(disk)),
        *_cd(hardware),
        *_direct(hardware.boot),
        *(["-no-reboot"] if hardware.stop_at_reboot else []),
    ]


def _board(hardware: Hardware, folder: Path) -> list[str]:
    if isinstance(hardware.boot, DirectBoot):
        return [*hardware.platform.direct]
    firmware = hardware.firmware or hardware.platform.usual_firmware
    return hardware.platform.firmware_options(firmware, folder)


def _serial_ports(folder: Path, count: int) -> list[str]:
    # Firmware, iPXE and the installed disk use the first port. smee puts the second one on the
    # kernel's command line, and the kernel uses only the first serial port that is named there.
    both = f"file,id=console,path={folder / CONSOLE},mux=on"
    return ["-chardev", both, *(["-serial", "chardev:console"] * count)]


def _shell_port(folder: Path) -> list[str]:
    path = socket_of(folder, "shell")
    port = f"socket,id=shell,path={path},server=on,wait=off"
    # A third ISA port would share an interrupt with the first one and lose input.
    device = "pci-serial,chardev=shell"
    return ["-chardev", port, "-device", device]


def _nics(hardware: Hardware, taps: list[str]) -> list[str]:
    words: list[str] = []
    for number, (nic, tap) in enumerate(zip(hardware.all_nics(), taps, strict=True)):
        name = f"net{number}"
        # Without a speed, no NIC becomes a port of an 802.3ad bond.
        device = f"virtio-net-pci,netdev={name},mac={nic.mac},speed=1000,duplex=full"
        # Without its ROM a NIC cannot netboot, and the firmware does not try to.
        boots = hardware.boot == "network" and nic.mac == hardware.identity.mac
        device += ",bootindex=0" if boots else ""
        device += "" if boots and hardware.platform.nic_rom else ",romfile="
        words += ["-netdev", f"tap,id={name},ifname={tap},script=no,downscript=no"]
        words += ["-device", device]
    return words


def _disk(hardware: Hardware) -> list[str]:
    # cache=unsafe: a crash of the host may lose the disk, which has no value.
    drive = f"file={hardware.disk},format=raw,if=none,id=disk0,cache=unsafe"
    zeros = "discard=unmap,detect-zeroes=unmap"
    return ["-drive", f"{drive},{zeros}", "-device", "virtio-blk-pci,drive=disk0,bootindex=1"]


_CONTROLLERS = {
    "nvme": ["-device", "nvme"],
    "scsi": ["-device", "virtio-scsi-pci,id=scsi", "-device", "scsi-hd,bus=scsi.0"],
    "sata": ["-device", "ahci,id=sata", "-device", "ide-hd,bus=sata.0"],
}


def _more(disk: Disk) -> list[str]:
    *words, device = _CONTROLLERS[disk.kind]
    drive = f"file={disk.path},format=raw,if=none,id={disk.kind},cache=unsafe"
    return ["-drive", drive, *words, f"{device},drive={disk.kind},serial={disk.serial}"]


def _cd(hardware: Hardware) -> list[str]:
    if not isinstance(hardware.boot, Cd):
        return []
    drive = f"file={hardware.boot.image},format=raw,if=none,id=cd,media=cdrom,readonly=on"
    controller, device = hardware.platform.cd
    return [*controller, "-drive", drive, "-device", f"{device},drive=cd,bootindex=0"]


def _direct(boot: Boot) -> list[str]:
    if not isinstance(boot, DirectBoot):
        return []
    files = ["-kernel", str(boot.kernel), "-initrd", str(boot.initramfs)]
    return [*files, "-append", boot.command_line]
