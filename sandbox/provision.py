"""`make sandbox`: one machine is provisioned (or wiped) before the eyes of a person."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox import preflight, timeline
from sandbox.accelerator import best_accelerator
from sandbox.disk import MARKER, empty_disk, fill, is_zero
from sandbox.errors import SandboxError
from sandbox.follow import Follower, failure
from sandbox.ingredients import Ingredients
from sandbox.machine import Boot, DirectBoot, Hardware, machine
from sandbox.network import PREFIX, Namespace
from sandbox.world import MACHINE, World, world

NAME = "sandbox"
WORKFLOWS = Path(__file__).parent / "workflows"
WORKFLOW_SECONDS = 1800.0
MARKER_SECONDS = 240.0


@dataclass(frozen=True)
class Request:
    """What a person asked for.

    template: the workflow's YAML. proof: what is to be seen after it ("disk boots", "disk is
    empty", or "" for a template of somebody's own).
    direct: start the kernel at once instead of letting iPXE fetch it.
    """

    folder: Path
    template: Path
    proof: str
    memory: int
    disk_mib: int
    kernel_args: str
    direct: bool


def check(request: Request) -> None:
    """Raise SandboxError for what is lacking; nothing has been changed by then."""
    if not request.template.is_file():
        raise SandboxError(f"there is no workflow template {request.template}")
    preflight.check(request.folder, request.memory, Namespace(PREFIX + NAME))


def provision(request: Request, ingredients: Ingredients) -> None:
    """Run the workflow on a machine and print its way; SandboxError if it does not succeed."""
    say = _teller()
    Namespace(PREFIX + NAME).delete()  # of one that was killed
    disk = _disk(request, say)
    say("starting  network namespace, registry, file server, Tinkerbell")
    with world(request.folder, NAME, ingredients, kernel_args=request.kernel_args) as here:
        say(f"serving   {here.files.url} (artifacts), {here.registry.host} (images)")
        _provision(request, here, disk, say)


def _provision(request: Request, here: World, disk: Path, say: Callable[[str], None]) -> None:
    here.enroll()
    run = here.start_workflow("provision", request.template.read_text(), MACHINE)
    accelerator = best_accelerator(here.ingredients.kernel)
    hardware = Hardware(MACHINE, disk, _boot(request, here), accelerator, request.memory)
    say(f"power-on  {MACHINE.mac}, {request.memory} MiB, {accelerator.name}")
    with machine(request.folder / "machine", here.network, hardware, "tap0") as box:
        follower = Follower(here, box, run, say)
        try:
            status = follower.wait_for_end(WORKFLOW_SECONDS)
            if status.state != "SUCCESS":
                raise failure(status)
            if request.proof == "disk boots":
                follower.wait_for_marker(MARKER, MARKER_SECONDS)
        finally:
            print(f"\n{timeline.table(follower.moments)}\n", flush=True)
    print(f"workflow  {status.state}")
    _prove(request, disk)


def _prove(request: Request, disk: Path) -> None:
    if request.proof == "disk boots":
        print(f'proof     the machine started from its disk, which said "{MARKER}"')
    if request.proof == "disk is empty":
        if not is_zero(disk):
            raise SandboxError(f"the workflow succeeded, but {disk} is not all zeros")
        print(f"proof     all {disk.stat().st_size} bytes of the disk read as zeros")


def _boot(request: Request, here: World) -> Boot:
    if not request.direct:
        return "network"
    parts = here.ingredients
    return DirectBoot(parts.kernel, parts.initramfs, here.command_line())


def _disk(request: Request, say: Callable[[str], None]) -> Path:
    disk = request.folder / "disk.img"
    if request.proof != "disk is empty":
        return empty_disk(disk, request.disk_mib)
    if not disk.exists() or is_zero(disk):
        say("filling   the disk, so that there is something to wipe")
        fill(empty_disk(disk, request.disk_mib))
    return disk


def remove(folder: Path) -> None:
    """Remove everything that a sandbox left: processes, namespace, interfaces, files."""
    Namespace(PREFIX + NAME).delete()
    shutil.rmtree(folder, ignore_errors=True)


def _teller() -> Callable[[str], None]:
    started = time.monotonic()
    return lambda text: print(f"{time.monotonic() - started:7.1f} s  {text}", flush=True)
