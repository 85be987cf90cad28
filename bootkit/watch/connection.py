"""Whether the worker is connected to its server.

It tries for ever by itself, and what it says of that is for its developers. So people are told
from here: by the kernel's table of connections, which costs the server nothing.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

import structlog

from bootkit.watch.tcp_table import established
from tinkie.parameters.tinkerbell import place_of
from tinkie.parameters.types import in_url, is_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootkit.watch.tcp_table import Address

log = structlog.get_logger()

PATIENCE_SECONDS = 20.0  # a worker takes some to start, and to connect again
LONGEST_SECONDS = 600.0  # between two lines about the same loss
CONNECT_SECONDS = 3.0


def why_unconnected(host: str, port: int) -> str:
    """Try it, once."""
    place = f"{in_url(host)}:{port}"
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError as error:
        return f"connect to {place}: {error.strerror or error}"
    return f"{place} takes connections; look at the worker's log, and at tinkerbell_tls"


@dataclass(slots=True)
class ServerTeller:
    """Tells of a worker's connection: the first, none for 20 s, then ever less often, the next.

    `authority` is `grpc_authority`, host:port; without it there is nothing to tell. `ends` returns
    address and port of the other end of each connection of this machine; `why`, given host and
    port, why there is none.
    """

    authority: str | None
    now: Callable[[], float]
    ends: Callable[[], set[tuple[Address, int]]] = established
    why: Callable[[str, int], str] = why_unconnected
    _place: tuple[str, int] | None = field(init=False)
    _lost: float = field(init=False)
    _due: float = field(init=False)
    _to_tell: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        self._place = place_of(self.authority or "")
        self._start_over()

    def tick(self) -> None:
        """Look, and tell what is new."""
        if self._place is None:
            return
        if self._stands(*self._place):
            self._tell_connected()
        elif self.now() >= self._due:
            self._tell_unconnected(*self._place)

    def _start_over(self) -> None:
        self._lost = self.now()
        self._due = self._lost + PATIENCE_SECONDS

    def _stands(self, host: str, port: int) -> bool:
        """Look for the connection; a name may stand for any address, so then its port is enough."""
        known = ip_address(host) if is_address(host) else None
        return any(port == far and known in (None, address) for address, far in self.ends())

    def _tell_connected(self) -> None:
        if self._to_tell:
            seconds = round(self.now() - self._lost)
            log.info("server.connected", server=self.authority, seconds=seconds)
        self._start_over()
        self._to_tell = False

    def _tell_unconnected(self, host: str, port: int) -> None:
        seconds = self.now() - self._lost
        self._due = self.now() + min(seconds, LONGEST_SECONDS)
        self._to_tell = True
        log.warning(
            "server.disconnected",
            error=f"the worker has had no connection for {seconds:.0f} s: {self.why(host, port)}",
            next="it tries on by itself",
        )
