"""A machine is powered on, netboots through iPXE, is installed, and starts from its disk."""

from dataclasses import dataclass
from pathlib import Path

from release.arch import X86_64
from sandbox import timeline
from sandbox.disk import MARKER, empty_disk
from sandbox.follow import Follower
from sandbox.hardware import Hardware
from sandbox.machine import machine
from sandbox.objects import MachineIdentity
from sandbox.provision import WORKFLOWS
from sandbox.workflow import Status
from sandbox.world import World
from tests.boot.machines import MEMORY_MIB, Lab
from tests.boot.secrecy import places_with

IDENTITY = MachineIdentity("netboot", "52:54:00:00:01:01", "172.30.0.101", "172.30.0.1")
WORKFLOW_SECONDS = 900.0  # a fifth of that on an idle machine
MARKER_SECONDS = 180.0


@dataclass(frozen=True)
class Installed:
    status: Status
    moments: dict[str, float]
    console: str
    requests: str


def observe(lab: Lab) -> Installed:
    """Power the machine on, and return what came of it."""
    sandbox = lab.sandbox
    disk = empty_disk(lab.folder / "disk.img", 256)
    sandbox.enroll(IDENTITY)
    template = (WORKFLOWS / "install.yml").read_text()
    run = sandbox.start_workflow("install", template, IDENTITY)
    hardware = Hardware(IDENTITY, disk, "network", lab.accelerator, MEMORY_MIB)
    with machine(lab.folder, sandbox.network, hardware, "netboot") as box:
        follower = Follower(sandbox, box, run, print)
        status = follower.wait_for_success(WORKFLOW_SECONDS)
        follower.wait_for_marker(MARKER, MARKER_SECONDS)
        return Installed(
            status, follower.moments, _text(box.console.log), _text(sandbox.files.program.log)
        )


def _text(path: Path) -> str:
    return path.read_text(errors="replace")


def test_workflow_succeeds(seen: Installed) -> None:
    assert seen.status.state == "SUCCESS"
    assert seen.status.actions == {"stream": "SUCCESS", "reboot": "SUCCESS"}


def test_ipxe_fetched_kernel_and_initramfs(seen: Installed) -> None:
    for name in (X86_64.kernel, X86_64.initramfs):
        assert f'"GET /{name} HTTP/1.1" 200' in seen.requests


def test_flag_of_the_action_rebooted_the_machine_into_its_disk(seen: Installed) -> None:
    before, after = seen.console.split(MARKER)
    assert before.count("init: boot.started") == 1, "the installer ran once, then the disk"
    assert "init: boot.started" not in after


def test_every_moment_of_a_good_boot_comes_in_its_order(seen: Installed) -> None:
    assert list(timeline.ORDER) == sorted(seen.moments, key=seen.moments.__getitem__)


def test_the_password_is_not_on_the_console(sandbox: World, seen: Installed) -> None:
    console = {"console": seen.console.encode()}
    assert places_with(sandbox.registry.credentials.password, console) == {}
