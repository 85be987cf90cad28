"""`python -m sandbox.bench`: measure a machine's boot, as JSON on stdout, for `make bench`.

QEMU starts the kernel directly: the time that iPXE takes for the download is not the OS's.
"""

import json
import sys

from release import assemble
from release.errors import reported_errors
from release.progress import Progress
from sandbox.accelerator import best_accelerator
from sandbox.figures import Bench
from sandbox.hardware import Hardware
from sandbox.ingredients import ingredients
from sandbox.network import PREFIX, Namespace
from sandbox.preflight import check
from sandbox.world import MACHINE, world

FOLDER = assemble.OUT / "bench"
MEMORY_MIB = 2048
WORKFLOW_SECONDS = 600.0


def measure() -> dict[str, object]:
    """Boot once; return seconds by moment, and MiB of memory while the action runs."""
    check(FOLDER, MEMORY_MIB, Namespace(PREFIX + "bench"))
    progress = Progress(stream=sys.stderr)  # stdout is for the JSON
    parts = ingredients(assemble.OUT, progress)
    accelerator = best_accelerator(parts.kernel)
    with world(FOLDER, "bench", parts) as here:
        here.enroll()
        boot, disk = here.direct_boot(), FOLDER / "disk.img"
        hardware = Hardware(MACHINE, disk, boot, accelerator, MEMORY_MIB, stop_at_reboot=True)
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
