"""A signed unified kernel image on the disk of a machine that trusts the operator's key only."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pefile  # type: ignore[import-untyped]
import pytest

from release import assemble, base, engine, images, uki
from release.arch import ALL, X86_64, Architecture
from release.progress import Progress
from sandbox import platforms, secure_boot
from sandbox.accelerator import best_accelerator
from sandbox.disk import efi_disk
from sandbox.hardware import Hardware
from sandbox.machine import Machine, machine
from sandbox.network import namespace
from sandbox.objects import MachineIdentity
from sandbox.waiting import wait_for
from tests.boot.machines import MEMORY_MIB, Lab, measure
from tests.compat.cd_boot import WORKFLOW_SECONDS
from tests.keys import signing_key

IDENTITY = MachineIdentity("uki", "52:54:00:00:01:30", "172.30.0.130", "172.30.0.1")
OF_ONE_MACHINE = ("worker_id", "hw_addr", "BOOTIF", "instance_id")
WORD, MORE, FOREIGN = "word-of-the-image", "word-of-the-add-on", "word-of-a-stranger"
STARTED = "init: boot.started"
REFUSED = "Access Denied"  # the firmware's message
SECONDS = 300.0  # a tenth of that on an idle machine


@dataclass(frozen=True)
class Signed:
    """Unified kernel images of both architectures, and who signed them."""

    folder: Path
    operator: uki.Signer
    stranger: uki.Signer

    def image(self, target: Architecture) -> Path:
        """Return the path of the operator's image."""
        return self.folder / f"{target.name}.efi"

    def other(self, name: str) -> Path:
        """Return the path of another signed file."""
        return self.folder / name


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    folder = tmp_path_factory.mktemp("uki")
    signers = [uki.Signer(*signing_key(folder, name), "") for name in ("operator", "stranger")]
    found = Signed(folder, *signers)
    with engine.running() as host, images.locked_names():
        base.provide(os.environ | {"DOCKER_HOST": host}, Progress(), refresh=False)
        for target in ALL:
            uki.write(
                found.image(target), _parts(target), _with_console(signers[0], target), target
            )
        foreign = _with_console(found.stranger, X86_64)
        uki.write(found.other("foreign.efi"), _parts(X86_64), foreign, X86_64)
    for signer, name, word in (
        (found.operator, "ours.addon.efi", MORE),
        (found.stranger, "foreign.addon.efi", FOREIGN),
    ):
        uki.write_addon(found.other(name), replace(signer, words=word), X86_64)
    return found


def _parts(target: Architecture) -> dict[str, Path]:
    return {"vmlinuz": assemble.kernel(target), "initramfs": assemble.initramfs(target)}


def _with_console(signer: uki.Signer, target: Architecture) -> uki.Signer:
    return replace(signer, words=f"console={platforms.of(target.name).serial} {WORD}")


def _hardware(disk: Path, target: Architecture) -> Hardware:
    identity = replace(IDENTITY, arch=target.name)
    accelerator = best_accelerator(assemble.kernel(target), target)
    return Hardware(
        identity, disk, "disk", accelerator, MEMORY_MIB, firmware="UEFI with Secure Boot"
    )


@contextmanager
def _powered_on(folder: Path, hardware: Hardware) -> Iterator[Machine]:
    with (
        namespace(f"uki-{os.getpid()}") as network,
        machine(folder, network, hardware, hardware.identity.name) as box,
    ):
        yield box


@contextmanager
def _started(
    folder: Path, signed: Signed, image: Path, target: Architecture, *addons: Path
) -> Iterator[Machine]:
    """Power a machine on with these files on its disk, and the operator's key in its firmware."""
    files = {f"{target.efi_loader}.extra.d/{addon.name}": addon for addon in addons}
    disk = efi_disk(folder / "disk.img", {target.efi_loader: image, **files})
    hardware = _hardware(disk, target)
    secure_boot.enrol(hardware.platform, signed.operator.certificate, folder)
    with _powered_on(folder, hardware) as box:
        yield box


def _text(box: Machine) -> str:
    return "\n".join(line.text for line in box.console.lines)


@pytest.mark.parametrize("target", ALL)
def test_secure_boot_with_the_operators_key_lets_it_start(
    tmp_path: Path, signed: Signed, target: Architecture
) -> None:
    with _started(tmp_path, signed, signed.image(target), target) as box:
        wait_for(STARTED, lambda: box.console.poll_for(STARTED), seconds=SECONDS)
        assert "secureboot: Secure boot enabled" in _text(box)
        words = _with_console(signed.operator, target).words
        assert _command_line(box) == words


