"""Follow a running machine: report its console and its workflow as they change."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from release.errors import ReportedError
from sandbox import timeline
from sandbox.console import Line
from sandbox.machine import Machine
from sandbox.processes import Program
from sandbox.waiting import wait_for
from sandbox.workflow import Run, Status
from sandbox.world import World

# The lines of firmware and iPXE that are worth reporting.
FIRMWARE = ("Booting from", "Configuring", "Next server", "Filename", "http://", "Nothing to boot")
STATUS_SECONDS = 0.5

Found = TypeVar("Found")


@dataclass
class Follower:
    """Reports one machine and one workflow, and records the time of each moment.

    programs: those that must not end, besides the world's own.
    """

    world: World
    machine: Machine
    workflow: Run
    report: Callable[[str], None]
    programs: Sequence[Program] = ()
    status: Status = field(default_factory=lambda: Status("", {}))
    _observed: dict[str, float] = field(default_factory=dict)
    _last_status: float = -STATUS_SECONDS

    @property
    def moments(self) -> dict[str, float]:
        """Each moment that was seen, in seconds since power-on."""
        return timeline.moments(self.machine.console.lines) | self._observed

    def wait_for(self, what: str, found: Callable[[], Found | None], seconds: float) -> Found:
        """Follow until found returns something; ReportedError after the given seconds.

        If the workflow fails meanwhile, raise at once.
        """

        def look() -> Found | None:
            self._look()
            if self.status.is_over and self.status.state != "SUCCESS":
                raise _failure(self.status)
            return found()

        return wait_for(what, look, seconds=seconds)

    def wait_for_success(self, seconds: float) -> Status:
        """Follow until the workflow has succeeded."""
        return self.wait_for("the workflow's end", self._end, seconds)

    def wait_for_marker(self, marker: str, seconds: float) -> Line:
        """Follow until the console shows a text."""
        console = self.machine.console
        line = self.wait_for(f'"{marker}" on the console', lambda: console.find(marker), seconds)
        self._observed[timeline.MARKER] = line.at
        return line

    def _end(self) -> Status | None:
        return self.status if self.status.is_over else None

    def _look(self) -> None:
        for line in self.machine.console.poll():
            self._report_line(line)
        self._check()
        if self.machine.console.seconds - self._last_status >= STATUS_SECONDS:
            self._last_status = self.machine.console.seconds
            self._update_status()

    def _report_line(self, line: Line) -> None:
        if line.event or line.text.startswith(FIRMWARE):
            self.report(f"console   {line.text}")

    def _check(self) -> None:
        for program in (*self.world.programs, *self.programs):
            program.check()
        if self.machine.is_off() and not self.machine.hardware.stop_at_reboot:
            self.machine.program.check()

    def _update_status(self) -> None:
        status = self.workflow.status()
        if status == self.status:
            return
        actions = ", ".join(f"{name} {state}" for name, state in status.actions.items())
        self.report(f"workflow  {status.state}: {actions} {status.message}".rstrip())
        self.status = status
        now = self.machine.console.seconds
        if "RUNNING" in status.actions.values():
            self._observed.setdefault(timeline.ACTION, now)
        if status.is_over:
            self._observed.setdefault(timeline.DONE, now)


def _failure(status: Status) -> ReportedError:
    states = ", ".join(f"{name}: {state}" for name, state in status.actions.items())
    return ReportedError(
        f"the workflow ended as {status.state} ({states}) {status.message}".strip()
    )
