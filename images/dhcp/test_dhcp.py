"""dhcp under busybox: what starts dhcpcd, and that the interpreter takes the script's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fakes.script_root import ScriptRoot

DHCP = "/usr/lib/tinkie/dhcp"
NETWORK = "python3 -I -m network --console /run/init/console"
DHCPCD = "dhcpcd --nobackground -f /etc/dhcpcd.conf"


@pytest.fixture
def machine(root: ScriptRoot) -> ScriptRoot:
    root.install("dhcp/dhcp", DHCP)
    root.stub("dhcpcd", "echo $$ >/dhcpcd.pid")
    root.stub("python3", "until [ -s /dhcpcd.pid ] || grep -q = /proc/cmdline; do :; done")
    return root


def test_dhcpcd_starts_before_the_interpreter_which_gets_its_pid(machine: ScriptRoot) -> None:
    machine.write("/proc/cmdline", "quiet\n")
    machine.run(DHCP)
    pid = machine.read("/dhcpcd.pid").strip()
    assert sorted(machine.calls) == [DHCPCD, f"{NETWORK} --dhcpcd {pid}"]


@pytest.mark.parametrize("parameter", ["ipam=x", "quiet vlan_id=30", '"ipam=x"', "bond=x"])
def test_with_a_link_or_an_address_to_make_dhcpcd_waits_for_it(
    machine: ScriptRoot, parameter: str
) -> None:
    machine.write("/proc/cmdline", f"{parameter}\n")
    machine.run(DHCP)
    assert machine.calls == [NETWORK]


def test_a_bond_of_the_metadata_is_a_link_to_make(machine: ScriptRoot) -> None:
    machine.write("/proc/cmdline", "x=y\n")
    machine.write("/run/tinkie/bootkit/bond", "bond0:eth0\n")
    machine.run(DHCP)
    assert machine.calls == [NETWORK]


def test_the_end_of_the_interpreter_is_that_of_the_service(machine: ScriptRoot) -> None:
    machine.write("/proc/cmdline", "ipam=x\n")
    machine.stub("python3", "exit 1")
    assert machine.run(DHCP).returncode == 1
