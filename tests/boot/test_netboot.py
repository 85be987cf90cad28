"""A machine is powered on, netboots through iPXE, is installed, and starts from its disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox import timeline
from sandbox.accelerator import Accelerator
from sandbox.disk import MARKER, empty_disk
from sandbox.follow import Follower
from sandbox.hardware import Hardware
from sandbox.ingredients import INITRAMFS, KERNEL
from sandbox.machine import machine
from sandbox.objects import MachineIdentity
from sandbox.provision import WORKFLOWS
from sandbox.workflow import Status
from sandbox.world import World
from tests.boot.conftest import MEMORY_MIB
from tests.boot.secrecy import places_that_tell

IDENTITY = MachineIdentity("netboot", "52:54:00:00:01:01", "172.30.0.101", "172.30.0.1")
WORKFLOW_SECONDS = 900.0  # a fifth of that on an idle machine
MARKER_SECONDS = 180.0


@dataclass(frozen=True)
class Installed:
    status: Status
    moments: dict[str, float]
    console: str
    requests: str


@pytest.fixture(scope="module")
def installed(
    here: World, accelerator: Accelerator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("netboot")
    disk = empty_disk(folder / "disk.img", 256)
    here.enroll(IDENTITY)
    template = (WORKFLOWS / "install.yml").read_text()
    run = here.start_workflow("install", template, IDENTITY)
    hardware = Hardware(IDENTITY, disk, "network", accelerator, MEMORY_MIB)
    with machine(folder, here.network, hardware, "netboot") as box:
        follower = Follower(here, box, run, print)
        status = follower.wait_for_success(WORKFLOW_SECONDS)
        follower.wait_for_marker(MARKER, MARKER_SECONDS)
        yield Installed(
            status, follower.moments, _text(box.console.log), _text(here.files.program.log)
        )


def _text(path: Path) -> str:
    return path.read_text(errors="replace")


def test_workflow_succeeds(installed: Installed) -> None:
    assert installed.status.state == "SUCCESS"
    assert installed.status.actions == {"stream": "SUCCESS", "reboot": "SUCCESS"}


def test_ipxe_fetched_kernel_and_initramfs(installed: Installed) -> None:
    for name in (KERNEL, INITRAMFS):
        assert f'"GET /{name} HTTP/1.1" 200' in installed.requests


def test_flag_of_the_action_rebooted_the_machine_into_its_disk(installed: Installed) -> None:
    before, after = installed.console.split(MARKER)
    assert before.count("init: boot.started") == 1, "the installer ran once, then the disk"
    assert "init: boot.started" not in after


def test_every_moment_of_a_good_boot_comes_in_its_order(installed: Installed) -> None:
    assert list(timeline.ORDER) == sorted(installed.moments, key=installed.moments.__getitem__)


def test_console_does_not_tell_the_password(here: World, installed: Installed) -> None:
    console = {"console": installed.console.encode()}
    assert places_that_tell(here.registry.credentials.password, console) == {}
