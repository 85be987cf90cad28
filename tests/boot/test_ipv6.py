"""A machine that has nothing but IPv6, and reaches all of Tinkerbell by bracketed addresses.

Tinkerbell has no record of its NIC, so the command line names a NIC that the machine does not have.
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
from tests.boot import ipv6_addresses
from tests.boot.machines import Lab, booted, measure
from tests.matrix.packets import syslog

if TYPE_CHECKING:
    from sandbox.workflow import Status

IDENTITY = MachineIdentity("ipv6", "52:54:00:00:01:06", "172.30.0.106", "172.30.0.1")
NIC = Nic("52:54:00:00:02:16")
SYSLOG_BYTES = 65536
MISSING_SECONDS = 180.0
PANIC_SECONDS = 180.0
WORKFLOW_SECONDS = 600.0  # a tenth of that on an idle machine

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Seen:
    status: Status
    console: str
    addresses: str
    resolver: str
    readers: str
    syslog: bytes


def observe(lab: Lab) -> Seen:
    """Boot the machine, let its kernel panic in the end, and return what came of it."""
    sandbox, words = lab.sandbox, ipv6_addresses.parameters(lab.sandbox)
    with ExitStack() as stack:
        stack.enter_context(ipv6(lab.folder, sandbox.network))
        stack.enter_context(ipv6_addresses.joined(sandbox))
        port = stack.enter_context(syslog(sandbox.network, ADDRESS6, 1))
        box = stack.enter_context(booted(lab, IDENTITY, words=words, nics=(NIC,)))
        status = measure(sandbox, box, "ipv6", WORKFLOW_SECONDS, registry=ipv6_addresses.HOST)
        wait_for(
            "nic.missing", lambda: box.console.poll_for("nic.missing"), seconds=MISSING_SECONDS
        )
        with box.shell() as shell:
            addresses = shell.run("ip -o address show dev eth0 scope global")
            resolver = shell.run("cat /run/resolvconf/resolv.conf")
            readers = shell.run(r"ps -o user,args | grep 'dhcpcd: \[\(manager\|network\)'")
            shell.run("(sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &")
            wait_for("the end of the panic", box.is_off, seconds=PANIC_SECONDS)
        console = box.console.log.read_text(errors="replace")
        return Seen(status, console, addresses, resolver, readers, port.recv(SYSLOG_BYTES))


def test_machine_with_ipv6_only_works(seen: Seen) -> None:
    assert seen.status.state == "SUCCESS"
    assert " inet " not in seen.addresses
    assert f"host.reached host={ADDRESS6} interface=eth0" in seen.console


def test_address_and_name_server_are_those_that_the_router_advertised(seen: Seen) -> None:
    assert f"dhcp: address.bound interface=eth0 address={SUBNET6}" in seen.console
    assert f"nameserver {ADDRESS6}" in seen.resolver.splitlines()


def test_log_goes_to_a_bracketed_address(seen: Seen) -> None:
    assert seen.syslog.startswith(b"<")


def test_programs_that_read_from_the_network_are_unprivileged(seen: Seen) -> None:
    assert "dhcpcd: [manager]" in seen.readers
    assert "root" not in seen.readers


def test_a_nic_that_the_machine_does_not_have_is_reported(seen: Seen) -> None:
    assert f"dhcp: nic.missing nic={IDENTITY.mac}" in seen.console


def test_a_kernel_panic_is_on_the_console_and_the_machine_reboots(seen: Seen) -> None:
    _, panic = seen.console.split("Kernel panic - not syncing: sysrq triggered crash", 1)
    assert "shutdown.started" not in panic
