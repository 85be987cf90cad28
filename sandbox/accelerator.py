"""KVM if a guest really starts under it, else emulation."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from release import arch
from release.arch import Architecture
from release.process import CommandTimeoutError, run
from sandbox import platforms

PROBE_SECONDS = 6.0
KVM_DEVICE = "/dev/kvm"


@dataclass(frozen=True)
class Accelerator:
    """How QEMU runs the guest's instructions."""

    name: str
    options: tuple[str, ...]


KVM = Accelerator("kvm", ("-accel", "kvm", "-cpu", "host"))


@cache
def best_accelerator(kernel: Path, target: Architecture) -> Accelerator:
    """Return KVM if this kernel prints something under it within seconds, else emulation.

    KVM runs nothing but the host's own architecture.

    A device that can be opened is not enough: on some hosts the firmware runs under it, and then
    the kernel hangs.
    """
    if target == arch.own() and _is_offered() and _starts(kernel, target):
        return KVM
    return emulation(target)


def emulation(target: Architecture) -> Accelerator:
    """Return what works on every host."""
    model = platforms.of(target.name).cpu
    return Accelerator("tcg", ("-accel", "tcg,thread=multi", "-cpu", model))


def _is_offered() -> bool:
    return os.access(KVM_DEVICE, os.R_OK | os.W_OK)


def _starts(kernel: Path, target: Architecture) -> bool:
    platform = platforms.of(target.name)
    command = [platform.qemu, *platform.direct, "-nodefaults", "-display", "none", "-no-reboot"]
    words = f"console={platform.serial} panic=-1"
    guest = ["-m", "512", "-serial", "stdio", "-kernel", str(kernel), "-append", words]
    try:
        done = run(
            "trying KVM", [*command, *KVM.options, *guest], seconds=PROBE_SECONDS, check=False
        )
    except CommandTimeoutError:
        return False
    return b"Linux version" in done.stdout
