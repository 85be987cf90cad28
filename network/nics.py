"""The machine's NICs, as the kernel has them, and in which order they are tried."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface
from typing import TYPE_CHECKING, Any

from tinkie.parameters.types import ETHERNET_OCTETS, Mac

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# The engine's own interfaces, as dhcpcd.conf has them, and the loopback.
_UNMANAGED = "docker.*|br-.*|veth.*|lo"
_PORT_OCTETS = 8  # of InfiniBand


@dataclass(frozen=True, slots=True)
class Nic:
    """An interface. `macs` are its hardware address now and the one that it was made with.

    `addresses` (with prefix lengths) are those by which other hosts reach it: global, and past
    duplicate address detection. `leased` are those of them that a server gave for a time. `kind` is
    that of an interface that a program has made: bond, vlan; empty for others. `mtu`: bytes.
    `below` is what a VLAN is on.
    `index` is the kernel's number of it: a NIC that was taken out and put in again has another one.
    """

    name: str
    macs: tuple[str, ...] = ()
    has_link: bool = False
    is_up: bool = False  # a program wants it to have a link
    kind: str = ""
    mtu: int = 0
    is_device: bool = False  # no VLAN, bridge or the like
    master: str = ""  # the bond or bridge that it is a part of
    addresses: tuple[str, ...] = ()
    leased: tuple[str, ...] = ()
    index: int = 0
    below: str = ""

    @classmethod
    def from_kernel(cls, shown: Mapping[str, Any]) -> Nic:
        """Take an element of `ip -json -details address show`."""
        macs = (shown.get("address", ""), shown.get("permaddr", ""))
        usable = [one for one in shown.get("addr_info", ()) if _is_usable(one)]
        return cls(
            shown["ifname"],
            tuple(dict.fromkeys(mac.lower() for mac in macs if mac)),
            has_link="LOWER_UP" in shown.get("flags", ()),
            is_up="UP" in shown.get("flags", ()),
            kind=shown.get("linkinfo", {}).get("info_kind", ""),
            mtu=shown.get("mtu", 0),
            is_device="parentdev" in shown,
            master=shown.get("master", ""),
            addresses=tuple(map(_with_prefix, usable)),
            leased=tuple(_with_prefix(one) for one in usable if one.get("dynamic")),
            index=shown.get("ifindex", 0),
            below=shown.get("link") or "",
        )

    @property
    def is_managed(self) -> bool:
        """Return whether dhcpcd asks for addresses on it."""
        return not re.fullmatch(_UNMANAGED, self.name) and not self.master

    @property
    def is_usable(self) -> bool:
        """Return whether it can reach anything: it has a link and an address."""
        return self.has_link and bool(self.addresses)

    @property
    def versions(self) -> frozenset[int]:
        """Return of which versions of IP it has addresses."""
        return frozenset(ip_interface(address).version for address in self.addresses)

    def has_address(self, bare: str) -> bool:
        """Return whether it has this address, which is without a prefix length."""
        return any(address.partition("/")[0] == bare for address in self.addresses)

    def is_called(self, name: str) -> bool:
        """Return whether it has this name or this hardware address, in any notation."""
        if name == self.name:
            return True
        try:
            wanted = _fixed_part(Mac.parse(name))
        except ValueError:
            return False
        return any(_fixed_part(mac) == wanted for mac in self.macs)

    def has_in_network(self, host: str) -> bool:
        """Return whether this address is in a network of the NIC."""
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in ip_interface(own).network for own in self.addresses)


def _fixed_part(mac: str) -> str:
    """Return what of a hardware address the firmware and Linux agree on.

    InfiniBand has 20 octets, of which the last 8 are the port's; those before are a queue's number
    and the subnet's prefix, which change (RFC 4391, 9.1.1).
    """
    octets = mac.split(":")
    return ":".join(octets[-_PORT_OCTETS:] if len(octets) > ETHERNET_OCTETS else octets)


def _is_usable(address: Mapping[str, Any]) -> bool:
    in_doubt = address.get("tentative") or address.get("dadfailed")
    return address.get("scope") == "global" and not in_doubt


def _with_prefix(address: Mapping[str, Any]) -> str:
    return f"{address['local']}/{address['prefixlen']}"


def called(nics: Iterable[Nic], name: str) -> list[Nic]:
    """Return the NICs with this name or hardware address; a VLAN has the address of its NIC."""
    return [nic for nic in nics if nic.is_called(name)]


def candidates(nics: Sequence[Nic], wanted: Iterable[str], host: str, chosen: str) -> list[Nic]:
    """Return the usable NICs in the order in which they are tried.

    Those that the command line prefers; those with the host in their network, by which the kernel
    would send in any case; the chosen one; the others.
    """
    usable = [nic for nic in nics if nic.is_usable]
    preferred = [nic for name in wanted for nic in called(usable, name)]
    near = [nic for nic in usable if nic.has_in_network(host)]
    present = [nic for nic in usable if nic.name == chosen]
    return list(dict.fromkeys([*preferred, *near, *present, *usable]))
