"""NO_PROXY for our own requests, decided as dockerd and the workers decide it for theirs.

Source of the rules: golang.org/x/net/http/httpproxy; `tests/engine/test_proxy_rules.py` compares
the two.
"""

from __future__ import annotations

import ipaddress
import re

_LOCAL = "localhost"
_NETWORK = r"[0-9a-f:.]+/[0-9]+"
_WITH_PORT = r"(?:\[(?P<bracketed>[^\[\]]*)\]|(?P<plain>[^\[\]:]*)):(?P<port>[^\[\]:]*)"

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_direct(host: str, port: int, no_proxy: tuple[str, ...]) -> bool:
    """Return whether a host (an IPv6 address without brackets) is reached without a proxy.

    An entry is `*`, a name (its subdomains too), `.name` or `*.name` (its subdomains only), an
    address, each with a port or without, or a network.
    """
    host, address = host.lower(), _address(host)
    if host == _LOCAL or (address is not None and address.is_loopback):
        return True
    entries = [entry.strip().lower() for entry in no_proxy]
    return "*" in entries or any(_matches(host, address, str(port), entry) for entry in entries)


def _matches(host: str, address: _Address | None, port: str, entry: str) -> bool:
    network = _network(entry)
    if network is not None:
        return address is not None and address in network
    found = re.fullmatch(_WITH_PORT, entry)
    name = (found["bracketed"] or found["plain"] or "") if found else entry
    if not name or (found and found["port"] not in ("", port)):
        return False
    if (theirs := _address(name)) is not None:
        return address == theirs
    suffix = name[1:] if name.startswith("*.") else name
    return host.endswith(suffix if suffix.startswith(".") else f".{suffix}") or host == suffix


def _address(text: str) -> _Address | None:
    """Return the address, IPv4 inside of IPv6 as IPv4; an address with a zone is a name here."""
    try:
        address = ipaddress.ip_address("" if "%" in text else text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    if not re.fullmatch(_NETWORK, text):
        return None
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped and network.prefixlen >= 96:  # noqa: PLR2004 - ::ffff:0:0/96 is all of IPv4
        return ipaddress.ip_network((mapped, network.prefixlen - 96))
    return network
