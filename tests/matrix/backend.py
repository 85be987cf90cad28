"""What the driver needs of a machine under test, whatever it is made of."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from sandbox.workflow import Run
from tests.matrix.case import Moment, Sign

Site = TypeVar("Site", covariant=True)  # noqa: PLC0105 # the same name as a case's


@dataclass(frozen=True)
class Limits:
    """Seconds in which a fault must be named, a moment reached, and a workflow succeed again."""

    named: float
    reached: float
    recovered: float


class Running(NamedTuple):
    """How many workers and actions run."""

    workers: int
    actions: int


class Backend(Protocol[Site]):
    """One machine under test."""

    @property
    def site(self) -> Site:
        """Where faults are injected: the machine and the servers around it."""

    @property
    def limits(self) -> Limits:
        """How long the driver waits."""

    def power_on(self, parameters: Mapping[str, str]) -> AbstractContextManager[None]:
        """Have the machine on for the with block."""

    def reach(self, moment: Moment) -> None:
        """Return when it is the moment."""

    def messages(self, sign: Sign) -> list[str]:
        """Return what has been logged with this sign until now, oldest first."""

    def start_workflow(self) -> Run:
        """Give the machine a short workflow that changes nothing."""

    def running(self) -> Running:
        """Count workers and actions."""

    def last_lines(self) -> str:
        """Return the end of the machine's logs, for a person who reads a failed test."""
