"""Machines whose firmware is UEFI: from the network by smee's own iPXE, and from a CD, signed."""

from pathlib import Path

import pytest

from sandbox.accelerator import Accelerator
from sandbox.disk import empty_disk
from sandbox.hardware import Hardware
from sandbox.machine import machine
from sandbox.objects import MachineIdentity
from sandbox.world import World
from tests.boot.conftest import MEMORY_MIB
from tests.boot.machines import measure
from tests.compat import cds

SIGNED = MachineIdentity("signed", "52:54:00:00:01:06", "172.30.0.106", "172.30.0.1")
NETBOOT = MachineIdentity("uefi", "52:54:00:00:01:07", "172.30.0.107", "172.30.0.1")


@pytest.mark.usefixtures("cd")
def test_secure_boot_lets_the_cd_start(
    here: World, accelerator: Accelerator, tmp_path: Path
) -> None:
    state, _ = cds.workflow_from_cd(here, accelerator, tmp_path, SIGNED, "UEFI with Secure Boot")
    assert state == "SUCCESS"


def test_uefi_netboots_by_smees_ipxe(here: World, accelerator: Accelerator, tmp_path: Path) -> None:
    here.enroll(NETBOOT)
    disk = empty_disk(tmp_path / "disk.img", 64)
    hardware = Hardware(NETBOOT, disk, "network", accelerator, MEMORY_MIB, firmware="UEFI")
    with machine(tmp_path, here.network, hardware, "uefi") as box:
        status = measure(here, box, "uefi", cds.WORKFLOW_SECONDS)
        assert status.state == "SUCCESS"
    assert "ipxe.efi" in here.tinkerbell.program.log.read_text()
