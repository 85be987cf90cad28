"""QEMU's command for a machine of each architecture and firmware."""

import re
from pathlib import Path

import pytest

from release import arch
from release.arch import AARCH64, ALL, X86_64, Architecture
from sandbox import accelerator, hardware, platforms
from sandbox.hardware import Boot, Cd, DirectBoot, Hardware
from sandbox.objects import MachineIdentity
from sandbox.platforms import Firmware, Flash

DIRECT = DirectBoot(Path("vmlinuz"), Path("initramfs"), "quiet")


def command(
    folder: Path, target: Architecture, boot: Boot = "network", firmware: Firmware | None = None
) -> str:
    identity = MachineIdentity("x", "52:54:00:00:00:01", "10.0.0.2", "10.0.0.1", arch=target.name)
    emulated = accelerator.emulation(target)
    machine = Hardware(identity, Path("disk.img"), boot, emulated, firmware=firmware)
    return " ".join(hardware.command(machine, folder, ["tap0"]))


@pytest.fixture(autouse=True)
def _firmware(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the firmware's files, which this machine may lack."""
    for platform in platforms.PLATFORMS.values():
        for name, flash in platform.flash.items():
            variables = tmp_path / flash.variables.name
            variables.write_text(f"variables of {name}")
            monkeypatch.setitem(platform.flash, name, Flash(flash.code, variables, flash.package))


@pytest.mark.parametrize("target", ALL)
def test_a_machine_is_of_its_architecture_and_netboots(
    tmp_path: Path, target: Architecture
) -> None:
    words = command(tmp_path, target)
    assert words.startswith(f"qemu-system-{target.name} ")
    assert "bootindex=0" in words
    assert "-kernel" not in words


def test_x86_netboots_by_the_rom_of_its_nic_and_arm_by_its_firmware(tmp_path: Path) -> None:
    assert "romfile=" not in command(tmp_path, X86_64)
    assert "romfile=" in command(tmp_path, AARCH64)
    assert "pflash" not in command(tmp_path, X86_64)
    assert "AAVMF_CODE.fd" in command(tmp_path, AARCH64)


@pytest.mark.parametrize("target", ALL)
def test_a_kernel_that_qemu_starts_needs_no_firmware(tmp_path: Path, target: Architecture) -> None:
    words = command(tmp_path, target, DIRECT)
    assert "-kernel vmlinuz -initrd initramfs -append quiet" in words
    assert "pflash" not in words


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize("firmware", ["UEFI", "UEFI with Secure Boot"])
def test_the_firmwares_variables_are_the_machines_own(
    tmp_path: Path, target: Architecture, firmware: Firmware
) -> None:
    words = command(tmp_path, target, "disk", firmware)
    assert (".ms.fd" in words) == (firmware == "UEFI with Secure Boot")
    assert (tmp_path / "variables.fd").read_text() == f"variables of {firmware}"
    (tmp_path / "variables.fd").write_text("changed by the machine")
    command(tmp_path, target, "disk", firmware)
    assert (tmp_path / "variables.fd").read_text() == "changed by the machine"


@pytest.mark.parametrize(("target", "drive"), [(X86_64, "ide-cd"), (AARCH64, "usb-storage")])
def test_a_cd_is_on_a_controller_that_the_machine_has(
    tmp_path: Path, target: Architecture, drive: str
) -> None:
    assert re.search(
        rf"{drive}[^ ]*,drive=cd,bootindex=0", command(tmp_path, target, Cd(Path("x.iso")))
    )


def test_kvm_runs_no_other_architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arch, "own", lambda: X86_64)
    monkeypatch.setattr(accelerator, "_is_offered", lambda: True)
    monkeypatch.setattr(accelerator, "_starts", lambda _kernel, _target: True)
    accelerator.best_accelerator.cache_clear()
    found = {one: accelerator.best_accelerator(Path("vmlinuz"), one).name for one in ALL}
    accelerator.best_accelerator.cache_clear()
    assert found == {X86_64: "kvm", AARCH64: "tcg"}
