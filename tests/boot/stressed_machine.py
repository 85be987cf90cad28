"""A machine whose memory fills, whose services are killed, and whose kernel hangs in the end.

Its hardware clock shows 2040. Containers that fail, hang and never start are added while it runs.
The tests are in test_memory.py, test_services.py, test_time_server.py and test_watchdog.py.
"""

import datetime as dt
import time
from dataclasses import dataclass
from functools import partial

from sandbox.console import Line
from sandbox.machine import Machine
from sandbox.monitor import Monitor
from sandbox.objects import MachineIdentity
from sandbox.shell import GuestShell
from sandbox.timeserver import time_server
from sandbox.waiting import wait_for
from sandbox.workflow import Status
from sandbox.world import World
from tests.boot.in_service import PYTHON
from tests.boot.machines import Lab, booted, start_command
from tests.boot.rights import SERVICES, START_SECONDS, Rights, are_running, look

IDENTITY = MachineIdentity("stressed", "52:54:00:00:01:08", "172.30.0.108", "172.30.0.1")
WORKFLOW_SECONDS = 600.0  # a tenth of that on an idle machine
MEMORY_MIB = 1024  # the less there is, the sooner it is eaten
CLOCK = "2040-01-01T00:00:00"
CLOCK_SECONDS = 180.0
BACK_SECONDS = 60.0
HANG_SECONDS = 240.0
# What the machine needs. It is restarted when it ends, but full memory must not end it.
NEEDED = ("dockerd", "containerd", "dhcpcd", "syslogd", "systemd-udevd", "acpid", "watchdog")
# What PID 1 starts again: the name of the process, and the command that finds it running.
RESPAWNED = {
    "syslogd": "pidof syslogd",
    "systemd-udevd": "udevadm control --ping",
    "acpid": "pidof acpid",
    "watchdog": "pidof watchdog",
    "console": "pidof console",
    "services": "pidof services",
    "watch-services": "pidof watch-services",
}
# Adds them to /containers, as the build writes them. `services` then looks there once more, and
# mounts all roots again.
EDIT = (
    "import json, sys; config = json.load(sys.stdin); "
    'config["process"]["args"] = sys.argv[1:]; print(json.dumps(config))'
)
ADD = f"""
mkdir -p /run/odd/up /run/odd/work
mount -t overlay -o lowerdir=/containers,upperdir=/run/odd/up,workdir=/run/odd/work odd /containers
cd /containers/onboot
add() {{
    folder=$1
    shift
    mkdir -p $folder
    {PYTHON} '{EDIT}' "$@" <000-settings/config.json >$folder/config.json
}}
add 001-fails python3 -c "print(1 / 0)"
add 002-hangs python3 -c "import time; time.sleep(99)"
add ../services/never /usr/bin/nothing
rm /run/bundles/prepared
"""
# Nothing removes it from containerd again, so it gets the program that it lacked.
HEAL = """
program=/containers/onboot/000-settings/rootfs/usr/bin/nothing
printf '#!/usr/bin/python3\\nimport time\\ntime.sleep(10**6)\\n' >$program
chmod 755 $program
"""
# Late, if it takes a slow machine more than two looks to start it again.
ENDS = ('service.ended name=ntp times=1 last_line="', 'service.late name=ntp error="chronyd.ended')


@dataclass(frozen=True)
class Seen:
    """What came of it.

    stalled: the PIDs of tink-docker before and after its shim was stopped. needed: process ->
    its PIDs before and after the memory was full. run_left: MB in /run while /run/worker was
    full. cpu_weights: of services, in the kernel's unit, 100 without a setting.
    """

    clock_is_off: float
    rights: Rights
    stalled: set[str]
    eaten: Status
    needed: dict[str, tuple[set[str], set[str]]]
    after: Status
    run_left: int
    returned: dict[str, str]
    service_ended: str
    cores: str
    last: Status
    zombies: int
    cpu_weights: dict[str, int]
    console: str


