"""A virtual machine's monitor: its keys, cables and clock (the only module that knows QMP)."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qemu.qmp import QMPError
from qemu.qmp.legacy import QEMUMonitorProtocol

from release.errors import ReportedError


@dataclass(frozen=True)
class Monitor:
    """One machine's monitor; every call raises ReportedError if the machine does not obey."""

    protocol: QEMUMonitorProtocol

    def press(self, *keys: str) -> None:
        """Press keys at once and let them go; names are QEMU's ("ctrl", "alt", "delete")."""
        self._do("send-key", keys=[{"type": "qcode", "data": key} for key in keys])

    def press_power(self) -> None:
        """Press the power button."""
        self._do("system_powerdown")

    def set_link(self, card: str, *, up: bool) -> None:
        """Plug a network card's cable in or out; cards are net0, net1, ..."""
        self._do("set_link", name=card, up=up)

    def plug_disk(self, path: Path, serial: str) -> None:
        """Plug one more disk into the virtio-scsi controller that the machine must have."""
        file = {"driver": "file", "filename": str(path)}
        self._do("blockdev-add", **{"driver": "raw", "node-name": serial, "file": file})
        self._do("device_add", driver="scsi-hd", bus="scsi.0", drive=serial, serial=serial)

    def plug_nic(self, tap: str, mac: str) -> None:
        """Plug in one more network card, at a tap device that is there."""
        self._do("netdev_add", type="tap", id=tap, ifname=tap, script="no", downscript="no")
        self._do("device_add", driver="virtio-net-pci", netdev=tap, mac=mac)

    def hardware_clock(self) -> dt.datetime:
        """Return what the machine's hardware clock says; QEMU keeps two digits of the year."""
        told = self._do("qom-get", path="/machine", property="rtc-time")
        year = 2000 + told["tm_year"] % 100
        day = dt.datetime(year, 1 + told["tm_mon"], told["tm_mday"], tzinfo=dt.UTC)
        return day.replace(hour=told["tm_hour"], minute=told["tm_min"], second=told["tm_sec"])

    def _do(self, command: str, **arguments: object) -> Any:
        try:
            return self.protocol.cmd(command, **arguments)
        except QMPError as error:
            raise ReportedError(f"the machine's monitor: {command}: {error}") from error


@contextmanager
def monitor(socket: Path) -> Iterator[Monitor]:
    """Speak to the monitor at a unix socket until the end of the with block."""
    protocol = QEMUMonitorProtocol(str(socket))
    try:
        protocol.connect()
    except QMPError as error:
        raise ReportedError(f"the machine's monitor {socket}: {error}") from error
    try:
        yield Monitor(protocol)
    finally:
        protocol.close()
