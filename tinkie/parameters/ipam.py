"""The parameter `ipam`: a NIC's VLAN, and addresses that no DHCP server gives.

    ipam=MAC:VLAN:ADDRESS:NETMASK:GATEWAY:HOSTNAME:DNS:SEARCH:NTP:MTU:ROUTES

As smee writes it and Hook and CaptainOS read it: the MAC with hyphens, lists with commas, empty
parts for what is not needed, parts missing at the end; the netmask may be a prefix length. Tinkie's
own additions: an IPv6 address stands in brackets, and the last two parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from tinkie.parameters.types import Host, Mac, elements, parse_mtu, parse_vlan, without_brackets

NAMES = (
    "MAC", "VLAN", "address", "netmask", "gateway", "host name", "DNS", "search", "NTP", "MTU",
    "routes",
)  # fmt: skip

_IN_BRACKETS = r"\[[^\]]*\]"
_DIGITS = "[0-9]{1,4}"

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StaticRoute:
    """A way to a network (`10.0.0.0/8`): by its gateway, or without one, over the link."""

    network: str
    gateway: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StaticAddress:
    """What a NIC is to have; `address` ends in its prefix length; `vlan`, `mtu`: 0 without one."""

    mac: Mac
    vlan: int
    address: str
    gateway: str
    hostname: str
    name_servers: tuple[str, ...]
    search: tuple[str, ...]
    time_servers: tuple[str, ...]
    mtu: int = 0
    routes: tuple[StaticRoute, ...] = ()

    @classmethod
    def parse(cls, text: str) -> StaticAddress:
        """Take the parameter's value apart; ValueError names the part that is bad."""
        parts = _split(text)
        if len(parts) > len(NAMES):
            raise ValueError(f"more than {len(NAMES)} parts with colons in between")
        parts += [""] * (len(NAMES) - len(parts))
        mac, vlan, address, netmask, gateway, name, dns, search, ntp, mtu, routes = parts
        nic, ours = _mac(mac), _address(address, "address")
        return cls(
            nic,
            parse_vlan(vlan or "0"),
            f"{ours}/{_prefix(netmask, ours)}",
            _gateway(gateway, ours, "gateway"),
            next(iter(_hosts(name, "host name")), ""),
            tuple(map(_name_server, elements(dns))),
            _hosts(search, "search"),
            _hosts(ntp, "NTP"),
            _mtu(mtu),
            tuple(_route(one, ours) for one in elements(routes)),
        )


def _split(text: str) -> list[str]:
    """Split at colons that are not in brackets."""
    hidden = re.sub(_IN_BRACKETS, lambda found: found[0].replace(":", "\0"), text)
    return [part.replace("\0", ":").strip() for part in hidden.split(":")]


def _mac(part: str) -> Mac:
    try:
        return Mac.parse(part)
    except ValueError:
        raise ValueError("its MAC is not a hardware address with hyphens in between") from None


def _address(part: str, name: str) -> Address:
    bare = without_brackets(part)
    try:
        if "%" in bare:  # ip_address() takes any text as a zone
            raise ValueError  # noqa: TRY301 - the same reason for both
        return ip_address(bare)
    except ValueError:
        raise ValueError(f"its {name} is not an address") from None


def _name_server(part: str) -> str:
    try:
        host = Host.parse(part, zone=True)
    except ValueError:
        host = None
    if host is None or not host.is_address:
        raise ValueError("its DNS is not an address")
    return str(host)


def _gateway(part: str, ours: Address, name: str) -> str:
    if not part:
        return ""
    gateway = _address(part, name)
    if gateway.version != ours.version:
        raise ValueError(f"its {name} and its address are not of one family")
    return str(gateway)


def _mtu(part: str) -> int:
    try:
        return parse_mtu(part) if part else 0
    except ValueError as error:
        raise ValueError(f"its MTU: {error}") from None


def _route(part: str, ours: Address) -> StaticRoute:
    """Take `10.0.0.0/8@10.1.1.1`, without `@` if the network is on the link."""
    written, _, gateway = part.partition("@")
    address, slash, length = written.partition("/")
    try:
        network = ip_network(f"{_address(address, 'routes')}{slash}{length}")
    except ValueError:
        raise ValueError("one of its routes is not a network with @ and a gateway") from None
    if network.version != ours.version:
        raise ValueError("its routes and its address are not of one family")
    return StaticRoute(str(network), _gateway(gateway, ours, "routes' gateway"))


def _prefix(netmask: str, ours: Address) -> int:
    """Return the prefix length that a netmask is, or has."""
    longest = ours.max_prefixlen
    if re.fullmatch(_DIGITS, netmask) and int(netmask) <= longest:
        return int(netmask)
    bits = f"{int(_address(netmask, 'netmask')):0{longest}b}"
    if len(bits) != longest or "01" in bits:
        raise ValueError("its netmask is not a netmask")
    return bits.count("1")


def _hosts(part: str, name: str) -> tuple[str, ...]:
    try:
        return tuple(Host.parse(host, zone=True) for host in elements(part))
    except ValueError:
        raise ValueError(f"its {name} is neither a name nor an address") from None