def observe(lab: Lab) -> Seen:
    """Boot the machine, do all that to it, and return what came of it."""
    sandbox, words = lab.sandbox, f"ntp={lab.sandbox.network.address}"
    hardware = partial(booted, memory=MEMORY_MIB, watchdog=True, clock=CLOCK, words=words)
    with (
        time_server(lab.folder, sandbox.network),
        hardware(lab, IDENTITY) as box,
        box.shell() as shell,
        box.monitor() as monitor,
    ):
        wait_for("the worker", lambda: box.console.poll_for("worker.started"), seconds=300)
        wait_for("the watchdog", lambda: box.console.poll_for("watchdog.started"), seconds=120)
        wait_for("the time", lambda: box.console.poll_for("clock.sync"), seconds=CLOCK_SECONDS)
        clock_is_off = int(shell.run("date +%s")) - time.time()
        wait_for("the hardware clock", partial(_is_right, monitor), seconds=CLOCK_SECONDS)
        wait_for("services", partial(are_running, shell), seconds=START_SECONDS)
        rights = look(shell)
        stalled = _stall(shell)
        before = _numbers(shell)
        eaten = _workflow(sandbox, "eats", "tail /dev/zero")
        needed = {name: (number, _numbers(shell)[name]) for name, number in before.items()}
        _workflow(sandbox, "fills", "dd if=/dev/zero of=/worker/full bs=1M")
        run_left = int(shell.run("df -P -m /run | awk 'NR == 2 { print $4 }'; rm /run/worker/full"))
        after = _workflow(sandbox, "after", "true")
        shell.run("kill -9 $(pidof chronyd)")
        ended = wait_for("a line", partial(_end_of_ntp, box), seconds=60)
        shell.run(ADD)
        returned = {name: _kill(shell, name, check) for name, check in RESPAWNED.items()}
        for event in ("service.late name=never", "onboot.failed name=hangs"):
            wait_for(event, partial(box.console.poll_for, event), seconds=120)
        shell.run(HEAL)
        cores = shell.run(
            "cd /tmp; ulimit -c unlimited; sh -c 'kill -SEGV $$' || :; ls | grep core || echo none"
        )
        last = _workflow(sandbox, "last", "true")
        zombies = int(shell.run("grep -l '^State:.Z' /proc/[0-9]*/status | wc -l"))
        cpu_weights = {
            name: int(shell.run(f"cat /sys/fs/cgroup/{name}/cpu.weight")) for name in SERVICES
        }
        _hang(box, shell)
        console = box.console.log.read_text(errors="replace")
        return Seen(
            clock_is_off,
            rights,
            stalled,
            eaten,
            needed,
            after,
            run_left,
            returned,
            ended.text,
            cores,
            last,
            zombies,
            cpu_weights,
            console,
        )


def _is_right(monitor: Monitor) -> bool:
    return abs(dt.datetime.now(dt.UTC) - monitor.hardware_clock()) < dt.timedelta(minutes=1)


def _end_of_ntp(box: Machine) -> Line | None:
    return next(filter(None, map(box.console.poll_for, ENDS)), None)


def _stall(shell: GuestShell) -> set[str]:
    """Stop tink-docker's shim for a while, as when memory runs out; containerd waits 2 s for it."""
    number = (
        "cat /run/containerd/io.containerd.runtime.v2.task/services.linuxkit/tink-docker/init.pid"
    )
    shim = "ps -o pid,args | awk '/[c]ontainerd-shim/ && /-id tink-docker/ { print $1 }'"
    stop = f"shim=$({shim}); kill -STOP $shim; sleep 12; kill -CONT $shim; sleep 8"
    return set(shell.run(f"{number}; echo; {stop}; {number}").split())


def _workflow(sandbox: World, name: str, command: str) -> Status:
    return start_command(sandbox, IDENTITY, f"stressed-{name}", command).end(WORKFLOW_SECONDS)


def _numbers(shell: GuestShell) -> dict[str, set[str]]:
    return {name: set(shell.run(f"pidof {name} || :").split()) for name in NEEDED}


def _kill(shell: GuestShell, name: str, check: str) -> str:
    """Kill a program with -9, and return its PID once it was started again."""
    old = shell.run(f"pidof {name}").split()
    shell.run(f"kill -9 {' '.join(old)}")

    def back() -> str | None:
        number = shell.run(f"{check} >/dev/null && pidof {name} || :")
        return number if number and not set(number.split()) & set(old) else None

    return wait_for(f"{name} to come back", back, seconds=BACK_SECONDS)


def _hang(box: Machine, shell: GuestShell) -> None:
    """Stop what feeds the watchdog, as a kernel that hangs does."""
    shell.run("kill -STOP $(pidof watchdog)")
    wait_for("the watchdog's reset", box.is_off, seconds=HANG_SECONDS)
