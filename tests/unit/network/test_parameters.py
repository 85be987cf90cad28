"""What the command line says of the network."""

from __future__ import annotations

import pytest
from hypothesis import given

from network.parameters import NetworkPlan, network_problems
from tests.strategies import LINES
from tinkie.parameters.bond import Bond
from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.table import read_parameters

MAC = "52:54:00:ab:00:01"
IPAM = "ipam=52-54-00-ab-00-01"


def made(line: str) -> NetworkPlan:
    return NetworkPlan.from_parameters(read_parameters(Cmdline.parse(line)))


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("", []),
        ("interface=eno1", ["eno1"]),
        ("interface=eth0.30", ["eth0.30"]),
        ("hw_addr=52:54:00:AB:00:01", [MAC]),
        ("BOOTIF=01-52-54-00-ab-00-01", [MAC]),
        (
            "worker_id=52:54:00:00:00:02 BOOTIF=01-52-54-00-00-00-01 hw_addr=52-54-00-00-00-01",
            ["52:54:00:00:00:01", "52:54:00:00:00:02"],
        ),
        ("hw_addr=52:54:00:ab:00:01 interface=eno1", ["eno1", MAC]),
        ("hw_addr=52:54:00:ab:00:01 vlan_id=30", ["vlan30", MAC]),
        ("hw_addr=52:54:00:ab:00:01 vlan_id=0", [MAC]),
        (f"{IPAM}::10.0.0.5:8 interface=eno1", [MAC, "eno1"]),
        (f"{IPAM}:30:10.0.0.5:8 vlan_id=7", ["vlan30"]),
        (f"{IPAM}::10.0.0.5:8 vlan_id=7", ["vlan7"]),
        ("worker_id=9f1c hw_addr= BOOTIF=x", []),
        ("vlan_id=30", []),
        ("bond=bond0:eth0,eth1 interface=eth1", ["bond0", "eth1"]),
        ("bond=bond0:eth0,eth1 vlan_id=30 interface=eth1", ["vlan30", "bond0", "eth1"]),
        ("bond=bond0:eth0,eth1 vlan_id=30", ["vlan30", "bond0"]),
        (f"bond=bond0:eth0 {IPAM}::10.0.0.5:8", [MAC, "bond0"]),
    ],
)
def test_which_nics_are_preferred(line: str, wanted: list[str]) -> None:
    assert list(made(line).wanted) == wanted


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (f"{IPAM}:30:10.0.0.5:8 interface=eno1", (MAC, "eno1")),
        (f"{IPAM}::10.0.0.5:8", (MAC,)),
        ("hw_addr=52:54:00:ab:00:01 interface=eno1 vlan_id=30", ("eno1", MAC)),
        ("bond=bond0:eth0,eth1 vlan_id=30 interface=eth1", ("eth1", "eth0")),
        ("", ()),
    ],
)
def test_which_nics_the_machine_must_have(line: str, named: tuple[str, ...]) -> None:
    assert made(line).named == named


