"""A machine that has nothing but IPv6, and finds all that is Tinkerbell by bracketed addresses.

Its network card is none that Tinkerbell knows. So the command line names a card that it has not.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from sandbox.dnsmasq import ipv6
from sandbox.hardware import Nic
from sandbox.network import ADDRESS6, SUBNET6
from sandbox.objects import MachineIdentity
from sandbox.waiting import wait_for
from tests.boot import addresses6
from tests.boot.machines import booted, measure
from tests.engine.matrix.packets import syslog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.accelerator import Accelerator
    from sandbox.workflow import Status
    from sandbox.world import World

IDENTITY = MachineIdentity("ipv6", "52:54:00:00:01:06", "172.30.0.106", "172.30.0.1")
CARD = Nic("52:54:00:00:02:16")
SYSLOG_BYTES = 65536
MISSING_SECONDS = 180.0
PANIC_SECONDS = 180.0
WORKFLOW_SECONDS = 600.0  # a tenth of that on an idle machine


@dataclass(frozen=True)
class Seen:
    status: Status
    console: str
    addresses: str
    resolver: str
    readers: str
    syslog: bytes


@pytest.fixture(scope="module")
def seen(
    here: World, accelerator: Accelerator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("ipv6")
    with ExitStack() as stack:
        stack.enter_context(ipv6(folder, here.network))
        stack.enter_context(addresses6.joined(here))
        port = stack.enter_context(syslog(here.network, ADDRESS6, 1))
        box = stack.enter_context(
            booted(here, accelerator, folder, IDENTITY, words=addresses6.words(here), nics=(CARD,))
        )
        status = measure(here, box, "ipv6", WORKFLOW_SECONDS, registry=addresses6.HOST)
        wait_for("card.missing", lambda: box.console.poll_for("card.m"), seconds=MISSING_SECONDS)
        with box.shell() as shell:
            addresses = shell.run("ip -o address show dev eth0 scope global")
            resolver = shell.run("cat /run/resolvconf/resolv.conf")
            readers = shell.run(r"ps -o user,args | grep 'dhcpcd: \[\(manager\|network\)'")
            shell.run("(sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &")
            wait_for("the end of the panic", box.is_off, seconds=PANIC_SECONDS)
        console = box.console.log.read_text(errors="replace")
        yield Seen(status, console, addresses, resolver, readers, port.recv(SYSLOG_BYTES))


def test_machine_with_ipv6_only_works(seen: Seen) -> None:
    assert seen.status.state == "SUCCESS"
    assert " inet " not in seen.addresses
    assert f"host.reached host={ADDRESS6} interface=eth0" in seen.console


def test_address_and_name_server_are_what_the_router_advertised(seen: Seen) -> None:
    assert f"dhcp: address.bound interface=eth0 address={SUBNET6}" in seen.console
    assert f"nameserver {ADDRESS6}" in seen.resolver.splitlines()


def test_log_goes_to_a_bracketed_address(seen: Seen) -> None:
    assert seen.syslog.startswith(b"<")


def test_what_reads_from_the_network_has_no_rights(seen: Seen) -> None:
    assert "dhcpcd: [manager]" in seen.readers
    assert "root" not in seen.readers


def test_card_that_the_machine_has_not_is_told(seen: Seen) -> None:
    assert f"dhcp: card.missing card={IDENTITY.mac}" in seen.console


def test_kernel_that_panics_says_so_and_boots_again(seen: Seen) -> None:
    _, panic = seen.console.split("Kernel panic - not syncing: sysrq triggered crash", 1)
    assert "shutdown.started" not in panic
