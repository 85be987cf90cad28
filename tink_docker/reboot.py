"""The reboot broker: an action asks by a file, and the machine reboots once the action is over.

Source of the contract: hook's rebootWatch, which looks for the file `/worker/reboot` each second
(contracts, section 4.6). A shutdown that somebody else asked for raises the flag too, and goes on
when it has been taken away: the worker may report what it did.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from tinkie.errors import BootError
from tinkie.paths import WORKER_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()

FLAG = Path("/worker/reboot")
NOTE = Path("/run/tinkie/shutdown-by")
PATIENCE_SECONDS = 30.0
REPORT_SECONDS = 3.0
AGAIN_SECONDS = 60.0


def ask_init(note: Path = NOTE) -> None:
    """Ask PID 1 for an orderly reboot (busybox init; it has its own bound, and force at its end).

    note: says who asked, for what PID 1 runs then (images/init/lib/shutdown).

    Raises:
        OSError: it cannot be asked.
    """
    with suppress(OSError):
        note.write_text(f"{FLAG}\n")
    os.kill(1, signal.SIGTERM)


@dataclass(slots=True)
class RebootBroker:
    """Looks for the flag at each `tick`; `running` returns the names of the containers that run."""

    running: Callable[[], list[str]]
    now: Callable[[], float]
    reboot: Callable[[], None] = ask_init
    flag: Path = FLAG
    _requested: float | None = None
    _quiet_since: float | None = None

    def tick(self) -> None:
        """Go on with what is under way; never raises a BootError."""
        if self._requested is None:
            self._look()
        if self._requested is not None and self.now() >= self._requested:
            self._go_on(self.now() - self._requested)

    def _look(self) -> None:
        if os.path.lexists(self.flag):
            self._requested = self.now()
            what_next = f"waiting up to {PATIENCE_SECONDS:.0f} s for the actions to end"
            log.info("reboot.requested", by=str(self.flag), next=what_next)

    def _go_on(self, waited: float) -> None:
        if waited >= PATIENCE_SECONDS:
            self._start(f"actions had not ended, as far as known, after {PATIENCE_SECONDS:.0f} s")
        elif self._others():
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = self.now()
        elif self.now() - self._quiet_since >= REPORT_SECONDS:
            self._start("no action runs any more")

    def _others(self) -> list[str]:
        """Return what has to end first; an engine that says nothing keeps us waiting."""
        try:
            return [name for name in self.running() if name != WORKER_NAME]
        except BootError as error:
            log.debug("reboot.delayed", error=str(error))
            return ["unknown"]

    def _start(self, reason: str) -> None:
        log.info("reboot.started", reason=reason)
        self._quiet_since = None
        self._requested = self.now() + AGAIN_SECONDS  # only reached if the machine is still up then
        with suppress(OSError):  # a folder of that name is a wish, too
            self.flag.unlink()
        try:
            self.reboot()
        except OSError as error:
            again = f"trying again in {AGAIN_SECONDS:.0f} s"
            log.error("reboot.failed", error=f"asking PID 1: {error.strerror}", next=again)  # noqa: TRY400
