"""A deadline for calls that have no timeout, or only one for each of their parts."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, NoReturn, TypeVar

from tinkie.policy import INTERRUPT_AGAIN_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

Result = TypeVar("Result")


class TooSlow(OSError):
    """The whole call took too long; httpx bounds only each read."""


def at_most(seconds: float, do: Callable[[], Result]) -> Result:
    """Call `do` and interrupt it after `seconds`: a server may send one byte of header a second.

    The interruption may come where a library has just taken a lock; its clean-up then waits for
    that lock without end. So it is repeated until `do` has ended. (And this is not a context
    manager, whose exit an interruption could prevent.)

    Raises:
        TooSlow: or whatever `do` raises because of it.
    """
    before = signal.signal(signal.SIGALRM, _interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, INTERRUPT_AGAIN_SECONDS)
        return do()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise TooSlow
