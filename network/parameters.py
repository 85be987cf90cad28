"""What the command line says of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from network.static import StaticPlan
from tinkie.parameters.parameter import Reader
from tinkie.parameters.table import (
    BOND,
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
    from network.bonds import BondPlan
    from tinkie.parameters.bond import Bond
    from tinkie.parameters.parameter import Parameters
    from tinkie.parameters.types import HostPort

_NO_NIC = "no NIC is named for it: give hw_addr, interface or bond as well"


class NetworkPlan(NamedTuple):
    """`wanted` are names and MACs of the NICs to prefer, the first one first.

    `host` is what a NIC must reach to be the right one; with None, an address is enough.
    """

    static: StaticPlan
    wanted: tuple[str, ...]
    host: HostPort | None

    @classmethod
    def from_parameters(cls, parameters: Parameters, bond: Bond | None = None) -> NetworkPlan:
        """Make one of any command line: what is bad is left out.

        bond: that of the metadata, which counts if the command line says nothing of bonds.
        """
        given = parameters[BOND] if BOND.name in parameters.texts else bond
        static = _static(parameters, _bond_plan(parameters, given) if given else None)
        wanted = dict.fromkeys([*static.wanted, *_named(parameters)])
        return cls(static, tuple(wanted), server_endpoint(parameters))

    @property
    def members(self) -> tuple[str, ...]:
        """Return the NICs of the bond: names and MACs."""
        return self.static.bond.bond.members if self.static.bond else ()

    @property
    def named(self) -> tuple[str, ...]:
        """Return the NICs that the machine must have: without those that are made here."""
        found = dict.fromkeys([self.static.nic, *self.wanted, *self.members])
        return tuple(name for name in found if name not in ("", *self.static.made_names))


def network_problems(parameters: Parameters) -> dict[str, str]:
    """Return why bad values are bad, by name; bootkit reports those that it reads too."""
    bad = problems_for(Reader.NETWORK, parameters)
    plan = NetworkPlan.from_parameters(parameters)
    for name, other in ((VLAN_ID.name, IPAM.name), (IPAM.name, VLAN_ID.name)):
        if name in parameters.texts and name not in bad and other in bad:
            bad[name] = f"not used without {other}, which is bad"
    if VLAN_ID.name not in bad and parameters[VLAN_ID] and not plan.static.vlan:
        bad[VLAN_ID.name] = _NO_NIC
    bootkits = names_read_by(Reader.BOOTKIT)
    return {name: why for name, why in bad.items() if name not in bootkits}


def _bond_plan(parameters: Parameters, bond: Bond) -> BondPlan:
    from network.bonds import BondPlan  # noqa: PLC0415 - few machines have one

    return BondPlan(bond, _boot_nics(parameters))


def _static(parameters: Parameters, bond: BondPlan | None) -> StaticPlan:
    """With a bad one of the two parameters, neither is used: the address is for the VLAN."""
    if {IPAM.name, VLAN_ID.name} & set(parameters.problems):
        return StaticPlan(bond=bond)
    given = parameters[IPAM]
    nic = given.mac if given else _carrier(parameters, bond.name if bond else "")
    vlan = (given.vlan if given else 0) or parameters[VLAN_ID]
    return StaticPlan(nic, vlan, given, bond) if nic and (vlan or given) else StaticPlan(bond=bond)


def _carrier(parameters: Parameters, bond: str) -> str:
    """Return what `vlan_id` is about."""
    return bond or next(iter(_named(parameters)), "")


def _named(parameters: Parameters) -> list[str]:
    """Return the NICs that `interface` and the boot server name."""
    return [nic for nic in (parameters[INTERFACE], *_boot_nics(parameters)) if nic]


def _boot_nics(parameters: Parameters) -> tuple[str, ...]:
    """Return the hardware addresses by which the boot server knows the machine."""
    macs = (parameters[HW_ADDR], parameters[BOOTIF], _mac(parameters[WORKER_ID]))
    return tuple(mac for mac in macs if mac)


def _mac(worker_id: str | None) -> str | None:
    """Return a worker's id that is a hardware address, as smee gives it."""
    try:
        return Mac.parse(worker_id or "")
    except ValueError:
        return None
