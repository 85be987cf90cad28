"""The first signal to end raises ShutdownRequested wherever the program is; repeats do nothing."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tinkie.errors import ShutdownRequested

if TYPE_CHECKING:
    from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class ShutdownSignals:
    """Installs the handlers; `requested` is true from the first signal on.

    Repeats are told apart by a flag and not by SIG_IGN, which child processes would inherit. The
    handler takes no lock: it may run while this thread holds any.
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
