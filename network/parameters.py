"""What the command line says of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from network.static import StaticPlan
from tinkie.parameters.parameter import Reader
from tinkie.parameters.table import (
    BOOTIF,
    HW_ADDR,
    INTERFACE,
    IPAM,
    VLAN_ID,
    WORKER_ID,
    names_read_by,
    problems_for,
)
from tinkie.parameters.tinkerbell import server_endpoint
from tinkie.parameters.types import Mac

if TYPE_CHECKING:
    from tinkie.parameters.parameter import Parameters
    from tinkie.parameters.types import HostPort

_NO_NIC = "no NIC is named for it: give hw_addr or interface as well"


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """`wanted` are names and MACs of the NICs to prefer, the first one first.

    `host` is what a NIC must reach to be the right one; with None, an address is enough.
    """

    static: StaticPlan
    wanted: tuple[str, ...]
    host: HostPort | None

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> NetworkPlan:
        """Make one of any command line: what is bad is left out."""
        static = _static(parameters)
        wanted = dict.fromkeys([static.top, *_named(parameters)])
        return cls(static, tuple(filter(None, wanted)), server_endpoint(parameters))

    @property
    def named(self) -> tuple[str, ...]:
        """Return the NICs that the machine must have: without a VLAN, which is made here."""
        found = dict.fromkeys([self.static.nic, *self.wanted])
        return tuple(name for name in found if name not in ("", self.static.vlan_name))


def network_problems(parameters: Parameters) -> dict[str, str]:
    """Return why bad values are bad, by name; bootkit reports those that it reads too."""
    bad = problems_for(Reader.NETWORK, parameters)
    if VLAN_ID.name not in bad and parameters[VLAN_ID] and not _carrier(parameters):
        bad[VLAN_ID.name] = _NO_NIC
    bootkits = names_read_by(Reader.BOOTKIT)
    return {name: why for name, why in bad.items() if name not in bootkits}


def _static(parameters: Parameters) -> StaticPlan:
    """With a bad one of the two parameters, neither is used: the address is for the VLAN."""
    if {IPAM.name, VLAN_ID.name} & set(parameters.problems):
        return StaticPlan()
    given, nic = parameters[IPAM], _carrier(parameters)
    vlan = (given.vlan if given else 0) or parameters[VLAN_ID]
    return StaticPlan(nic, vlan, given) if nic and (vlan or given) else StaticPlan()


def _carrier(parameters: Parameters) -> str:
    """Return the NIC that `ipam` and `vlan_id` are about."""
    given = parameters[IPAM]
    return given.mac if given else next(iter(_named(parameters)), "")


def _named(parameters: Parameters) -> list[str]:
    """Return the NICs that `interface` and the boot server name."""
    macs = (parameters[HW_ADDR], parameters[BOOTIF], _mac(parameters[WORKER_ID]))
    return [nic for nic in (parameters[INTERFACE], *macs) if nic]


def _mac(worker_id: str | None) -> str | None:
    """Return a worker's id that is a hardware address, as smee gives it."""
    try:
        return Mac.parse(worker_id or "")
    except ValueError:
        return None
