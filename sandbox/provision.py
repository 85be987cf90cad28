"""`make sandbox`: provision (or wipe) one machine, and report each step."""

import shutil
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from release.arch import Architecture
from release.errors import ReportedError
from release.progress import Progress
from sandbox import platforms, preflight, timeline
from sandbox.accelerator import best_accelerator
from sandbox.disk import MARKER, empty_disk, fill, is_zero
from sandbox.follow import Follower
from sandbox.hardware import Hardware
from sandbox.ingredients import Ingredients
from sandbox.machine import machine
from sandbox.network import PREFIX, Namespace, abandoned
from sandbox.waiting import wait_for
from sandbox.world import World, world

NAME = "sandbox"
WORKFLOWS = Path(__file__).parent / "workflows"
DISK_BOOTS = "disk boots"
DISK_IS_EMPTY = "disk is empty"
WORKFLOW_SECONDS = 1800.0
MARKER_SECONDS = 240.0
REBOOT_SECONDS = 90.0


@dataclass(frozen=True)
class Request:
    """The options of `make sandbox`.

    template: the workflow's YAML.
    proof: what to check afterwards: DISK_BOOTS, DISK_IS_EMPTY, or "" for a user's template.
    direct: QEMU starts the kernel, instead of iPXE.
    """

    folder: Path
    template: Path
    proof: str
    memory: int
    disk_mib: int
    kernel_args: str
    direct: bool
    target: Architecture

    @property
    def steps(self) -> int:
        """The number of provision's steps."""
        return 2 + (self.proof == DISK_IS_EMPTY) + self.starts_from_disk

    @property
    def starts_from_disk(self) -> bool:
        """Whether the machine must be powered on a second time, to boot from its disk."""
        return self.stops_at_reboot and self.proof == DISK_BOOTS

    @property
    def stops_at_reboot(self) -> bool:
        """Whether the machine powers off where it would reboot."""
        # At a reboot QEMU would start the given kernel again.
        return self.direct or platforms.of(self.target.name).retries_netboot


def check(request: Request) -> None:
    """Raise ReportedError if something is missing; this changes nothing."""
    if not request.template.is_file():
        raise ReportedError(f"there is no workflow template {request.template}")
    preflight.check(request.folder, request.memory, Namespace(PREFIX + NAME), request.target)


def provision(request: Request, ingredients: Ingredients, progress: Progress) -> None:
    """Run the workflow on a machine and report it; ReportedError if it does not succeed."""
    Namespace(PREFIX + NAME).delete()  # of a sandbox that was killed
    disk = _disk(request, progress)
    with ExitStack() as stack:
        with progress.step("start registry, file server and Tinkerbell"):
            servers = world(request.folder, NAME, ingredients, kernel_args=request.kernel_args)
            here = stack.enter_context(servers)
        progress.note(f"serving   {here.files.url} (artifacts), {here.registry.host} (images)")
        _provision(request, here, disk, progress)


def _provision(request: Request, here: World, disk: Path, progress: Progress) -> None:
    here.enroll(here.machine)
    run = here.start_workflow("provision", request.template.read_text(), here.machine)
    hardware = _hardware(request, here, disk)
    with (
        progress.step(f"boot a machine and run the workflow {request.template.stem}"),
        machine(request.folder / "machine", here.network, hardware, "tap0") as box,
    ):
        power = f"{here.machine.mac}, {hardware.memory} MiB, {hardware.accelerator.name}"
        progress.note(f"power-on  {power}")
        follower = Follower(here, box, run, progress.note)
        try:
            _follow(request, follower)
        finally:
            if timeline.KERNEL in follower.moments:
                print(f"\n{timeline.table(follower.moments)}\n", flush=True)
    if request.starts_from_disk:
        with progress.step("start the machine from its disk"):
            _start_from_disk(request, here, hardware)
    print(f"workflow  {follower.status.state}")
    _prove(request, disk)


def _follow(request: Request, follower: Follower) -> None:
    follower.wait_for_success(WORKFLOW_SECONDS)
    if request.proof != DISK_BOOTS:
        return
    if request.stops_at_reboot:
        follower.wait_for("the reboot", lambda: follower.machine.is_off() or None, REBOOT_SECONDS)
    else:
        follower.wait_for_marker(MARKER, MARKER_SECONDS)


def _hardware(request: Request, here: World, disk: Path) -> Hardware:
    accelerator = best_accelerator(here.ingredients.kernel, here.ingredients.target)
    return Hardware(
        here.machine,
        disk,
        here.direct_boot(here.machine) if request.direct else "network",
        accelerator,
        request.memory,
        stop_at_reboot=request.stops_at_reboot,
    )


def _start_from_disk(request: Request, here: World, hardware: Hardware) -> None:
    rebooted = replace(hardware, boot="disk", stop_at_reboot=False)
    with machine(request.folder / "disk", here.network, rebooted, "tap0") as box:
        wait_for(f'"{MARKER}"', lambda: box.console.poll_for(MARKER), seconds=MARKER_SECONDS)


def _prove(request: Request, disk: Path) -> None:
    if request.proof == DISK_BOOTS:
        print(f'proof     the machine booted from its disk and printed "{MARKER}"')
    if request.proof == DISK_IS_EMPTY:
        if not is_zero(disk):
            raise ReportedError(f"the workflow succeeded, but {disk} is not all zeros")
        print(f"proof     all {disk.stat().st_size} bytes of the disk read as zeros")


def _disk(request: Request, progress: Progress) -> Path:
    disk = request.folder / "disk.img"
    if request.proof != DISK_IS_EMPTY:
        return empty_disk(disk, request.disk_mib)
    with progress.step("fill the disk, so that there is data to wipe"):
        if not disk.exists() or is_zero(disk):
            fill(empty_disk(disk, request.disk_mib))
    return disk


def remove(folder: Path) -> None:
    """Remove everything that a sandbox left behind: processes, namespace, interfaces, files.

    This also removes what killed tests and benchmarks left behind, not those that are running.
    """
    preflight.check_root()
    for namespace in (Namespace(PREFIX + NAME), *abandoned()):
        namespace.delete()
    shutil.rmtree(folder, ignore_errors=True)
