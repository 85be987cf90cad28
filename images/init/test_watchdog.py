"""watchdog under busybox: feeds a watchdog that its driver stops at a reboot, and no BMC's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fakes.script_root import ScriptRoot

WATCHDOG = "/usr/lib/tinkie/watchdog"
NAME = "/sys/class/watchdog/watchdog0/identity"
FEED = "watchdog -F -T 60 -t 15 /dev/watchdog0"


@pytest.fixture
def machine(root: ScriptRoot) -> ScriptRoot:
    root.stub("watchdog")
    return root


def test_a_watchdog_is_fed_within_its_time(machine: ScriptRoot) -> None:
    machine.bind("/dev/null", "/dev/watchdog0")
    machine.write(NAME, "i6300ESB timer\n")
    machine.run(WATCHDOG)
    assert machine.calls == [FEED]
    assert machine.announced == [
        'init watchdog.started name="i6300ESB timer" next="resets the machine if it hangs for 60 s"'
    ]


def test_the_watchdog_of_a_bmc_is_left_alone(machine: ScriptRoot) -> None:
    machine.bind("/dev/null", "/dev/watchdog0")
    machine.write(NAME, "IPMI\n")
    with machine.running(WATCHDOG):
        machine.wait_for("the long wait", lambda: "sleep 3600" in machine.read(".calls"))
    assert machine.calls == []
    assert machine.announced == []


def test_a_machine_without_one_is_looked_at_again(machine: ScriptRoot) -> None:
    machine.write("/dev/watchdog0", "")  # no device
    with machine.running(WATCHDOG):
        machine.wait_for("several looks", lambda: machine.uptime > 150)
    assert machine.calls == []
