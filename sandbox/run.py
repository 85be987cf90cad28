"""`python -m sandbox.run`: boot the built OS on this terminal, without Tinkerbell (`make run`).

The machine has a NIC with DHCP, the host at 10.0.2.2 (QEMU's user network), and a root shell on its
serial console.
"""

import argparse
import os
import shutil
from pathlib import Path

from release import arch, assemble
from release.arch import Architecture
from release.errors import ReportedError, reported_errors
from sandbox import platforms
from sandbox.accelerator import Accelerator, best_accelerator

CMDLINE = "quiet tinkie.shell"


def machine(
    target: Architecture,
    accelerator: Accelerator,
    files: tuple[Path, Path],
    memory: int,
    words: str,
) -> list[str]:
    """Return QEMU's command line for (kernel, initramfs) and so many MiB.

    words are appended to the kernel's, so they override it.
    """
    platform, (kernel, initramfs) = platforms.of(target.name), files
    hardware = ["-m", str(memory), "-nic", "user,model=virtio-net-pci", "-nographic"]
    boot = ["-kernel", str(kernel), "-initrd", str(initramfs), "-append"]
    line = f"console={platform.serial} {CMDLINE} {words}"
    return [
        platform.qemu,
        *platform.direct,
        *accelerator.options,
        *hardware,
        *boot,
        line,
        "-no-reboot",
    ]


def main() -> None:
    """Run this module's command line."""
    parser = argparse.ArgumentParser(prog="sandbox.run", description=__doc__)
    parser.add_argument("--memory", type=int, default=2048, help="MiB")
    parser.add_argument("--append", default="", help="extra kernel parameters, appended last")
    options = parser.parse_args()
    with reported_errors():
        target = arch.wanted()
        qemu = platforms.of(target.name).qemu
        if not shutil.which(qemu):
            raise ReportedError(f"{qemu} is not installed; run `make setup` as root")
        files = (assemble.kernel(target), assemble.initramfs(target))
        if not all(path.exists() for path in files):
            raise ReportedError("nothing is built yet; run `make quick`")
        print("ctrl-a x ends the machine", flush=True)
        accelerator = best_accelerator(files[0], target)
        command = machine(target, accelerator, files, options.memory, options.append)
        os.execvp(qemu, command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
