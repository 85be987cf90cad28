"""`python -m tests.engine.kill_report`: what a worker loses of its own action, as a table.

An action of each generation's worker runs for some seconds, and in the middle of it one program of
the machine is killed. The state of the workflow at its end, and how often the action was started
and ended, go to docs/reliability.md.
"""

import itertools
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from release import engine
from release.errors import ReportedError, reported_errors
from sandbox.objects import MachineIdentity
from sandbox.waiting import wait_for
from sandbox.workflow import Run
from tests.engine import world as worlds
from tests.engine.docker import Docker
from tests.engine.machine import Machine, machine
from tests.engine.servers import GENERATIONS
from tests.engine.world import World
from tests.matrix import report
from tests.matrix.containers.faults import KILL

AT_ONCE = 3
COMMAND = "echo >> /worker/started; sleep 8; echo >> /worker/ended"
OVER_SECONDS = 180.0
REACHED_SECONDS = 90.0
# A second action of the same workflow may still come when the first has been reported.
QUIET_SECONDS = 10.0
HEAD = "| killed | worker | workflow | action started | action ended |\n|---|---|---|---|---|"


@dataclass(frozen=True)
class Loss:
    """What came of one workflow; state as Tinkerbell has it."""

    program: str
    worker: str
    state: str
    started: int
    ended: int

    def row(self) -> str:
        """Return it as Markdown."""
        cells = (self.program, self.worker, self.state, _times(self.started), _times(self.ended))
        return f"| {' | '.join(cells)} |"


def measure(world: World, worker: str, program: str, number: int, folder: Path) -> Loss:
    """Kill a program in the middle of an action, and return what came of it."""
    name = f"kill{number}"
    address = f"172.30.0.{number + 10}"
    identity = MachineIdentity(name, f"52:54:00:00:04:{number:02x}", address, "172.30.0.1")
    with machine(world, folder / name, identity) as box:
        box.wait_for_worker()
        run = world.start_workflow(identity, name, COMMAND, "/worker:/worker")
        wait_for("the action", lambda: _lines(box, "started") == 1, seconds=REACHED_SECONDS)
        KILL[program](box)
        state = _end_of(run)
        time.sleep(QUIET_SECONDS)
        return Loss(program, worker, state, _lines(box, "started"), _lines(box, "ended"))


def _lines(box: Machine, name: str) -> int:
    file = box.folder / "worker" / name
    return len(file.read_text().splitlines()) if file.exists() else 0


def _end_of(run: Run) -> str:
    try:
        return run.end(OVER_SECONDS).state
    except ReportedError:
        return f"{run.status().state} after {OVER_SECONDS:.0f} s"


def _times(number: int) -> str:
    return {0: "never", 1: "once"}.get(number, f"{number} times")


def measure_all(folder: Path, docker: Docker) -> list[Loss]:
    """Measure all workers, some machines at once."""
    numbers = itertools.count(1)
    with ExitStack() as stack:
        generations = {
            worker: stack.enter_context(worlds.world(folder / kind, docker, kind))
            for worker, kind in GENERATIONS.items()
        }
        pool = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        found = [
            pool.submit(measure, world, worker, program, next(numbers), folder)
            for worker, world in generations.items()
            for program in KILL
        ]
        return [future.result() for future in found]


def main() -> None:
    """Write the table."""
    with reported_errors(), engine.running() as host, tempfile.TemporaryDirectory() as folder:
        losses = measure_all(Path(folder), Docker(host))
    report.replace("make kill-report", "\n".join([HEAD, *(loss.row() for loss in losses)]))


if __name__ == "__main__":
    main()
