"""The reboot broker: an action creates a file, and the machine reboots once the action has ended.

The contract is that of Hook's rebootWatch, which looks for the file `/worker/reboot` each second.
Other ways to shut down create this flag file too, and continue when it has been removed: so the
worker has time to report.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tink_docker import policy
from tinkie.errors import BootError
from tinkie.files import write_atomically
from tinkie.paths import TINK_DOCKER_FOLDER
from tinkie.policy import WORKER_REPORT_SECONDS
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinkie.running.idle import Idle

log = get_logger()

FLAG = Path("/worker/reboot")
REASON_PATH = TINK_DOCKER_FOLDER / "shutdown-by"


def ask_init(reason_path: Path = REASON_PATH) -> None:
    """Ask PID 1 for an orderly reboot (busybox init; it has a time limit, and then force).

    reason_path: gets the reason, for the program that PID 1 runs then (images/init/lib/shutdown).

    Raises:
        OSError: the signal cannot be sent.
    """
    with suppress(OSError):  # it replaces a link or a FIFO, which an action with /run can put there
        write_atomically(reason_path, f"{FLAG}\n".encode())
    os.kill(1, signal.SIGTERM)


@dataclass(slots=True, eq=False, repr=False)
class RebootBroker:
    """Checks the flag file at each `tick`."""

    idle: Idle
    now: Callable[[], float]
    reboot: Callable[[], None] = ask_init
    flag: Path = FLAG
    _requested_at: float | None = None  # in the future: when to try again

    @property
    def is_requested(self) -> bool:
        """Return whether the machine is to reboot."""
        return self._requested_at is not None

    def tick(self) -> None:
        """Look for a request, or take the next step of one; never raise a BootError."""
        if self._requested_at is None:
            self._look_for_flag()
        if self._requested_at is not None and self.now() >= self._requested_at:
            self._reboot_if_idle(self.now() - self._requested_at)

    def _look_for_flag(self) -> None:
        if os.path.lexists(self.flag):
            self._requested_at = self.now()
            what_next = (
                f"waiting up to {policy.REBOOT_ACTIONS_SECONDS:.0f} s for the actions to end"
            )
            log.info("reboot.requested", by=str(self.flag), next=what_next)

    def _reboot_if_idle(self, waited: float) -> None:
        if waited >= policy.REBOOT_ACTIONS_SECONDS:
            bound = f"{policy.REBOOT_ACTIONS_SECONDS:.0f} s"
            self._start(f"actions still run after {bound}, or dockerd does not answer")
        elif self._idle_seconds() >= WORKER_REPORT_SECONDS:
            self._start("no action is running")

    def _idle_seconds(self) -> float:
        """Return for how long no action has run; without an answer from dockerd, assume one."""
        try:
            return self.idle.seconds() or 0.0
        except BootError as error:
            log.debug("reboot.delayed", error=str(error))
            return 0.0

    def _start(self, reason: str) -> None:
        log.info("reboot.started", reason=reason)
        self.idle.forget()
        self._requested_at = self.now() + policy.REBOOT_RETRY_SECONDS  # if it is still up then
        with suppress(OSError):  # a folder of that name is a request, too
            self.flag.unlink()
        try:
            self.reboot()
        except OSError as error:
            what_next = f"trying again in {policy.REBOOT_RETRY_SECONDS:.0f} s"
            log.error("reboot.failed", error=f"signalling PID 1: {error.strerror}", next=what_next)  # noqa: TRY400
