"""Notice a dockerd that runs without its bridge network, and plan its restart.

If a container runs, dockerd keeps its networks, and creates the bridge from its record. If that
fails, for example because a firewall rule is refused, it logs that and runs without the bridge: no
action that starts has a network. It has also dropped the bridge from its record (docker 29,
`initNetworkController`), so only a dockerd that starts while no container runs makes one again. A
dockerd that starts before that, since this one died, lacks the bridge too and does not log it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tink_docker import policy
from tinkie.error_kinds import ErrorKind
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable

log = get_logger()

BRIDGE_FAILURE = "could not create bridge network"  # dockerd's message

_WHEN_IDLE = "dockerd and the worker start again when no action runs"
_NOTHING = "continuing without it; actions that use it fail"


@dataclass(slots=True, eq=False, repr=False)
class MissingBridge:
    """A Cause of a planned restart. `engine_answered` sees what a dockerd logged at its start."""

    _error: str = ""
    _failures: int = 0  # starts in a row
    _is_planned: bool = False  # the start of the next dockerd: no container runs

    def engine_answered(self, lines: Iterable[str]) -> None:
        """Check what a dockerd that has started wrote, and log it if its bridge is missing."""
        is_planned, self._is_planned = self._is_planned, False
        failures = [line for line in lines if BRIDGE_FAILURE in line]
        if failures:
            self._failures += 1
            self._error = f"dockerd runs without its bridge network: {failures[-1]}"
            what_next = _WHEN_IDLE if self._may_help() else _NOTHING
            kind = str(ErrorKind.ENGINE_NOT_READY)
            log.error("networks.incomplete", error=self._error, kind=kind, next=what_next)
        elif is_planned or not self._may_help():
            self._failures, self._error = 0, ""

    def _may_help(self) -> bool:
        return self._failures < policy.BRIDGE_FAILURES_MAXIMUM

    def reason(self) -> str:
        """Return why dockerd must be restarted; empty if it need not be."""
        return self._error if self._may_help() else ""

    def restarting(self) -> None:
        """Believe the lines of the next dockerd: it makes a bridge, or logs that it has none."""
        self._is_planned = True
