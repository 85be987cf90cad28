"""Hosts and addresses as they stand in parameters and URLs."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit, urlunsplit

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,253}[A-Za-z0-9])?\.?")
_IPV6 = re.compile(r"[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?")
_MAC_DIGITS = re.compile("[0-9a-f]{12}")
_MAC_GROUPS = ([2] * 6, [4] * 3, [12])  # 02:00:00:00:00:01, 0200.0000.0001, 020000000001


def is_address(host: str) -> bool:
    """Say whether a host is an IP address, which nobody has to look up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_host(value: str) -> bool:
    """Say whether it is a host name or an address (IPv6 without brackets), and nothing besides."""
    return bool(_HOST.fullmatch(value) or (_IPV6.fullmatch(value) and is_address(value)))


def in_url(host: str) -> str:
    """Write a host as a URL has it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def out_of_url(host: str) -> str:
    """Write a host without the brackets that a URL has around an IPv6 address."""
    return host.removeprefix("[").removesuffix("]")


def hardware_address(value: str) -> str:
    """Write a MAC as boot servers do; BOOTIF has a hardware type in front (PXELINUX).

    Raises:
        ValueError: it is none.
    """
    groups = re.split("[:.-]", value.lower())
    if len(groups) == 7 and groups[0] == "01":  # noqa: PLR2004 - type and six bytes
        del groups[0]
    digits = "".join(groups)
    if [len(group) for group in groups] not in _MAC_GROUPS or not _MAC_DIGITS.fullmatch(digits):
        raise ValueError("not a hardware address")
    return ":".join(re.findall("..", digits))


def shown(url: str) -> str:
    """Return the URL without user, password and query, for messages."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that makes no sense"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
