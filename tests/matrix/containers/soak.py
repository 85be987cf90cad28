"""Random faults, one after the other and on top of each other, out of one seed."""

import random
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from release.errors import ReportedError
from tests.engine.machine import machine
from tests.matrix.containers.backend import Containers
from tests.matrix.containers.faults import KILL, wait_until_back
from tests.matrix.containers.site import Site
from tests.matrix.driver import prove
from tests.matrix.wire import Wire

LONGEST_FAULT_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 6.0
SLOW_BYTES_PER_SECOND = 512 * 1024


@dataclass
class Soak:
    """One machine, one wire to its registry, and the faults that they get."""

    site: Site
    wire: Wire
    chance: random.Random
    report: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)
    workflows: int = 0

    def run(self, seconds: float) -> None:
        """Inject faults for that long, then see the machine work; AssertionError if it does not."""
        while time.monotonic() - self.began < seconds:
            self._inject_one()
            time.sleep(self.chance.uniform(0, LONGEST_PAUSE_SECONDS))
        self._report("repaired")
        self.wire.heal()
        wait_until_back(self.site.machine)
        prove(Containers(self.site))
        self._report("works")

    def _inject_one(self) -> None:
        what = self.chance.choice([*KILL, "silent", "cut", "slow", "workflow"])
        long = self.chance.uniform(1, LONGEST_FAULT_SECONDS)
        self._report(what)
        try:
            self._do(what, long)
        except ReportedError as error:  # no engine answers, so there is nothing to kill
            self._report(f"{what} was not injected: {str(error).splitlines()[0]}")

    def _do(self, what: str, long: float) -> None:
        if what in KILL:
            KILL[what](self.site.machine)
        elif what == "workflow":
            self.workflows += 1
            name = f"soak{self.workflows}"
            self.site.world.start_workflow(
                self.site.identity, name, f"sleep {long:.0f}", registry=self.site.host
            )
        else:
            self._spoil_wire(what, long)

    def _spoil_wire(self, what: str, long: float) -> None:
        self.wire.silent = what == "silent"
        self.wire.cut_after = 2**20 if what == "cut" else None
        self.wire.bytes_per_second = SLOW_BYTES_PER_SECOND if what == "slow" else None
        time.sleep(long)
        self.wire.heal()

    def _report(self, what: str) -> None:
        self.report(f"{time.monotonic() - self.began:7.1f} s  {what}")


@contextmanager
def soak(site: Site, seed: int, report: Callable[[str], None]) -> Generator[Soak]:
    """Power a machine on for the with block; its faults follow from the seed alone."""
    report(f"\nthe same again: make soak SEED={seed}")
    on = machine(site.world, site.folder / "machine", site.identity, **site.parameters)
    with site.registry(behind=True), site.wire() as wire, on as site.machine:
        site.machine.wait_for_worker()
        yield Soak(site, wire, random.Random(seed), report)  # noqa: S311 - replayable on purpose