def test_the_plan_of_a_vlan_and_of_an_address() -> None:
    static = made("hw_addr=52:54:00:ab:00:01 vlan_id=30").static
    assert (static.nic, static.vlan, static.address) == (MAC, 30, None)
    static = made(f"{IPAM}::10.0.0.5:8").static
    assert (static.nic, static.vlan) == (MAC, 0)
    assert static.address is not None


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("grpc_authority=10.0.0.1:42113 tinkerbell=b", "10.0.0.1:42113"),
        ("grpc_authority=[fd00::1]:42113", "[fd00::1]:42113"),
        ("metadata_url=http://tink.example/x tinkerbell=b", "tink.example:80"),
        ("metadata_url=https://tink.example", "tink.example:443"),
        ("tinkerbell=http://10.0.0.1", "10.0.0.1:80"),
        ("grpc_authority=10.0.0.1:65536 tinkerbell=tink.example", "tink.example:80"),
        ("grpc_authority=tink.example tinkerbell=b", "tink.example:42113"),
        ("grpc_authority=fd00::1", "None"),
        ("grpc_authority=-e:1", "None"),
        ("tinkerbell=http://", "None"),
        ("syslog_host=10.0.0.1", "None"),
    ],
)
def test_a_nic_must_reach_the_workers_server(line: str, host: str) -> None:
    assert str(made(line).host) == host


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("interface=../x", "interface: not a name"),
        ("interface=eth0,eth1", "interface: not a name"),
        ("interface=0123456789abcdef", "interface: not a name"),
        ("vlan_id=30", "vlan_id: no NIC is named for it"),
        ("hw_addr=52:54:00:ab:00:01 vlan_id=4095", "vlan_id: not a VLAN"),
        ("hw_addr=52:54:00:ab:00:01 vlan_id=eth0", "vlan_id: not a VLAN"),
        ("ipam=x::10.0.0.5:8", "ipam: its MAC"),
        (f"{IPAM}:x:10.0.0.5:8", "ipam: not a VLAN"),
        (IPAM, "ipam: its address"),
        ("ipam=52:54:00:ab:00:01::10.0.0.5:8", "ipam: its MAC"),
        (f"{IPAM}::10.0.0.5:8:::::::::", "ipam: more than 11 parts"),
        (f"{IPAM}::10.0.0.5:8::::::575", "ipam: its MTU: not an MTU from 576"),
        (f"{IPAM}::10.0.0.5:8::::::x", "ipam: its MTU"),
        (f"{IPAM}::10.0.0.5:8:::::::10.1.0.1/16", "ipam: one of its routes is not"),
        (f"{IPAM}::10.0.0.5:8:::::::10.1.0.0@10.0.0.1@", "ipam: its routes' gateway"),
        (f"{IPAM}::10.0.0.5:8:::::::[fd00::]/8", "ipam: its routes and its address"),
        (f"{IPAM}::10.0.0.5:8:::::::10.1.0.0/16@[fd00::1]", "ipam: its routes' gateway and"),
        (f"{IPAM}::10.0.0.5", "ipam: its netmask"),
        (f"{IPAM}::10.0.0.5:33", "ipam: its netmask"),
        (f"{IPAM}::10.0.0.5:0.0.0.255", "ipam: its netmask"),
        (f"{IPAM}::10.0.0.5:[ffff::]", "ipam: its netmask"),
        (f"{IPAM}::10.0.0.5:8:[fd00::1]", "ipam: its gateway and its address"),
        (f"{IPAM}::10.0.0.5:8:10.0.0.1:$(x)", "ipam: its host name"),
        (f"{IPAM}::10.0.0.5:8:10.0.0.1::name.example", "ipam: its DNS"),
        (f"{IPAM}::10.0.0.5:8::::a;b", "ipam: its search"),
        (f"{IPAM}::[fe80::1%eth0]:64", "ipam: its address"),
        (f'"{IPAM}::[fe80::1%x\nvlan 9]:64"', "ipam: its address"),
        (f"{IPAM}::[fd00::5]:64:[fe80::1%eth0]", "ipam: its gateway"),
        (f'"{IPAM}::10.0.0.5:8:::[fe80::1%a b]"', "ipam: its DNS"),
        (f'"{IPAM}::10.0.0.5:8:::::[fe80::1%$(x)]"', "ipam: its NTP"),
    ],
)
def test_what_makes_no_sense_is_reported_and_not_used(line: str, message: str) -> None:
    problems = network_problems(read_parameters(Cmdline.parse(line)))
    (text,) = [f"{name}: {why}" for name, why in problems.items()]
    assert text.startswith(message)
    assert made(line).static.address is None
    assert not made(line).static.vlan


@pytest.mark.parametrize(
    ("line", "unused"),
    [(f"{IPAM}::10.0.0.5:8 vlan_id=x", "ipam"), ("ipam=x vlan_id=7 interface=eth0", "vlan_id")],
)
def test_a_bad_one_of_both_parameters_leaves_neither(line: str, unused: str) -> None:
    (bad,) = {"ipam", "vlan_id"} - {unused}
    plan = made(f"{line} hw_addr=52:54:00:ab:00:02 bond=bond0:eth0")
    assert (plan.static.address, plan.static.vlan, plan.static.nic) == (None, 0, "")
    assert plan.static.bond is not None
    problems = network_problems(read_parameters(Cmdline.parse(line)))
    assert problems[unused] == f"not used without {bad}, which is bad"
    assert bad in problems


def test_a_bond_of_the_command_line_counts_and_otherwise_that_of_the_metadata() -> None:
    bond = Bond.of("bond9", ["eth8"])
    for line, name in (("", "bond9"), ("bond=", "bond9"), ("bond=bond0:eth0", "bond0")):
        plan = NetworkPlan.from_parameters(read_parameters(Cmdline.parse(line)), bond)
        assert plan.static.bond is not None
        assert plan.static.bond.name == name
    for line in ("bond=x", "bond=none"):
        parameters = read_parameters(Cmdline.parse(line))
        assert NetworkPlan.from_parameters(parameters, bond).static.bond is None
    assert network_problems(parameters) == {}


def test_bootkit_reports_what_it_reads_too() -> None:
    line = "hw_addr=x BOOTIF=y interface=/ grpc_authority=:"
    assert list(network_problems(read_parameters(Cmdline.parse(line)))) == ["interface"]


@given(LINES)
def test_any_command_line_gives_a_plan(line: str) -> None:
    plan = made(line)
    assert all(one.isascii() and one.isprintable() and " " not in one for one in plan.wanted)
    for why in network_problems(read_parameters(Cmdline.parse(line))).values():
        assert why.isprintable()
