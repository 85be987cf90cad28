"""Which NICs the command line names, and what one of them is to have beside DHCP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinkie.parameters.table import BOOTIF, HW_ADDR, INTERFACE, IPAM, VLAN_ID, WORKER_ID
from tinkie.parameters.types import Mac

if TYPE_CHECKING:
    from tinkie.parameters.ipam import StaticAddress
    from tinkie.parameters.parameter import Parameters

_NETWORK = (IPAM.name, VLAN_ID.name)
_NO_NIC = "no NIC is named for it: give hw_addr or interface as well"


def network(parameters: Parameters) -> str | None:
    """Return what one NIC is to have, a `NAME VALUE` a line, from `ipam` and `vlan_id`.

    Names: nic (a name or MAC), vlan, address (with its prefix length), gateway, hostname,
    name_servers, search, time_servers; lists with commas. The values have nothing but letters,
    digits and `.:,/_-%`. None without the two parameters; empty if one of them is bad, so that
    images/dhcp/static does not wait for it.
    """
    if network_problems(parameters):
        return ""
    lines = (f"{name} {value}\n" for name, value in _values(parameters).items() if value)
    return "".join(lines) or None


def network_problems(parameters: Parameters) -> dict[str, str]:
    """Return why `ipam` and `vlan_id` cannot be used, by name."""
    bad = {name: why for name, why in parameters.problems.items() if name in _NETWORK}
    static = parameters[IPAM]
    if bad or static or not parameters[VLAN_ID] or named_nics(parameters):
        return bad
    return {VLAN_ID.name: _NO_NIC}


def preferred_nics(parameters: Parameters) -> str | None:
    """Return the NICs to prefer, a name or MAC a line, the first one first; None if there is none.

    A VLAN comes before all others.
    """
    values = {} if network_problems(parameters) else _values(parameters)
    own = f"vlan{values['vlan']}" if values.get("vlan") else values.get("nic", "")
    found = dict.fromkeys(filter(None, [own, *named_nics(parameters)]))
    return "".join(f"{nic}\n" for nic in found) or None


def named_nics(parameters: Parameters) -> list[str]:
    """Return the NICs that `interface` and the boot server name."""
    macs = (parameters[HW_ADDR], parameters[BOOTIF], _mac(parameters[WORKER_ID]))
    return [nic for nic in (parameters[INTERFACE], *macs) if nic]


def _values(parameters: Parameters) -> dict[str, str]:
    """Return what `network` writes, by name; empty if there is nothing."""
    static, vlan = parameters[IPAM], parameters[VLAN_ID]
    if static:
        return _of_static(static, vlan)
    return {"nic": named_nics(parameters)[0], "vlan": str(vlan)} if vlan else {}


def _of_static(static: StaticAddress, vlan: int) -> dict[str, str]:
    return {
        "nic": static.mac,
        "vlan": str(static.vlan or vlan or ""),
        "address": static.address,
        "gateway": static.gateway,
        "hostname": static.hostname,
        "name_servers": ",".join(static.name_servers),
        "search": ",".join(static.search),
        "time_servers": ",".join(static.time_servers),
    }


def _mac(worker_id: str | None) -> str | None:
    """Return a worker's id that is a hardware address, as smee gives it."""
    try:
        return Mac.parse(worker_id or "")
    except ValueError:
        return None
