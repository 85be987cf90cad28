"""Repair dockerd's record of its networks, which can keep every later dockerd from starting.

If no container runs, a dockerd that starts creates its bridge anew, and records that in two places,
one after the other. If it is killed in between, or fails, every later dockerd ends at once with
"networks have same bridge name" (moby issue 49291; in 26.1, and still in 29). Then the record is
removed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tink_docker import policy
from tink_docker.engine.daemon_json import DATA_ROOT
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

log = get_logger()

PATH = DATA_ROOT / "network" / "files" / "local-kv.db"

# dockerd's message
START_FAILURE = "Error initializing network controller"


@dataclass(slots=True, eq=False, repr=False)
class NetworkRecord:
    """The record: removed when dockerd has ended at its start because of it twice in a row."""

    path: Path = PATH
    _start_failures: int = 0  # in a row

    def engine_ended(self, lines: Iterable[str], *, answered: bool) -> None:
        """Check what a dockerd that has ended wrote; answered: it had started before."""
        if answered or not any(START_FAILURE in line for line in lines):
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
