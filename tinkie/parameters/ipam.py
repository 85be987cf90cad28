"""The parameters `ipam` and `vlan_id`: a card's VLAN, and addresses that no server gives.

    ipam=MAC:VLAN:ADDRESS:NETMASK:GATEWAY:HOSTNAME:DNS:SEARCH:NTP

As smee writes it and Hook and CaptainOS read it: the MAC with hyphens, lists with commas, what is
not needed empty, the end maybe left out; the netmask may be a prefix length. An IPv6 address stands
in brackets, which is Tinkie's own addition.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from tinkie.parameters.types import hardware_address, is_host, out_of_url

NAMES = ("MAC", "VLAN", "address", "netmask", "gateway", "host name", "DNS", "search", "NTP")

_IN_BRACKETS = re.compile(r"\[[^\]]*\]")
_DIGITS = re.compile("[0-9]{1,4}")
_HIGHEST_VLAN = 4094

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Static:
    """What a card is to have; `address` ends in its prefix length, `vlan` is 0 without one."""

    mac: str
    vlan: int
    address: str
    gateway: str
    hostname: str
    name_servers: tuple[str, ...]
    search: tuple[str, ...]
    time_servers: tuple[str, ...]


def parse_ipam(text: str) -> Static:
    """Take the parameter's value apart.

    Raises:
        ValueError: a part is missing or makes no sense; it names the part and repeats no value.
    """
    parts = _split(text)
    if len(parts) > len(NAMES):
        raise ValueError(f"more than {len(NAMES)} parts with colons in between")
    mac, vlan, address, netmask, gateway, name, dns, search, ntp = parts + [""] * (9 - len(parts))
    card, ours = _mac(mac), _address(address, "address")
    return Static(
        card,
        parse_vlan(vlan or "0"),
        f"{ours}/{_prefix(netmask, ours)}",
        _gateway(gateway, ours),
        next(iter(_hosts(name, "host name")), ""),
        tuple(str(_address(server, "DNS")) for server in _list(dns)),
        _hosts(search, "search"),
        _hosts(ntp, "NTP"),
    )


def parse_vlan(value: str) -> int:
    """Return a VLAN's number, 0 for none; ValueError if it is no number or too high."""
    if not _DIGITS.fullmatch(value) or int(value) > _HIGHEST_VLAN:
        raise ValueError(f"not a VLAN from 1 to {_HIGHEST_VLAN}")
    return int(value)


def _split(text: str) -> list[str]:
    """Split at colons that are in no brackets."""
    hidden = _IN_BRACKETS.sub(lambda found: found[0].replace(":", "\0"), text)
    return [part.replace("\0", ":").strip() for part in hidden.split(":")]


def _list(part: str) -> list[str]:
    return [one.strip() for one in part.split(",") if one.strip()]


def _mac(part: str) -> str:
    try:
        return hardware_address(part)
    except ValueError:
        raise ValueError("its MAC is no hardware address with hyphens in between") from None


def _address(part: str, name: str) -> Address:
    try:
        return ip_address(out_of_url(part))
    except ValueError:
        raise ValueError(f"its {name} is no address") from None


def _gateway(part: str, ours: Address) -> str:
    if not part:
        return ""
    gateway = _address(part, "gateway")
    if gateway.version != ours.version:
        raise ValueError("its gateway and its address are not of one kind")
    return str(gateway)


def _prefix(netmask: str, ours: Address) -> int:
    """Return the prefix length that a netmask is, or says."""
    longest = ours.max_prefixlen
    if _DIGITS.fullmatch(netmask) and int(netmask) <= longest:
        return int(netmask)
    bits = f"{int(_address(netmask, 'netmask')):0{longest}b}"
    if len(bits) != longest or "01" in bits:
        raise ValueError("its netmask is none")
    return bits.count("1")


def _hosts(part: str, name: str) -> tuple[str, ...]:
    hosts = tuple(map(out_of_url, _list(part)))
    if not all(map(is_host, hosts)):
        raise ValueError(f"its {name} is neither a name nor an address")
    return hosts
