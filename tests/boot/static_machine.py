"""A machine in a VLAN without DHCP, with a disk of each kind.

The command line has its tag, its address and all the rest; one more disk is plugged in late. The
tests are in test_static_network.py and test_disks.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.disk import empty_disk
from sandbox.hardware import Disk, Nic
from sandbox.objects import MachineIdentity
from sandbox.trunk import TRUNK_BRIDGE, VLAN, VLAN_ROUTER, VLAN_SUBNET, trunk
from sandbox.waiting import wait_for
from tests.boot.machines import Lab, booted, measure

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sandbox.machine import Machine
    from sandbox.workflow import Status

IDENTITY = MachineIdentity("static", "52:54:00:00:01:0a", "172.30.0.110", "172.30.0.1")
NICS = (Nic("52:54:00:00:02:20", TRUNK_BRIDGE), Nic(IDENTITY.mac, TRUNK_BRIDGE))
ADDRESS = f"{VLAN_SUBNET}.50"
IPAM = (
    f"{IDENTITY.mac.replace(':', '-')}:{VLAN}:{ADDRESS}:255.255.255.0:{VLAN_ROUTER}"
    f":static.example.com:{VLAN_ROUTER},1.1.1.1:example.com,team.example.com:{VLAN_ROUTER},ntp.example.com"
)
DISK_MIB = 16
LATE = "late-disk"
DISKS = (
    Disk(Path("nvme.img"), "nvme", "of-nvme"),
    Disk(Path("scsi.img"), "scsi", "of-scsi"),
    Disk(Path("sata.img"), "sata", "of-sata"),
)
STARTED_SECONDS = 300.0
LATE_SECONDS = 30.0
WORKFLOW_SECONDS = 600.0  # a tenth of that on an idle machine


@dataclass(frozen=True)
class Seen:
    status: Status
    console: str
    resolver: str
    hostname: str
    clock: str
    disks: str
    late: str


def observe(lab: Lab) -> Seen:
    """Boot the machine, and return what came of it."""
    with (
        trunk(lab.folder, lab.sandbox.network),
        _machine(lab) as box,
        box.shell() as shell,
        box.monitor() as monitor,
    ):
        wait_for(
            "a worker", lambda: box.console.poll_for("worker.started"), seconds=STARTED_SECONDS
        )
        disks = shell.run("ls /dev/disk/by-id /dev/disk/by-path")
        monitor.plug_disk(empty_disk(lab.folder / "late.img", DISK_MIB), LATE)
        name = f"/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_{LATE}"
        look = f"[ ! -e {name} ] || blockdev --getsize64 {name}"
        late = wait_for("the late disk", lambda: shell.run(look) or None, seconds=LATE_SECONDS)
        status = measure(lab.sandbox, box, "static", WORKFLOW_SECONDS)
        resolver = shell.run("cat /run/resolvconf/resolv.conf")
        hostname = shell.run("hostname")
        clock = shell.run("cat /run/dhcpcd/time-servers/*.sources")
        return Seen(status, box.console.log.read_text(), resolver, hostname, clock, disks, late)


def _machine(lab: Lab) -> AbstractContextManager[Machine]:
    disks = tuple(
        replace(disk, path=empty_disk(lab.folder / disk.path, DISK_MIB)) for disk in DISKS
    )
    words = f"ipam={IPAM}"
    return booted(lab, IDENTITY, words=words, nics=NICS, disks=disks)
