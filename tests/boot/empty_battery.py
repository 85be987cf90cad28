"""A machine whose hardware clock has an empty battery, and whose shutdown hangs.

The tests are in test_clock.py, test_console.py, test_volumes.py and test_shutdown.py.
"""

import datetime as dt
import time
from dataclasses import dataclass
from pathlib import Path

from sandbox.follow import Follower
from sandbox.objects import MachineIdentity
from sandbox.shell import GuestShell
from sandbox.workflow import Status
from tests.boot.machines import Lab, booted

IDENTITY = MachineIdentity("battery", "52:54:00:00:01:03", "172.30.0.103", "172.30.0.1")
WORKFLOW_SECONDS = 600.0  # a tenth of that on an idle machine
FORCED_SECONDS = 180.0
CLOCK_SECONDS = 120.0
CONSOLE_SECONDS = 30.0
# Once the system's containerd has ended, the timer that forces the shutdown is running, and all
# that comes first is done.
HANG = """(
while kill -0 $(cat /run/containerd.pid); do :; done
kill -STOP $(pidof shutdown | tr ' ' '\\n' | sort -n | head -n 1)
/usr/lib/tinkie/to-consoles shutdown.hangs
) >/dev/null 2>&1 &"""


@dataclass(frozen=True)
class Seen:
    status: Status
    console: str
    floor: int
    started_at: int
    kept: str
    clock_is_off: float
    hardware_clock: dt.datetime


def observe(lab: Lab) -> Seen:
    """Boot the machine, let it work and reboot, and return what came of it."""
    sandbox, battery_empty = lab.sandbox, "1970-01-01T00:00:00"
    with booted(lab, IDENTITY, clock=battery_empty) as box:
        template = (Path(__file__).parent / "volumes.yml").read_text()
        run = sandbox.start_workflow("volumes", template, IDENTITY)
        follower = Follower(sandbox, box, run, print)
        with box.shell() as shell, box.monitor() as monitor:
            floor = int(shell.run(". /etc/os-release; echo $SOURCE_DATE_EPOCH"))
            started_at = _power_on_time(shell)
            with shell.held():
                status = follower.wait_for_success(WORKFLOW_SECONDS)
                follower.wait_for(
                    "the other console", lambda: box.console.find("action.ended"), CONSOLE_SECONDS
                )
            kept = shell.run("cat /run/worker/kept")
            follower.wait_for("the time", lambda: box.console.find("clock.set"), CLOCK_SECONDS)
            off = int(shell.run("date +%s")) - time.time()
            shell.run(HANG)
            monitor.press("ctrl", "alt", "delete")
            follower.wait_for(
                "the hang", lambda: box.console.find("shutdown.hangs"), FORCED_SECONDS
            )
            hardware_clock = monitor.hardware_clock()
            follower.wait_for("the reboot", lambda: box.is_off() or None, FORCED_SECONDS)
        console = box.console.log.read_text(errors="replace")
        return Seen(status, console, floor, started_at, kept, off, hardware_clock)


def _power_on_time(shell: GuestShell) -> int:
    now, uptime = shell.run("date +%s; cut -d. -f1 /proc/uptime").split()
    return int(now) - int(uptime)
