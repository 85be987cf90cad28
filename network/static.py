"""What the command line gives one NIC beside DHCP: a VLAN and an address.

The NIC may come minutes late, and may go and come again: each look does what is missing, and
leaves alone what is there already.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_interface
from typing import TYPE_CHECKING

from network.leases import STATIC, Lease
from network.nics import called

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from network.nics import Nic
    from network.routes import Route
    from tinkie.parameters.ipam import StaticAddress

METRIC = "1000"  # of its routes; dhcpcd's are 1000 and the NIC's number

Commands = list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class StaticPlan:
    """`nic` is a name or a MAC. Without `address`, the VLAN asks DHCP.

    A bond would be one more interface here, below the VLAN.
    """

    nic: str = ""
    vlan: int = 0
    address: StaticAddress | None = None

    @property
    def vlan_name(self) -> str:
        """Return the name of the VLAN's interface; empty without one."""
        return f"vlan{self.vlan}" if self.vlan else ""

    @property
    def top(self) -> str:
        """Return what the command line prefers to all other NICs: a name or a MAC, or nothing."""
        return self.vlan_name or self.nic

    def carrier(self, nics: Sequence[Nic]) -> Nic | None:
        """Return the NIC itself; a VLAN has its hardware address, too."""
        found = called(nics, self.nic) if self.nic else []
        return next((nic for nic in found if nic.name != self.vlan_name), None)

    def interface(self, nics: Sequence[Nic]) -> Nic | None:
        """Return the interface that the address belongs to: the VLAN if there is to be one."""
        if not self.vlan:
            return self.carrier(nics)
        return next((nic for nic in nics if nic.name == self.vlan_name), None)

    def made(self, nics: Sequence[Nic]) -> set[str]:
        """Return the names of the interfaces that this is about."""
        return {nic.name for nic in (self.carrier(nics), self.interface(nics)) if nic}

    def link_commands(self, nics: Sequence[Nic]) -> Commands:
        """Return the calls of `ip` that create the VLAN, if it is not there."""
        below = self.carrier(nics)
        if not self.vlan or below is None or self.interface(nics):
            return []
        name, number = self.vlan_name, str(self.vlan)
        return [
            ("link", "set", below.name, "up"),
            ("link", "add", "link", below.name, "name", name, "type", "vlan", "id", number),
            ("link", "set", name, "up"),
        ]

    def address_commands(
        self, nics: Sequence[Nic], routes: Mapping[str, Sequence[Route]]
    ) -> Commands:
        """Return the calls of `ip` that give the interface what it lacks; routes: by family.

        The gateway may be outside of the prefix: it is on the link in any case. A DHCP client that
        was there before this NIC may have left it an address of IPv4.
        """
        nic = self.interface(nics)
        if self.address is None or nic is None:
            return []
        address, commands = ip_interface(self.address.address), Commands()
        family = f"-{address.version}"
        if not _has(nic, str(address)):
            commands.append(("link", "set", nic.name, "up"))
            commands.append(_add(family, str(address), nic.name))
        if family == "-4" and any(":" not in leased for leased in nic.leased):
            commands.append((family, "address", "flush", "dev", nic.name, "dynamic"))
        gateway = self.address.gateway
        if gateway and not _has_gateway(routes[family], nic.name, gateway):
            way = ("default", "via", gateway, "dev", nic.name, "onlink")
            commands.append((family, "route", "replace", *way, "proto", "static", "metric", METRIC))
        return commands

    def leases(self, nics: Sequence[Nic]) -> list[Lease]:
        """Return what the command line gives, as if a server had."""
        nic, given = self.interface(nics), self.address
        if given is None or nic is None:
            return []
        lease = Lease(
            nic.name,
            STATIC,
            address=str(ip_interface(given.address).ip),
            hostname=given.hostname,
            name_servers=given.name_servers,
            search=given.search,
            time_servers=given.time_servers,
        )
        return [lease]

    def configuration(self, base: str, nics: Sequence[Nic]) -> str:
        """Return dhcpcd's configuration: it leaves the family of a given address alone there.

        The file has no word for a hardware address, so the NIC must be there.
        """
        if self.address is None:
            return base
        nic = self.interface(nics)
        name = nic.name if nic else self.vlan_name
        version = ip_interface(self.address.address).version
        return f"{base}interface {name}\nnoipv{version}\n" if name else base


def _add(family: str, address: str, name: str) -> tuple[str, ...]:
    """Nobody else has a given address: it is used at once."""
    at_once = ("nodad",) if family == "-6" else ()
    return (family, "address", "replace", address, "dev", name, "metric", METRIC, *at_once)


def _has(nic: Nic, address: str) -> bool:
    return any(ip_interface(own) == ip_interface(address) for own in nic.addresses)


def _has_gateway(routes: Sequence[Route], name: str, gateway: str) -> bool:
    return any(
        route.interface == name
        and route.destination == "default"
        and route.protocol == "static"
        and ip_interface(route.gateway or "::") == ip_interface(gateway)
        for route in routes
    )
