"""Machines whose firmware is UEFI: from the network by smee's own iPXE, and from a CD, signed."""

import pytest

from sandbox.disk import empty_disk
from sandbox.hardware import Hardware
from sandbox.machine import machine
from sandbox.objects import MachineIdentity
from tests.boot.machines import MEMORY_MIB, Lab, measure
from tests.compat import cd_boot

SIGNED = MachineIdentity("signed", "52:54:00:00:01:06", "172.30.0.106", "172.30.0.1")
NETBOOT = MachineIdentity("uefi", "52:54:00:00:01:07", "172.30.0.107", "172.30.0.1")


@pytest.mark.usefixtures("cd")
def test_secure_boot_lets_the_cd_start(lab: Lab) -> None:
    state, _ = cd_boot.workflow_from_cd(lab, SIGNED, "UEFI with Secure Boot", cd_boot.SECURE_BOOT)
    assert state == "SUCCESS"


def test_uefi_netboots_by_smees_ipxe(lab: Lab) -> None:
    lab.sandbox.enroll(NETBOOT)
    disk = empty_disk(lab.folder / "disk.img", 64)
    hardware = Hardware(NETBOOT, disk, "network", lab.accelerator, MEMORY_MIB, firmware="UEFI")
    with machine(lab.folder, lab.sandbox.network, hardware, "uefi") as box:
        status = measure(lab.sandbox, box, "uefi", cd_boot.WORKFLOW_SECONDS)
        assert status.state == "SUCCESS"
    assert "ipxe.efi" in lab.sandbox.tinkerbell.program.log.read_text()
