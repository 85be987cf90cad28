"""A machine that cannot netboot starts from the CD image that smee patched for it.

The CD contains its addresses, too (`--iso-static-ipam-enabled`), so it uses no DHCP.
"""

import re

import pytest

from release import iso
from sandbox.objects import MachineIdentity
from tests.boot.machines import Lab
from tests.compat import cd_boot

IDENTITY = MachineIdentity("cd", "52:54:00:00:01:05", "172.30.0.105", "172.30.0.1")


@pytest.mark.usefixtures("cd")
def test_smee_patches_the_cd_and_its_workflow_succeeds(lab: Lab) -> None:
    state, console = cd_boot.workflow_from_cd(lab, IDENTITY, "BIOS")
    assert state == "SUCCESS"
    assert f"id={IDENTITY.mac}" in console
    assert iso.PLACEHOLDER not in console
    # A lease would name its server.
    bound = rf"address.bound interface=eth0 address={IDENTITY.address} router=\S+\s(?!server=)"
    assert re.search(bound, console)
