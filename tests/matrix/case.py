"""What a fault is, in the matrix's terms: the same for both backends."""

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

import pytest

Site = TypeVar("Site")
# Three steps: it prepares the site, injects the fault, repairs it; its end cleans up.
FaultInjection = Callable[[Site], Generator[None]]


class Moment(StrEnum):
    """When a fault begins."""

    BEFORE_BOOT = "before the boot"
    IDLE = "while the worker waits"
    PULL = "during the pull"
    ACTION = "during an action"


@dataclass(frozen=True)
class Sign:
    """The log line that names a fault.

    program: who logs it. event: as noun.verb. kind: how the error kind begins. text: a part of it.
    """

    program: str
    event: str
    kind: str = ""
    text: str = ""


@dataclass(frozen=True)
class Case(Generic[Site]):
    """One row of a matrix.

    parameters: kernel parameters beside the site's own. lasts: seconds that the fault stays after
    it was named.
    """

    name: str
    inject: FaultInjection[Site]
    sign: Sign
    when: Moment = Moment.BEFORE_BOOT
    parameters: Callable[[Site], Mapping[str, str]] = field(default=lambda _: {})
    lasts: float = 0.0

    @property
    def title(self) -> str:
        """Fault and moment, which no other case of the matrix has."""
        return f"{self.name}, {self.when}"


def selected(cases: Iterable[Case[Site]], session: pytest.Session) -> list[Case[Site]]:
    """Return the cases whose tests this run of pytest selected, by its -k and -m."""
    names = [item.name for item in session.items]
    return [case for case in cases if any(f"[{case.title}]" in name for name in names)]