def _command_line(box: Machine) -> str:
    line = box.console.find("Kernel command line: ")
    assert line
    return line.text.partition("Kernel command line: ")[2]


@pytest.mark.parametrize("section", [".initrd", ".linux", ".cmdline"])
def test_a_changed_byte_keeps_it_from_starting(
    tmp_path: Path, signed: Signed, section: str
) -> None:
    changed = tmp_path / "changed.efi"
    content = bytearray(signed.image(X86_64).read_bytes())
    content[_middle(signed.image(X86_64), section)] ^= 1
    changed.write_bytes(content)
    _assert_refused(tmp_path, signed, changed)


def _middle(image: Path, name: str) -> int:
    """Return the offset of a byte in the middle of a section."""
    with pefile.PE(image, fast_load=True) as program:
        section = next(one for one in program.sections if one.Name.rstrip(b"\0") == name.encode())
        return int(section.PointerToRawData + section.Misc_VirtualSize // 2)


def test_the_signature_of_another_key_keeps_it_from_starting(
    tmp_path: Path, signed: Signed
) -> None:
    _assert_refused(tmp_path, signed, signed.other("foreign.efi"))


def _assert_refused(folder: Path, signed: Signed, image: Path) -> None:
    with _started(folder, signed, image, X86_64) as box:
        wait_for(REFUSED, lambda: box.console.poll_for(REFUSED), seconds=SECONDS)
        # The firmware goes on to its next entry: the image is not tried again.
        next_entry = "starting Boot0002"
        wait_for(next_entry, lambda: box.console.poll_for(next_entry), seconds=SECONDS)
        assert "Linux" not in _text(box)


def test_an_add_on_needs_the_operators_signature(tmp_path: Path, signed: Signed) -> None:
    addons = [signed.other(name) for name in ("ours.addon.efi", "foreign.addon.efi")]
    with _started(tmp_path, signed, signed.image(X86_64), X86_64, *addons) as box:
        wait_for(STARTED, lambda: box.console.poll_for(STARTED), seconds=SECONDS)
        assert _command_line(box) == f"{_with_console(signed.operator, X86_64).words} {MORE}"


@pytest.mark.parametrize("is_on", [True, False])
def test_with_secure_boot_the_words_of_a_boot_entry_have_no_effect(
    tmp_path: Path, signed: Signed, *, is_on: bool
) -> None:
    console = f"console={platforms.of(X86_64.name).serial}"
    file, given = "EFI/tinkie/tinkie.efi", f"{console} {FOREIGN}"
    disk = efi_disk(tmp_path / "disk.img", {file: signed.image(X86_64)})
    hardware = _hardware(disk, X86_64)
    secure_boot.enrol(hardware.platform, signed.operator.certificate, tmp_path, is_on=is_on)
    secure_boot.add_boot_entry(hardware.platform, tmp_path, file, given)
    with _powered_on(tmp_path, hardware) as box:
        wait_for(STARTED, lambda: box.console.poll_for(STARTED), seconds=SECONDS)
        assert _command_line(box) == (f"{console} {WORD}" if is_on else given)


def test_a_workflow_succeeds_with_signed_words_and_the_id_of_the_metadata(lab: Lab) -> None:
    """The words are the same for all machines: none of them names this one."""
    lab.sandbox.enroll(IDENTITY)
    line = lab.sandbox.command_line(IDENTITY).split()
    words = " ".join(word for word in line if word.partition("=")[0] not in OF_ONE_MACHINE)
    assert IDENTITY.mac not in words
    image, signer = lab.folder / "tinkie.efi", uki.Signer(*signing_key(lab.folder, "db"), words)
    with engine.running() as host, images.locked_names():
        base.provide(os.environ | {"DOCKER_HOST": host}, Progress(), refresh=False)
        uki.write(image, _parts(X86_64), signer, X86_64)
    hardware = _hardware(efi_disk(lab.folder / "disk.img", {X86_64.efi_loader: image}), X86_64)
    secure_boot.enrol(hardware.platform, signer.certificate, lab.folder)
    with machine(lab.folder, lab.sandbox.network, hardware, IDENTITY.name) as box:
        assert measure(lab.sandbox, box, IDENTITY.name, WORKFLOW_SECONDS).state == "SUCCESS"
