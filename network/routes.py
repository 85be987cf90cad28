"""The chosen NIC's routes once more, with a metric below all others: a pure decision.

So its networks and its default route win, and dhcpcd's own routes stay as they are. A route is the
text that `ip -oneline -details route show` prints, which `ip route replace` takes back: a copy
keeps all that a route has (MTU, source, scope, on-link gateway, preference), also what this module
has no word for (ADR 18).
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple

from network.policy import ROUTES_COPIED_MAXIMUM

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

METRIC = 10  # of the chosen NIC's routes; dhcpcd's are above 1000
PROTOCOL = "84"  # marks the routes that are ours: no others are removed. Debian names no such one

_UNICAST = "unicast"
_OTHER_TYPES = frozenset(
    ("local", "broadcast", "multicast", "throw", "unreachable", "prohibit", "blackhole", "anycast")
)
_TYPES = _OTHER_TYPES | {_UNICAST}
# What the kernel adds by itself. The second ones have a value behind them.
_OF_HARDWARE = frozenset(("offload", "trap", "rt_offload", "rt_trap", "rt_offload_failed"))
_STATE = _OF_HARDWARE | {"linkdown", "dead", "pervasive", "notify", "unresolved"}
_COUNTED = frozenset(["expires", "error", "users", "age"])
_OBJECT = "nhid"  # a gateway with a number: what it stands for is printed behind that
_ALONE = frozenset(("onlink",))
_FAMILIES = frozenset(("inet", "inet6"))  # stand before a gateway of the other family


class Route(NamedTuple):
    """A route of the main table: its words, without metric, protocol and what the kernel counts."""

    words: tuple[str, ...]
    metric: int = 0
    protocol: str = "boot"

    @classmethod
    def parse(cls, line: str) -> Route:
        """Take a line of `ip -oneline -details route show`.

        Raises:
            ValueError: it is no such line.
        """
        words: list[str] = []
        given = {"metric": "0", "proto": "boot"}
        rest = iter(line.replace("\\", " ").split())
        for word in rest:
            if word in _STATE:
                continue
            if word in _COUNTED or word == _OBJECT:
                next(rest, "")
            elif word in given:
                given[word] = next(rest, "")
            elif word == "lock" and words[-1:] == ["rto_min"]:
                continue  # `ip` takes no such word there: a given one is always locked
            else:
                words.append(word)
        if all(word in _TYPES for word in words):
            raise ValueError("a route without a destination")
        return cls(tuple(words), int(given["metric"]), given["proto"])

    @property
    def destination(self) -> str:
        """Return `default` or a network."""
        return next(word for word in self.words if word not in _TYPES)

    @property
    def interface(self) -> str:
        """Return its NIC; empty if it has none or several."""
        return self._value("dev")

    @property
    def gateway(self) -> str:
        """Return its gateway; empty if it has none or several."""
        found = self._value("via")
        return self._value(found) if found in _FAMILIES else found

    @property
    def is_ours(self) -> bool:
        """Return whether we have added it."""
        return self.protocol == PROTOCOL

    @property
    def is_of_use(self) -> bool:
        """Return whether it leads anywhere beyond the link alone."""
        is_link = self.destination.lower().startswith(("fe80:", "ff"))
        return not is_link and not _OTHER_TYPES & set(self.words)

    @property
    def preference(self) -> int:
        """Return where it stands among routes with the same metric (RFC 4191)."""
        return {"high": 0, "low": 2}.get(self._value("pref"), 1)

    def command(self, verb: str) -> tuple[str, ...]:
        """Return the words behind `ip route`."""
        return (verb, *self.words, "proto", self.protocol, "metric", str(self.metric))

    def leads_to(self, host: str) -> int:
        """Return the length of its prefix if it leads to this address, otherwise -1."""
        if self.destination == "default":
            return 0
        try:
            network = ip_network(self.destination)
            return network.prefixlen if ip_address(host) in network else -1
        except ValueError:
            return -1

    def to(self, host: str) -> Route:
        """Return the same way to one address alone, of which the gateway is on the link."""
        at = self.words.index(self.destination)
        is_plain = not self.gateway or _ALONE & set(self.words)
        more = () if is_plain else ("onlink",)
        return Route((*self.words[:at], host, *self.words[at + 1 :], *more), METRIC, PROTOCOL)

    @property
    def identity(self) -> tuple[frozenset[str], int, str]:
        """Return what two notations of one route have in common: words stand in any order."""
        return frozenset(self.words) - _TYPES, self.metric, self.protocol

    def _value(self, name: str) -> str:
        found = [self.words[at + 1] for at, word in enumerate(self.words[:-1]) if word == name]
        return found[0] if len(found) == 1 else ""


def default_gateway(routes: Iterable[Route], interface: str) -> str:
    """Return the gateway by which this NIC leaves its networks, as the kernel has it."""
    found = [
        route
        for route in routes
        if route.interface == interface and route.destination == "default" and not route.is_ours
    ]
    best = min(found, key=_order, default=None)
    return best.gateway if best else ""


def preferred(routes: Sequence[Route], interface: str, host: str = "") -> list[Route]:
    """Return the routes of ours that make this NIC the chosen one; one family at a time.

    Several routes to one destination keep their order by metrics. If another NIC has a longer
    prefix to the host, the host gets a route of its own.
    """
    given = [route for route in routes if not route.is_ours]
    own = [route for route in given if route.interface == interface and route.is_of_use]
    found: dict[str, list[Route]] = {}
    for route in _bounded(own):
        found.setdefault(route.destination, []).append(route)
    copies = [
        Route(route.words, METRIC + rank, PROTOCOL)
        for same in found.values()
        for rank, route in enumerate(sorted(same, key=_order))
    ]
    return [*copies, *_to_host(given, copies, host)]


def changes(routes: Sequence[Route], interface: str, host: str = "") -> list[tuple[str, ...]]:
    """Return the commands, behind `ip route`, after which this NIC is the chosen one.

    What is missing is added before what is too much is removed: no moment is without a route.
    """
    wanted = preferred(routes, interface, host)
    ours = [route for route in routes if route.is_ours]
    places = {(route.destination, route.metric) for route in wanted}
    to_have, present = ({route.identity for route in routes} for routes in (wanted, ours))
    added = [route.command("replace") for route in wanted if route.identity not in present]
    removed = [
        route.command("delete")
        for route in ours
        if route.identity not in to_have
        and (route.destination, route.metric) not in places  # otherwise `replace` did it
    ]
    return [*added, *removed]


def _to_host(given: Iterable[Route], copies: Sequence[Route], host: str) -> list[Route]:
    ours = max(copies, key=lambda route: route.leads_to(host), default=None)
    longest = max((route.leads_to(host) for route in given), default=-1)
    if ours is None or not 0 <= ours.leads_to(host) < longest:
        return []
    return [ours.to(host)]


def _bounded(routes: Sequence[Route]) -> Sequence[Route]:
    """Return as many of them as are copied: the default ones, and then the first others."""
    if len(routes) <= ROUTES_COPIED_MAXIMUM:
        return routes
    others_last = sorted(routes, key=lambda route: (route.destination != "default", *_order(route)))
    return others_last[:ROUTES_COPIED_MAXIMUM]


def _order(route: Route) -> tuple[int, int]:
    return route.metric, route.preference
