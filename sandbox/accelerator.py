"""KVM if a guest really starts under it, else emulation."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from release.process import CommandTimeoutError, run

PROBE_SECONDS = 6.0
KVM_DEVICE = "/dev/kvm"


@dataclass(frozen=True)
class Accelerator:
    """How QEMU runs the guest's instructions."""

    name: str
    options: tuple[str, ...]


KVM = Accelerator("kvm", ("-accel", "kvm", "-cpu", "host"))
EMULATION = Accelerator("tcg", ("-accel", "tcg,thread=multi", "-cpu", "max"))


@cache
def best_accelerator(kernel: Path) -> Accelerator:
    """Return KVM if this kernel prints something under it within seconds, else emulation.

    A device that can be opened is not enough: on some hosts the firmware runs under it, and then
    the kernel hangs.
    """
    return KVM if _is_offered() and _starts(kernel) else EMULATION


def _is_offered() -> bool:
    flags = set(Path("/proc/cpuinfo").read_text().split())
    return bool(flags & {"vmx", "svm"}) and os.access(KVM_DEVICE, os.R_OK | os.W_OK)


def _starts(kernel: Path) -> bool:
    command = ["qemu-system-x86_64", "-nodefaults", "-display", "none", "-no-reboot", "-m", "512"]
    guest = ["-serial", "stdio", "-kernel", str(kernel), "-append", "console=ttyS0 panic=-1"]
    try:
        done = run(
            "trying KVM", [*command, *KVM.options, *guest], seconds=PROBE_SECONDS, check=False
        )
    except CommandTimeoutError:
        return False
    return b"Linux version" in done.stdout
