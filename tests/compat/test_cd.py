"""A machine that cannot netboot starts from the CD image that smee patched for it.

Its addresses are in it, too (`--iso-static-ipam-enabled`), so it asks no DHCP server.
"""

import re
from pathlib import Path

import pytest

from release import iso
from sandbox.accelerator import Accelerator
from sandbox.objects import MachineIdentity
from sandbox.world import World
from tests.compat import cds

IDENTITY = MachineIdentity("cd", "52:54:00:00:01:05", "172.30.0.105", "172.30.0.1")


@pytest.mark.usefixtures("cd")
def test_smee_patches_the_cd_and_its_workflow_succeeds(
    here: World, accelerator: Accelerator, tmp_path: Path
) -> None:
    state, console = cds.workflow_from_cd(here, accelerator, tmp_path, IDENTITY, "BIOS")
    assert state == "SUCCESS"
    assert f"id={IDENTITY.mac}" in console
    assert iso.PLACEHOLDER not in console
    # A lease would name its server.
    bound = rf"address.bound interface=eth0 address={IDENTITY.address} router=\S+ server=\s"
    assert re.search(bound, console)
