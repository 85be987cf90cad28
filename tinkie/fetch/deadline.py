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

    A request to stop that was dropped uses the same timer (tinkie/running/signals.py), and goes
    first: if it takes the timer while `do` runs, it keeps it; if it had the timer before, it gets
    it back.

    Raises:
        TooSlow: or whatever `do` raises because of it.
    """
    before, timer = signal.signal(signal.SIGALRM, _interrupt), (0.0, 0.0)
    try:
        timer = signal.setitimer(signal.ITIMER_REAL, seconds, INTERRUPT_AGAIN_SECONDS)
        return do()
    finally:
        if signal.getsignal(signal.SIGALRM) is _interrupt:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            signal.setitimer(signal.ITIMER_REAL, *timer)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise TooSlow
