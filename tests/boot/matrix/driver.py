"""Runs one case: the fault comes, is named, heals, and the machine works again."""

import itertools
import time

from sandbox.waiting import wait_for
from sandbox.workflow import WorkflowRun
from tests.boot.machines import start_command
from tests.boot.matrix.case import Case, Site
from tests.engine.matrix.case import Moment
from tests.engine.matrix.report import Row

NAMED_SECONDS = 120.0
ACTION_SECONDS = 180.0
RECOVERED_SECONDS = 300.0
LONG = "sleep 11"  # nothing else in the machine waits for so long
_numbers = itertools.count(1)


def run(case: Case, site: Site) -> Row:
    """Return what came of it; AssertionError or ReportedError if it is not as the table says."""
    if case.when is Moment.ACTION:
        _start(site, LONG)
        wait_for("the action", lambda: _count(site, LONG), seconds=ACTION_SECONDS)
    site.machine.console.poll()
    before = len(site.machine.console.lines)
    happening = case.happens(site)
    try:
        next(happening)
        said = wait_for(f'"{case.said}"', lambda: _line(site, case, before), seconds=NAMED_SECONDS)
        next(happening)
        healed = time.monotonic()
        next(happening)
        prove(site)
    finally:
        happening.close()
    return Row(case.name, str(case.when), said, time.monotonic() - healed)


def _line(site: Site, case: Case, before: int) -> str | None:
    site.machine.console.poll()
    fresh = site.machine.console.lines[before:]
    return next((line.text for line in fresh if case.said in line.text), None)


def prove(site: Site) -> None:
    """See a new workflow succeed, by one worker."""
    given = _start(site, "true")

    def succeeded() -> bool:
        assert int(site.shell.run("pidof tink-agent | wc -w")) <= 1, "two workers"
        assert _count(site, LONG) <= 1, "two actions"
        status = given.status()
        assert not status.is_over or status.state == "SUCCESS", status
        return status.is_over

    wait_for("the machine to work again", succeeded, seconds=RECOVERED_SECONDS)
    assert site.shell.run("pidof tink-agent | wc -w") == "1"


def _start(site: Site, command: str) -> WorkflowRun:
    identity = site.machine.hardware.identity
    name = f"{identity.name}-{next(_numbers)}"
    return start_command(site.here, identity, name, command)


def _count(site: Site, command: str) -> int:
    """Return how many processes of the machine run a command."""
    return int(site.shell.run(f"ps -o args | grep -cx '{command}' || :"))
