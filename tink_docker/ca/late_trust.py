"""CA certificates for every connection that come late: dockerd and worker must start again.

Go reads the system's CA certificates once in a process, at its first TLS connection (crypto/x509,
`SystemCertPool`). dockerd makes none before its socket is open to clients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tink_docker.ca.fetching import CaFetcher


@dataclass(slots=True, eq=False, repr=False)
class LateTrust:
    """A Cause of a planned restart. `open_since`: since when clients could use this dockerd."""

    fetchers: tuple[CaFetcher, ...]
    open_since: float | None = None

    def reason(self) -> str:
        """Return why dockerd must be restarted; empty if it need not be."""
        since = self.open_since
        times = [one.changed_at for one in self.fetchers if one.plan.everywhere]
        if since is None or not any(time is not None and time > since for time in times):
            return ""
        return "CA certificates for every connection came after its start"

    def restarting(self) -> None:
        """Do nothing: a dockerd that starts later trusts them."""
