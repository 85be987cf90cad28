"""A person's view of a running machine: what its console and its workflow say, as they say it."""

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

# What is worth a person's time of what firmware and iPXE say.
FIRMWARE = ("Booting from", "Configuring", "Next server", "Filename", "http://", "Nothing to boot")
ASK_SECONDS = 0.5

Found = TypeVar("Found")


@dataclass
class Follower:
    """Tells of one machine and one workflow, and remembers when what happened."""

    world: World
    machine: Machine
    workflow: Run
    say: Callable[[str], None]
    programs: Sequence[Program] = ()  # those that must not end, beside the world's own
    status: Status = field(default_factory=lambda: Status("", {}))
    _observed: dict[str, float] = field(default_factory=dict)
    _asked: float = -ASK_SECONDS

    @property
    def moments(self) -> dict[str, float]:
        """When what happened, in seconds since power-on."""
        return timeline.moments(self.machine.console.lines) | self._observed

    def wait_for(self, what: str, found: Callable[[], Found | None], seconds: float) -> Found:
        """Follow until found returns something; ReportedError after the given seconds.

        A workflow that fails meanwhile is an error at once.
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
            self._tell(line)
        self._check()
        if self.machine.console.seconds - self._asked >= ASK_SECONDS:
            self._asked = self.machine.console.seconds
            self._ask()

    def _tell(self, line: Line) -> None:
        if line.event or line.text.startswith(FIRMWARE):
            self.say(f"console   {line.text}")

    def _check(self) -> None:
        world = self.world
        ours = (world.tinkerbell.program, world.registry.program, world.files.program)
        for program in (*ours, *self.programs):
            program.check()
        if self.machine.is_off() and not self.machine.hardware.stop_at_reboot:
            self.machine.program.check()

    def _ask(self) -> None:
        status = self.workflow.status()
        if status == self.status:
            return
        actions = ", ".join(f"{name} {state}" for name, state in status.actions.items())
        self.say(f"workflow  {status.state}: {actions} {status.message}".rstrip())
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
