"""What the command line gives one NIC beside DHCP: a bond, a VLAN, an address, routes.

The NIC may come minutes late, and may go and come again: each look does what is missing, and
leaves alone what is there already.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_interface, ip_network
from typing import TYPE_CHECKING, NamedTuple

from network.leases import STATIC, Lease
from network.links import Step
from network.nics import called

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from network.bonds import BondPlan
    from network.links import Command
    from network.nics import Nic
    from network.routes import Route
    from tinkie.parameters.ipam import StaticAddress, StaticRoute

_VLAN = "vlan"
METRIC = "1000"  # of its routes; dhcpcd's are 1000 and the NIC's number


class StaticPlan(NamedTuple):
    """`nic` is a name or a MAC. Without `address`, the VLAN asks DHCP.

    A NIC that is a member of the bond has nothing by itself: the bond has it.
    """

    nic: str = ""
    vlan: int = 0
    address: StaticAddress | None = None
    bond: BondPlan | None = None

    @property
    def vlan_name(self) -> str:
        """Return the name of the VLAN's interface; empty without one."""
        return f"vlan{self.vlan}" if self.vlan else ""

    @property
    def bond_name(self) -> str:
        """Return the name of the bond's interface; empty without one."""
        return self.bond.name if self.bond else ""

    @property
    def made_names(self) -> tuple[str, ...]:
        """Return the names of the interfaces that are made here, the top one first."""
        return tuple(filter(None, (self.vlan_name, self.bond_name)))

    @property
    def wanted(self) -> tuple[str, ...]:
        """Return what the command line prefers to all other NICs: names and MACs."""
        return tuple(filter(None, (self.vlan_name or self.nic, self.bond_name)))

    def carrier(self, nics: Sequence[Nic]) -> Nic | None:
        """Return the NIC itself, or its bond; a VLAN has its hardware address, too."""
        if self.bond and self.bond.has(nics, self.nic):
            return self.bond.interface(nics)
        found = called(nics, self.nic) if self.nic else []
        return next((nic for nic in found if nic.name not in self.made_names), None)

    def interface(self, nics: Sequence[Nic]) -> Nic | None:
        """Return the interface that the address belongs to: the VLAN if there is to be one."""
        if not self.vlan:
            return self.carrier(nics)
        return next((nic for nic in nics if nic.name == self.vlan_name), None)

    def involved(self, nics: Sequence[Nic]) -> set[str]:
        """Return the names of the interfaces that this is about."""
        bond = self.bond.interface(nics) if self.bond else None
        return {nic.name for nic in (self.carrier(nics), self.interface(nics), bond) if nic}

    def has_all_names(self, nics: Sequence[Nic]) -> bool:
        """Return whether dhcpcd's configuration names all that it must leave alone."""
        is_made = self.bond is None or self.bond.interface(nics) is not None
        return is_made and bool(self.vlan or self.address is None or self.interface(nics))

    def first_steps(self, nics: Sequence[Nic]) -> list[Step]:
        """Return what makes the bond's interface, if it is not there."""
        return self.bond.first_steps(nics) if self.bond else []

    def bond_steps(self, nics: Sequence[Nic]) -> list[Step]:
        """Return what the bond lacks: options, and NICs."""
        return self.bond.steps(nics) if self.bond else []

    def vlan_steps(self, nics: Sequence[Nic]) -> list[Step]:
        """Return what makes the VLAN, if it is not there.

        One on another NIC was made before that became a part of the bond, and bypasses it.
        """
        below, there = self.carrier(nics), self.interface(nics)
        is_other = below and there and there.kind == _VLAN and there.below not in ("", below.name)
        if not self.vlan or below is None or (there and not is_other):
            return []
        name, number = self.vlan_name, str(self.vlan)
        commands = (
            *((("link", "delete", "dev", name),) if is_other else ()),
            ("link", "set", below.name, "up"),
            ("link", "add", "link", below.name, "name", name, "type", _VLAN, "id", number),
            ("link", "set", name, "up"),
        )
        return [Step(name, commands, otherwise="DHCP only; tries again", on=(below.index,))]

    def address_commands(
        self, nics: Sequence[Nic], routes: Mapping[str, Sequence[Route]]
    ) -> list[Command]:
        """Return the calls of `ip` that give the interface what it lacks; routes: by family.

        The gateway may be outside of the prefix: it is on the link in any case. A DHCP client
        that was there first may have left it an address of IPv4; those of IPv6 may be the kernel's
        own, of a router's prefix, which would come again.
        """
        commands = self._mtu_commands(nics)
        nic = self.interface(nics)
        if self.address is None or nic is None:
            return commands
        address = ip_interface(self.address.address)
        family = f"-{address.version}"
        if not _has(nic, str(address)):
            commands.append(("link", "set", nic.name, "up"))
            commands.append(_add(family, str(address), nic.name))
        if family == "-4" and any(":" not in leased for leased in nic.leased):
            commands.append((family, "address", "flush", "dev", nic.name, "dynamic"))
        for route in _routes(self.address):
            if not _has_route(routes[family], nic.name, route):
                commands.append((family, "route", "replace", *_words(route, nic.name)))
        return commands

    def _mtu_commands(self, nics: Sequence[Nic]) -> list[Command]:
        """Return what sets the MTU; an interface below a VLAN has at least that of the VLAN."""
        wanted: dict[str, int] = {}
        if (
            self.bond
            and self.bond.bond.mtu
            and self.bond.interface(nics)
            and self.bond.joined(nics)
        ):
            wanted[self.bond.name] = self.bond.bond.mtu
        below, top = self.carrier(nics), self.interface(nics)
        mtu = self.address.mtu if self.address else 0
        if mtu and below and top and below != top:
            wanted[below.name] = max(wanted.get(below.name, below.mtu), mtu)
        if mtu and top:
            wanted[top.name] = mtu
        present = {nic.name: nic.mtu for nic in nics}
        return [
            ("link", "set", "dev", name, "mtu", str(one))
            for name, one in wanted.items()
            if present[name] != one
        ]

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
        joined = self.bond.joined(nics) if self.bond else []
        members = "".join(f" {nic.name}" for nic in joined)
        text = f"{base}denyinterfaces{members}\n" if members else base
        if self.address is None:
            return text
        nic = self.interface(nics)
        name = nic.name if nic else self.vlan_name
        version = ip_interface(self.address.address).version
        return f"{text}interface {name}\nnoipv{version}\n" if name else text


