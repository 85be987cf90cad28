"""The TCP connections of this machine, as the kernel lists them (proc_net_tcp.rst, proc(5)).

After its number, a line has the local and the remote "address:port" and the state, all in
hexadecimal. An address is a sequence of 32-bit words in the machine's byte order.
"""

from __future__ import annotations

import ipaddress
import struct
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED = "01"


def remote_endpoints(tables: Iterable[Path] = TABLES) -> set[tuple[Address, int]]:
    """Return the remote address and port of each established connection."""
    return {endpoint for table in tables for endpoint in _remote_endpoints(table)}


def _remote_endpoints(table: Path) -> Iterator[tuple[Address, int]]:
    try:
        lines = table.read_text(encoding="ascii").splitlines()[1:]
    except OSError:  # a kernel without IPv6
        return
    for line in lines:
        _, _, remote, state, *_ = line.split()
        if state == _ESTABLISHED:
            address, port = remote.split(":")
            yield _address(address), int(port, 16)


def _address(digits: str) -> Address:
    words = struct.unpack(f">{len(digits) // 8}I", bytes.fromhex(digits))
    packed = struct.pack(f"={len(words)}I", *words)
    if len(packed) == 4:  # noqa: PLR2004 - bytes of an IPv4 address
        return ipaddress.IPv4Address(packed)
    address = ipaddress.IPv6Address(packed)
    return address.ipv4_mapped or address
