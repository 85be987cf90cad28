"""What a fault is, in the matrix's terms."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tests.engine.matrix.site import Site


class Moment(StrEnum):
    """When a fault begins."""

    BEFORE_BOOT = "before the boot"
    IDLE = "while the worker waits"
    PULL = "during the pull"
    ACTION = "during an action"


@dataclass(frozen=True)
class Sign:
    """The line that names a fault: which program says which event; fault as `kind=` has it."""

    program: str
    event: str
    kind: str = ""
    text: str = ""


@dataclass(frozen=True)
class Case:
    """One row.

    happens: a generator of three steps: it gets the place ready (and the machine is switched on, if
    the fault comes later), brings the fault about, heals it; its end clears up. parameters: kernel
    parameters beside the site's own.
    """

    name: str
    happens: Callable[[Site], Generator[None]]
    sign: Sign
    when: Moment = Moment.BEFORE_BOOT
    parameters: Callable[[Site], Mapping[str, str]] = field(default=lambda _: {})

    @property
    def title(self) -> str:
        """ErrorKind and moment, which no other case has."""
        return f"{self.name}, {self.when}"
