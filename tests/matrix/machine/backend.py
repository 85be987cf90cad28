"""The backend of one virtual machine: it is on all the time, one case after the other."""

import itertools
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from sandbox.machine import Machine
from sandbox.monitor import Monitor
from sandbox.shell import GuestShell
from sandbox.waiting import wait_for
from sandbox.workflow import WorkflowRun
from sandbox.world import World
from tests.boot.machines import start_command
from tests.matrix.backend import Limits, Running
from tests.matrix.case import Moment, Sign

LIMITS = Limits(named=120.0, reached=180.0, recovered=300.0)
LONG = "sleep 11"  # nothing else in the machine waits for so long
LAST_LINES = 200
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Site:
    """One machine under test, and what injects faults."""

    sandbox: World
    machine: Machine
    shell: GuestShell
    monitor: Monitor


@dataclass(frozen=True)
class VirtualMachine:
    """A virtual machine whose worker waits for a workflow between two cases."""

    site: Site
    limits: Limits = LIMITS

    def power_on(self, parameters: Mapping[str, str]) -> AbstractContextManager[None]:
        """Leave it on: one boot is for all cases, so a case has no parameters."""
        assert not parameters
        return nullcontext()

    def reach(self, moment: Moment) -> None:
        """Return when it is the moment."""
        assert moment in (Moment.IDLE, Moment.ACTION)
        if moment is Moment.ACTION:
            self._start(LONG)
            wait_for("the action", lambda: self.running().actions > 0, seconds=LIMITS.reached)

    def messages(self, sign: Sign) -> list[str]:
        """Return the console's lines with this sign until now, oldest first."""
        console = self.site.machine.console
        console.poll()
        begin = " ".join(filter(None, [f"{sign.program}: {sign.event}", sign.text]))
        kind = f" kind={sign.kind}" if sign.kind else ""
        return [line.text for line in console.lines if begin in line.text and kind in line.text]

    def start_workflow(self) -> WorkflowRun:
        """Give the machine a workflow that does nothing."""
        return self._start("true")

    def running(self) -> Running:
        """Count the machine's processes."""
        count = f"pidof tink-agent | wc -w; ps -o args | grep -cx '{LONG}' || :"
        return Running(*map(int, self.site.shell.run(count).split()))

    def last_lines(self) -> str:
        """Return the end of what the console showed."""
        return "\n".join(line.text for line in self.site.machine.console.lines[-LAST_LINES:])

    def _start(self, command: str) -> WorkflowRun:
        identity = self.site.machine.hardware.identity
        name = f"{identity.name}-{next(_numbers)}"
        return start_command(self.site.sandbox, identity, name, command)
