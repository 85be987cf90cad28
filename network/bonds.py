"""Several NICs as one interface: what is missing of a bond.

A member may come minutes late, and may go and come again: it joins whenever it is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from network.links import Step
from network.nics import called
from tinkie.parameters.bond import PRIMARY
from tinkie.parameters.types import ETHERNET_OCTETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from network.links import Command
    from network.nics import Nic
    from tinkie.parameters.bond import Bond

_KIND = "bond"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BondPlan:
    """`boot_nics` are hardware addresses by which the boot server knows the machine.

    The bond gets the first of them that a member has: a DHCP server answers to no other one.
    """

    bond: Bond
    boot_nics: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the name of the bond's interface."""
        return self.bond.name

    def interface(self, nics: Sequence[Nic]) -> Nic | None:
        """Return the bond's interface, if it is there."""
        return next((nic for nic in nics if nic.name == self.name and nic.kind == _KIND), None)

    def members(self, nics: Sequence[Nic]) -> list[Nic]:
        """Return those of its NICs that are there; interfaces on top of them share addresses."""
        found = [nic for name in self.bond.members for nic in called(nics, name)]
        return [
            nic
            for nic in dict.fromkeys(found)
            if nic.name != self.name and (nic.is_device or nic.name in self.bond.members)
        ]

    def joined(self, nics: Sequence[Nic]) -> list[Nic]:
        """Return the members that have become a part of it."""
        return [nic for nic in nics if nic.master == self.name]

    def has(self, nics: Sequence[Nic], name: str) -> bool:
        """Return whether this name or hardware address is the bond's own, or that of a member."""
        own = called(self.members(nics), name)
        return bool(own) or name == self.name or name in self.bond.members

    def first_steps(self, nics: Sequence[Nic]) -> list[Step]:
        """Return what makes the interface, as soon as the first of its NICs is there."""
        if self.interface(nics) or not self.members(nics):
            return []
        address = self._address(nics)
        given = ("address", address) if address else ()
        command = ("link", "add", "name", self.name, *given, "type", _KIND)
        return [Step(self.name, (command,), otherwise="uses its NICs one by one; tries again")]

    def steps(self, nics: Sequence[Nic]) -> list[Step]:
        """Return what the interface lacks: its options before NICs join.

        An option that the kernel refuses does not keep the others from being set.
        """
        made = self.interface(nics)
        if made is None:
            return []
        options = [
            self._option(made, name, value.replace(";", ","))
            for name, value in self.bond.options
            if name != PRIMARY
        ]
        up = Step(self.name, (("link", "set", "dev", self.name, "up"),), on=(made.index,))
        joining = [nic for nic in self.members(nics) if nic.master != self.name]
        joins = [step for nic in joining for step in self._join(made, nic)]
        left = [nic for nic in self.joined(nics) if nic.addresses]
        return [*([] if made.is_up else [*options, up]), *joins, *map(_flush, left)]

    def undo(self, nics: Sequence[Nic]) -> list[Command]:
        """Return what makes its NICs ones of their own again: the end of the bond comes first."""
        if self.interface(nics) is None:
            return []
        up = [("link", "set", "dev", nic.name, "up") for nic in self.joined(nics)]
        return [("link", "delete", "dev", self.name), *up]

    def _option(self, made: Nic, name: str, value: str) -> Step:
        change = ("link", "set", "dev", self.name, "type", _KIND, name, value)
        return Step(self.name, (change,), on=(made.index,))

    def _join(self, made: Nic, nic: Nic) -> list[Step]:
        """Return how a NIC joins: it must be down, and keep no address of its own.

        That it is the preferred one is said before: the kernel takes note of it, and this program
        may end at any moment.
        """
        join = (
            ("link", "set", "dev", nic.name, "down"),
            *_flush(nic).commands,
            ("link", "set", "dev", nic.name, "master", self.name),
        )
        back = (("link", "set", "dev", nic.name, "up"),)
        joining = Step(nic.name, join, undo=back, on=(nic.index, made.index))
        primary = self.bond.option(PRIMARY)
        is_first = bool(primary) and nic.is_called(primary)
        return [*([self._option(made, PRIMARY, nic.name)] if is_first else []), joining]

    def _address(self, nics: Sequence[Nic]) -> str:
        """Return its hardware address; empty if it is the kernel's choice, as for InfiniBand."""
        present = self.members(nics)
        known = [mac for mac in self.boot_nics if called(present, mac) or mac in self.bond.members]
        possible = filter(_is_possible, [*known, *self._members_macs(present)])
        address = next(possible, "")
        return address if address.count(":") == ETHERNET_OCTETS - 1 else ""

    def _members_macs(self, present: Sequence[Nic]) -> list[str]:
        """Return the members' own hardware addresses; that of a name is known once it is there."""
        by_name = {nic.name: nic.macs[-1] for nic in present if nic.macs}
        found = (name if ":" in name else by_name.get(name, "") for name in self.bond.members)
        return [mac for mac in found if mac]


def _is_possible(mac: str) -> bool:
    """Return whether the kernel takes this hardware address: no group's, and not all zeros."""
    octets = mac.split(":")
    is_of_one = int(octets[0], 16) % 2 == 0 and set(octets) != {"00"}
    return len(octets) != ETHERNET_OCTETS or is_of_one


def _flush(nic: Nic) -> Step:
    """Return what takes the addresses of a member, also those that dhcpcd gave it as it joined."""
    return Step(nic.name, (("address", "flush", "dev", nic.name),), on=(nic.index,))