def _routes(given: StaticAddress) -> list[StaticRoute]:
    """Return the routes of an address, with the default one."""
    from tinkie.parameters.ipam import StaticRoute  # noqa: PLC0415 - loaded with the address

    default = [StaticRoute("default", given.gateway)] if given.gateway else []
    return [*default, *given.routes]


def _add(family: str, address: str, name: str) -> tuple[str, ...]:
    """Nobody else has a given address: it is used at once."""
    at_once = ("nodad",) if family == "-6" else ()
    return (family, "address", "replace", address, "dev", name, "metric", METRIC, *at_once)


def _has(nic: Nic, address: str) -> bool:
    return any(ip_interface(own) == ip_interface(address) for own in nic.addresses)


def _has_route(routes: Sequence[Route], name: str, wanted: StaticRoute) -> bool:
    return any(
        route.interface == name
        and _network(route.destination) == _network(wanted.network)
        and route.protocol == "static"
        and _gateway(route.gateway) == _gateway(wanted.gateway)
        for route in routes
    )


def _network(destination: str) -> str:
    """Return one notation for a destination: `ip` shows a host without its prefix length."""
    return destination if destination == "default" else str(ip_network(destination))


def _gateway(address: str) -> str:
    """Return one notation for an address; empty for none."""
    return str(ip_address(address)) if address else ""


def _words(route: StaticRoute, name: str) -> Command:
    """Return the words behind `ip route replace`; a gateway is on the link in any case."""
    way = ("via", route.gateway, "dev", name, "onlink") if route.gateway else ("dev", name)
    return (route.network, *way, "proto", "static", "metric", METRIC)
