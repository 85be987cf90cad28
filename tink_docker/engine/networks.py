"""The engine's IPv4 networks, chosen so that they hide nothing that the machine reaches.

dockerd gives its bridge the network in `bip` without a look at the machine's routes, and the
kernel then sends all packets to it there. It checks only the pools of other networks, when such a
network is created, against routes without a gateway and the name servers (docker 26.1 to 29,
`requestPoolHelper`).
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any, NamedTuple

from tink_docker.engine.routes import Route, read_name_servers, read_routes
from tinkie.parameters.known_networks import known_networks
from tinkie.parameters.table import ENGINE_NETWORKS, NO_PROXY
from tinkie.running.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tinkie.parameters.parameter import Parameters

log = get_logger()

BRIDGE = "docker0"
_OURS = "docker0|br-[0-9a-f]{12}"  # interfaces of dockerd's networks

# First those for benchmarks of network gear (RFC 2544) and for documents (RFC 5737), which are
# routed nowhere; then private ones that few use.
_BRIDGES = tuple(
    map(
        IPv4Network,
        (
            *("198.18.0.0/24", "198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/24"),
            *("172.31.254.0/24", "10.255.254.0/24", "192.168.254.0/24"),
        ),
    )
)
_POOLS = tuple(map(IPv4Network, ("198.19.0.0/16", "172.29.0.0/16", "10.254.0.0/16")))
_POOL_PREFIX = 24  # of one network out of a pool
# A route to more than this is a default route, or a half of one: it leads to all that has no
# better route, and what the engine takes of that is not hidden.
_BROADEST_PREFIX = 8


class Destination(NamedTuple):
    """A network or an address that the machine reaches, and the source of that."""

    network: IPv4Network
    source: str

    def __str__(self) -> str:
        return f"{self.network} ({self.source})"


class EngineNetworks(NamedTuple):
    """The network of the bridge, and the pools of all others."""

    bridge: IPv4Network
    pools: tuple[IPv4Network, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the keys of daemon.json: the bridge has the first address of its network."""
        return {
            "bip": f"{self.bridge[1]}/{self.bridge.prefixlen}",
            "default-address-pools": [
                {"base": str(pool), "size": max(pool.prefixlen, _POOL_PREFIX)}
                for pool in self.pools
            ],
        }


class NetworkPlan(NamedTuple):
    """What the kernel parameters decide: networks that are given, and what must be reached.

    `problem` has the networks that are given and not used, with the reasons.
    """

    given: tuple[IPv4Network, ...] = ()
    known: tuple[Destination, ...] = ()
    problem: str = ""

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> NetworkPlan:
        """Return the plan of a command line.

        A network that contains a host which the same command line names is not used: the machine
        would lose that host. One that overlaps a network or a route is: the rest stays reachable.
        """
        found = known_networks(parameters)
        known = tuple(Destination(network, name) for name, network in found)
        hosts = [one for one in known if _is_host(one)]
        networks = parameters[ENGINE_NETWORKS]
        hidden = {one: hosts_in for one in networks if (hosts_in := hidden_by(one, hosts))}
        problems = [parameters.problems.get(ENGINE_NETWORKS.name)]
        for network, (first, *_) in hidden.items():
            host = f"{first.network.network_address} ({first.source})"
            problems.append(f"{network} is not used, since it contains {host}")
        given = tuple(one for one in networks if one not in hidden)
        return cls(given, known, "; ".join(filter(None, problems)))

    @property
    def problems(self) -> dict[str, str]:
        """Return the problem by the name of its parameter."""
        return {ENGINE_NETWORKS.name: self.problem} if self.problem else {}

    def destinations(
        self, routes: Iterable[Route], name_servers: Iterable[IPv4Network]
    ) -> list[Destination]:
        """Return what the engine must not hide: all that is known but default routes."""
        others = (route for route in routes if not re.fullmatch(_OURS, route.interface))
        found = [
            *(Destination(one.network, f"route of {one.interface}") for one in others),
            *(Destination(server, "name server") for server in name_servers),
            *self.known,
        ]
        return [one for one in found if one.network.prefixlen >= _BROADEST_PREFIX]

    def choose(self, destinations: Sequence[Destination]) -> EngineNetworks:
        """Return the networks that are given, and for others the first that hide nothing.

        If every one of ours hides something, the bridge gets the first, and dockerd all pools.
        """
        free = [one for one in _BRIDGES if not hidden_by(one, destinations)]
        bridge, *pools = self.given or (free or _BRIDGES)[:1]
        taken = [*destinations, Destination(bridge, BRIDGE)]
        ours = [one for one in _POOLS if not hidden_by(one, taken)]
        return EngineNetworks(bridge, tuple(pools or ours or _POOLS))

    def choose_now(self) -> EngineNetworks:
        """Return the networks for a dockerd that starts now."""
        try:
            destinations = self.destinations(read_routes(), read_name_servers())
        except OSError as error:
            log.debug("routes.unknown", error=str(error))
            destinations = self.destinations([], [])
        return self.choose(destinations)


def _is_host(destination: Destination) -> bool:
    """Return whether the machine connects to it: NO_PROXY often has the bridge's own address."""
    is_address = destination.network.prefixlen == destination.network.max_prefixlen
    return is_address and destination.source != NO_PROXY.name


def engines_routes(routes: Iterable[Route]) -> list[Route]:
    """Return the routes to the engine's own networks."""
    return [route for route in routes if re.fullmatch(_OURS, route.interface)]


def hidden_by(network: IPv4Network, destinations: Iterable[Destination]) -> list[Destination]:
    """Return what overlaps a network: all of it or a part is hidden, or hides a part of it."""
    return [one for one in destinations if network.overlaps(one.network)]
