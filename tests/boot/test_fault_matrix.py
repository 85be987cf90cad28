"""Every fault of the table is named on the console, and the machine works when it has healed.

One machine for all of them, in the table's order. Its clock says 2011 when it is switched on; in
the end its power button is pressed.
"""

from dataclasses import dataclass

import pytest

from release.errors import ReportedError
from sandbox.accelerator import Accelerator
from sandbox.objects import MachineIdentity
from sandbox.waiting import wait_for
from sandbox.world import World
from tests.boot.machines import booted
from tests.boot.matrix.case import Site
from tests.boot.matrix.driver import prove, run
from tests.boot.matrix.table import TABLE
from tests.engine.matrix import report
from tests.engine.matrix.report import Row

IDENTITY = MachineIdentity(
    "faults", "52:54:00:00:01:09", "172.30.0.109", "172.30.0.1", lease_seconds=60
)
OFF_SECONDS = 150.0


@dataclass(frozen=True)
class Seen:
    """What came of each case, by its title; how the machine was switched off."""

    outcomes: dict[str, Row | Exception]
    end: str


@pytest.fixture(scope="module")
def seen(here: World, accelerator: Accelerator, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Run all cases; out/faults-boot.json has what came of them."""
    folder = tmp_path_factory.mktemp("faults")
    found: dict[str, Row | Exception] = {}
    with (
        booted(here, accelerator, folder, IDENTITY, clock="2011-11-11T11:11:11") as box,
        box.shell() as shell,
        box.monitor() as monitor,
    ):
        site = Site(here, box, shell, monitor)
        prove(site)
        assert box.console.poll_for("init: clock.wrong")
        for case in TABLE:
            try:
                found[case.title] = run(case, site)
            except (AssertionError, ReportedError, ValueError) as error:
                found[case.title] = error
        report.write((row for row in found.values() if isinstance(row, Row)), report.BOOT)
        monitor.press_power()
        wait_for("the machine to be off", box.is_off, seconds=OFF_SECONDS)
        return Seen(found, box.console.log.read_text(errors="replace").split("power.pressed")[-1])


@pytest.mark.parametrize("title", [case.title for case in TABLE])
def test_fault_is_named_and_heals(title: str, seen: Seen) -> None:
    found = seen.outcomes[title]
    if isinstance(found, Exception):
        raise found
    assert found.said


def test_the_power_button_switches_it_off_in_order(seen: Seen) -> None:
    assert 'init: shutdown.started by="the power button"' in seen.end
    assert "init: shutdown.done" in seen.end
