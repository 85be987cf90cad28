"""The proxies in use: for our own requests, and in the environment of what we start."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tinkie.parameters.proxy_url import ProxyUrl
from tinkie.parameters.table import HTTP_PROXY, HTTPS_PROXY, NO_PROXY
from tinkie.parameters.tinkerbell import tinkerbell_hosts

if TYPE_CHECKING:
    from tinkie.parameters.parameter import Parameters


@dataclass(frozen=True, slots=True)
class Proxies:
    """Proxies for http:// and https:// URLs, with credentials, and what is reached without them."""

    http: str | None = field(default=None, repr=False)
    https: str | None = field(default=None, repr=False)
    no_proxy: tuple[str, ...] = ()

    @classmethod
    def given_by(cls, parameters: Parameters) -> Proxies:
        """Return the proxies of the command line, with Tinkerbell's hosts added to NO_PROXY."""
        excluded = dict.fromkeys((*parameters[NO_PROXY], *tinkerbell_hosts(parameters)))
        return cls(parameters[HTTP_PROXY], parameters[HTTPS_PROXY], tuple(excluded))

    def __bool__(self) -> bool:
        """Return whether there is any proxy."""
        return bool(self.http or self.https)

    def environment(self) -> dict[str, str]:
        """Return the variables in upper and lower case; none at all if there is no proxy."""
        if not self:
            return {}
        values = {
            HTTP_PROXY.name: self.http,
            HTTPS_PROXY.name: self.https,
            NO_PROXY.name: ",".join(self.no_proxy),
        }
        given = {name: str(value) for name, value in values.items() if value}
        return given | {name.lower(): value for name, value in given.items()}

    def for_url(self, url: str) -> str | None:
        """Return the URL of the proxy to use for `url`, or None to go straight there."""
        parts = urlsplit(url)
        proxy = self.https if parts.scheme == "https" else self.http
        if not proxy or _is_excluded(parts.hostname or "", self.no_proxy):
            return None
        return ProxyUrl(proxy).with_scheme


def _is_excluded(host: str, no_proxy: tuple[str, ...]) -> bool:
    """Apply NO_PROXY as Go does: `*`, names with their subdomains, addresses, CIDR blocks."""
    if host == "localhost" or _is_loopback(host):
        return True
    return any(_matches(host.lower(), entry.lower()) for entry in no_proxy)


def _matches(host: str, entry: str) -> bool:
    if entry in ("*", host):
        return True
    if "/" in entry:
        return _is_inside(host, entry)
    if entry.startswith("["):
        return host == entry[1:].partition("]")[0]
    name = entry.rpartition(":")[0] if entry.count(":") == 1 else entry
    return host == name.lstrip(".") or host.endswith("." + name.lstrip("."))


def _is_inside(host: str, block: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(block, strict=False)
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
