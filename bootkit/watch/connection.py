"""Whether the worker is connected to its server.

A worker retries by itself, but its own log lines are for its developers. bootkit therefore reads
the kernel's table of TCP connections, which costs the server nothing.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

from bootkit.policy import (
    SERVER_LOST_AFTER_SECONDS,
    SERVER_LOST_LOG_CEILING_SECONDS,
    SERVER_PROBE_SECONDS,
)
from bootkit.watch.tcp_table import remote_endpoints
from tinkie.parameters.tinkerbell import place_of
from tinkie.parameters.types import in_url, is_address
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootkit.watch.tcp_table import Address

log = get_logger()


def why_disconnected(host: str, port: int) -> str:
    """Return the reason, found by one try to connect."""
    endpoint = f"{in_url(host)}:{port}"
    try:
        socket.create_connection((host, port), SERVER_PROBE_SECONDS).close()
    except OSError as error:
        return f"connect to {endpoint}: {error.strerror or error}"
    return f"{endpoint} accepts connections; check the worker's log and tinkerbell_tls"


@dataclass(slots=True)
class ConnectionMonitor:
    """Log the worker's first connection, each loss that lasts, and each connection after one.

    Log a loss after SERVER_LOST_AFTER_SECONDS, then at intervals that double.

    server: `grpc_authority`, host:port; without it there is nothing to log. connected_to: returns
    the remote endpoints of this machine's connections. why: returns the reason for having none,
    given host and port.
    """

    server: str | None
    now: Callable[[], float]
    connected_to: Callable[[], set[tuple[Address, int]]] = remote_endpoints
    why: Callable[[str, int], str] = why_disconnected
    _endpoint: tuple[str, int] | None = field(init=False)
    _lost_at: float = field(init=False)
    _log_due: float = field(init=False)
    _connected_logged: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._endpoint = place_of(self.server or "")
        self._start_over()

    def tick(self) -> None:
        """Look at the connection once; log what is new."""
        if self._endpoint is None:
            return
        if self._is_connected(*self._endpoint):
            self._log_connected()
        elif self.now() >= self._log_due:
            self._log_disconnected(*self._endpoint)

    def _start_over(self) -> None:
        self._lost_at = self.now()
        self._log_due = self._lost_at + SERVER_LOST_AFTER_SECONDS

    def _is_connected(self, host: str, port: int) -> bool:
        """Look for the connection; a name may have any address, so then its port decides."""
        expected = ip_address(host) if is_address(host) else None
        return any(
            remote_port == port and expected in (None, address)
            for address, remote_port in self.connected_to()
        )

    def _log_connected(self) -> None:
        if not self._connected_logged:
            seconds = round(self.now() - self._lost_at)
            log.info("server.connected", server=self.server, seconds=seconds)
        self._start_over()
        self._connected_logged = True

    def _log_disconnected(self, host: str, port: int) -> None:
        seconds = self.now() - self._lost_at
        self._log_due = self.now() + min(seconds, SERVER_LOST_LOG_CEILING_SECONDS)
        self._connected_logged = False
        log.warning(
            "server.disconnected",
            error=f"the worker has had no connection for {seconds:.0f} s: {self.why(host, port)}",
            next="the worker retries by itself",
        )
