"""What the machine reaches by IPv4: the kernel's routes and the resolver's name servers."""

from __future__ import annotations

import re
import sys
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import NamedTuple

ROUTES = Path("/proc/net/route")  # the main table, see proc(5); written with a tab between fields
RESOLVER = Path("/etc/resolv.conf")

_ROUTE_UP, _ROUTE_REJECT = 0x1, 0x200  # flags: route(8)
_NAME_SERVER = r"(?m)^nameserver[ \t]+([0-9.]+)\s*$"


class Route(NamedTuple):
    """A network that is reached through an interface."""

    interface: str
    network: IPv4Network


def read_routes(path: Path = ROUTES) -> list[Route]:
    """Return the routes in use, those that only refuse packets and unreadable lines left out.

    Raises:
        OSError: the file cannot be read.
    """
    # A NIC's name may have any byte but blanks, and characters that Python takes for line ends.
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")[1:]
    return [route for line in lines for route in _route(line.split("\t"))]


def _route(fields: list[str]) -> list[Route]:
    try:
        interface, destination, _, flags, _, _, _, mask, *_ = fields
        if not int(flags, 16) & _ROUTE_UP or int(flags, 16) & _ROUTE_REJECT:
            return []
        return [Route(interface, IPv4Network((_address(destination), str(_address(mask)))))]
    except ValueError:
        return []


def _address(text: str) -> IPv4Address:
    """Return an address that the kernel printed as a number of this machine's byte order."""
    return IPv4Address(int(text, 16).to_bytes(4, sys.byteorder))


def read_name_servers(path: Path = RESOLVER) -> list[IPv4Network]:
    """Return each IPv4 name server as a network of one host; none if there is no such file.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [network for found in re.findall(_NAME_SERVER, text) for network in _host(found)]


def _host(text: str) -> list[IPv4Network]:
    try:
        return [IPv4Network(text)]
    except ValueError:
        return []  # 10.0.0: the resolver ignores it as well
