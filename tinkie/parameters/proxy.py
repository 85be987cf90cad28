"""The proxies in use: for our own requests, and in the environment of what we start."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from tinkie.parameters.no_proxy import is_direct
from tinkie.parameters.table import HTTP_PROXY, HTTPS_PROXY, NO_PROXY
from tinkie.parameters.tinkerbell import tinkerbell_hosts

if TYPE_CHECKING:
    from tinkie.parameters.parameter import Parameters

_PORTS = {"http": 80, "https": 443}


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
        port = parts.port or _PORTS.get(parts.scheme, 0)
        if not proxy or is_direct(unquote(parts.hostname or ""), port, self.no_proxy):
            return None
        return proxy
