"""Which network cards the command line names, and what one of them is to have beside DHCP."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from settings.bad_value import BadValueError
from tinkie.parameters.ipam import Static, parse_ipam, parse_vlan
from tinkie.parameters.types import hardware_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinkie.parameters.cmdline import Cmdline

T = TypeVar("T")

_INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")  # the kernel's IFNAMSIZ is 16
_NAMING = ("hw_addr", "BOOTIF", "worker_id")


def network(cmdline: Cmdline) -> str | None:
    """Return what one card is to have, a `NAME VALUE` a line, from `ipam` and `vlan_id`.

    Names: card (a name or MAC), vlan, address (with its prefix length), gateway, hostname,
    name_servers, search, time_servers; lists with commas. Nothing else is among the values but
    letters, digits and `.:,/_-%`. None without the two parameters.

    Raises:
        BadValueError: one makes no sense; an empty file is written, so that nobody waits for it.
    """
    values = _values(cmdline)
    return "".join(f"{name} {value}\n" for name, value in values.items() if value) or None


def _values(cmdline: Cmdline) -> dict[str, str]:
    """Return the same by name; empty without the two parameters."""
    given, tag = cmdline.get("ipam"), cmdline.get("vlan_id")
    static = _parsed("ipam", parse_ipam, given) if given else None
    vlan = _parsed("vlan_id", parse_vlan, tag) if tag else 0
    if static:
        return _of_static(static, vlan)
    if not vlan:
        return {}
    card = next(iter(_named(cmdline)), "")
    if not card:
        reason = "no card is named for it: give hw_addr or interface as well"
        raise BadValueError("vlan_id", reason, instead="")
    return {"card": card, "vlan": str(vlan)}


def _of_static(static: Static, vlan: int) -> dict[str, str]:
    return {
        "card": static.mac,
        "vlan": str(static.vlan or vlan or ""),
        "address": static.address,
        "gateway": static.gateway,
        "hostname": static.hostname,
        "name_servers": ",".join(static.name_servers),
        "search": ",".join(static.search),
        "time_servers": ",".join(static.time_servers),
    }


def _parsed(name: str, parse: Callable[[str], T], value: str) -> T:
    try:
        return parse(value)
    except ValueError as error:
        raise BadValueError(name, str(error), instead="") from error


def cards(cmdline: Cmdline) -> str | None:
    """Return the network cards to prefer, a name or MAC a line; bootkit tells of a bad MAC."""
    name = cmdline.get("interface")
    found = dict.fromkeys([*_of_network(cmdline), *_named(cmdline)])
    known = "".join(f"{card}\n" for card in found) or None
    if name is not None and not _INTERFACE.fullmatch(name):
        raise BadValueError("interface", "not a name of a network interface", instead=known)
    return known


def _of_network(cmdline: Cmdline) -> list[str]:
    """Return the card of `network`: of a VLAN, that of the VLAN itself."""
    try:
        values = _values(cmdline)
    except BadValueError:  # told where the other file is written
        return []
    if vlan := values.get("vlan"):
        return [f"vlan{vlan}"]
    return [values["card"]] if values else []


def _named(cmdline: Cmdline) -> list[str]:
    """Return what names a card, the first one first."""
    name = cmdline.get("interface") or ""
    macs = (_mac(cmdline.get(parameter) or "") for parameter in _NAMING)
    found = [name if _INTERFACE.fullmatch(name) else "", *macs]
    return [card for card in found if card]


def _mac(value: str) -> str:
    try:
        return hardware_address(value)
    except ValueError:
        return ""
