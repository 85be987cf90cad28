"""A virtual machine on the sandbox's bridge, with its serial console."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.console import Console
from sandbox.hardware import CONSOLE, Hardware, command, socket_of
from sandbox.monitor import Monitor, monitor
from sandbox.network import Namespace
from sandbox.processes import Program, running
from sandbox.shell import GuestShell, guest_shell
from sandbox.waiting import wait_for

START_SECONDS = 10.0


@dataclass(frozen=True)
class Machine:
    """A virtual machine that has been powered on."""

    hardware: Hardware
    console: Console
    program: Program
    folder: Path

    def monitor(self) -> AbstractContextManager[Monitor]:
        """Connect to its monitor until the end of the with block."""
        return monitor(self._open("monitor"))

    def shell(self) -> AbstractContextManager[GuestShell]:
        """Wait for a root shell in it, and connect until the end of the with block."""
        return guest_shell(self._open("shell"))

    def _open(self, name: str) -> Path:
        """Return a socket's path once QEMU has created it."""
        path = socket_of(self.folder, name)
        wait_for(f"{path.name} of the machine", path.exists, seconds=START_SECONDS)
        return path

    def is_off(self) -> bool:
        """Return whether it is off, or stopped at its reboot; ReportedError if QEMU failed."""
        if self.program.process.poll():
            self.program.check()
        return self.program.process.poll() is not None


@contextmanager
def machine(folder: Path, network: Namespace, hardware: Hardware, tap: str) -> Iterator[Machine]:
    """Power a machine on; power it off and delete its taps at the end of the with block.

    tap: the tap device of the first NIC; the others' names add a number.
    folder: gets console.log (its serial port), qemu.log, and the sockets of monitor and shell.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / CONSOLE
    log.write_bytes(b"")
    with ExitStack() as stack:
        taps = [f"{tap}{number or ''}" for number in range(len(hardware.all_nics()))]
        for name, nic in zip(taps, hardware.all_nics(), strict=True):
            network.add_tap(name, nic.bridge)
            stack.callback(network.delete_device, name)
        qemu = running(
            hardware.platform.qemu,
            command(hardware, folder, taps),
            log=folder / "qemu.log",
            network=network,
        )
        program = stack.enter_context(qemu)
        yield Machine(hardware, Console(log), program, folder)
