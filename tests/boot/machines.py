"""A machine under test: booted directly, with a shell to reach inside by."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sandbox.accelerator import Accelerator
from sandbox.disk import empty_disk
from sandbox.follow import Follower
from sandbox.hardware import Disk, Hardware, Nic
from sandbox.machine import Machine, machine
from sandbox.objects import MachineIdentity
from sandbox.provision import WORKFLOWS
from sandbox.shell import SHELL_WORDS
from sandbox.workflow import Status, WorkflowRun
from sandbox.world import World
from tests.boot.conftest import MEMORY_MIB

COMMAND = Path(__file__).parent / "command.yml"
DISK_MIB = 64


@contextmanager
def booted(
    here: World,
    accelerator: Accelerator,
    folder: Path,
    identity: MachineIdentity,
    *,
    line: str = "",
    words: str = "",
    memory: int = MEMORY_MIB,
    clock: str = "",
    nics: tuple[Nic, ...] = (),
    others: tuple[MachineIdentity, ...] = (),
    watchdog: bool = False,
    disks: tuple[Disk, ...] = (),
) -> Iterator[Machine]:
    """Power a machine on that Tinkerbell knows; it stops where it would start again.

    line: the kernel's command line, if not that of Tinkerbell's script. words: put behind it.
    memory, clock, cards, watchdog, disks: as Hardware has them. others: its other network cards, as
    Tinkerbell knows them.
    """
    here.enroll(identity, *others)
    boot = here.direct_boot(identity)
    line = f"{line or boot.command_line} {SHELL_WORDS} {words}".strip()
    disk = empty_disk(folder / "disk.img", DISK_MIB)
    hardware = Hardware(
        identity,
        disk,
        replace(boot, command_line=line),
        accelerator,
        memory,
        stop_at_reboot=True,
        clock=clock,
        shell_port=True,
        nics=nics,
        watchdog=watchdog,
        disks=disks,
    )
    with machine(folder, here.network, hardware, identity.name) as box:
        yield box


def start_command(here: World, identity: MachineIdentity, name: str, command: str) -> WorkflowRun:
    """Give a machine a workflow of one action: a command of busybox."""
    return here.start_workflow(name, COMMAND.read_text(), identity, command=command)


def measure(here: World, box: Machine, name: str, seconds: float, registry: str = "") -> Status:
    """Give a machine a workflow that changes nothing, and follow it until it has succeeded.

    registry: where the machine finds the sandbox's, if not under its usual address.
    """
    template = (WORKFLOWS / "measure.yml").read_text()
    more = {"registry": registry} if registry else {}
    run = here.start_workflow(name, template, box.hardware.identity, **more)
    return Follower(here, box, run, print).wait_for_success(seconds)
