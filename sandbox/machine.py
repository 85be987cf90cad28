"""A virtual machine on the sandbox's bridge, and what it says on its serial console."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.accelerator import Accelerator
from sandbox.console import Console
from sandbox.network import Namespace
from sandbox.objects import MachineIdentity
from sandbox.processes import Program, running

QEMU = "qemu-system-x86_64"


@dataclass(frozen=True)
class DirectBoot:
    """Start a kernel at once, as iPXE would after it has fetched it."""

    kernel: Path
    initramfs: Path
    command_line: str


Boot = Literal["network", "disk"] | DirectBoot


@dataclass(frozen=True)
class Hardware:
    """What the machine is made of.

    memory: MiB.
    boot: "network" as its firmware is set up (then the disk), "disk", or a kernel to start.
    stop_at_reboot: the machine ends where it would start again.
    """

    identity: MachineIdentity
    disk: Path
    boot: Boot
    accelerator: Accelerator
    memory: int = 2048
    stop_at_reboot: bool = False


@dataclass(frozen=True)
class Machine:
    """A virtual machine that has been powered on."""

    hardware: Hardware
    console: Console
    program: Program

    def is_off(self) -> bool:
        """Say whether it has powered off, or stopped at its reboot."""
        return self.program.process.poll() is not None


@contextmanager
def machine(folder: Path, network: Namespace, hardware: Hardware, tap: str) -> Iterator[Machine]:
    """Power a machine on; it is off and its tap gone at the end of the with block.

    folder: gets console.log (its serial port) and qemu.log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "console.log"
    log.write_bytes(b"")
    network.add_tap(tap)
    command = _command(hardware, log, tap)
    try:
        with running(QEMU, command, log=folder / "qemu.log", network=network) as program:
            yield Machine(hardware, Console(log), program)
    finally:
        network.delete_tap(tap)


def _command(hardware: Hardware, console: Path, tap: str) -> list[str]:
    # graphics=off: firmware and iPXE talk on the serial port as well.
    return [
        *(QEMU, "-nodefaults", "-no-user-config", "-display", "none"),
        *("-machine", "pc,graphics=off"),
        *hardware.accelerator.options,
        *("-smp", "1", "-m", str(hardware.memory)),
        *_serial_ports(console),
        *_network_card(hardware, tap),
        *_disk(hardware),
        *_direct(hardware.boot),
        *(["-no-reboot"] if hardware.stop_at_reboot else []),
    ]


def _serial_ports(console: Path) -> list[str]:
    # Firmware, iPXE and the installed disk talk on the first port; smee puts the second one on the
    # kernel's command line, and the kernel takes only the first serial port that is named there.
    both = f"file,id=console,path={console},mux=on"
    return ["-chardev", both, "-serial", "chardev:console", "-serial", "chardev:console"]


def _network_card(hardware: Hardware, tap: str) -> list[str]:
    card = f"virtio-net-pci,netdev=net0,mac={hardware.identity.mac}"
    # Without its ROM the card cannot netboot, and the firmware does not try to.
    card += ",bootindex=0" if hardware.boot == "network" else ",romfile="
    backend = f"tap,id=net0,ifname={tap},script=no,downscript=no"
    return ["-netdev", backend, "-device", card]


def _disk(hardware: Hardware) -> list[str]:
    # cache=unsafe: the host's crash may lose the disk, which nobody would miss.
    drive = f"file={hardware.disk},format=raw,if=none,id=disk0,cache=unsafe"
    zeros = "discard=unmap,detect-zeroes=unmap"
    return ["-drive", f"{drive},{zeros}", "-device", "virtio-blk-pci,drive=disk0,bootindex=1"]


def _direct(boot: Boot) -> list[str]:
    if not isinstance(boot, DirectBoot):
        return []
    files = ["-kernel", str(boot.kernel), "-initrd", str(boot.initramfs)]
    return [*files, "-append", boot.command_line]
