"""A machine under test: booted directly, with a shell for looking inside."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.accelerator import Accelerator
from sandbox.disk import empty_disk
from sandbox.follow import Follower
from sandbox.hardware import Disk, Hardware, Nic
from sandbox.machine import Machine, machine
from sandbox.objects import MachineIdentity
from sandbox.provision import WORKFLOWS
from sandbox.workflow import Status, WorkflowRun
from sandbox.world import World

MEMORY_MIB = 2048
COMMAND = Path(__file__).parent / "command.yml"
DISK_MIB = 64


@dataclass(frozen=True)
class Lab:
    """What it takes to boot a machine: a sandbox, an accelerator, a folder for disk and console."""

    sandbox: World
    accelerator: Accelerator
    folder: Path


@contextmanager
def booted(
    lab: Lab,
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
    """Power a machine on that Tinkerbell has a record of; it stops where it would reboot.

    line: the kernel's command line, if not that of Tinkerbell's script. words: appended to it.
    memory, clock, cards, watchdog, disks: as Hardware has them. others: its other NICs, as
    Tinkerbell has them.
    """
    lab.sandbox.enroll(identity, *others)
    boot = lab.sandbox.direct_boot(identity)
    disk = empty_disk(lab.folder / "disk.img", DISK_MIB)
    hardware = Hardware(
        identity,
        disk,
        boot,
        lab.accelerator,
        memory,
        stop_at_reboot=True,
        clock=clock,
        shell_port=True,
        nics=nics,
        watchdog=watchdog,
        disks=disks,
    )
    line = f"{line or boot.command_line} {hardware.shell_words} {words}".strip()
    hardware = replace(hardware, boot=replace(boot, command_line=line))
    with machine(lab.folder, lab.sandbox.network, hardware, identity.name) as box:
        yield box


def start_command(
    sandbox: World, identity: MachineIdentity, name: str, command: str
) -> WorkflowRun:
    """Give a machine a workflow of one action: a command of busybox."""
    return sandbox.start_workflow(name, COMMAND.read_text(), identity, command=command)


def measure(sandbox: World, box: Machine, name: str, seconds: float, registry: str = "") -> Status:
    """Give a machine a workflow that changes nothing, and follow it until it has succeeded.

    registry: the sandbox's registry as the machine reaches it, if not at its usual address.
    """
    template = (WORKFLOWS / "measure.yml").read_text()
    more = {"registry": registry} if registry else {}
    run = sandbox.start_workflow(name, template, box.hardware.identity, **more)
    return Follower(sandbox, box, run, print).wait_for_success(seconds)
