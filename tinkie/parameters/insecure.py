"""The hosts to which dockerd, and so bootkit, may send user and password without TLS."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from tinkie.parameters.types import without_brackets

if TYPE_CHECKING:
    from collections.abc import Callable


def _addresses(host: str) -> list[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None)]
    except (OSError, ValueError):
        return []


class InsecureRegistries(NamedTuple):
    """The values of insecure_registries: host[:port], and networks as address/bits.

    Source: dockerd's `isSecureIndex()`, which compares a name as it is written, and looks up its
    addresses for the networks. `addresses` does the latter.
    """

    listed: tuple[str, ...] = ()
    addresses: Callable[[str], list[str]] = _addresses

    def has(self, endpoint: str) -> bool:
        """Return whether host[:port] is listed, or a network with one of its addresses."""
        if endpoint.lower() in (one.lower() for one in self.listed):
            return True
        networks = [ip_network(one, strict=False) for one in self.listed if "/" in one]
        host = _host(endpoint)
        found = _as_addresses(host, self.addresses) if networks and host else []
        return any(address in network for address in found for network in networks)


def _host(endpoint: str) -> str:
    try:
        return urlsplit(f"//{endpoint}").hostname or ""
    except ValueError:
        return ""


def _as_addresses(
    host: str, look_up: Callable[[str], list[str]]
) -> list[IPv4Address | IPv6Address]:
    try:
        return [ip_address(without_brackets(host))]
    except ValueError:
        return [ip_address(one.partition("%")[0]) for one in look_up(host)]
