"""The network service's image in a network of its own: real dhcpcd, dnsmasq and routes.

A machine is a network namespace, in which the image's entry script runs as it does in the OS: as
PID 1, with its own /run, /proc, host name and resolv.conf. Its NICs are veth pairs; their other
ends are in namespaces of their own, each with an address, and maybe a DHCP server.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from release.process import run
from sandbox.dnsmasq import DNSMASQ
from sandbox.network import Namespace, namespace
from sandbox.processes import Program, running
from sandbox.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 20.0
# The mounts of linuxkit.yml that matter here. `exec` keeps the PID: 1 in a namespace of its own.
START = """
set -e
root=$1 files=$2
mount --make-rprivate /
mount --rbind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/dev"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/run/dhcpcd" "$root/run/init"
touch "$root/run/hostname" "$root/run/init/console"
mount --bind "$files/run" "$root/run/dhcpcd"
mount --bind "$files/run" "$root/var/lib/dhcpcd"
mount --bind "$files/console" "$root/run/init/console"
mount --bind "$files/resolv.conf" "$root/etc/resolv.conf"
mount --bind "$files/hostname" "$root/run/hostname"
mount --bind "$files/cmdline" "$root/proc/cmdline"
exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin /usr/lib/tinkie/dhcp
"""


@dataclass(frozen=True)
class Wire:
    """The other end of a NIC: a namespace whose device `wire` is connected to it."""

    nic: str
    namespace: Namespace
    folder: Path

    def ip(self, *words: str) -> str:
        """Run `ip` at this end."""
        return run("setting up a network", ["ip", "-n", self.namespace.name, *words]).text

    def has(self, *addresses: str) -> None:
        """Give it addresses with prefix lengths."""
        for address in addresses:
            self.ip(
                "address", "add", address, "dev", "wire", *(["nodad"] if ":" in address else [])
            )

    @contextmanager
    def router(self, configuration: str) -> Iterator[Program]:
        """Run radvd until the end of the with block; configuration: of this interface."""
        path = self.folder / f"{self.nic}.radvd.conf"
        path.write_text(f"interface wire {{ AdvSendAdvert on; {configuration} }};\n")
        with self.namespace.inside():
            Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1")
        command = ["radvd", "--nodaemon", "--logmethod=stderr", f"--config={path}"]
        command.append(f"--pidfile={self.folder / f'{self.nic}.radvd.pid'}")
        log = self.folder / f"{self.nic}.radvd.log"
        with running("radvd", command, log=log, network=self.namespace) as program:
            yield program

    @contextmanager
    def narrow_way(self, host: str, network: str, mtu: int) -> Iterator[Namespace]:
        """Yield a host behind this end, which routes with an MTU and says nothing of it (no ICMP).

        host: its address, with a prefix length; network: that of the machine.
        """
        with _bare(f"{self.namespace.name}-far") as far, self.namespace.inside():
            self.namespace.add_cable("far", far, "wire")
            self.ip("link", "set", "far", "up")
            self.ip("link", "set", "wire", "mtu", str(mtu))
            self.ip("route", "add", host.partition("/")[0], "dev", "far")
            for words in (
                ("link", "set", "wire", "up"),
                ("address", "add", host, "dev", "wire"),
                ("route", "add", network, "dev", "wire"),
            ):
                run("setting up a network", ["ip", "-n", far.name, *words])
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
            Path("/proc/sys/net/ipv4/conf/far/proxy_arp").write_text("1")
            rule = "type filter hook output priority 0; icmp type destination-unreachable drop"
            run("filtering ICMP", ["nft", f"table ip f {{ chain o {{ {rule}; }}; }}"])
            yield far

    def plug(self, *, is_in: bool) -> None:
        """Plug the cable in, or pull it."""
        self.ip("link", "set", "wire", "up" if is_in else "down")

    @contextmanager
    def server(self, *options: str) -> Iterator[Program]:
        """Run dnsmasq until the end of the with block; its log is `log_of` this."""
        command = [*DNSMASQ, "--interface=wire", "--bind-interfaces", "--no-resolv", "--no-hosts"]
        command += ["--no-ping", "--dhcp-authoritative", *options]
        command.append(f"--dhcp-leasefile={self.folder / f'{self.nic}.leases'}")
        log = self.folder / f"{self.nic}.log"
        with running("dnsmasq", command, log=log, network=self.namespace) as program:
            yield program


@dataclass
class Box:
    """The machine. `files` has what the service writes."""

    root: Path
    files: Path
    namespace: Namespace
    wires: dict[str, Wire] = field(default_factory=dict)

    @contextmanager
    def started(self, cmdline: str) -> Iterator[Program]:
        """Run the service with these kernel parameters until the end of the with block.

        It may run again, and then finds what it has written.
        """
        (self.files / "console").write_text("")
        for name in ("resolv.conf", "hostname"):
            (self.files / name).touch()
        (self.files / "cmdline").write_text(f"{cmdline}\n")
        (self.files / "run").mkdir(exist_ok=True)
        apart = ["unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child"]
        command = [*apart, "sh", "-c", START, "start", str(self.root), str(self.files)]
        log = self.files / "log"
        with running("dhcp", command, log=log, network=self.namespace) as program:
            try:
                yield program
            finally:
                program.process.kill()  # and with it all in its namespaces: it ignores SIGTERM

    def ip(self, *words: str) -> str:
        """Run `ip` in the machine."""
        return run("looking at the machine", ["ip", "-n", self.namespace.name, *words]).text

    def routes(self, family: str = "-4") -> list[str]:
        """Return the routes of ours: those with the chosen NIC's metric."""
        lines = self.ip(family, "-oneline", "route", "show", "proto", "84").splitlines()
        return [" ".join(line.split()) for line in lines]

    def console(self) -> list[str]:
        """Return the lines on the console, without their times."""
        lines = (self.files / "console").read_text().splitlines()
        return [line.partition("dhcp: ")[2] for line in lines]

    def read(self, name: str) -> str:
        """Return a file that the service writes; empty if there is none."""
        path = self.files / name
        return path.read_text() if path.exists() else ""

    def state(self) -> Any:
        """Return state.json."""
        return json.loads(self.read("run/state.json"))

    def wait_for(self, line: str, seconds: float = SECONDS) -> None:
        """Wait for a part of a line on the console."""
        try:
            wait_for(line, lambda: any(line in one for one in self.console()), seconds=seconds)
        except Exception as error:
            error.add_note("\n".join([*self.console(), self.read("log")]))
            raise

    def mac(self, nic: str) -> str:
        """Return the hardware address of a NIC."""
        return str(json.loads(self.ip("-json", "link", "show", nic))[0]["address"])

    def renew(self, nic: str) -> None:
        """Have dhcpcd ask for its lease again, as it does after half of its time."""
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.files / "run/sock"))
            link.sendall(f"dhcpcd\0-N\0{nic}\0".encode())

    def kill_dhcpcd(self) -> None:
        """Kill its first process."""
        pids = [pid for pid in self.namespace.processes() if _comm(pid) == "dhcpcd"]
        os.kill(min(pids), signal.SIGKILL)

    @contextmanager
    def watched_routes(self) -> Iterator[list[str]]:
        """Yield a list that has all changes of routes at the end of the with block."""
        log = self.files / "routes.log"
        found: list[str] = []
        command = ["ip", "monitor", "route"]
        with running("ip monitor", command, log=log, network=self.namespace):
            yield found
        found += log.read_text().splitlines()


@contextmanager
def lab(root: Path, folder: Path, name: str, nics: int) -> Iterator[Box]:
    """Make a machine with NICs eth0, eth1, …; all of it is gone at the end of the with block."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        own = stack.enter_context(_bare(f"{name}-box"))
        box = Box(root, folder, own)
        for number in range(nics):
            nic = f"eth{number}"
            other = stack.enter_context(_bare(f"{name}-{nic}"))
            own.add_cable(nic, other, "wire")
            box.wires[nic] = Wire(nic, other, folder)
            box.wires[nic].plug(is_in=True)
        yield box


def _comm(pid: int) -> str:
    path = Path(f"/proc/{pid}/comm")
    return path.read_text().strip() if path.exists() else ""


@contextmanager
def _bare(name: str) -> Iterator[Namespace]:
    with namespace(name) as made:
        made.delete_device("br0")
        yield made
