"""Networks of machines that plain DHCP does not serve: a VLAN with DHCP, and static IPv6."""

from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.accelerator import Accelerator
from sandbox.dnsmasq import dhcp
from sandbox.hardware import Nic
from sandbox.network import ADDRESS6, SUBNET6
from sandbox.objects import MachineIdentity
from sandbox.trunk import TRUNK_BRIDGE, VLAN, VLAN_DEVICE, VLAN_SUBNET, trunk
from sandbox.waiting import wait_for
from sandbox.world import World
from tests.boot import addresses6
from tests.boot.machines import booted, measure
from tests.compat.cds import WORKFLOW_SECONDS

TAGGED = {
    "eth0": MachineIdentity("tagged0", "52:54:00:00:01:0b", "172.30.0.111", "172.30.0.1"),
    "eth1": MachineIdentity("tagged1", "52:54:00:00:01:12", "172.30.0.118", "172.30.0.1"),
}
STATIC6 = MachineIdentity("static6", "52:54:00:00:01:0c", "172.30.0.112", "172.30.0.1")
TOLD_SECONDS = 300.0
OTHER_CARD = Nic("52:54:00:00:02:1b")
CARD6 = "52:54:00:00:02:1c"  # of no machine that Tinkerbell knows


@pytest.mark.parametrize(("words", "card"), [("", "eth0"), ("interface=eth1", "eth1")])
def test_vlan_id_with_hw_addr_or_interface(
    here: World, accelerator: Accelerator, tmp_path: Path, words: str, card: str
) -> None:
    identity = TAGGED[card]
    words, nics = (
        f"vlan_id={VLAN} {words}",
        (Nic(identity.mac, TRUNK_BRIDGE), replace(OTHER_CARD, bridge=TRUNK_BRIDGE)),
    )
    with (
        trunk(tmp_path, here.network),
        dhcp(tmp_path, here.network, VLAN_DEVICE, VLAN_SUBNET),
        booted(here, accelerator, tmp_path, identity, words=words, nics=nics) as box,
        box.shell() as shell,
    ):
        assert measure(here, box, identity.name, WORKFLOW_SECONDS).state == "SUCCESS"
        assert box.console.find(f"address.bound interface=vlan{VLAN} address={VLAN_SUBNET}.")
        assert f"vlan{VLAN}@{card}" in shell.run("ip link")


def test_static_ipv6_of_a_card_that_comes_late(
    here: World, accelerator: Accelerator, tmp_path: Path
) -> None:
    here.network.add_address(ADDRESS6)
    ipam = f"ipam={CARD6.replace(':', '-')}::[{SUBNET6}50]:64:[{ADDRESS6}]::[{ADDRESS6}]"
    words = f"{addresses6.words(here)} {ipam}"
    with (
        addresses6.joined(here),
        booted(here, accelerator, tmp_path, STATIC6, words=words, nics=(OTHER_CARD,)) as box,
        box.shell() as shell,
        box.monitor() as monitor,
    ):
        told = f"dhcp: card.missing card={CARD6}"
        wait_for(told, lambda: box.console.poll_for(told), seconds=TOLD_SECONDS)
        here.network.add_tap("late")
        monitor.plug_nic("late", CARD6)
        status = measure(here, box, "static6", WORKFLOW_SECONDS, registry=addresses6.HOST)
        assert status.state == "SUCCESS"
        assert box.console.find("dhcp: card.found")
        assert f"default via {ADDRESS6} dev eth1" in shell.run("ip -6 route")
        assert shell.run("cat /run/resolvconf/resolv.conf") == f"nameserver {ADDRESS6}"
