"""Repair dockerd's record of its networks, which can keep every later dockerd from starting.

If no container runs, a dockerd that starts creates its bridge anew, and records that in two places,
one after the other. If it is killed in between, or fails, every later dockerd ends at once with
"networks have same bridge name" (moby issue 49291; in 26.1, and still in 28.3). Then the record is
removed.

If a container runs, dockerd keeps its networks, and creates the bridge from the record. If that
fails, for example because a firewall rule is refused, it logs that and runs without the bridge: no
action that starts has a network. Then dockerd is started again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tink_docker import policy
from tink_docker.engine.daemon_json import DATA_ROOT
from tinkie.error_kinds import ErrorKind
from tinkie.errors import TransientError
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

log = get_logger()

PATH = DATA_ROOT / "network" / "files" / "local-kv.db"

# dockerd's messages
_START_FAILURE = "Error initializing network controller"
_BRIDGE_FAILURE = "could not create bridge network"
SIGNS = (_START_FAILURE, _BRIDGE_FAILURE)


@dataclass(slots=True)
class NetworkRecord:
    """The record: removed when dockerd has ended at its start because of it twice in a row.

    A dockerd that answers but lacks its bridge is stopped, so that the next one tries again.
    """

    path: Path = PATH
    _start_failures: int = 0  # in a row
    _bridge_failures: int = 0  # in a row

    def engine_answered(self, lines: Iterable[str]) -> None:
        """Check the lines with one of SIGNS of a dockerd that has started.

        Raises:
            TransientError: it runs without its bridge network, and must be restarted.
        """
        failures = [line for line in lines if _BRIDGE_FAILURE in line]
        self._bridge_failures = self._bridge_failures + 1 if failures else 0
        if not failures:
            return
        error = f"dockerd runs without its bridge network: {failures[-1]}"
        if self._bridge_failures < policy.BRIDGE_FAILURES_MAXIMUM:
            raise TransientError(error, kind=ErrorKind.ENGINE_NOT_READY)
        what_next = "continuing without it; actions that use it fail"
        log.error("networks.incomplete", error=error, next=what_next)

    def engine_ended(self, lines: Iterable[str], *, answered: bool) -> None:
        """Check the same of a dockerd that has ended; answered: it had started before."""
        if answered or not any(_START_FAILURE in line for line in lines):
            self._start_failures = 0
            return
        self._start_failures += 1
        if self._start_failures >= policy.NETWORK_RESET_AFTER_FAILURES:
            self._remove()

    def _remove(self) -> None:
        self._start_failures = 0
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            log.error("networks.reset_failed", error=f"removing {self.path}: {error.strerror}")  # noqa: TRY400
            return
        log.warning(
            "networks.reset",
            reason="dockerd does not start with its record of networks",
            next="the next dockerd creates its networks anew",
        )
