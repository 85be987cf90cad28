"""A machine whose battery is empty does its work; then its shutdown hangs, and it reboots still."""

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.accelerator import Accelerator
from sandbox.follow import Follower
from sandbox.monitor import Monitor
from sandbox.objects import MachineIdentity
from sandbox.shell import GuestShell
from sandbox.workflow import Status
from sandbox.world import World
from tests.boot.machines import booted

IDENTITY = MachineIdentity("worn", "52:54:00:00:01:03", "172.30.0.103", "172.30.0.1")
WORKFLOW_SECONDS = 600.0  # a tenth of that on an idle machine
FORCED_SECONDS = 180.0
CLOCK_SECONDS = 120.0
CONSOLE_SECONDS = 30.0
# Once the system's containerd has ended, the clock that ends the shutdown by force is running.
HANG = """(
while kill -0 $(cat /run/containerd.pid); do :; done
kill -STOP $(pidof shutdown | tr ' ' '\\n' | sort -n | head -n 1)
) >/dev/null 2>&1 &"""


@dataclass(frozen=True)
class Seen:
    status: Status
    console: str
    floor: int
    started_at: int
    kept: str
    clock_is_off: float


@pytest.fixture(scope="module")
def seen(
    here: World, accelerator: Accelerator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("worn")
    battery_empty = "1970-01-01T00:00:00"
    with booted(here, accelerator, folder, IDENTITY, clock=battery_empty) as box:
        template = (Path(__file__).parent / "volumes.yml").read_text()
        follower = Follower(here, box, here.start_workflow("volumes", template, IDENTITY), print)
        with box.shell() as shell, box.monitor() as monitor:
            floor = int(shell.run(". /etc/os-release; echo $SOURCE_DATE_EPOCH"))
            started_at = _power_on_by_its_clock(shell)
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
                "its clock's battery to be right", lambda: _is_right(monitor), CLOCK_SECONDS
            )
            follower.wait_for("the reboot", lambda: box.is_off() or None, FORCED_SECONDS)
        console = box.console.log.read_text(errors="replace")
        yield Seen(status, console, floor, started_at, kept, off)


def _power_on_by_its_clock(shell: GuestShell) -> int:
    now, uptime = shell.run("date +%s; cut -d. -f1 /proc/uptime").split()
    return int(now) - int(uptime)


def _is_right(monitor: Monitor) -> bool | None:
    off = dt.datetime.now(dt.UTC) - monitor.hardware_clock()
    return abs(off) < dt.timedelta(minutes=1) or None


def test_its_clock_starts_no_earlier_than_the_commit(seen: Seen) -> None:
    assert seen.floor - 60 <= seen.started_at <= time.time()


def test_its_clock_is_set_by_what_tinkerbells_host_says(seen: Seen) -> None:
    assert abs(seen.clock_is_off) < 60
    assert "ntp: clock.set from=172.30.0.1:" in seen.console


def test_a_console_that_somebody_holds_holds_up_no_other_one(seen: Seen) -> None:
    """What is told of the action was seen on this one meanwhile."""
    assert "bootkit: action.ended" in seen.console


def test_volumes_of_templates_in_the_wild_work(seen: Seen) -> None:
    assert seen.status.state == "SUCCESS"
    assert seen.kept == "kept"


def test_ctrl_alt_del_reboots_and_a_shutdown_that_hangs_is_ended_by_force(seen: Seen) -> None:
    _, after = seen.console.split("init: shutdown.started")
    assert after.startswith(' by="ctrl-alt-del"')
    assert "init: shutdown.forced" in after
    assert "init: shutdown.done" not in after
