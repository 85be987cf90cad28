"""A machine of the other architecture, emulated: from the network by UEFI, and from a signed CD.

It has a sandbox of its own: the images in its registry are for aarch64.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from release import assemble, images, iso
from release.arch import AARCH64
from sandbox.accelerator import best_accelerator
from sandbox.disk import MARKER, empty_disk
from sandbox.follow import Follower
from sandbox.hardware import Hardware
from sandbox.ingredients import ingredients
from sandbox.machine import machine
from sandbox.network import PREFIX, Namespace
from sandbox.objects import MachineIdentity
from sandbox.preflight import check
from sandbox.provision import WORKFLOWS
from sandbox.waiting import wait_for
from sandbox.world import CD, World, world
from tests.boot.machines import MEMORY_MIB, Lab
from tests.compat import cd_boot

NETBOOT = MachineIdentity(
    "arm", "52:54:00:00:01:21", "172.30.0.121", "172.30.0.1", arch=AARCH64.name
)
SIGNED = MachineIdentity(
    "armcd", "52:54:00:00:01:22", "172.30.0.122", "172.30.0.1", arch=AARCH64.name
)
REBOOT_SECONDS = 180.0
MARKER_SECONDS = 240.0


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("arm")
    name = f"arm-{os.getpid()}"
    check(folder, MEMORY_MIB, Namespace(PREFIX + name), AARCH64)
    with world(folder, name, ingredients(assemble.OUT, target=AARCH64)) as running:
        yield running


@pytest.fixture
def lab(sandbox: World, tmp_path: Path) -> Lab:
    accelerator = best_accelerator(sandbox.ingredients.kernel, AARCH64)
    return Lab(sandbox, accelerator, tmp_path)


def test_uefi_netboots_by_smees_ipxe_and_the_installed_disk_starts(lab: Lab) -> None:
    here = lab.sandbox
    here.enroll(NETBOOT)
    run = here.start_workflow("arm", (WORKFLOWS / "install.yml").read_text(), NETBOOT)
    disk = empty_disk(lab.folder / "disk.img", 256)
    # This firmware tries three more ways to netboot before the disk, for minutes: so it stops.
    once = Hardware(NETBOOT, disk, "network", lab.accelerator, MEMORY_MIB, stop_at_reboot=True)
    with machine(lab.folder / "first", here.network, once, "arm") as box:
        follower = Follower(here, box, run, print)
        assert follower.wait_for_success(cd_boot.WORKFLOW_SECONDS).state == "SUCCESS"
        follower.wait_for("the reboot", lambda: box.is_off() or None, REBOOT_SECONDS)
        console = box.console.log.read_text(errors="replace")
    assert "snp-arm64.efi" in console
    assert "init: boot.started" in console
    with machine(lab.folder / "second", here.network, replace(once, boot="disk"), "arm") as box:
        wait_for(MARKER, lambda: box.console.poll_for(MARKER), seconds=MARKER_SECONDS)


def test_secure_boot_lets_the_cd_start(lab: Lab) -> None:
    files, image = lab.sandbox.ingredients, lab.folder / CD
    with images.locked_names():
        iso.write(image, {"vmlinuz": files.kernel, "initramfs": files.initramfs}, AARCH64)
    lab.sandbox.files.publish(image)
    state, console = cd_boot.workflow_from_cd(
        lab, SIGNED, "UEFI with Secure Boot", cd_boot.SECURE_BOOT
    )
    assert state == "SUCCESS"
    assert f"id={SIGNED.mac}" in console
