"""The herd's place in the network: an address for each machine, and a gate to the metadata service.

Tinkerbell tells machines apart by the address that they ask from. Each asks at an address of its
own, which the kernel then also asks from; behind it is nobody until the gate opens: refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from release.process import run
from sandbox.network import BRIDGE, Namespace
from sandbox.objects import MachineIdentity
from sandbox.tinkerbell import HTTP_PORT

ADDRESSES = "172.30.16.0/20"
ROW = 250  # machines to a third number of the address
MOST = 16 * ROW
TABLE = "herd"


def identity(number: int, gateway: str) -> MachineIdentity:
    """Say what Tinkerbell calls machine `number`, counted from 0."""
    row, place = divmod(number, ROW)
    mac = f"52:54:00:01:{row:02x}:{place:02x}"
    return MachineIdentity(f"herd{number}", mac, f"172.30.{16 + row}.{place + 1}", gateway)


def metadata_url(machine: MachineIdentity) -> str:
    """Return where a machine asks who it is."""
    return f"http://{machine.address}:{HTTP_PORT}/2009-04-04"


@dataclass(frozen=True)
class Gate:
    """Between the herd and the metadata service."""

    network: Namespace

    def open(self) -> None:
        """Let whatever machines ask reach Tinkerbell; it sees each one's own address."""
        leads = f"ip daddr {ADDRESSES} tcp dport {HTTP_PORT} dnat to {self.network.address}"
        chain = f"chain out {{\ntype nat hook output priority -100\n{leads}\n}}"
        with self.network.inside():
            run("opening the gate", ["nft", "-f", "-"], stdin=f"table ip {TABLE} {{\n{chain}\n}}\n")


@contextmanager
def gate(network: Namespace, machines: list[MachineIdentity]) -> Iterator[Gate]:
    """Give the machines their addresses; the gate is shut until it is opened."""
    addresses = [machine.address for machine in machines]
    _addresses(network, "add", addresses)
    try:
        yield Gate(network)
    finally:
        with network.inside():
            run(
                "closing the gate",
                ["nft", "-f", "-"],
                stdin=f"table ip {TABLE}\ndelete table ip {TABLE}\n",
            )
        _addresses(network, "delete", addresses)


def _addresses(network: Namespace, verb: str, addresses: list[str]) -> None:
    lines = [f"address {verb} {address}/32 dev {BRIDGE}\n" for address in addresses]
    command = ["ip", "-n", network.name, "-batch", "-"]
    run(f"{verb} the herd's addresses", command, stdin="".join(lines))
