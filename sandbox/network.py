"""Where the sandbox's programs meet: a network namespace with a bridge, or the host's own network.

Everything that runs in a namespace can be found through it, so that deleting it leaves nothing.
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
ADDRESS6 = f"{SUBNET6}1"  # the sandbox's own where a test has given it one
CLONE_NEWNET = 0x40000000
END_SECONDS = 10.0


class Network(Protocol):
    """A place to run programs in, and the IPv4 address they listen on there."""

    @property
    def address(self) -> str:
        """The address that everything in this network reaches the sandbox at."""

    def inside(self) -> AbstractContextManager[None]:
        """Sockets and programs made within the with block belong to this network."""


@dataclass(frozen=True)
class Namespace:
    """A network namespace of ours with one bridge; virtual machines hang on taps of that bridge."""

    name: str
    address: str = f"{SUBNET}.1"

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Move this thread into the namespace and back; children and sockets stay in it."""
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
        """Make a tap device on a bridge for one card of a virtual machine."""
        self._ip("tuntap", "add", tap, "mode", "tap")
        self._ip("link", "set", tap, "master", bridge, "up")

    def delete_device(self, device: str) -> None:
        """Remove a tap device or a bridge."""
        self._ip("link", "delete", device)

    def add_address(self, address: str) -> None:
        """Be reached at one more address of the subnet, or of the IPv6 one, at once."""
        words = (f"{address}/64", "nodad") if ":" in address else (f"{address}/24",)
        self._ip("address", "replace", *words, "dev", BRIDGE)

    def add_bridge(self, bridge: str, address: str = "") -> None:
        """Make another bridge, maybe with an address of its own."""
        self._ip("link", "add", bridge, "type", "bridge", "forward_delay", "0")
        self.use(bridge, address)

    def use(self, device: str, address: str = "", bridge: str = "") -> None:
        """Put a device up that is there, maybe with an address, maybe on a bridge."""
        if address:
            self._ip("address", "add", f"{address}/24", "dev", device)
        if bridge:
            self._ip("link", "set", device, "master", bridge)
        self._ip("link", "set", device, "up")

    def has(self, device: str) -> bool:
        """Say whether there is a device of this name."""
        with self.inside():
            return any(name == device for _, name in socket.if_nameindex())

    def create(self) -> None:
        """Make the namespace, without anything in it; ReportedError if there is one of its name."""
        run(f"making the network namespace {self.name}", ["ip", "netns", "add", self.name])

    def furnish(self) -> None:
        """Give it its bridge and its routes."""
        self._ip("link", "set", "lo", "up")
        self.add_bridge(BRIDGE, self.address)
        # Without a default route the API server of Tinkerbell ends after 20 s and says nothing.
        self._ip("route", "add", "default", "dev", BRIDGE)

    def exists(self) -> bool:
        """Say whether a namespace of this name is there."""
        return (NAMESPACES / self.name).exists()

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Say that it is in use until the with block ends, or this process is killed."""
        with (NAMESPACES / self.name).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield

    def is_abandoned(self) -> bool:
        """Say whether whoever made it has ended without removing it."""
        with (NAMESPACES / self.name).open("rb") as file, suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    def processes(self) -> list[int]:
        """Return the ids of all processes that run in it."""
        listed = run("listing the namespace", ["ip", "netns", "pids", self.name])
        return [int(pid) for pid in listed.text.split()]

    def delete(self) -> None:
        """End every process in it, then remove it with its bridge and taps; harmless if absent."""
        if not self.exists():
            return
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for("the namespace's processes to end", self._is_empty, seconds=END_SECONDS)
        run(f"removing the network namespace {self.name}", ["ip", "netns", "del", self.name])
        _drop_empty_mount()

    def _is_empty(self) -> bool:
        return not self.processes()

    def _ip(self, *words: str) -> None:
        run(f"setting up the network {self.name}", ["ip", "-n", self.name, *words])


def takes_connections(network: Network, port: int) -> bool:
    """Say whether somebody listens on a port of the network's address."""
    with network.inside(), socket.socket() as client:
        return client.connect_ex((network.address, port)) == 0


@contextmanager
def namespace(name: str) -> Iterator[Namespace]:
    """Make a namespace for the with block; nothing of it, and nothing in it, is left afterwards."""
    made = Namespace(PREFIX + name)
    made.create()  # one of somebody else stays
    try:
        with made.owned():
            made.furnish()
            yield made
    finally:
        made.delete()


def abandoned() -> list[Namespace]:
    """Return those of ours, of tests as well, that nobody is left to remove."""
    found = [Namespace(path.name) for path in NAMESPACES.glob(f"{PREFIX}*")]
    return [namespace for namespace in found if namespace.is_abandoned()]


def _enter(namespace_fd: int) -> None:
    # os.setns came with Python 3.12; hosts have 3.11.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace_fd, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise ReportedError(f"entering a network namespace failed: {os.strerror(number)}")


def _drop_empty_mount() -> None:
    # `ip netns add` mounts /run/netns on itself; when no namespace is left, neither is the mount.
    mounts = Path("/proc/self/mountinfo").read_text()
    if f" {NAMESPACES} " in mounts and not any(NAMESPACES.iterdir()):
        with suppress(ReportedError):  # somebody else made one this moment: it is theirs now
            run("unmounting the empty namespace folder", ["umount", NAMESPACES])
