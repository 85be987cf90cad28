"""Networks of machines that plain DHCP does not serve: a VLAN with DHCP, and static IPv6."""

from dataclasses import replace

import pytest

from sandbox.dnsmasq import dhcp
from sandbox.hardware import Nic
from sandbox.network import ADDRESS6, SUBNET6
from sandbox.objects import MachineIdentity
from sandbox.trunk import TRUNK_BRIDGE, VLAN, VLAN_DEVICE, VLAN_SUBNET, trunk
from sandbox.waiting import wait_for
from tests.boot import ipv6_addresses
from tests.boot.machines import Lab, booted, measure
from tests.compat.cd_boot import WORKFLOW_SECONDS

TAGGED = {
    "eth0": MachineIdentity("tagged0", "52:54:00:00:01:0b", "172.30.0.111", "172.30.0.1"),
    "eth1": MachineIdentity("tagged1", "52:54:00:00:01:12", "172.30.0.118", "172.30.0.1"),
}
STATIC6 = MachineIdentity("static6", "52:54:00:00:01:0c", "172.30.0.112", "172.30.0.1")
REPORTED_SECONDS = 300.0
OTHER_NIC = Nic("52:54:00:00:02:1b")
GATEWAY6 = "fd99::1"  # not in the NIC's network
NIC6 = "52:54:00:00:02:1c"  # Tinkerbell has no record of it


@pytest.mark.parametrize(("words", "nic"), [("", "eth0"), ("interface=eth1", "eth1")])
def test_vlan_id_with_hw_addr_or_interface(lab: Lab, words: str, nic: str) -> None:
    identity = TAGGED[nic]
    words, nics = (
        f"vlan_id={VLAN} {words}",
        (Nic(identity.mac, TRUNK_BRIDGE), replace(OTHER_NIC, bridge=TRUNK_BRIDGE)),
    )
    with (
        trunk(lab.folder, lab.sandbox.network),
        dhcp(lab.folder, lab.sandbox.network, VLAN_DEVICE, VLAN_SUBNET),
        booted(lab, identity, words=words, nics=nics) as box,
        box.shell() as shell,
    ):
        assert measure(lab.sandbox, box, identity.name, WORKFLOW_SECONDS).state == "SUCCESS"
        assert box.console.find(f"address.bound interface=vlan{VLAN} address={VLAN_SUBNET}.")
        assert f"vlan{VLAN}@{nic}" in shell.run("ip link")


def test_static_ipv6_of_a_nic_that_is_plugged_in_late(lab: Lab) -> None:
    sandbox = lab.sandbox
    sandbox.network.add_address(ADDRESS6)
    sandbox.network.add_address(GATEWAY6)
    ipam = f"ipam={NIC6.replace(':', '-')}::[{SUBNET6}50]:64:[{GATEWAY6}]::[{ADDRESS6}]"
    words = f"{ipv6_addresses.parameters(sandbox)} {ipam}"
    with (
        ipv6_addresses.joined(sandbox),
        booted(lab, STATIC6, words=words, nics=(OTHER_NIC,)) as box,
        box.shell() as shell,
        box.monitor() as monitor,
    ):
        missing = f"dhcp: nic.missing nic={NIC6}"
        wait_for(missing, lambda: box.console.poll_for(missing), seconds=REPORTED_SECONDS)
        sandbox.network.add_tap("late")
        monitor.plug_nic("late", NIC6)
        status = measure(
            lab.sandbox, box, "static6", WORKFLOW_SECONDS, registry=ipv6_addresses.HOST
        )
        assert status.state == "SUCCESS"
        assert box.console.find("dhcp: nic.found")
        assert box.console.find(f"address={SUBNET6}50 router={GATEWAY6}")
        assert f"default via {GATEWAY6} dev eth1" in shell.run("ip -6 route")
        assert "1 packets received" in shell.run(f"ping -6 -c 1 {GATEWAY6}")
        assert shell.run("cat /run/resolvconf/resolv.conf") == f"nameserver {ADDRESS6}"
