"""What there was at one look: the base of the events, the files and the state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from network.routes import default_gateway

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from network.choice import Reasons
    from network.leases import Lease
    from network.nics import Nic
    from network.routes import Route


def has_address(nics: Iterable[Nic], lease: Lease) -> bool:
    """Return whether the kernel has the address of a lease."""
    own = (nic for nic in nics if nic.name == lease.interface)
    return bool(lease.address) and any(nic.has_address(lease.address) for nic in own)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class View:
    """`chosen` is the NIC in use; `reasons` say what the last test of each NIC gave.

    `routes` are those of both families.
    """

    nics: Sequence[Nic] = ()
    leases: Sequence[Lease] = ()
    routes: Sequence[Route] = ()
    chosen: str = ""
    is_reached: bool = False
    reasons: Reasons = field(default_factory=dict)

    def nic(self, name: str) -> Nic | None:
        """Return the NIC of this name."""
        return next((nic for nic in self.nics if nic.name == name), None)

    def bound(self) -> Mapping[tuple[str, str], Lease]:
        """Return the leases, by interface and protocol, whose address the kernel has."""
        return {lease.key: lease for lease in self.leases if has_address(self.nics, lease)}

    def router(self, lease: Lease) -> str:
        """Return the gateway of the lease's family and NIC, as the kernel has it."""
        is_ipv6 = ":" in lease.address
        family = [route for route in self.routes if (":" in route.gateway) == is_ipv6]
        return default_gateway(family, lease.interface)

    def in_use(self) -> list[Lease]:
        """Return the leases of which name servers and time servers are used, in their order.

        While the chosen NIC reaches the host, no other network may have a say. While no NIC does,
        the others follow: one of their name servers may have the host's name.
        """
        own = [lease for lease in self.leases if lease.interface == self.chosen]
        others = [lease for lease in self.leases if lease.interface != self.chosen]
        if self.is_reached and any(lease.name_servers for lease in own):
            return own
        return [*own, *others]
