"""Boot a machine once and measure it: time, CPU of the emulator, memory while an action runs.

Nothing here needs the OS to be Tinkie: the network, Tinkerbell, the emulator's process and the
action itself give the figures.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from release.errors import ReportedError
from sandbox.console import Console
from sandbox.dhcp_ack import AckListener, ack_listener
from sandbox.disk import empty_disk
from sandbox.follow import Follower
from sandbox.hardware import Hardware
from sandbox.machine import Machine, machine
from sandbox.processes import cpu_seconds, host_cpu_seconds
from sandbox.provision import WORKFLOWS
from sandbox.world import World

TEMPLATE = WORKFLOWS / "bench.yml"
# Between the action's report and the idle time. Tinkie starts some services once the CPU is idle.
SETTLE_SECONDS = 15.0
SPARE_SECONDS = 8.0  # the action rests longer than we measure
REPORT_SECONDS = 300.0  # until an action that is RUNNING has reported: its image, its own 5 s
DISK_MIB = 64
PANIC = "Kernel panic - not syncing"
BUILD = "init: boot.started"  # the event of Tinkie's that has version and commit


@dataclass(frozen=True)
class Moment:
    """Seconds since power-on, and seconds of CPU used since then.

    cpu: by the emulator. others: by all other programs of the host, which disturb the emulator.
    """

    wall: float
    cpu: float
    others: float


@dataclass(frozen=True)
class Figures:
    """What one boot took.

    address: the first DHCPACK. running: Tinkerbell has the action as RUNNING, before
    its image is pulled. reported: the action has sent its report, 5 s after its start.
    idle, idle_end: the begin and the end of the idle time, the same if it is not measured.
    memory: MiB, as `free` counts: total, used, shared, cache, available.
    moments: those that Tinkie's console shows.
    build: version and commit, if the OS is a Tinkie.
    """

    address: Moment
    running: Moment
    reported: Moment
    idle: Moment
    idle_end: Moment
    memory: Mapping[str, int]
    moments: Mapping[str, float]
    build: str

    def idle_cpu(self, seconds: float) -> float:
        """Return the CPU that the emulator used in so many seconds of the idle time."""
        used = self.idle_end.cpu - self.idle.cpu
        return used * seconds / (self.idle_end.wall - self.idle.wall)


@dataclass(frozen=True)
class _Boot:
    """A machine that boots."""

    follower: Follower
    box: Machine
    acks: AckListener
    host_cpu: float  # at power-on

    def moment(self, what: str, reached: Callable[[], bool], seconds: float) -> Moment:
        """Wait for a moment and return when it was."""

        def look() -> Moment | None:
            moment = self._now()
            if reached():
                return moment
            self._check()
            return None

        return self.follower.wait_for(what, look, seconds)

    def is_running(self) -> bool:
        status = self.follower.status
        return "RUNNING" in status.actions.values()

    def after(self, seconds: float) -> Moment:
        """Let time pass."""
        until = self.box.console.seconds + seconds

        def is_over() -> bool:
            return self.box.console.seconds >= until

        return self.moment("time to pass", is_over, seconds + REPORT_SECONDS)

    def _now(self) -> Moment:
        cpu = cpu_seconds(self.box.program.process.pid)
        others = host_cpu_seconds() - self.host_cpu - cpu
        return Moment(self.box.console.seconds, cpu, others)

    def _check(self) -> None:
        panic = self.box.console.find(PANIC)
        if panic:
            raise ReportedError(f"the machine's kernel panicked: {panic.text}")
        if self.box.is_off():
            raise ReportedError("the machine powered off or rebooted before the workflow's end")


@dataclass(frozen=True)
class Bench:
    """How a boot is measured.

    longest: the most seconds from power-on to the first DHCPACK, and to the action that is RUNNING.
    idle_seconds: how long to measure the CPU of a machine that does nothing, while the action runs.
    """

    here: World
    longest: tuple[float, float]
    idle_seconds: float
    report: Callable[[str], None]

    def boot(self, name: str, hardware: Hardware, folder: Path) -> Figures:
        """Boot a machine and run one workflow, of this name, to its end.

        The machine's identity has to be enrolled. folder: gets the machine's logs.
        Raises ReportedError if the machine ends, its kernel panics, or the workflow fails or takes
        too long.
        """
        rest = self.idle_seconds and SETTLE_SECONDS + self.idle_seconds + SPARE_SECONDS
        identity = hardware.identity
        values = {"report": name, "rest_seconds": f"{rest:.0f}"}
        run = self.here.start_workflow(name, TEMPLATE.read_text(), identity, **values)
        report = self.here.files.uploads / name
        report.unlink(missing_ok=True)  # of an earlier run
        empty_disk(hardware.disk, DISK_MIB)
        with (
            ack_listener(self.here.network, identity.mac) as acks,
            machine(folder, self.here.network, hardware, "tap0") as box,
        ):
            follower = Follower(self.here, box, run, self.report)
            return self._follow(_Boot(follower, box, acks, host_cpu_seconds()), report)

    def _follow(self, boot: _Boot, report: Path) -> Figures:
        until_address, until_running = self.longest
        address = boot.moment("the first DHCPACK", boot.acks.heard, until_address)
        left = until_running - address.wall
        running = boot.moment("the action to be RUNNING", boot.is_running, left)
        reported = boot.moment("the action's report", report.exists, REPORT_SECONDS)
        idle = idle_end = reported
        if self.idle_seconds:
            idle, idle_end = boot.after(SETTLE_SECONDS), boot.after(self.idle_seconds)
        boot.moment("the workflow's end", lambda: boot.follower.status.is_over, REPORT_SECONDS)
        memory = parse_memory(report.read_text())
        moments, build = boot.follower.moments, build_of(boot.box.console)
        return Figures(address, running, reported, idle, idle_end, memory, moments, build)


def parse_memory(report: str) -> dict[str, int]:
    """Return what the action `measure` reported: name -> MiB."""
    pairs = (word.partition("=") for word in report.split())
    return {name: int(value) for name, _, value in pairs}


def build_of(console: Console) -> str:
    """Return the version and commit that a Tinkie printed ("version=0.1.0 commit=abc"), or ""."""
    line = next((line for line in console.lines if line.event == BUILD), None)
    return line.text.partition(f"{BUILD} ")[2] if line else ""
