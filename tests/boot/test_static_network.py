"""A machine in a VLAN without DHCP, with a disk of each kind.

The command line gives it tag, address and all the rest; one more disk comes late.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.disk import empty_disk
from sandbox.hardware import Disk, Nic
from sandbox.objects import MachineIdentity
from sandbox.trunk import TRUNK_BRIDGE, VLAN, VLAN_ROUTER, VLAN_SUBNET, trunk
from sandbox.waiting import wait_for
from tests.boot.machines import booted, measure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sandbox.accelerator import Accelerator
    from sandbox.machine import Machine
    from sandbox.workflow import Status
    from sandbox.world import World

IDENTITY = MachineIdentity("static", "52:54:00:00:01:0a", "172.30.0.110", "172.30.0.1")
CARDS = (Nic("52:54:00:00:02:20", TRUNK_BRIDGE), Nic(IDENTITY.mac, TRUNK_BRIDGE))
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


@pytest.fixture(scope="module")
def seen(
    here: World, accelerator: Accelerator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("static")
    with (
        trunk(folder, here.network),
        _machine(here, accelerator, folder) as box,
        box.shell() as shell,
        box.monitor() as monitor,
    ):
        wait_for(
            "a worker", lambda: box.console.poll_for("worker.started"), seconds=STARTED_SECONDS
        )
        disks = shell.run("ls /dev/disk/by-id /dev/disk/by-path")
        monitor.plug_disk(empty_disk(folder / "late.img", DISK_MIB), LATE)
        name = f"/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_{LATE}"
        look = f"[ ! -e {name} ] || blockdev --getsize64 {name}"
        late = wait_for("the late disk", lambda: shell.run(look) or None, seconds=LATE_SECONDS)
        status = measure(here, box, "static", WORKFLOW_SECONDS)
        resolver = shell.run("cat /run/resolvconf/resolv.conf")
        hostname = shell.run("hostname")
        clock = shell.run("cat /run/chrony/dhcp/*.sources")
        yield Seen(status, box.console.log.read_text(), resolver, hostname, clock, disks, late)


def _machine(
    here: World, accelerator: Accelerator, folder: Path
) -> AbstractContextManager[Machine]:
    disks = tuple(replace(disk, path=empty_disk(folder / disk.path, DISK_MIB)) for disk in DISKS)
    words = f"ipam={IPAM}"
    return booted(here, accelerator, folder, IDENTITY, words=words, nics=CARDS, disks=disks)


def test_workflow_succeeds_where_nobody_gives_addresses(seen: Seen) -> None:
    assert seen.status.state == "SUCCESS"
    bound = f"dhcp: address.bound interface=vlan{VLAN} address={ADDRESS} router={VLAN_ROUTER}"
    assert bound in seen.console


def test_names_and_time_come_from_there_as_well(seen: Seen) -> None:
    assert seen.hostname == "static.example.com"
    search, *servers = seen.resolver.splitlines()
    assert search == "search example.com team.example.com"
    assert servers == [f"nameserver {VLAN_ROUTER}", "nameserver 1.1.1.1"]
    assert f"server {VLAN_ROUTER} iburst" in seen.clock
    assert "server ntp.example.com iburst" in seen.clock


def test_disks_of_each_kind_are_there_by_name_before_the_worker(seen: Seen) -> None:
    for disk in DISKS:
        assert disk.serial in seen.disks
    assert "virtio-pci" in seen.disks


def test_a_disk_that_comes_late_is_there_by_name(seen: Seen) -> None:
    assert int(seen.late) == DISK_MIB * 2**20
