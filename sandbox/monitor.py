"""A virtual machine's monitor: its keys, cables and clock (the only module that uses QMP)."""

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
    """One machine's monitor; every call raises ReportedError if QEMU refuses it."""

    protocol: QEMUMonitorProtocol

    def press(self, *keys: str) -> None:
        """Press keys together and release them; names are QEMU's ("ctrl", "alt", "delete")."""
        self._do("send-key", keys=[{"type": "qcode", "data": key} for key in keys])

    def press_power(self) -> None:
        """Press the power button."""
        self._do("system_powerdown")

    def set_link(self, nic: str, *, up: bool) -> None:
        """Plug the cable of a NIC in or out; NICs are net0, net1, ..."""
        self._do("set_link", name=nic, up=up)

    def plug_disk(self, path: Path, serial: str) -> None:
        """Plug in one more disk; the machine must have a virtio-scsi controller."""
        file = {"driver": "file", "filename": str(path)}
        self._do("blockdev-add", **{"driver": "raw", "node-name": serial, "file": file})
        self._do("device_add", driver="scsi-hd", bus="scsi.0", drive=serial, serial=serial)

    def plug_nic(self, tap: str, mac: str) -> None:
        """Plug in one more NIC, on an existing tap device."""
        self._do("netdev_add", type="tap", id=tap, ifname=tap, script="no", downscript="no")
        self._do("device_add", driver="virtio-net-pci", netdev=tap, mac=mac)

    def hardware_clock(self) -> dt.datetime:
        """Return the time of the hardware clock; QEMU keeps two digits of the year."""
        found = self._do("qom-get", path="/machine", property="rtc-time")
        year = 2000 + found["tm_year"] % 100
        day = dt.datetime(year, 1 + found["tm_mon"], found["tm_mday"], tzinfo=dt.UTC)
        return day.replace(hour=found["tm_hour"], minute=found["tm_min"], second=found["tm_sec"])

    def _do(self, command: str, **arguments: object) -> Any:
        try:
            return self.protocol.cmd(command, **arguments)
        except QMPError as error:
            raise ReportedError(f"{command} at the machine's monitor failed: {error}") from error


@contextmanager
def monitor(socket: Path) -> Iterator[Monitor]:
    """Connect to the monitor at a unix socket until the end of the with block."""
    protocol = QEMUMonitorProtocol(str(socket))
    try:
        protocol.connect()
    except QMPError as error:
        raise ReportedError(
            f"connecting to the machine's monitor {socket} failed: {error}"
        ) from error
    try:
        yield Monitor(protocol)
    finally:
        protocol.close()
