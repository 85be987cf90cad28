"""What the command line gives a NIC: what is missing is done, and nothing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from network.kernel import read_routes
from network.nics import Nic
from network.parameters import NetworkPlan
from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.table import read_parameters

if TYPE_CHECKING:
    from network.static import StaticPlan

MAC = "52:54:00:ab:00:01"
IPAM = "ipam=52-54-00-ab-00-01"
NO_ROUTES: dict[str, Any] = {"-4": [], "-6": []}
NIC = Nic("eth0", (MAC,), has_link=True, is_device=True)


def plan(line: str) -> StaticPlan:
    return NetworkPlan.from_parameters(read_parameters(Cmdline.parse(line))).static


def commands(line: str, *nics: Nic, routes: str = "", family: str = "-4") -> list[str]:
    tables = NO_ROUTES | {family: read_routes(routes)}
    return [" ".join(words) for words in plan(line).address_commands(nics, tables)]


def test_a_gateway_outside_of_the_prefix_is_on_the_link() -> None:
    assert commands(f"{IPAM}::[fd55::5]:64:[fd99::1]:", NIC) == [
        "link set eth0 up",
        "-6 address replace fd55::5/64 dev eth0 metric 1000 nodad",
        "-6 route replace default via fd99::1 dev eth0 onlink proto static metric 1000",
    ]
    assert commands(f"{IPAM}::10.0.0.5:32:10.9.9.1", NIC)[1:] == [
        "-4 address replace 10.0.0.5/32 dev eth0 metric 1000",
        "-4 route replace default via 10.9.9.1 dev eth0 onlink proto static metric 1000",
    ]


@pytest.mark.parametrize(
    ("line", "address", "route", "family"),
    [
        ("::10.0.0.5:24:10.9.9.1", "10.0.0.5/24", "10.9.9.1", "-4"),
        ("::[fd55:0::5]:64:[fd99:0::1]", "fd55::5/64", "fd99::1", "-6"),
        ("::[::a00:5]:64:[fd99:0::1]", "::10.0.0.5/64", "fd99::1", "-6"),
    ],
)
def test_what_is_there_is_left_alone(line: str, address: str, route: str, family: str) -> None:
    nic = Nic("eth0", (MAC,), has_link=True, addresses=(address,))
    table = f"default via {route} dev eth0 proto static metric 1000 onlink"
    assert commands(f"{IPAM}{line}", nic, routes=table, family=family) == []
    other = table.replace("static", "dhcp")
    assert len(commands(f"{IPAM}{line}", nic, routes=other, family=family)) == 1


def test_without_a_gateway_there_is_no_route() -> None:
    assert len(commands(f"{IPAM}::10.0.0.5:24", NIC)) == 2


def test_routes_are_added_to_the_default_one() -> None:
    line = f"{IPAM}::10.0.0.5:24:10.0.0.1::::::10.1.0.0/16@10.0.0.9,10.2.0.0/16,10.3.3.3@10.0.0.9"
    nic = Nic("eth0", (MAC,), has_link=True, addresses=("10.0.0.5/24",))
    missing = commands(line, nic)
    assert missing == [
        "-4 route replace default via 10.0.0.1 dev eth0 onlink proto static metric 1000",
        "-4 route replace 10.1.0.0/16 via 10.0.0.9 dev eth0 onlink proto static metric 1000",
        "-4 route replace 10.2.0.0/16 dev eth0 proto static metric 1000",
        "-4 route replace 10.3.3.3/32 via 10.0.0.9 dev eth0 onlink proto static metric 1000",
    ]
    table = "\n".join(one.removeprefix("-4 route replace ") for one in missing)
    table = table.replace("10.3.3.3/32", "10.3.3.3")  # as `ip` shows it
    assert commands(line, nic, routes=table) == []
    assert commands(line, nic, routes=table.replace("10.0.0.1 ", "10.0.0.2 ")) == missing[:1]
    assert commands(line, nic, routes=table.replace("10.1.0.0", "10.4.0.0")) == missing[1:2]
    assert commands(line, nic, routes=table.replace("eth0", "eth1")) == missing


def test_an_address_that_dhcp_gave_it_before_is_removed() -> None:
    leased = Nic("eth0", (MAC,), addresses=("10.0.0.5/24",), leased=("10.1.1.1/24",))
    assert commands(f"{IPAM}::10.0.0.5:24", leased) == ["-4 address flush dev eth0 dynamic"]
    six = Nic("eth0", (MAC,), addresses=("fd00::5/64",), leased=("10.1.1.1/24",))
    assert commands(f"{IPAM}::[fd00::5]:64", six) == []
    both = Nic("eth0", (MAC,), addresses=("fd00::5/64",), leased=("10.1.1.1/24", "fd01::9/64"))
    assert commands(f"{IPAM}::[fd00::5]:64", both) == []


def test_the_vlan_has_the_address_and_the_nic_has_none() -> None:
    line = f"{IPAM}:30:10.0.0.5:24"
    vlan = Nic("vlan30", (MAC,), has_link=True)
    (step,) = plan(line).vlan_steps([NIC])
    assert [" ".join(words) for words in step.commands] == [
        "link set eth0 up",
        "link add link eth0 name vlan30 type vlan id 30",
        "link set vlan30 up",
    ]
    assert plan(line).vlan_steps([NIC, vlan]) == []
    assert plan(line).vlan_steps([vlan]) == []
    assert commands(line, NIC) == []
    assert "dev vlan30" in commands(line, vlan, NIC)[1]
    assert plan(line).involved([vlan, NIC]) == {"eth0", "vlan30"}


@pytest.mark.parametrize("line", ["", "interface=eth0", f"{IPAM}::10.0.0.5:24"])
def test_without_the_nic_nothing_is_done(line: str) -> None:
    assert plan(line).bond_steps([]) == plan(line).vlan_steps([]) == []
    assert commands(line) == []
    assert plan(line).leases([]) == []
    assert plan(line).involved([]) == set()


def test_the_lease_has_all_that_the_command_line_gives() -> None:
    line = f"{IPAM}::[fd55::5]:64:[fd55::1]:name:[fd55::53],1.1.1.1:a.b,c.d:[fd55::123],ntp.b"
    (lease,) = plan(line).leases([NIC])
    assert (lease.interface, lease.protocol, lease.address) == ("eth0", "static", "fd55::5")
    assert (lease.hostname, lease.search) == ("name", ("a.b", "c.d"))
    assert lease.name_servers == ("fd55::53", "1.1.1.1")
    assert lease.time_servers == ("fd55::123", "ntp.b")


@pytest.mark.parametrize(
    ("line", "nics", "more"),
    [
        (f"{IPAM}::10.0.0.5:24", [NIC], "interface eth0\nnoipv4\n"),
        (f"{IPAM}::[fd55::5]:64", [NIC], "interface eth0\nnoipv6\n"),
        (f"{IPAM}:30:[fd55::5]:64", [], "interface vlan30\nnoipv6\n"),
        (f"{IPAM}::10.0.0.5:24", [], ""),
        ("vlan_id=30 interface=eth0", [NIC], ""),
    ],
)
def test_dhcpcd_leaves_that_family_alone(line: str, nics: list[Nic], more: str) -> None:
    assert plan(line).configuration("nodelay\n", nics) == f"nodelay\n{more}"


def test_a_route_by_a_gateway_of_the_other_family_is_another_one() -> None:
    there = "default via inet6 fe80::1 dev eth0 proto static scope global metric 1000"
    nic = Nic("eth0", (MAC,), is_device=True, addresses=("10.0.0.5/24",))
    (command,) = commands(f"{IPAM}::10.0.0.5:24:10.0.0.1", nic, routes=there)
    assert "via 10.0.0.1" in command
