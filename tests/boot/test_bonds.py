"""Machines whose two NICs are a bond.

One in a VLAN, with a DHCP server that names an MTU of 1400, and a switch that speaks LACP: a cable
is pulled. And one with an address of the command line, whose metadata asks for the bond.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from sandbox.dnsmasq import dhcp
from sandbox.hardware import Nic
from sandbox.lacp import SYSTEM, partner
from sandbox.objects import MachineIdentity
from sandbox.trunk import TRUNK_BRIDGE, VLAN, VLAN_DEVICE, VLAN_ROUTER, VLAN_SUBNET, trunk
from sandbox.waiting import wait_for
from tests.boot.in_service import in_service
from tests.boot.machines import Lab, booted, measure

if TYPE_CHECKING:
    from sandbox.workflow import Status

IDENTITY = MachineIdentity("bond", "52:54:00:00:01:1a", "172.30.0.126", "172.30.0.1")
OTHER = "52:54:00:00:02:1a"
NICS = (Nic(OTHER, TRUNK_BRIDGE), Nic(IDENTITY.mac, TRUNK_BRIDGE))
BOND = f"bond0:{OTHER.replace(':', '-')},{IDENTITY.mac.replace(':', '-')}:lacp_rate=fast"
MTU = 1400
WORKFLOW_SECONDS = 600.0  # a tenth of that on an idle machine
JOINED_SECONDS = 60.0
IP = "/usr/bin/ip"  # of the service: busybox's shows no MTU

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Seen:
    with_both: Status
    with_one: Status
    console: str
    bond: str
    without_cable: str
    links: str
    routes: str


def observe(lab: Lab) -> Seen:
    """Boot the machine, pull a cable, and return what came of it."""
    network, words = lab.sandbox.network, f"bond={BOND} vlan_id={VLAN}"
    with (
        trunk(lab.folder, network),
        dhcp(lab.folder, network, VLAN_DEVICE, VLAN_SUBNET, f"--dhcp-option=26,{MTU}"),
        booted(lab, IDENTITY, words=words, nics=NICS) as box,
        partner(lab.folder, network, (IDENTITY.name, f"{IDENTITY.name}1")),
        box.monitor() as monitor,
        box.shell() as shell,
    ):
        with_both = measure(lab.sandbox, box, "with-both", WORKFLOW_SECONDS)
        bond = shell.run("cat /proc/net/bonding/bond0")
        links, routes = (
            shell.run(in_service("dhcp", f"{IP} {what}")) for what in ("link", "route")
        )
        monitor.set_link("net1", up=False)
        look = "cat /proc/net/bonding/bond0"
        wait_for(
            "the loss of a cable", lambda: "ports: 1" in shell.run(look), seconds=JOINED_SECONDS
        )
        with_one = measure(lab.sandbox, box, "with-one", WORKFLOW_SECONDS)
        without_cable = shell.run(look)
        console = box.console.log.read_text(errors="replace")
    return Seen(with_both, with_one, console, bond, without_cable, links, routes)


def test_both_nics_are_ports_of_one_aggregate(seen: Seen) -> None:
    assert "IEEE 802.3ad Dynamic link aggregation" in seen.bond
    assert "LACP rate: fast" in seen.bond
    assert "Number of ports: 2" in seen.bond
    assert f"Partner Mac Address: {SYSTEM}" in seen.bond
    assert "bond.failed" not in seen.console


def test_the_bond_has_the_address_of_the_nic_that_booted(seen: Seen) -> None:
    (line,) = [line for line in seen.links.splitlines() if f"vlan{VLAN}@" in line]
    assert f"vlan{VLAN}@bond0" in line
    assert seen.links.count(f"link/ether {IDENTITY.mac}") == 4  # NICs, bond and VLAN


def test_a_workflow_succeeds_and_another_one_after_the_loss_of_a_cable(seen: Seen) -> None:
    assert seen.with_both.state == seen.with_one.state == "SUCCESS"
    assert "Number of ports: 1" in seen.without_cable
    assert f"address.bound interface=vlan{VLAN} address={VLAN_SUBNET}." in seen.console
    assert "link.down interface=bond0" not in seen.console


def test_the_routes_have_the_mtu_of_the_lease(seen: Seen) -> None:
    ours = [line for line in seen.routes.splitlines() if " metric 10 " in f"{line} "]
    assert f"default via {VLAN_ROUTER} dev vlan{VLAN}" in ours[0]
    assert all(f"mtu {MTU}" in line for line in ours)


RECORDED = MachineIdentity("recorded", "52:54:00:00:01:1b", "172.30.0.127", "172.30.0.1")
THIRD = "52:54:00:00:02:1d"
FOUND_SECONDS = 300.0
ACTIVE_BACKUP = 1


def test_a_bond_of_the_metadata_is_made_and_takes_the_address_of_its_nic(lab: Lab) -> None:
    nics = [{"dhcp": {"mac": mac}} for mac in (THIRD, RECORDED.mac)]
    record = {"metadata": {"bonding_mode": ACTIVE_BACKUP}, "network": {"interfaces": nics}}
    answer = lab.folder / "metadata"
    answer.write_text(json.dumps({"id": RECORDED.mac, **record}))
    ipam = f"{RECORDED.mac.replace(':', '-')}::{RECORDED.address}:24:{RECORDED.gateway}"
    words = f"metadata_url={lab.sandbox.files.publish(answer)} ipam={ipam}"
    with (
        booted(lab, RECORDED, words=words, nics=(Nic(THIRD), Nic(RECORDED.mac))) as box,
        box.shell() as shell,
    ):
        bound = f"address={RECORDED.address} router={RECORDED.gateway}"
        for event in (
            f"dhcp: address.bound interface=eth1 {bound}",
            "dhcp: bond.found",
            f"dhcp: address.bound interface=bond0 {bound}",
        ):
            wait_for(event, lambda event=event: box.console.poll_for(event), seconds=FOUND_SECONDS)  # type: ignore[misc]
        status = measure(lab.sandbox, box, "recorded", WORKFLOW_SECONDS)
        assert status.state == "SUCCESS"
        bond = shell.run("cat /proc/net/bonding/bond0")
        assert "fault-tolerance (active-backup)" in bond
        assert bond.count("MII Status: up") == 3  # the bond and both NICs
        assert shell.run("cat /run/dhcpcd/chosen") == "bond0"
        assert not box.console.find("bond.failed")
