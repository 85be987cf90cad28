"""Signals that end a program: the first raises ShutdownRequested, repeats do nothing."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from tinkie.errors import ShutdownRequested, request_behind
from tinkie.policy import DROPPED_SIGNAL_SECONDS

if TYPE_CHECKING:
    from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def signal_name(number: int) -> str:
    """Return a signal's name; most real-time signals have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class ShutdownSignals:
    """Handle SIGTERM, SIGINT and SIGHUP; `requested` is true from the first signal on.

    A flag ignores repeats, since child processes would inherit SIG_IGN; when no more are started,
    `ignore` does. The handler takes no lock: the thread that it interrupts may hold it.

    Python drops what is raised in a finaliser, and a signal may come in one. So a dropped request
    is kept: the next `check`, which every wait of ours makes, or the next signal raises it again.
    The waits of libraries make no check, in the stream of a pull for example: SIGALRM does it
    there, soon after the request was dropped.
    """

    def __init__(self) -> None:
        self.requested = False
        self._dropped: ShutdownRequested | None = None

    def install(self) -> None:
        """Handle SIGTERM, SIGINT and SIGHUP from now on; main thread only."""
        sys.unraisablehook = self._keep_dropped
        for number in _SIGNALS:
            signal.signal(number, self._handle)

    def ignore(self) -> None:
        """Ignore the signals from now on, when the program has nothing left to do but exit.

        While Python ends, it takes our handlers away first: a repeat would kill the process then,
        and change its exit code.
        """
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def check(self) -> None:
        """Raise ShutdownRequested if one was dropped; call it before each wait."""
        dropped, self._dropped = self._dropped, None
        if dropped is not None:
            raise dropped

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if not self.requested:
            self.requested = True
            raise ShutdownRequested(signal.Signals(number).name)
        self.check()

    def _check_again(self, _number: int, _frame: FrameType | None) -> None:
        self.check()

    def _keep_dropped(self, dropped: sys.UnraisableHookArgs) -> None:
        request = request_behind(dropped.exc_value)
        if request is not None:
            self._dropped = ShutdownRequested(*request.args)
            signal.signal(signal.SIGALRM, self._check_again)
            signal.setitimer(signal.ITIMER_REAL, DROPPED_SIGNAL_SECONDS)
        if request is not dropped.exc_value or request is None:
            sys.__unraisablehook__(dropped)
