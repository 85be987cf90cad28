"""Proxies from the command line: for our own requests and for the environment of what we start."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tinkie.parameters.cmdline import Cmdline

PARAMETERS = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_SCHEMES = ("http", "https", "socks5")
_WRONG = f"not an address of a proxy: [{'|'.join(_SCHEMES)}://][user:password@]host[:port]"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, slots=True)
class Proxies:
    """What HTTP_PROXY, HTTPS_PROXY and NO_PROXY say; the first two may hold credentials."""

    http: str | None = field(default=None, repr=False)
    https: str | None = field(default=None, repr=False)
    no_proxy: tuple[str, ...] = ()

    @classmethod
    def read(cls, cmdline: Cmdline) -> tuple[Proxies, dict[str, str]]:
        """Read the three parameters in upper or lower case; the upper case one wins.

        Returns also why those that make no sense were left out, by their names.
        """
        given = {name: cmdline.get(name) or cmdline.get(name.lower()) for name in PARAMETERS}
        problems = {name: _WRONG for name in PARAMETERS[:2] if not _is_proxy(given[name])}
        if not (given["NO_PROXY"] or "").isprintable():
            problems["NO_PROXY"] = (
                "neither control characters nor bytes that are no UTF-8 are allowed"
            )
        http, https, without = (None if name in problems else given[name] for name in PARAMETERS)
        return cls(http, https, tuple(_split(without or ""))), problems

    def __bool__(self) -> bool:
        """Say whether there is any proxy."""
        return bool(self.http or self.https)

    def without(self, hosts: Iterable[str]) -> Proxies:
        """Return the same proxies, used for none of `hosts`."""
        new = dict.fromkeys((*self.no_proxy, *(host for host in hosts if host)))
        return replace(self, no_proxy=tuple(new))

    def environment(self) -> dict[str, str]:
        """Return the variables in upper and lower case; none at all if there is no proxy."""
        if not self:
            return {}
        values = zip(PARAMETERS, (self.http, self.https, ",".join(self.no_proxy)), strict=True)
        given = {name: value for name, value in values if value}
        return given | {name.lower(): value for name, value in given.items()}

    def for_url(self, url: str) -> str | None:
        """Return the proxy's URL to use for `url`, or None to go straight there."""
        parts = urlsplit(url)
        proxy = self.https if parts.scheme == "https" else self.http
        if not proxy or _is_excluded(parts.hostname or "", self.no_proxy):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"


def proxy_secrets(cmdline: Cmdline) -> tuple[str, ...]:
    """Return the credentials in the URLs, as written and decoded, malformed URLs included."""
    names = (*PARAMETERS[:2], *(name.lower() for name in PARAMETERS[:2]))
    users = [user for name in names for url in cmdline.get_all(name) for user in _users(url)]
    passwords = [user.partition(":")[2] or user for user in users]
    return tuple(filter(None, (*passwords, *map(unquote, passwords))))


def _users(url: str) -> list[str]:
    """Return what may be user:password: up to the last `@` of the host's part, and of it all."""
    scheme = _SCHEME.match(url)
    rest = url[scheme.end() :] if scheme else url
    return [part.rpartition("@")[0] for part in (rest.partition("/")[0], rest)]


def _is_proxy(url: str | None) -> bool:
    """Say whether Go's programs and ours could use it; none at all is fine."""
    if url is None:
        return True
    if not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.hostname)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


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
