"""Every fault of the machine's matrix is named on the console, and repaired the machine works.

One machine for all of them, in the table's order. Its clock shows 2011 at power-on; at the
end its power button is pressed.
"""

from dataclasses import dataclass

import pytest

from release.errors import ReportedError
from sandbox.objects import MachineIdentity
from sandbox.waiting import wait_for
from tests.boot.conftest import NewLab
from tests.boot.machines import booted
from tests.matrix import report
from tests.matrix.case import selected
from tests.matrix.driver import prove, run
from tests.matrix.machine.backend import Site, VirtualMachine
from tests.matrix.machine.table import SAMPLE, TABLE
from tests.matrix.report import Row

IDENTITY = MachineIdentity(
    "faults", "52:54:00:00:01:09", "172.30.0.109", "172.30.0.1", lease_seconds=60
)
OFF_SECONDS = 150.0


@dataclass(frozen=True)
class Seen:
    """What came of each case, by its title; the console after its power button was pressed."""

    outcomes: dict[str, Row | Exception]
    end: str


@pytest.fixture(scope="module")
def seen(request: pytest.FixtureRequest, new_lab: NewLab) -> Seen:
    """Run the selected cases; out/faults-boot.json gets the rows."""
    lab, found = new_lab("faults"), dict[str, Row | Exception]()
    with (
        booted(lab, IDENTITY, clock="2011-11-11T11:11:11") as box,
        box.shell() as shell,
        box.monitor() as monitor,
    ):
        backend = VirtualMachine(Site(lab.sandbox, box, shell, monitor))
        prove(backend)
        assert box.console.poll_for("init: clock.wrong")
        for case in selected(TABLE, request.session):
            try:
                found[case.title] = run(case, backend)
            except (AssertionError, ReportedError, ValueError) as error:
                found[case.title] = error
        if len(found) == len(TABLE):  # a sample is no record for the document
            report.write((row for row in found.values() if isinstance(row, Row)), report.BOOT)
        monitor.press_power()
        wait_for("the machine to be off", box.is_off, seconds=OFF_SECONDS)
        return Seen(found, box.console.log.read_text(errors="replace").split("power.pressed")[-1])


TITLES = [
    pytest.param(case.title, marks=[] if case in SAMPLE else pytest.mark.long, id=case.title)
    for case in TABLE
]


@pytest.mark.parametrize("title", TITLES)
def test_fault_is_named_and_heals(title: str, seen: Seen) -> None:
    outcome = seen.outcomes[title]
    if isinstance(outcome, Exception):
        raise outcome
    assert outcome.message


def test_the_power_button_switches_it_off_in_order(seen: Seen) -> None:
    assert 'init: shutdown.started by="the power button"' in seen.end
    assert "init: shutdown.done" in seen.end
