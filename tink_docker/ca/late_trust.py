"""CA certificates for every connection that come late: dockerd must start again to trust them.

Go reads the system's CA certificates once in a process, at its first TLS connection (crypto/x509,
`SystemCertPool`). dockerd makes none before its socket is open to clients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tink_docker import policy
from tinkie.error_kinds import ErrorKind
from tinkie.errors import TransientError
from tinkie.paths import WORKER_NAME
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from tink_docker.ca.fetching import CaFetcher

log = get_logger()


@dataclass(slots=True)
class LateTrust:
    """`check` asks for a restart of dockerd once that harms no action.

    `running` returns the names of the running containers, and may raise TransientError.
    """

    fetchers: tuple[CaFetcher, ...]
    running: Callable[[], list[str]]
    now: Callable[[], float]
    _next_check: float = 0.0

    def check(self, open_since: float | None) -> None:
        """Call it while dockerd runs; `open_since`: since when clients could use this one.

        Raises:
            TransientError: dockerd must be restarted now. The worker runs on.
        """
        if open_since is None or not self._came_after(open_since) or self.now() < self._next_check:
            return
        self._next_check = self.now() + policy.LATE_CA_POLL_SECONDS
        if self._is_idle():
            message = "dockerd starts again to trust CA certificates that came after its start"
            raise TransientError(message, kind=ErrorKind.ENGINE_NOT_READY)

    def _came_after(self, moment: float) -> bool:
        times = (one.installed_at for one in self.fetchers if one.plan.everywhere)
        return any(time is not None and time > moment for time in times)

    def _is_idle(self) -> bool:
        try:
            return not set(self.running()) - {WORKER_NAME}
        except TransientError as error:
            log.debug("containers.unknown", error=str(error))
            return False
