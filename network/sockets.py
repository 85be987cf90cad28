"""Sockets that are bound to a NIC: the kernel looks only at this NIC's routes for them.

So a NIC can be tested while the routes of another one are preferred (SO_BINDTODEVICE, socket(7)).
No call that opens one waits; all raise OSError, for example if the NIC has no route to an address.
"""

from __future__ import annotations

import errno
import os
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from selectors import BaseSelector

_NOT_WAITING = socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC


def open_echo(nic: str, address: str) -> socket.socket:
    """Return a raw ICMP socket that sends to an address, and receives from it alone."""
    is_ipv4 = ip_address(address).version == 4  # noqa: PLR2004 - of IP
    protocol = socket.IPPROTO_ICMP if is_ipv4 else socket.IPPROTO_ICMPV6
    return _connected(nic, address, 0, socket.SOCK_RAW, protocol)


def open_udp(nic: str, address: str, port: int) -> socket.socket:
    """Return a UDP socket that sends to an address, and receives from it alone."""
    return _connected(nic, address, port, socket.SOCK_DGRAM, socket.IPPROTO_UDP)


def open_tcp(nic: str, address: str, port: int) -> socket.socket:
    """Return a TCP socket that connects; when it can be written, SO_ERROR has what came of it."""
    return _connected(nic, address, port, socket.SOCK_STREAM, socket.IPPROTO_TCP)


def _connected(nic: str, address: str, port: int, kind: int, protocol: int) -> socket.socket:
    bare, _, zone = address.partition("%")
    is_ipv4 = ip_address(bare).version == 4  # noqa: PLR2004 - of IP
    made = socket.socket(
        socket.AF_INET if is_ipv4 else socket.AF_INET6, kind | _NOT_WAITING, protocol
    )
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, nic.encode() + b"\0")
        is_local = zone or ip_address(bare).is_link_local
        scope = socket.if_nametoindex(nic) if is_local and not is_ipv4 else 0
        code = made.connect_ex((bare, port) if is_ipv4 else (bare, port, 0, scope))
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))  # noqa: TRY301 - the socket is closed below
    except OSError:
        made.close()
        raise
    return made


def ready(waiting: BaseSelector, end: float, now: Callable[[], float]) -> Iterator[Any]:
    """Yield the data of each socket that is ready, until `end`, or until none is registered.

    Whoever sends all the time does not delay the end: each socket has its last turn then.
    """
    left = 1.0
    while left > 0 and waiting.get_map():
        left = end - now()
        found = waiting.select(max(left, 0.0))
        if not found:
            return
        for key, _ in found:
            yield key.data
