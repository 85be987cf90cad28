"""dockerd's record of its networks: what a dockerd makes of it that starts.

It can keep every later dockerd from starting.

A dockerd that starts makes its bridge anew and writes that down in two places, one after the other.
One that is killed in between, or that cannot finish, leaves a record with which each next one ends
at once: "networks have same bridge name" (moby issue 49291; in 26.1, and in 28.3 still). No
container runs then: with one that does, dockerd leaves its networks as they are.

With one that does, a dockerd that fails to make its bridge from the record, as when a rule of the
firewall is refused, says so and serves without: no action that is started has a network. The next
one tries again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from tink_docker.engine.daemon_json import DATA_ROOT
from tinkie.error_kinds import ErrorKind
from tinkie.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

log = structlog.get_logger()

PATH = DATA_ROOT / "network" / "files" / "local-kv.db"

_REFUSAL = "Error initializing network controller"
_WITHOUT = "could not create bridge network"
_TRIES = 3  # then it serves without: a worker needs none, and tells of each action that does
_TIMES = 2  # once may be a full memory, or a firewall that somebody else is changing


@dataclass(slots=True)
class NetworkRecord:
    """Removed once dockerd has ended at its start because of it twice in a row.

    An engine that serves without a network of it is ended, so that the next one tries again.
    """

    path: Path = PATH
    _refused: int = 0
    _lacking: int = 0

    def check(self, last_lines: Iterable[str]) -> None:
        """Look at what an engine that answers has said at its start.

        Raises:
            TransientError: it serves without a network that it has a record of.
        """
        said = [line for line in last_lines if _WITHOUT in line]
        self._lacking = self._lacking + 1 if said else 0
        if not said:
            return
        error = f"dockerd serves without its network: {said[-1]}"
        if self._lacking < _TRIES:
            raise TransientError(error, kind=ErrorKind.ENGINE_NOT_READY)
        log.error("networks.incomplete", error=error, next="going on without, actions may fail")

    def look(self, last_lines: Iterable[str], *, started: bool) -> None:
        """Look at what an engine said last that has ended, and whether it had answered before."""
        if started or not any(_REFUSAL in line for line in last_lines):
            self._refused = 0
            return
        self._refused += 1
        if self._refused >= _TIMES:
            self._forget()

    def _forget(self) -> None:
        self._refused = 0
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            log.error("networks.reset_failed", error=f"removing {self.path}: {error.strerror}")  # noqa: TRY400
            return
        log.warning(
            "networks.reset",
            reason="with its record of networks no engine starts",
            next="the next one makes them anew",
        )
