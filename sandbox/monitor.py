"""A virtual machine's monitor: its keys and cables (the only module that knows QMP)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qemu.qmp import QMPError
from qemu.qmp.legacy import QEMUMonitorProtocol

from sandbox.errors import SandboxError


@dataclass(frozen=True)
class Monitor:
    """One machine's monitor; every call raises SandboxError if the machine does not obey."""

    protocol: QEMUMonitorProtocol

    def press(self, *keys: str) -> None:
        """Press keys at once and let them go; names are QEMU's ("ctrl", "alt", "delete")."""
        self._do("send-key", keys=[{"type": "qcode", "data": key} for key in keys])

    def set_link(self, card: str, *, up: bool) -> None:
        """Plug a network card's cable in or out; cards are net0, net1, ..."""
        self._do("set_link", name=card, up=up)

    def _do(self, command: str, **arguments: object) -> None:
        try:
            self.protocol.cmd(command, **arguments)
        except QMPError as error:
            raise SandboxError(f"the machine's monitor: {command}: {error}") from error


@contextmanager
def monitor(socket: Path) -> Iterator[Monitor]:
    """Speak to the monitor at a unix socket until the end of the with block."""
    protocol = QEMUMonitorProtocol(str(socket))
    try:
        protocol.connect()
    except QMPError as error:
        raise SandboxError(f"the machine's monitor {socket}: {error}") from error
    try:
        yield Monitor(protocol)
    finally:
        protocol.close()
