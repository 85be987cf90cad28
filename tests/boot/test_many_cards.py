"""A machine with eight network cards: wrong ones answer first, the right cable is late, and moves.

It knows its server by name, and the name server changes with the cable. In the end an action of the
machine's reboots it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.dnsmasq import STRAY_BRIDGE, name_server, stray_network
from sandbox.hardware import Nic
from sandbox.network import SUBNET
from sandbox.objects import MachineIdentity
from sandbox.tink import GRPC_PORT
from sandbox.waiting import wait_for
from tests.boot.machines import booted, measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.accelerator import Accelerator
    from sandbox.machine import Machine
    from sandbox.workflow import Status
    from sandbox.world import World

HOST = "tinkerbell.sandbox"
ROUTER = f"{SUBNET}.1"
BEFORE, AFTER = f"{SUBNET}.2", f"{SUBNET}.3"  # name servers
FIRST = MachineIdentity(
    "cards", "52:54:00:00:01:05", f"{SUBNET}.105", ROUTER, name_servers=(BEFORE,)
)
SECOND = MachineIdentity(
    "cards", "52:54:00:00:01:25", f"{SUBNET}.125", ROUTER, name_servers=(AFTER,)
)
UNKNOWN = "52:54:00:00:02:0"
CARDS = (
    Nic(f"{UNKNOWN}0", STRAY_BRIDGE),
    Nic(f"{UNKNOWN}1", STRAY_BRIDGE),
    Nic(f"{UNKNOWN}2"),
    Nic(SECOND.mac),
    Nic(f"{UNKNOWN}4"),
    Nic(FIRST.mac),
    Nic(f"{UNKNOWN}6", STRAY_BRIDGE),
    Nic(f"{UNKNOWN}7"),
)
UNPLUGGED = ("net3", "net5", "net7")
TOLD_SECONDS = 300.0
HEALED_SECONDS = 120.0
REBOOT = Path(__file__).parent / "reboot.yml"
REBOOT_SECONDS = 150.0
WORKFLOW_SECONDS = 600.0  # a tenth of that on an idle machine


@dataclass(frozen=True)
class Seen:
    first: Status
    second: Status
    rebooted: Status
    console: str
    routes: str
    resolver: str


@pytest.fixture(scope="module")
def seen(
    here: World, accelerator: Accelerator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("cards")
    words = f"grpc_authority={HOST}:{GRPC_PORT}"
    with (
        stray_network(folder, here.network),
        booted(here, accelerator, folder, FIRST, words=words, nics=CARDS, others=(SECOND,)) as box,
    ):
        with box.monitor() as monitor, _names(here, BEFORE):
            for card in UNPLUGGED:
                monitor.set_link(card, up=False)
            _wait(box, "eth0: name not found", TOLD_SECONDS)
            monitor.set_link("net5", up=True)
            _wait(box, "dhcp: host.reached", HEALED_SECONDS)
            first = measure(here, box, "cable-late", WORKFLOW_SECONDS)
        with box.monitor() as monitor, _names(here, AFTER), box.shell() as shell:
            monitor.set_link("net5", up=False)
            monitor.set_link("net3", up=True)
            second = measure(here, box, "cable-moved", WORKFLOW_SECONDS)
            routes = shell.run("ip route")
            resolver = shell.run("cat /proc/$(pidof tink-agent)/root/etc/resolv.conf")
            rebooted = here.start_workflow("reboot", REBOOT.read_text(), FIRST).end(
                WORKFLOW_SECONDS
            )
            wait_for("the reboot", box.is_off, seconds=REBOOT_SECONDS)
        console = box.console.log.read_text(errors="replace")
        yield Seen(first, second, rebooted, console, routes, resolver)


@contextmanager
def _names(here: World, address: str) -> Iterator[None]:
    here.network.add_address(address)
    folder = here.files.program.log.parent
    with name_server(folder, here.network, address, {HOST: here.network.address}):
        yield


def _wait(box: Machine, event: str, seconds: float) -> None:
    wait_for(f'"{event}" on the console', lambda: box.console.poll_for(event), seconds=seconds)


def test_wrong_networks_that_answer_first_are_told_and_do_not_win(seen: Seen) -> None:
    before, _ = seen.console.split("dhcp: host.reached", 1)
    (told,) = [line for line in before.splitlines() if "dhcp: host.unreached" in line][-1:]
    assert "eth0: name not found" in told
    assert "eth2: no lease" in told
    assert "eth5: no link" in told


def test_cable_that_is_plugged_in_late_heals(seen: Seen) -> None:
    assert seen.first.state == "SUCCESS"
    assert "host.reached host=tinkerbell.sandbox interface=eth5" in seen.console


def test_cable_that_moves_to_another_card_heals_with_a_worker_that_knows_a_name(seen: Seen) -> None:
    assert seen.second.state == "SUCCESS"
    assert "interface=eth3" in seen.console
    assert seen.resolver.splitlines()[0] == f"nameserver {AFTER}"


def test_default_route_goes_by_the_card_that_reaches_the_host(seen: Seen) -> None:
    assert f"default via {ROUTER} dev eth3 src {SECOND.address} metric 10" in seen.routes.replace(
        "  ", " "
    )


def test_action_that_reboots_by_itself_is_reported_first(seen: Seen) -> None:
    assert seen.rebooted.state == "SUCCESS"
    assert 'init: shutdown.started by="a program that asked PID 1"' in seen.console
    assert "init: shutdown.done" in seen.console
