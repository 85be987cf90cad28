"""Signals that end a program: the first raises ShutdownRequested, repeats do nothing."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tinkie.errors import ShutdownRequested

if TYPE_CHECKING:
    from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class ShutdownSignals:
    """Handle SIGTERM, SIGINT and SIGHUP; `requested` is true from the first signal on.

    A flag ignores repeats, since child processes would inherit SIG_IGN. The handler takes no lock:
    the thread that it interrupts may hold it.
    """

    def __init__(self) -> None:
        self.requested = False

    def install(self) -> None:
        """Handle SIGTERM, SIGINT and SIGHUP from now on; main thread only."""
        for number in _SIGNALS:
            signal.signal(number, self._handle)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self.requested:
            return
        self.requested = True
        raise ShutdownRequested(signal.Signals(number).name)
