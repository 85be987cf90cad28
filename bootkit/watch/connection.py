"""Whether the worker is connected to its server.

A worker retries by itself, but its own log lines are for its developers. bootkit therefore reads
the kernel's table of TCP connections, which costs the server nothing.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

from bootkit.policy import SERVER_LOST_AFTER_SECONDS, SERVER_LOST_LOG_CEILING_SECONDS
from bootkit.watch.tcp_table import remote_endpoints
from tinkie.policy import UNWATCHED_SECONDS
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootkit.watch.tcp_table import Address
    from tinkie.parameters.types import HostPort

log = get_logger()


def why_disconnected(server: HostPort, now: Callable[[], float] = time.monotonic) -> str:
    """Return the reason, found by one try to connect, to all addresses of a name together.

    `socket.create_connection` has a bound for each of them only; it also takes an interruption by
    `at_most` for the failure of one, and goes on to the next.
    """
    try:
        _connect(server, now() + UNWATCHED_SECONDS, now)
    except OSError as error:
        return f"connect to {server}: {error.strerror or error}"
    return f"{server} accepts connections; check the worker's log and tinkerbell_tls"


def _connect(server: HostPort, deadline: float, now: Callable[[], float]) -> None:
    """Connect to one address of the server; a name look-up is bounded by NAME_LOOKUP_SECONDS.

    Raises:
        OSError: what the last try said, or the deadline is over.
    """
    failure: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(
        server.host, server.port, type=socket.SOCK_STREAM
    ):
        left = deadline - now()
        if left <= 0:
            break
        try:
            with socket.socket(family, kind, protocol) as connection:
                connection.settimeout(left)
                connection.connect(address)
        except OSError as error:
            failure = error
        else:
            return
    raise failure or TimeoutError(f"no answer within {UNWATCHED_SECONDS:g} s")


def _address(host: str) -> Address:
    """Return an address as the kernel's table has it: IPv4 inside of IPv6 is IPv4."""
    address = ip_address(host)
    return (address.version == 6 and address.ipv4_mapped) or address  # noqa: PLR2004


@dataclass(slots=True, eq=False, repr=False)
class ConnectionMonitor:
    """Log the worker's first connection, each loss that lasts, and each connection after one.

    Log a loss after SERVER_LOST_AFTER_SECONDS, then at intervals that double.

    server: `grpc_authority`; without it there is nothing to log. connected_to: returns the remote
    endpoints of this machine's connections. why: returns the reason for having none.
    """

    server: HostPort | None
    now: Callable[[], float]
    connected_to: Callable[[], set[tuple[Address, int]]] = remote_endpoints
    why: Callable[[HostPort], str] = why_disconnected
    _lost_at: float = field(init=False)
    _log_due: float = field(init=False)
    _connected_logged: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._start_over()

    def tick(self) -> None:
        """Look at the connection once; log what is new."""
        if self.server is None:
            return
        if self._is_connected(self.server):
            self._log_connected()
        elif self.now() >= self._log_due:
            self._log_disconnected(self.server)

    def is_connected(self) -> bool:
        """Return whether the worker is connected, or its server is unknown."""
        return self.server is None or self._is_connected(self.server)

    def _start_over(self) -> None:
        self._lost_at = self.now()
        self._log_due = self._lost_at + SERVER_LOST_AFTER_SECONDS

    def _is_connected(self, server: HostPort) -> bool:
        """Look for the connection; a name may have any address, so then its port decides."""
        expected = _address(server.host) if server.host.is_address else None
        return any(
            remote_port == server.port and expected in (None, address)
            for address, remote_port in self.connected_to()
        )

    def _log_connected(self) -> None:
        if not self._connected_logged:
            seconds = round(self.now() - self._lost_at)
            log.info("server.connected", server=str(self.server), seconds=seconds)
        self._start_over()
        self._connected_logged = True

    def _log_disconnected(self, server: HostPort) -> None:
        seconds = self.now() - self._lost_at
        self._log_due = self.now() + min(seconds, SERVER_LOST_LOG_CEILING_SECONDS)
        self._connected_logged = False
        log.warning(
            "server.disconnected",
            error=f"the worker has had no connection for {seconds:.0f} s: {self.why(server)}",
            next="the worker retries by itself",
        )
