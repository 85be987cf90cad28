"""A machine that cannot netboot starts from the CD image that smee patched for it.

Its addresses are in it, too (`--iso-static-ipam-enabled`), so it asks no DHCP server.
"""

import json
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
    assert f"address.bound interface=eth0 address={IDENTITY.address}" in console
    assert IDENTITY.mac not in _askers(here)


def _askers(here: World) -> set[str]:
    """Return the hardware addresses that have asked smee's DHCP server."""
    lines = map(json.loads, here.tinkerbell.program.log.read_text().splitlines())
    return {line["mac"] for line in lines if line["msg"] == "received DHCP packet"}
