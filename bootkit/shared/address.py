"""Hosts and addresses as they stand in parameters and URLs."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit, urlunsplit


def is_address(host: str) -> bool:
    """Say whether a host is an IP address, which nobody has to look up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def in_url(host: str) -> str:
    """Write a host as a URL has it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def shown(url: str) -> str:
    """Return the URL without user, password and query, for messages."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that makes no sense"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
