"""A machine with eight NICs: wrong networks answer first, the right cable comes late, and moves.

Its server is given by name, and the name server changes with the cable. A host on the wrong network
asks it to be its router. In the end an action reboots the machine.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from release.process import run
from sandbox.dnsmasq import STRAY_BRIDGE, STRAY_SUBNET, name_server, stray_network
from sandbox.hardware import Nic
from sandbox.network import SUBNET, Namespace
from sandbox.objects import MachineIdentity
from sandbox.tink import GRPC_PORT
from sandbox.waiting import wait_for
from tests.boot.machines import Lab, booted, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.machine import Machine
    from sandbox.shell import GuestShell
    from sandbox.workflow import Status
    from sandbox.world import World

HOST = "tinkerbell.sandbox"
ROUTER = f"{SUBNET}.1"
BEFORE, AFTER = f"{SUBNET}.2", f"{SUBNET}.3"  # name servers
FIRST = MachineIdentity(
    "nics", "52:54:00:00:01:05", f"{SUBNET}.105", ROUTER, name_servers=(BEFORE,)
)
SECOND = MachineIdentity(
    "nics", "52:54:00:00:01:25", f"{SUBNET}.125", ROUTER, name_servers=(AFTER,)
)
UNKNOWN = "52:54:00:00:02:0"
NICS = (
    Nic(f"{UNKNOWN}0", STRAY_BRIDGE),
    Nic(f"{UNKNOWN}1", STRAY_BRIDGE),
    Nic(f"{UNKNOWN}2"),
    Nic(SECOND.mac),
    Nic(f"{UNKNOWN}4"),
    Nic(FIRST.mac),
    Nic(f"{UNKNOWN}6", STRAY_BRIDGE),
    Nic(f"{UNKNOWN}7"),
)
NFT = "chroot /containers/services/tink-docker/rootfs nft"
UNPLUGGED = ("net3", "net5", "net7")
NAMED_SECONDS = 300.0
REACHED_SECONDS = 120.0
REBOOT = Path(__file__).parent / "reboot.yml"
REBOOT_SECONDS = 150.0
WORKFLOW_SECONDS = 600.0  # a tenth of that on an idle machine

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Seen:
    first: Status
    second: Status
    rebooted: Status
    console: str
    routes: str
    resolver: str
    forwarded: bool
    forwarded_without_rules: bool


def observe(lab: Lab) -> Seen:
    """Boot the machine, move its cable, reboot it, and return what came of it."""
    sandbox, words = lab.sandbox, f"grpc_authority={HOST}:{GRPC_PORT}"
    with (
        stray_network(lab.folder, sandbox.network),
        booted(lab, FIRST, words=words, nics=NICS, others=(SECOND,)) as box,
    ):
        with box.monitor() as monitor, _names(sandbox, BEFORE):
            for nic in UNPLUGGED:
                monitor.set_link(nic, up=False)
            _wait(box, "eth0: name not found", NAMED_SECONDS)
            monitor.set_link("net5", up=True)
            _wait(box, "dhcp: host.reached", REACHED_SECONDS)
            first = measure(sandbox, box, "cable-late", WORKFLOW_SECONDS)
        with box.monitor() as monitor, _names(sandbox, AFTER), box.shell() as shell:
            monitor.set_link("net5", up=False)
            monitor.set_link("net3", up=True)
            second = measure(sandbox, box, "cable-moved", WORKFLOW_SECONDS)
            routes = shell.run("ip route")
            resolver = shell.run("cat /proc/$(pidof tink-agent)/root/etc/resolv.conf")
            with _stranger(sandbox.network, shell) as is_forwarded:
                forwarded = is_forwarded()
                shell.run(f"{NFT} list ruleset >/tmp/rules && {NFT} flush ruleset")
                forwarded_without_rules = is_forwarded()
                shell.run(f"{NFT} -f - </tmp/rules")
            rebooted = sandbox.start_workflow("reboot", REBOOT.read_text(), FIRST).end(
                WORKFLOW_SECONDS
            )
            wait_for("the reboot", box.is_off, seconds=REBOOT_SECONDS)
        console = box.console.log.read_text(errors="replace")
        return Seen(
            first,
            second,
            rebooted,
            console,
            routes,
            resolver,
            forwarded,
            forwarded_without_rules,
        )


@contextmanager
def _stranger(network: Namespace, shell: GuestShell) -> Iterator[Callable[[], bool]]:
    """Yield a question: does the machine forward a ping from the wrong network to the sandbox?"""
    own = shell.run("ip -4 -o address show eth0").split()[3].partition("/")[0]
    other = Namespace(f"{network.name}-far")
    other.create()
    try:
        network.add_cable("far", other, "wire")
        network.use("far", bridge=STRAY_BRIDGE)
        other.use("wire", f"{STRAY_SUBNET}.50")
        inside = ["ip", "netns", "exec", other.name]
        to = f"{SUBNET}.0/24"
        run("routing by the machine", [*inside, "ip", "route", "add", to, "via", own])

        def is_forwarded() -> bool:
            ping = [*inside, "busybox", "ping", "-c", "3", "-W", "5", ROUTER]
            return run("pinging by the machine", ping, check=False).code == 0

        yield is_forwarded
    finally:
        other.delete()


@contextmanager
def _names(sandbox: World, address: str) -> Iterator[None]:
    sandbox.network.add_address(address)
    folder = sandbox.files.program.log.parent
    with name_server(folder, sandbox.network, address, {HOST: sandbox.network.address}):
        yield


def _wait(box: Machine, event: str, seconds: float) -> None:
    wait_for(f'"{event}" on the console', lambda: box.console.poll_for(event), seconds=seconds)


def test_wrong_networks_that_answer_first_are_reported_and_not_used(seen: Seen) -> None:
    before, _ = seen.console.split("dhcp: host.reached", 1)
    (reported,) = [line for line in before.splitlines() if "dhcp: host.unreachable" in line][-1:]
    assert "eth0: name not found" in reported
    assert "eth2: no lease" in reported
    assert "eth5: no link" in reported


def test_a_cable_that_is_plugged_in_late_is_used(seen: Seen) -> None:
    assert seen.first.state == "SUCCESS"
    assert "host.reached host=tinkerbell.sandbox interface=eth5" in seen.console


def test_a_cable_that_moves_to_another_nic_is_used_with_its_name_server(seen: Seen) -> None:
    assert seen.second.state == "SUCCESS"
    assert "interface=eth3" in seen.console
    assert seen.resolver.splitlines()[0] == f"nameserver {AFTER}"


def test_the_default_route_uses_the_nic_that_reaches_the_host(seen: Seen) -> None:
    assert f"default via {ROUTER} dev eth3 src {SECOND.address} metric 10" in seen.routes.replace(
        "  ", " "
    )


def test_it_is_no_router_between_its_nics(seen: Seen) -> None:
    assert not seen.forwarded
    assert seen.forwarded_without_rules, "the ping must be able to succeed"


def test_an_action_that_reboots_by_itself_is_reported_first(seen: Seen) -> None:
    assert seen.rebooted.state == "SUCCESS"
    assert 'init: shutdown.started by="a program that asked PID 1"' in seen.console
    assert "init: shutdown.done" in seen.console
