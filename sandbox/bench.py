"""`python -m sandbox.bench`: measure a machine's boot, as JSON on stdout, for `make bench`.

QEMU starts the kernel directly: the time that iPXE takes for the download is not the OS's.
"""

import json
import re
import sys

from release import assemble
from release.errors import reported_errors
from release.progress import Progress
from sandbox.accelerator import best_accelerator
from sandbox.disk import empty_disk
from sandbox.follow import Follower
from sandbox.hardware import Hardware
from sandbox.ingredients import ingredients
from sandbox.machine import machine
from sandbox.network import PREFIX, Namespace
from sandbox.preflight import check
from sandbox.provision import WORKFLOWS
from sandbox.world import MACHINE, world

FOLDER = assemble.OUT / "bench"
MEMORY_MIB = 2048
WORKFLOW_SECONDS = 600.0
MEMORY = re.compile(r"MEMORY (.*)")


def measure() -> dict[str, object]:
    """Boot once; return seconds by moment, and MB of memory while the action runs."""
    check(FOLDER, MEMORY_MIB, Namespace(PREFIX + "bench"))
    progress = Progress(stream=sys.stderr)  # stdout is for the JSON
    parts = ingredients(assemble.OUT, progress)
    template = (WORKFLOWS / "measure.yml").read_text()
    accelerator = best_accelerator(parts.kernel)
    with world(FOLDER, "bench", parts) as here:
        here.enroll()
        run = here.start_workflow("measure", template, MACHINE)
        disk = empty_disk(FOLDER / "disk.img", 64)
        hardware = Hardware(MACHINE, disk, here.direct_boot(), accelerator, MEMORY_MIB)
        with machine(FOLDER / "machine", here.network, hardware, "tap0") as box:
            follower = Follower(here, box, run, progress.note)
            follower.wait_for_success(WORKFLOW_SECONDS)
            memory = follower.wait_for("the memory", lambda: box.console.find("MEMORY "), 10)
    return {
        "accelerator": accelerator.name,
        "moments": {name: round(at, 1) for name, at in follower.moments.items()},
        "memory": _memory(memory.text),
    }


def _memory(text: str) -> dict[str, int]:
    found = MEMORY.search(text)
    words = (word.split("=") for word in found[1].split()) if found else ()
    return {name: int(value) for name, value in words}


def main() -> None:
    """Run this module's command line."""
    with reported_errors():
        print(json.dumps(measure()))


if __name__ == "__main__":
    main()
