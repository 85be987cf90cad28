"""What `ip` prints of NICs, and the order in which they are tried."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from network.kernel import read_nics
from network.nics import Nic, called, candidates
from tinkie.errors import TransientError

RECORDED = (Path(__file__).parent / "recorded/addresses.json").read_text()


def test_a_recorded_state_is_read() -> None:
    _, first, second = read_nics(RECORDED)
    assert first == Nic(
        "eth0",
        ("f2:43:e2:11:9d:b8",),
        has_link=True,
        is_up=True,
        kind="veth",
        mtu=1500,
        addresses=("10.55.0.15/24", "fd55::1a7/128", "fd55::f043:e2ff:fe11:9db8/64"),
        leased=("10.55.0.15/24", "fd55::1a7/128", "fd55::f043:e2ff:fe11:9db8/64"),
        index=2,
    )
    assert second.addresses == ("10.56.0.13/24",)
    assert first.versions == {4, 6}


def shown(**fields: object) -> Nic:
    (nic,) = read_nics(json.dumps([{"ifname": "eth0", **fields}]))
    return nic


def address(local: str, **more: object) -> dict[str, object]:
    return {"local": local, "prefixlen": 64, "scope": "global", **more}


def test_an_address_in_doubt_is_none_yet() -> None:
    doubtful = [address("fd00::1", tentative=True), address("fd00::2", dadfailed=True)]
    local = [address("fe80::1", scope="link"), address("127.0.0.1", scope="host")]
    assert shown(addr_info=[*doubtful, *local]).addresses == ()


def test_an_address_for_a_time_is_one_of_a_server() -> None:
    nic = shown(addr_info=[address("fd00::1", dynamic=True), address("fd00::2")])
    assert (nic.addresses, nic.leased) == (("fd00::1/64", "fd00::2/64"), ("fd00::1/64",))


def test_what_a_device_is_and_what_is_a_part_of_another_one() -> None:
    assert shown(parentbus="pci", parentdev="0000:00:03.0").is_device
    assert not shown(linkinfo={"info_kind": "vlan"}).is_device
    assert [shown(link=name).below for name in ("eth1", None)] == ["eth1", ""]
    assert not shown(master="bond0", parentdev="x").is_managed


@pytest.mark.parametrize("name", ["lo", "docker0", "br-1f", "veth12ab"])
def test_interfaces_of_the_engine_are_not_managed(name: str) -> None:
    assert not Nic(name).is_managed
    assert Nic("eth0").is_managed


def test_dhcpcd_leaves_the_same_interfaces_alone() -> None:
    text = (Path(__file__).parents[3] / "images/dhcp/dhcpcd.conf").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("denyinterfaces")]
    assert not any(Nic(name.replace("*", "0")).is_managed for name in line.split()[1:])


@pytest.mark.parametrize(
    "text", ["", "{}x", "[1]", '[{"a": 1}]', '[{"ifname": "a", "addr_info": [1]}]']
)
def test_nonsense_is_an_error_of_its_own(text: str) -> None:
    with pytest.raises(TransientError, match="unusable answer"):
        read_nics(text)


def test_interfaces_that_ip_shows_as_nothing_are_skipped() -> None:
    assert read_nics('[{}, {"ifname": "eth0"}]') == [Nic("eth0")]


@pytest.mark.parametrize("name", ["eth0", "52:54:00:AB:00:01", "52-54-00-ab-00-01", "525400ab0001"])
def test_a_nic_is_called_by_its_name_or_hardware_address(name: str) -> None:
    nic = shown(address="52:54:00:ab:00:01", permaddr="52:54:00:ab:00:09")
    assert nic.is_called(name)
    assert nic.is_called("52:54:00:ab:00:09")
    assert not nic.is_called("eth1")


def test_infiniband_has_twenty_octets_of_which_the_last_eight_are_the_ports() -> None:
    mac = "80:00:02:08:fe:80:00:00:00:00:00:00:f4:52:14:03:00:7b:cb:a1"
    by_firmware = "00:00:00:65" + mac[11:]
    for one in (mac, by_firmware):
        assert called([shown(address=mac)], "20-" + one.replace(":", "-"))
        assert not called([shown(address=mac)], one[:-1] + "2")
    assert not called([shown(address=mac[-17:])], mac)


def usable(name: str, address: str) -> Nic:
    return Nic(name, has_link=True, addresses=(address,))


def test_the_order_is_preferred_then_near_then_chosen_then_others() -> None:
    nics = [
        usable("eth0", "10.0.0.5/24"),
        usable("eth1", "10.0.1.5/24"),
        usable("eth2", "10.0.2.5/24"),
        usable("eth3", "10.0.3.5/24"),
        Nic("eth4", has_link=True),
        Nic("eth5", addresses=("10.0.5.5/24",)),
    ]
    ranked = candidates(nics, ["eth3", "eth4", "eth5", "none"], "10.0.2.1", "eth1")
    assert [nic.name for nic in ranked] == ["eth3", "eth2", "eth1", "eth0"]


@pytest.mark.parametrize("host", ["", "tink.example", "fd00::1"])
def test_a_host_in_no_network_changes_nothing(host: str) -> None:
    nics = [usable("eth0", "10.0.0.5/24"), usable("eth1", "10.0.1.5/24")]
    assert candidates(nics, [], host, "") == nics
