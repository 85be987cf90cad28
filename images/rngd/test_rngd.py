"""rngd's script under busybox: with a hardware source, and without one."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.fakes.script_root import SECONDS

if TYPE_CHECKING:
    from tests.fakes.script_root import ScriptRoot

RNGD = "/usr/lib/tinkie/rngd"


@pytest.fixture
def machine(root: ScriptRoot) -> ScriptRoot:
    root.install("rngd/rngd", RNGD)
    root.stub("rngd")
    return root


def test_hardware_source_feeds_the_kernel(machine: ScriptRoot) -> None:
    machine.bind("/dev/zero", "/dev/hwrng")
    machine.run(RNGD)
    assert machine.calls == ["rngd --foreground --no-drng=1 --rng-device=/dev/hwrng"]


def test_without_a_source_it_logs_so_idles_and_ends_by_sigterm(machine: ScriptRoot) -> None:
    story = f"{RNGD} & until grep -q infinity /.calls; do :; done; echo idles; kill $!; wait $!"
    done = machine.run("sh", "-c", f"{story}; echo $?")
    assert done.stdout == 'source.missing next="idle: the kernel gathers its own"\nidles\n0\n'
    assert machine.calls == []


def test_its_end_is_that_of_rngd(machine: ScriptRoot) -> None:
    machine.bind("/dev/zero", "/dev/hwrng")
    machine.stub("rngd", "exit 3")
    assert machine.run(RNGD).returncode == 3


@pytest.mark.parametrize(("source", "runs"), [(True, "rngd"), (False, "sleep infinity")])
def test_as_the_first_process_of_its_container_it_ends_by_sigterm(
    machine: ScriptRoot, *, source: bool, runs: str
) -> None:
    machine.stub("rngd", "exec tail -f /dev/null")
    if source:
        machine.bind("/dev/zero", "/dev/hwrng")
    with machine.running(RNGD) as process:
        machine.wait_for("its child", lambda: runs in machine.read(".calls"))
        children = ["ps", "-o", "pid=", "--ppid", str(process.pid)]
        first = int(subprocess.check_output(children, text=True))
        assert process.poll() is None
        subprocess.run(["kill", f"-{signal.SIGTERM.value}", str(first)], check=True)
        assert process.wait(SECONDS) == 0
