"""The hosts of Tinkerbell itself, which no proxy stands in front of."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from bootkit.shared.cmdline import Cmdline

_NAMING = (
    "grpc_authority",
    "tinkerbell",
    "metadata_url",
    "grpc_cert_url",
    "packet_base_url",
    "registry_ca_url",
)


def tinkerbell_hosts(cmdline: Cmdline) -> tuple[str, ...]:
    """Return the hosts that the parameters name, each once; IPv6 addresses without brackets."""
    values = (cmdline.get(name) or "" for name in _NAMING)
    return tuple(dict.fromkeys(host for host in map(_host_of, values) if host))


def _host_of(value: str) -> str | None:
    """Read a URL, or host[:port] with or without a path behind it."""
    try:
        return urlsplit(value if "://" in value else f"//{value}").hostname
    except ValueError:
        return None
