"""`python -m sandbox.run`: boot the built OS on this terminal, without Tinkerbell (`make run`).

The machine has a NIC with DHCP, the host at 10.0.2.2 (QEMU's user network), and a root shell on its
serial console.
"""

import argparse
import os
import shutil
from pathlib import Path

from release import assemble
from release.errors import ReportedError, reported_errors
from sandbox.accelerator import Accelerator, best_accelerator

QEMU = "qemu-system-x86_64"
CMDLINE = "console=ttyS0 quiet tinkie.shell"


def machine(
    accelerator: Accelerator, kernel: Path, initramfs: Path, memory_mib: int, words: str
) -> list[str]:
    """Return QEMU's command line; words are appended to the kernel's, so they override it."""
    hardware = ["-m", str(memory_mib), "-nic", "user,model=virtio-net-pci", "-nographic"]
    boot = ["-kernel", str(kernel), "-initrd", str(initramfs), "-append", f"{CMDLINE} {words}"]
    return [QEMU, *accelerator.options, *hardware, "-no-reboot", *boot]


def main() -> None:
    """Run this module's command line."""
    parser = argparse.ArgumentParser(prog="sandbox.run", description=__doc__)
    parser.add_argument("--memory", type=int, default=2048, help="MiB")
    parser.add_argument("--append", default="", help="extra kernel parameters, appended last")
    options = parser.parse_args()
    with reported_errors():
        if not shutil.which(QEMU):
            raise ReportedError(f"{QEMU} is not installed; run `make setup` as root")
        if not (assemble.KERNEL.exists() and assemble.INITRAMFS.exists()):
            raise ReportedError("nothing is built yet; run `make quick`")
        print("ctrl-a x ends the machine", flush=True)
        accelerator = best_accelerator(assemble.KERNEL)
        kernel, initramfs = assemble.KERNEL, assemble.INITRAMFS
        command = machine(accelerator, kernel, initramfs, options.memory, options.append)
        os.execvp(QEMU, command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
