"""A machine that starts from the CD image which smee hands out for it."""

from pathlib import Path

import httpx

from sandbox.accelerator import Accelerator
from sandbox.disk import empty_disk
from sandbox.firmware import Firmware
from sandbox.hardware import Cd, Hardware
from sandbox.machine import machine
from sandbox.objects import MachineIdentity
from sandbox.world import World
from tests.boot.conftest import MEMORY_MIB
from tests.boot.machines import measure

REBOOT_SECONDS = 90.0
WORKFLOW_SECONDS = 900.0  # a fifth of that on an idle machine


def fetched(here: World, identity: MachineIdentity, folder: Path) -> Cd:
    """Fetch a machine's own CD image from smee, as its management controller would."""
    image = folder / f"{identity.name}.iso"
    url = here.tinkerbell.iso_url(identity.mac)
    with here.network.inside(), httpx.stream("GET", url, trust_env=False, timeout=60) as answer:
        answer.raise_for_status()
        with image.open("wb") as file:
            for chunk in answer.iter_bytes():
                file.write(chunk)
    return Cd(image)


def workflow_from_cd(
    here: World,
    accelerator: Accelerator,
    folder: Path,
    identity: MachineIdentity,
    firmware: Firmware,
) -> tuple[str, str]:
    """Return the state of a workflow of a machine that started so, and what its console said."""
    here.enroll(identity)
    cd = fetched(here, identity, folder)
    disk = empty_disk(folder / "disk.img", 64)
    hardware = Hardware(identity, disk, cd, accelerator, MEMORY_MIB, firmware=firmware)
    with machine(folder, here.network, hardware, identity.name) as box:
        status = measure(here, box, identity.name, WORKFLOW_SECONDS)
        return status.state, box.console.log.read_text(errors="replace")
