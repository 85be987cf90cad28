"""A virtual machine on the sandbox's bridge, and what it says on its serial console."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.accelerator import Accelerator
from sandbox.console import Console
from sandbox.firmware import Firmware, firmware_options
from sandbox.monitor import Monitor, monitor
from sandbox.network import BRIDGE, Namespace
from sandbox.objects import MachineIdentity
from sandbox.processes import Program, running
from sandbox.shell import GuestShell, guest_shell
from sandbox.waiting import wait_for

QEMU = "qemu-system-x86_64"
START_SECONDS = 10.0


@dataclass(frozen=True)
class DirectBoot:
    """Start a kernel at once, as iPXE would after it has fetched it."""

    kernel: Path
    initramfs: Path
    command_line: str


@dataclass(frozen=True)
class Cd:
    """Start from a CD, or what looks like one: an image that a management controller shows."""

    image: Path


Boot = Literal["network", "disk"] | Cd | DirectBoot


@dataclass(frozen=True)
class Card:
    """A network card, and the bridge that its cable goes to."""

    mac: str
    bridge: str = BRIDGE


@dataclass(frozen=True)
class Hardware:
    """What the machine is made of.

    memory: MiB.
    boot: "network" as its firmware is set up (then the disk), "disk", a CD, or a kernel to start.
    stop_at_reboot: the machine ends where it would start again.
    clock: what its hardware clock says at power-on, as 2026-11-23T12:00:00; empty: the right time.
    shell_port: one more serial port, ttyS2, for sandbox.shell.
    cards: all network cards in their order; empty: one, with the identity's address.
    firmware: what starts before anything of ours.
    watchdog: there is a hardware watchdog, which resets the machine.
    """

    identity: MachineIdentity
    disk: Path
    boot: Boot
    accelerator: Accelerator
    memory: int = 2048
    stop_at_reboot: bool = False
    clock: str = ""
    shell_port: bool = False
    cards: tuple[Card, ...] = ()
    firmware: Firmware = "BIOS"
    watchdog: bool = False

    def all_cards(self) -> tuple[Card, ...]:
        """Return the network cards in their order; the monitor calls them net0, net1, ..."""
        return self.cards or (Card(self.identity.mac),)


@dataclass(frozen=True)
class Machine:
    """A virtual machine that has been powered on."""

    hardware: Hardware
    console: Console
    program: Program
    folder: Path

    def monitor(self) -> AbstractContextManager[Monitor]:
        """Speak to its monitor within the with block."""
        return monitor(self._open("monitor"))

    def shell(self) -> AbstractContextManager[GuestShell]:
        """Speak to a root shell in it within the with block; waits until there is one."""
        return guest_shell(self._open("shell"))

    def _open(self, name: str) -> Path:
        """Return a socket's path once QEMU has made it."""
        path = _socket(self.folder, name)
        wait_for(f"{path.name} of the machine", path.exists, seconds=START_SECONDS)
        return path

    def is_off(self) -> bool:
        """Say whether it has powered off, or stopped at its reboot; SandboxError if QEMU failed."""
        if self.program.process.poll():
            self.program.check()
        return self.program.process.poll() is not None


@contextmanager
def machine(folder: Path, network: Namespace, hardware: Hardware, tap: str) -> Iterator[Machine]:
    """Power a machine on; it is off and its taps gone at the end of the with block.

    tap: the first card's tap device; those of the others have a number behind.
    folder: gets console.log (its serial port), qemu.log, and the sockets of monitor and shell.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "console.log"
    log.write_bytes(b"")
    with ExitStack() as stack:
        taps = [f"{tap}{number or ''}" for number in range(len(hardware.all_cards()))]
        for name, card in zip(taps, hardware.all_cards(), strict=True):
            network.add_tap(name, card.bridge)
            stack.callback(network.delete_tap, name)
        command = _command(hardware, folder, taps)
        log_of_qemu = folder / "qemu.log"
        program = stack.enter_context(running(QEMU, command, log=log_of_qemu, network=network))
        yield Machine(hardware, Console(log), program, folder)


def _socket(folder: Path, name: str) -> Path:
    return folder / f"{name}.sock"


def _command(hardware: Hardware, folder: Path, taps: list[str]) -> list[str]:
    return [
        *(QEMU, "-nodefaults", "-no-user-config", "-display", "none"),
        *firmware_options(hardware.firmware, folder),
        *hardware.accelerator.options,
        *("-smp", "1", "-m", str(hardware.memory)),
        *(["-rtc", f"base={hardware.clock}"] if hardware.clock else []),
        *("-qmp", f"unix:{_socket(folder, 'monitor')},server=on,wait=off"),
        *_serial_ports(folder),
        *(_shell_port(folder) if hardware.shell_port else []),
        *(["-device", "i6300esb"] if hardware.watchdog else []),
        *_network_cards(hardware, taps),
        *_disk(hardware),
        *_cd(hardware.boot),
        *_direct(hardware.boot),
        *(["-no-reboot"] if hardware.stop_at_reboot else []),
    ]


def _serial_ports(folder: Path) -> list[str]:
    # Firmware, iPXE and the installed disk talk on the first port; smee puts the second one on the
    # kernel's command line, and the kernel takes only the first serial port that is named there.
    both = f"file,id=console,path={folder / 'console.log'},mux=on"
    return ["-chardev", both, "-serial", "chardev:console", "-serial", "chardev:console"]


def _shell_port(folder: Path) -> list[str]:
    path = _socket(folder, "shell")
    port = f"socket,id=shell,path={path},server=on,wait=off"
    # A third ISA port would share an interrupt with the first, and lose what is typed.
    device = "pci-serial,chardev=shell"
    return ["-chardev", port, "-device", device]


def _network_cards(hardware: Hardware, taps: list[str]) -> list[str]:
    words: list[str] = []
    for number, (card, tap) in enumerate(zip(hardware.all_cards(), taps, strict=True)):
        name = f"net{number}"
        device = f"virtio-net-pci,netdev={name},mac={card.mac}"
        # Without its ROM a card cannot netboot, and the firmware does not try to.
        boots = hardware.boot == "network" and card.mac == hardware.identity.mac
        device += ",bootindex=0" if boots else ",romfile="
        words += ["-netdev", f"tap,id={name},ifname={tap},script=no,downscript=no"]
        words += ["-device", device]
    return words


def _disk(hardware: Hardware) -> list[str]:
    # cache=unsafe: the host's crash may lose the disk, which nobody would miss.
    drive = f"file={hardware.disk},format=raw,if=none,id=disk0,cache=unsafe"
    zeros = "discard=unmap,detect-zeroes=unmap"
    return ["-drive", f"{drive},{zeros}", "-device", "virtio-blk-pci,drive=disk0,bootindex=1"]


def _cd(boot: Boot) -> list[str]:
    if not isinstance(boot, Cd):
        return []
    drive = f"file={boot.image},format=raw,if=none,id=cd,media=cdrom,readonly=on"
    controller = ("-device", "ahci,id=ahci")
    return [*controller, "-drive", drive, "-device", "ide-cd,bus=ahci.0,drive=cd,bootindex=0"]


def _direct(boot: Boot) -> list[str]:
    if not isinstance(boot, DirectBoot):
        return []
    files = ["-kernel", str(boot.kernel), "-initrd", str(boot.initramfs)]
    return [*files, "-append", boot.command_line]
