"""dhcpcd, kept running with the configuration that the command line needs.

Usually it runs before Python does: images/dhcp/dhcp starts it, and hands over its PID. Where the
command line gives a NIC more than DHCP, it starts here, with a configuration made for that. If the
metadata's bond appears in between, dhcpcd is started anew.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from network.policy import STATIC_NIC_MISSING_SECONDS
from tinkie.errors import TransientError
from tinkie.files import write_atomically
from tinkie.running.signals import signal_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from network.dhcpcd import Process
    from network.log import Log
    from network.nics import Nic
    from network.static import StaticPlan

GIVEN = Path("/etc/dhcpcd.conf")
MADE = Path("/run/dhcpcd/dhcpcd.conf")


@dataclass(slots=True, eq=False, repr=False)
class Client:
    """Call `look` with all NICs, and `ended` with the children that have ended."""

    process: Process
    plan: StaticPlan
    log: Log
    given: Path = GIVEN
    made: Path = MADE
    _base: str = ""  # what the image gives, which does not change
    _text: str = ""  # of its configuration
    _is_stopping: bool = False
    _started: float | None = None

    @property
    def is_running(self) -> bool:
        """Return whether dhcpcd runs; if not, it waits for a NIC, or the next look starts it."""
        return bool(self.process.pid)

    def look(self, nics: Sequence[Nic], now: float) -> None:
        """Start dhcpcd, or start it anew, if that is to be done.

        Raises:
            TransientError: it cannot be started.
        """
        self._started = now if self._started is None else self._started
        self._base = self._base or self._read_given()
        if self.process.pid and not self._text:
            self._text = self._base  # since then, the metadata may have asked for a bond
        text = self.plan.configuration(self._base, nics)
        if not self.process.pid:
            if self.plan.has_all_names(nics) or now - self._started >= STATIC_NIC_MISSING_SECONDS:
                self._start(text)
        elif text != self._text and not self._is_stopping:
            self._is_stopping = True
            with suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGTERM)

    def ended(self, codes: Mapping[int, int]) -> bool:
        """Take note of the children that have ended; return whether dhcpcd has, unasked."""
        code = codes.get(self.process.pid)
        if not self.process.pid or code is None:
            return False
        self.process.pid = 0
        if self._is_stopping:
            self._is_stopping = False
            return False
        reason = f"exit code {code}" if code >= 0 else f"killed by signal {-code}"
        self.log.warning(
            "program.ended",
            program="dhcpcd",
            error=reason if code >= 0 else f"{reason} ({signal_name(-code)})",
            next="starts again, addresses stay",
        )
        return True

    def _read_given(self) -> str:
        try:
            return self.given.read_text()
        except OSError as error:
            raise TransientError(f"read {self.given}: {error}") from None

    def _start(self, text: str) -> None:
        try:
            write_atomically(self.made, text.encode())
        except OSError as error:
            raise TransientError(f"write {self.made}: {error}") from None
        self.process.start(self.made)
        self._text = text
