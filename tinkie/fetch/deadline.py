"""An end to what has no timeout of its own, or only one for each of its parts."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

Result = TypeVar("Result")

AGAIN_SECONDS = 1.0


class TooSlow(OSError):
    """The whole took too long; httpx bounds only each read."""


def at_most(seconds: float, do: Callable[[], Result]) -> Result:
    """Interrupt `do` after `seconds`: a server may send one byte of header a second.

    An interruption may come where a library has just taken a lock: what tidies up then waits for
    that lock for ever. So it is interrupted again and again, until `do` has ended. (And this is no
    context manager, which an interruption could keep from its end.)

    Raises:
        TooSlow, or whatever `do` makes of it.
    """
    before = signal.signal(signal.SIGALRM, _interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_SECONDS)
        return do()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise TooSlow
