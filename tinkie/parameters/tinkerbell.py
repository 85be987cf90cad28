"""The hosts of Tinkerbell itself, as the kernel parameters name them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from tinkie.parameters.types import is_address

if TYPE_CHECKING:
    from tinkie.parameters.cmdline import Cmdline

_HTTP_PORT = 80
_PORTS = {"https": 443}
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
NAMING = (
    "grpc_authority",
    "tinkerbell",
    "metadata_url",
    "grpc_cert_url",
    "packet_base_url",
    "registry_ca_url",
)


def tinkerbell_hosts(cmdline: Cmdline) -> tuple[str, ...]:
    """Return each host once, IPv6 addresses without brackets; no proxy stands in front of them."""
    values = (cmdline.get(name) or "" for name in NAMING)
    return tuple(dict.fromkeys(host for host in map(_host_of, values) if host))


def http_places(cmdline: Cmdline) -> tuple[tuple[str, int], ...]:
    """Return host and port of each address among them that is plain HTTP."""
    urls = (_url(cmdline.get(name) or "") for name in NAMING if name != "grpc_authority")
    found = ((url.hostname, url.port or _HTTP_PORT) for url in urls if url and url.hostname)
    return tuple(dict.fromkeys(found))


def worker_place(cmdline: Cmdline) -> tuple[str, int] | None:
    """Return host and port of the worker's server; of the metadata service if that is not given."""
    values = (cmdline.get(name) or "" for name in ("grpc_authority", "metadata_url", "tinkerbell"))
    return next(filter(None, map(place_of, values)), None)


def place_of(value: str) -> tuple[str, int] | None:
    """Read host and port of a URL or of host[:port]; an IPv6 address loses its brackets."""
    host, port = _host_of(value), _port_of(value)
    return (host, port) if host and port else None


def _port_of(value: str) -> int | None:
    try:
        url = urlsplit(value if "://" in value else f"//{value}")
        return url.port or _PORTS.get(url.scheme, _HTTP_PORT)
    except ValueError:
        return None


def _url(value: str) -> SplitResult | None:
    """Read a URL, which may lack its scheme; None unless it is plain HTTP."""
    try:
        url = urlsplit(value if "://" in value else f"http://{value}")
        url.port  # noqa: B018 - raises for what is no port
    except ValueError:
        return None
    return url if url.scheme == "http" else None


def _host_of(value: str) -> str | None:
    """Read a URL, or host[:port] with or without a path behind it; the value may be any text."""
    try:
        host = urlsplit(value if "://" in value else f"//{value}").hostname or ""
    except ValueError:
        return None
    return host if _NAME.fullmatch(host) or is_address(host) else None
