"""What a fault of a whole machine is: the same terms as tests/engine/matrix has."""

from collections.abc import Callable, Generator
from dataclasses import dataclass

from sandbox.machine import Machine
from sandbox.monitor import Monitor
from sandbox.shell import GuestShell
from sandbox.world import World
from tests.engine.matrix.case import Moment


@dataclass
class Site:
    """One machine under test, and what faults are made with."""

    here: World
    machine: Machine
    shell: GuestShell
    monitor: Monitor


Happening = Callable[[Site], Generator[None]]


@dataclass(frozen=True)
class Case:
    """One row.

    happens: a generator of three steps: it brings the fault about, lasts, and heals.
    said: what stands in the console's line that names it.
    """

    name: str
    when: Moment
    happens: Happening
    said: str

    @property
    def title(self) -> str:
        """ErrorKind and moment, which no other case has."""
        return f"{self.name}, {self.when}"
