"""The herd's addresses, one for each machine, and a gate before the metadata service.

Tinkerbell identifies a machine by the source address of its requests. Each machine requests from an
address of its own, which the kernel then also uses as the source; connections to it are refused
until the gate opens.
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
    """Return the identity of machine `number`, counted from 0."""
    row, column = divmod(number, ROW)
    mac = f"52:54:00:01:{row:02x}:{column:02x}"
    return MachineIdentity(f"herd{number}", mac, f"172.30.{16 + row}.{column + 1}", gateway)


def metadata_url(machine: MachineIdentity) -> str:
    """Return the metadata URL of a machine."""
    return f"http://{machine.address}:{HTTP_PORT}/2009-04-04"


@dataclass(frozen=True)
class Gate:
    """Refuses connections to the metadata service, until it is opened."""

    network: Namespace

    def open(self) -> None:
        """Forward requests to Tinkerbell, with each machine's own source address."""
        rule = f"ip daddr {ADDRESSES} tcp dport {HTTP_PORT} dnat to {self.network.address}"
        chain = f"chain out {{\ntype nat hook output priority -100\n{rule}\n}}"
        with self.network.inside():
            run("opening the gate", ["nft", "-f", "-"], stdin=f"table ip {TABLE} {{\n{chain}\n}}\n")


@contextmanager
def gate(network: Namespace, machines: list[MachineIdentity]) -> Iterator[Gate]:
    """Give the machines their addresses; the gate is closed at first."""
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
