"""A machine that starts from the CD image which smee hands out for it."""

from pathlib import Path

import httpx

from sandbox.disk import empty_disk
from sandbox.follow import Follower
from sandbox.hardware import Cd, Hardware
from sandbox.machine import machine
from sandbox.objects import MachineIdentity
from sandbox.platforms import Firmware
from sandbox.provision import WORKFLOWS
from sandbox.world import World
from tests.boot.machines import MEMORY_MIB, Lab

REBOOT_SECONDS = 90.0
WORKFLOW_SECONDS = 900.0  # a fifth of that on an idle machine
MEASURE = WORKFLOWS / "measure.yml"
# Fails unless the machine's kernel has logged that Secure Boot is on.
SECURE_BOOT = Path(__file__).parent / "secure_boot.yml"


def fetched(sandbox: World, identity: MachineIdentity, folder: Path) -> Cd:
    """Fetch a machine's own CD image from smee, as its management controller would."""
    image = folder / f"{identity.name}.iso"
    url = sandbox.tinkerbell.iso_url(identity.mac)
    with sandbox.network.inside(), httpx.stream("GET", url, trust_env=False, timeout=60) as answer:
        answer.raise_for_status()
        with image.open("wb") as file:
            for chunk in answer.iter_bytes():
                file.write(chunk)
    return Cd(image)


def workflow_from_cd(
    lab: Lab, identity: MachineIdentity, firmware: Firmware, template: Path = MEASURE
) -> tuple[str, str]:
    """Return the state of a workflow of a machine that starts from its CD, and its console."""
    lab.sandbox.enroll(identity)
    cd = fetched(lab.sandbox, identity, lab.folder)
    disk = empty_disk(lab.folder / "disk.img", 64)
    hardware = Hardware(identity, disk, cd, lab.accelerator, MEMORY_MIB, firmware=firmware)
    with machine(lab.folder, lab.sandbox.network, hardware, identity.name) as box:
        run = lab.sandbox.start_workflow(identity.name, template.read_text(), identity)
        status = Follower(lab.sandbox, box, run, print).wait_for_success(WORKFLOW_SECONDS)
        return status.state, box.console.log.read_text(errors="replace")
