"""`python -m sandbox.bench`: measure a machine's boot, as JSON on stdout, for `make bench`.

QEMU starts the kernel directly: the time that iPXE takes for the download is not the OS's.
"""

import json
import sys

from release import arch, assemble
from release.errors import reported_errors
from release.progress import Progress
from sandbox.accelerator import best_accelerator
from sandbox.figures import Bench
from sandbox.hardware import Hardware
from sandbox.ingredients import ingredients
from sandbox.network import PREFIX, Namespace
from sandbox.preflight import check
from sandbox.world import world

FOLDER = assemble.OUT / "bench"
MEMORY_MIB = 2048
WORKFLOW_SECONDS = 600.0


def measure() -> dict[str, object]:
    """Boot once; return seconds by moment, and MiB of memory while the action runs."""
    target = arch.wanted()
    check(FOLDER, MEMORY_MIB, Namespace(PREFIX + "bench"), target)
    progress = Progress(stream=sys.stderr)  # stdout is for the JSON
    parts = ingredients(assemble.OUT, progress, target)
    accelerator = best_accelerator(parts.kernel, target)
    with world(FOLDER, "bench", parts) as here:
        here.enroll(here.machine)
        boot, disk = here.direct_boot(here.machine), FOLDER / "disk.img"
        hardware = Hardware(here.machine, disk, boot, accelerator, MEMORY_MIB, stop_at_reboot=True)
        longest = (WORKFLOW_SECONDS, WORKFLOW_SECONDS)
        bench = Bench(here, longest, idle_seconds=0, report=progress.note)
        figures = bench.boot("measure", hardware, FOLDER / "machine")
    return {
        "accelerator": accelerator.name,
        "moments": {name: round(at, 1) for name, at in figures.moments.items()},
        "memory": figures.memory,
    }


def main() -> None:
    """Run this module's command line."""
    with reported_errors():
        print(json.dumps(measure()))


if __name__ == "__main__":
    main()
