"""The network of the sandbox: a network namespace with a bridge, or the host's own network.

Every process in a namespace can be found through it, so that deleting it leaves nothing behind.
"""

import ctypes
import fcntl
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from release.errors import ReportedError
from release.process import run
from sandbox.waiting import wait_for

NAMESPACES = Path("/run/netns")
PREFIX = "tinkie-"
BRIDGE = "br0"
SUBNET = "172.30.0"
SUBNET6 = "fd30::"
ADDRESS6 = f"{SUBNET6}1"  # of the sandbox, if a test adds it
CLONE_NEWNET = 0x40000000
END_SECONDS = 10.0


class Network(Protocol):
    """A network to run programs in, and the IPv4 address that they listen on."""

    @property
    def address(self) -> str:
        """The sandbox's address in this network."""

    def inside(self) -> AbstractContextManager[None]:
        """Create the sockets and programs of the with block in this network."""


@dataclass(frozen=True)
class Namespace:
    """A network namespace with one bridge, to whose taps virtual machines are connected."""

    name: str
    address: str = f"{SUBNET}.1"

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Move this thread into the namespace and back; its children and sockets stay there."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        there = os.open(NAMESPACES / self.name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(there)
            yield
        finally:
            _enter(home)
            os.close(there)
            os.close(home)

    def add_tap(self, tap: str, bridge: str = BRIDGE) -> None:
        """Create a tap device on a bridge, for a NIC of a virtual machine."""
        self._ip("tuntap", "add", tap, "mode", "tap")
        self._ip("link", "set", tap, "master", bridge, "up")

    def add_cable(self, device: str, other: "Namespace", end: str) -> None:
        """Connect two namespaces: a device in this one, and its other end in the other."""
        peer = ("peer", "name", end, "netns", other.name)
        self._ip("link", "add", device, "type", "veth", *peer)

    def delete_device(self, device: str) -> None:
        """Delete a tap device or a bridge."""
        self._ip("link", "delete", device)

    def add_address(self, address: str) -> None:
        """Add an address of the IPv4 or IPv6 subnet to the bridge, usable at once."""
        words = (f"{address}/64", "nodad") if ":" in address else (f"{address}/24",)
        self._ip("address", "replace", *words, "dev", BRIDGE)

    def add_bridge(self, bridge: str, address: str = "") -> None:
        """Create another bridge, with an address if one is given."""
        self._ip("link", "add", bridge, "type", "bridge", "forward_delay", "0")
        self.use(bridge, address)

    def use(self, device: str, address: str = "", bridge: str = "") -> None:
        """Set an existing device up, with an address and on a bridge if they are given."""
        if address:
            self._ip("address", "add", f"{address}/24", "dev", device)
        if bridge:
            self._ip("link", "set", device, "master", bridge)
        self._ip("link", "set", device, "up")

    def has(self, device: str) -> bool:
        """Return whether a device of this name exists."""
        with self.inside():
            return any(name == device for _, name in socket.if_nameindex())

    def create(self) -> None:
        """Create the namespace, empty; ReportedError if one of its name exists."""
        run(f"creating the network namespace {self.name}", ["ip", "netns", "add", self.name])

    def configure(self) -> None:
        """Add the bridge and the routes."""
        self._ip("link", "set", "lo", "up")
        self.add_bridge(BRIDGE, self.address)
        # Without a default route Tinkerbell's API server ends after 20 s without an error.
        self._ip("route", "add", "default", "dev", BRIDGE)

    def exists(self) -> bool:
        """Return whether a namespace of this name exists."""
        return (NAMESPACES / self.name).exists()

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Mark it as in use until the end of the with block or of this process."""
        with (NAMESPACES / self.name).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield

    def is_abandoned(self) -> bool:
        """Return whether the process that created it has ended without deleting it."""
        with (NAMESPACES / self.name).open("rb") as file, suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    def processes(self) -> list[int]:
        """Return the ids of all processes in it."""
        listed = run("listing the namespace", ["ip", "netns", "pids", self.name])
        return [int(pid) for pid in listed.text.split()]

    def delete(self) -> None:
        """Kill every process in it, then delete it with its bridge and taps, if it exists."""
        if not self.exists():
            return
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for("the namespace's processes to end", self._is_empty, seconds=END_SECONDS)
        run(f"deleting the network namespace {self.name}", ["ip", "netns", "del", self.name])
        _drop_empty_mount()

    def _is_empty(self) -> bool:
        return not self.processes()

    def _ip(self, *words: str) -> None:
        run(f"setting up the network {self.name}", ["ip", "-n", self.name, *words])


def is_listening(network: Network, port: int) -> bool:
    """Return whether a program listens on a port of the network's address."""
    with network.inside(), socket.socket() as client:
        return client.connect_ex((network.address, port)) == 0


@contextmanager
def namespace(name: str) -> Iterator[Namespace]:
    """Create a namespace; delete it, and kill all in it, at the end of the with block."""
    made = Namespace(PREFIX + name)
    made.create()  # before try: a namespace that exists already is not deleted
    try:
        with made.owned():
            made.configure()
            yield made
    finally:
        made.delete()


def abandoned() -> list[Namespace]:
    """Return the namespaces of sandboxes and tests whose owner has ended."""
    found = [Namespace(path.name) for path in NAMESPACES.glob(f"{PREFIX}*")]
    return [namespace for namespace in found if namespace.is_abandoned()]


def _enter(namespace_fd: int) -> None:
    # os.setns exists since Python 3.12; hosts have 3.11.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace_fd, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise ReportedError(f"entering a network namespace failed: {os.strerror(number)}")


def _drop_empty_mount() -> None:
    # `ip netns add` mounts /run/netns on itself; unmount it once no namespace is left.
    mounts = Path("/proc/self/mountinfo").read_text()
    if f" {NAMESPACES} " in mounts and not any(NAMESPACES.iterdir()):
        with suppress(ReportedError):  # another process created one at this moment
            run("unmounting the empty namespace folder", ["umount", NAMESPACES])
