"""respawned under busybox: PID 1's programs, and the report of their end."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.script_root import ScriptRoot

INIT = Path(__file__).parent
REPORT = 'init program.ended name=klog next="PID 1 starts it again"'


def start(root: ScriptRoot, uptime: float) -> None:
    root.write("/proc/uptime", f"{uptime} 0\n")
    done = root.run("/usr/lib/tinkie/respawned", "klog")
    assert done.stdout == "klog runs\n"
    assert done.stderr == ""


def test_first_start_is_no_report_and_later_ones_once_a_minute(root: ScriptRoot) -> None:
    root.replace("klog", "echo klog runs")
    start(root, 5.5)
    assert root.announced == []
    start(root, 6.9)
    assert root.announced == [REPORT]
    for uptime in (7.9, 30.0, 65.99):
        start(root, uptime)
    assert root.announced == [REPORT]
    start(root, 66.01)
    assert root.announced == [REPORT] * 2


def test_each_program_has_its_own_minute(root: ScriptRoot) -> None:
    root.replace("klog", "echo klog runs")
    root.replace("power", ":")
    start(root, 5)
    start(root, 6)
    for _ in range(2):
        root.run("/usr/lib/tinkie/respawned", "power")
    assert [line.split()[2] for line in root.announced] == ["name=klog", "name=power"]


def test_what_pid_1_starts_exists_and_can_be_run() -> None:
    commands = re.findall(
        r"/usr/lib/tinkie/(?:respawned )?([a-z-]+)", (INIT / "etc/inittab").read_text()
    )
    assert {
        *("rc", "services", "shutdown", "containerd", "syslog", "klog", "console", "udevd"),
    } <= set(commands)
    for name in [*commands, "respawned"]:
        assert (INIT / "lib" / name).stat().st_mode & 0o111, name
