"""The parameter `ipam`: a NIC's VLAN, and addresses that no DHCP server gives.

    ipam=MAC:VLAN:ADDRESS:NETMASK:GATEWAY:HOSTNAME:DNS:SEARCH:NTP

As smee writes it and Hook and CaptainOS read it: the MAC with hyphens, lists with commas, empty
parts for what is not needed, parts missing at the end; the netmask may be a prefix length. An IPv6
address stands in brackets, which is Tinkie's own addition.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from tinkie.parameters.types import Host, Mac, elements, parse_vlan, without_brackets

NAMES = ("MAC", "VLAN", "address", "netmask", "gateway", "host name", "DNS", "search", "NTP")

_IN_BRACKETS = re.compile(r"\[[^\]]*\]")
_DIGITS = re.compile("[0-9]{1,4}")

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class StaticAddress:
    """What a NIC is to have; `address` ends in its prefix length, `vlan` is 0 without one."""

    mac: Mac
    vlan: int
    address: str
    gateway: str
    hostname: str
    name_servers: tuple[str, ...]
    search: tuple[str, ...]
    time_servers: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> StaticAddress:
        """Take the parameter's value apart; ValueError names the part that is bad."""
        parts = _split(text)
        if len(parts) > len(NAMES):
            raise ValueError(f"more than {len(NAMES)} parts with colons in between")
        parts += [""] * (len(NAMES) - len(parts))
        mac, vlan, address, netmask, gateway, name, dns, search, ntp = parts
        nic, ours = _mac(mac), _address(address, "address")
        return cls(
            nic,
            parse_vlan(vlan or "0"),
            f"{ours}/{_prefix(netmask, ours)}",
            _gateway(gateway, ours),
            next(iter(_hosts(name, "host name")), ""),
            tuple(map(_name_server, elements(dns))),
            _hosts(search, "search"),
            _hosts(ntp, "NTP"),
        )


def _split(text: str) -> list[str]:
    """Split at colons that are not in brackets."""
    hidden = _IN_BRACKETS.sub(lambda found: found[0].replace(":", "\0"), text)
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


def _gateway(part: str, ours: Address) -> str:
    if not part:
        return ""
    gateway = _address(part, "gateway")
    if gateway.version != ours.version:
        raise ValueError("its gateway and its address are not of one family")
    return str(gateway)


def _prefix(netmask: str, ours: Address) -> int:
    """Return the prefix length that a netmask is, or has."""
    longest = ours.max_prefixlen
    if _DIGITS.fullmatch(netmask) and int(netmask) <= longest:
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
