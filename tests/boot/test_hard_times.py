"""It is said to be 2040; an action eats all memory, each program of the OS is killed, all hangs.

Containers that fail, hang and never start are added while it runs.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from sandbox.accelerator import Accelerator
from sandbox.console import Line
from sandbox.machine import Machine
from sandbox.objects import MachineIdentity
from sandbox.shell import GuestShell
from sandbox.timeserver import time_server
from sandbox.waiting import wait_for
from sandbox.workflow import Status
from sandbox.world import World
from tests.boot.machines import booted, start_command

IDENTITY = MachineIdentity("hard-times", "52:54:00:00:01:08", "172.30.0.108", "172.30.0.1")
WORKFLOW_SECONDS = 600.0  # a tenth of that on an idle machine
MEMORY_MIB = 1024  # the less there is, the sooner it is eaten
CLOCK = "2040-01-01T00:00:00"
CLOCK_SECONDS = 180.0
BACK_SECONDS = 60.0
HANG_SECONDS = 240.0
# What the machine lives on; what ends may come back, but under a full memory none of it may end.
LIVED_ON = ("dockerd", "containerd", "dhcpcd", "syslogd", "systemd-udevd", "acpid", "watchdog")
# What PID 1 starts again, by the name of the process, and how its line of inittab is seen to run.
OF_INIT = {
    "syslogd": "pidof syslogd",
    "systemd-udevd": "udevadm control --ping",
    "acpid": "pidof acpid",
    "watchdog": "pidof watchdog",
    "console": "pidof console",
    "services": "pidof services",
    "watch-services": "pidof watch-services",
}
# Into /containers, as LinuxKit would have packed them, and to be looked at once more by `services`.
ADD = """
mkdir -p /run/odd/up /run/odd/work
mount -t overlay -o lowerdir=/containers,upperdir=/run/odd/up,workdir=/run/odd/work odd /containers
cd /containers/onboot
add() {
    mkdir -p $1
    root=/containers/onboot/000-settings/rootfs
    jq ".root.path = \\"$root\\" | .process.args = $2" 000-settings/config.json >$1/config.json
}
add 001-fails '["python3", "-c", "print(1 / 0)"]'
add 002-hangs '["python3", "-c", "import time; time.sleep(99)"]'
add ../services/never '["/usr/bin/nothing"]'
rm /run/bundles/prepared
"""
REMOVE = "ctr --namespace services.linuxkit containers rm never"
# Late, if it takes a slow machine more than two looks to start it again.
ENDS = ('service.ended name=ntp times=1 last_line="', 'service.late name=ntp error="chronyd.ended')


@dataclass(frozen=True)
class Seen:
    """What came of it.

    stalled: the numbers of tink-docker before and after its shim stood still. lived: process ->
    its numbers before and after the memory was full. run_left: MB in /run while /run/worker was
    full.
    """

    clock_is_off: float
    stalled: set[str]
    eaten: Status
    lived: dict[str, tuple[set[str], set[str]]]
    after: Status
    run_left: int
    returned: dict[str, str]
    service_ended: str
    cores: str
    last: Status
    zombies: int
    console: str


@pytest.fixture(scope="module")
def seen(
    here: World, accelerator: Accelerator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("hard-times")
    words = f"ntp={here.network.address}"
    hardware = partial(booted, memory=MEMORY_MIB, watchdog=True, clock=CLOCK, words=words)
    with (
        time_server(folder, here.network),
        hardware(here, accelerator, folder, IDENTITY) as box,
        box.shell() as shell,
    ):
        wait_for("the worker", lambda: box.console.poll_for("worker.started"), seconds=300)
        wait_for("the watchdog", lambda: box.console.poll_for("watchdog.started"), seconds=120)
        wait_for("the time", lambda: box.console.poll_for("clock.sync"), seconds=CLOCK_SECONDS)
        clock_is_off = int(shell.run("date +%s")) - time.time()
        stalled = _stall(shell)
        before = _numbers(shell)
        eaten = _workflow(here, "eats", "tail /dev/zero")
        lived = {name: (number, _numbers(shell)[name]) for name, number in before.items()}
        _workflow(here, "fills", "dd if=/dev/zero of=/worker/full bs=1M")
        run_left = int(shell.run("df -P -m /run | awk 'NR == 2 { print $4 }'; rm /run/worker/full"))
        after = _workflow(here, "after", "true")
        shell.run("kill -9 $(pidof chronyd)")
        said = wait_for("a line", partial(_told, box), seconds=60)
        shell.run(ADD)
        returned = {name: _kill(shell, name, check) for name, check in OF_INIT.items()}
        for event in ("service.late name=never", "onboot.failed name=hangs"):
            wait_for(event, partial(box.console.poll_for, event), seconds=120)
        shell.run(REMOVE)
        cores = shell.run(
            "cd /tmp; ulimit -c unlimited; sh -c 'kill -SEGV $$' || :; ls | grep core || echo none"
        )
        last = _workflow(here, "last", "true")
        zombies = int(shell.run("grep -l '^State:.Z' /proc/[0-9]*/status | wc -l"))
        _hang(box, shell)
        console = box.console.log.read_text(errors="replace")
        yield Seen(
            clock_is_off,
            stalled,
            eaten,
            lived,
            after,
            run_left,
            returned,
            said.text,
            cores,
            last,
            zombies,
            console,
        )


def _told(box: Machine) -> Line | None:
    return next(filter(None, map(box.console.poll_for, ENDS)), None)


def _stall(shell: GuestShell) -> set[str]:
    """Let tink-docker's shim stand still, as when memory runs out; containerd's custom is 2 s."""
    number = (
        "cat /run/containerd/io.containerd.runtime.v2.task/services.linuxkit/tink-docker/init.pid"
    )
    shim = "ps -o pid,args | awk '/[c]ontainerd-shim/ && /-id tink-docker/ { print $1 }'"
    stop = f"shim=$({shim}); kill -STOP $shim; sleep 12; kill -CONT $shim; sleep 8"
    return set(shell.run(f"{number}; echo; {stop}; {number}").split())


def _workflow(here: World, name: str, command: str) -> Status:
    return start_command(here, IDENTITY, f"hard-{name}", command).end(WORKFLOW_SECONDS)


def _numbers(shell: GuestShell) -> dict[str, set[str]]:
    return {name: set(shell.run(f"pidof {name} || :").split()) for name in LIVED_ON}


def _kill(shell: GuestShell, name: str, check: str) -> str:
    """Kill a program with -9, and return its number in its next life."""
    old = shell.run(f"pidof {name}").split()
    shell.run(f"kill -9 {' '.join(old)}")

    def back() -> str | None:
        number = shell.run(f"{check} >/dev/null && pidof {name} || :")
        return number if number and not set(number.split()) & set(old) else None

    return wait_for(f"{name} to come back", back, seconds=BACK_SECONDS)


def _hang(box: Machine, shell: GuestShell) -> None:
    """Feed the watchdog no more: what a kernel that hangs does."""
    shell.run("kill -STOP $(pidof watchdog)")
    wait_for("the watchdog's reset", box.is_off, seconds=HANG_SECONDS)


def test_what_eats_all_memory_ends_and_nothing_that_the_machine_lives_on(seen: Seen) -> None:
    assert seen.eaten.state == "FAILED"
    for name, (before, after) in seen.lived.items():
        assert before, name
        assert after == before, name
    assert seen.after.state == "SUCCESS"


def test_a_service_whose_shim_stands_still_runs_on(seen: Seen) -> None:
    assert len(seen.stalled) == 1


def test_an_action_that_fills_its_folder_fills_nothing_else(seen: Seen) -> None:
    assert seen.run_left > MEMORY_MIB / 10


def test_what_pid_1_runs_comes_back(seen: Seen) -> None:
    assert set(seen.returned) == set(OF_INIT)
    assert seen.last.state == "SUCCESS"


def test_a_service_that_ends_is_told_with_what_it_said_last(seen: Seen) -> None:
    assert seen.service_ended.partition("init: ")[2].startswith(ENDS)


def test_what_should_end_by_itself_and_fails_or_hangs_is_told(seen: Seen) -> None:
    assert 'onboot.failed name=fails error="exit code 1:' in seen.console
    assert "ZeroDivisionError: division by zero" in seen.console
    assert 'onboot.failed name=hangs error="no end within 30 s' in seen.console


def test_a_service_that_never_starts_is_told_with_its_reason(seen: Seen) -> None:
    (line, *_) = (line for line in seen.console.splitlines() if "service.late name=never" in line)
    assert "/usr/bin/nothing" in line


def test_a_clock_that_says_2040_starts_at_the_commit(seen: Seen) -> None:
    assert 'init: clock.wrong error="implausible hardware clock: Sun Jan  1' in seen.console


def test_a_time_server_sets_it(seen: Seen) -> None:
    assert "ntp: clock.synchronised server=172.30.0.1" in seen.console
    assert abs(seen.clock_is_off) < 10


def test_what_has_ended_is_taken_up(seen: Seen) -> None:
    assert seen.zombies < 10, "each uses up a number, and the kernel has 32,768"


def test_a_program_that_dies_leaves_no_core(seen: Seen) -> None:
    assert seen.cores == "none"


def test_a_machine_that_hangs_is_reset(seen: Seen) -> None:
    assert "init: watchdog.started" in seen.console
    assert "shutdown.started" not in seen.console
