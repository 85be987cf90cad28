"""A network without DHCP: a VLAN, and all addresses on the command line."""

import pytest

from sandbox.trunk import VLAN, VLAN_ROUTER
from tests.boot.static_machine import ADDRESS
from tests.boot.static_machine import Seen as Static

pytestmark = pytest.mark.long


def test_a_workflow_succeeds_without_dhcp(static: Static) -> None:
    assert static.status.state == "SUCCESS"
    bound = f"dhcp: address.bound interface=vlan{VLAN} address={ADDRESS} router={VLAN_ROUTER}"
    assert bound in static.console


def test_names_and_time_servers_come_from_the_command_line_as_well(static: Static) -> None:
    assert static.hostname == "static.example.com"
    search, *servers = static.resolver.splitlines()
    assert search == "search example.com team.example.com"
    assert servers == [f"nameserver {VLAN_ROUTER}", "nameserver 1.1.1.1"]
    assert f"server {VLAN_ROUTER} iburst" in static.clock
    assert "server ntp.example.com iburst" in static.clock
