"""Random faults, one after the other and on top of each other, out of one seed."""

import random
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from release.errors import ReportedError
from tests.engine.machine import machine
from tests.engine.matrix.driver import prove
from tests.engine.matrix.happenings import KILL, wait_until_back
from tests.engine.matrix.site import Site
from tests.engine.matrix.wire import Wire

LONGEST_FAULT = 15.0
LONGEST_PEACE = 6.0
SLOWEST = 512 * 1024  # bytes per second


@dataclass
class Soak:
    """One machine, one wire to its registry, and what is done to them."""

    site: Site
    wire: Wire
    chance: random.Random
    say: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)
    workflows: int = 0

    def run(self, seconds: float) -> None:
        """Do harm for that long, then see the machine work; AssertionError if it does not."""
        while time.monotonic() - self.began < seconds:
            self._harm()
            time.sleep(self.chance.uniform(0, LONGEST_PEACE))
        self._tell("healed")
        self.wire.heal()
        wait_until_back(self.site.machine)
        prove(self.site)
        self._tell("works")

    def _harm(self) -> None:
        what = self.chance.choice([*KILL, "silent", "cut", "slow", "workflow"])
        long = self.chance.uniform(1, LONGEST_FAULT)
        self._tell(what)
        try:
            self._do(what, long)
        except ReportedError as error:  # no engine answers: so there was nothing to kill
            self._tell(f"{what} did not come: {str(error).splitlines()[0]}")

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
        self.wire.bytes_per_second = SLOWEST if what == "slow" else None
        time.sleep(long)
        self.wire.heal()

    def _tell(self, what: str) -> None:
        self.say(f"{time.monotonic() - self.began:7.1f} s  {what}")


@contextmanager
def soak(site: Site, seed: int, say: Callable[[str], None]) -> Generator[Soak]:
    """Switch a machine on for the with block; what happens to it follows from the seed alone."""
    say(f"\nthe same again: make soak SEED={seed}")
    on = machine(site.world, site.folder / "machine", site.identity, **site.parameters)
    with site.registry(behind=True), site.wire() as wire, on as site.machine:
        site.machine.wait_for_worker()
        yield Soak(site, wire, random.Random(seed), say)  # noqa: S311 - replayable on purpose
