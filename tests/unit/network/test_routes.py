"""The chosen NIC's routes once more: all that they have stays, and nothing else changes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from network.kernel import read_routes
from network.leases import Lease
from network.policy import ROUTES_COPIED_MAXIMUM
from network.routes import METRIC, PROTOCOL, Route, changes, default_gateway, preferred
from network.view import View
from tinkie.errors import TransientError

RECORDED = Path(__file__).parent / "recorded"
IPV4 = (RECORDED / "routes-4.txt").read_text()
IPV6 = (RECORDED / "routes-6.txt").read_text()
ODD = (RECORDED / "routes-odd.txt").read_text()


def commands(text: str, interface: str, host: str = "") -> list[str]:
    """Return the commands without what all of them have."""
    found = [" ".join(words) for words in changes(read_routes(text), interface, host)]
    assert all(" proto 84 " in words for words in found)
    for usual in (" unicast", " proto 84", " scope global"):
        found = [words.replace(usual, "") for words in found]
    return found


def applied(text: str, interface: str, host: str = "") -> str:
    """Return the table after the changes, as `ip` prints it."""
    lines = text.splitlines()
    for verb, *words in changes(read_routes(text), interface, host):
        wanted = Route.parse(" ".join(words))
        is_place = [
            (one.destination, one.metric) == (wanted.destination, wanted.metric)
            for one in map(Route.parse, lines)
        ]
        lines = [line for line, is_it in zip(lines, is_place, strict=True) if not is_it]
        if verb == "replace":
            lines.append(" ".join(words))
    return "\n".join(lines)


def test_the_copies_keep_mtu_source_and_scope() -> None:
    assert commands(IPV4, "eth0") == [
        "replace default via 10.55.0.1 dev eth0 src 10.55.0.15 mtu 1400 metric 10",
        "replace 10.55.0.0/24 dev eth0 scope link src 10.55.0.15 mtu 1400 metric 10",
        "replace 10.66.0.0/16 via 10.55.0.9 dev eth0 src 10.55.0.15 mtu 1400 metric 10",
    ]


def test_the_copies_keep_what_a_router_advertised() -> None:
    assert commands(IPV6, "eth0") == [
        "replace fd55::/64 dev eth0 mtu 1300 pref high metric 10",
        "replace default via fe80::509c:d5ff:fe7b:4923 dev eth0 mtu 1300 pref high metric 10",
    ]


@pytest.mark.parametrize("text", [IPV4, IPV6, ODD, IPV4 + ODD])
@pytest.mark.parametrize("interface", ["eth0", "eth1", ""])
@pytest.mark.parametrize("host", ["", "10.56.0.1", "10.66.1.1", "fd66::1", "198.51.100.1"])
def test_a_second_look_changes_nothing(text: str, interface: str, host: str) -> None:
    after = applied(text, interface, host)
    assert commands(after, interface, host) == []


def test_another_nic_takes_the_place_of_the_routes_and_the_rest_is_removed() -> None:
    after = applied(IPV4, "eth0")
    assert commands(after, "eth1") == [
        "replace default via 10.56.0.1 dev eth1 src 10.56.0.13 mtu 1400 metric 10",
        "replace 10.56.0.0/24 dev eth1 scope link src 10.56.0.13 mtu 1400 metric 10",
        "delete 10.55.0.0/24 dev eth0 scope link src 10.55.0.15 mtu 1400 metric 10",
        "delete 10.66.0.0/16 via 10.55.0.9 dev eth0 src 10.55.0.15 mtu 1400 metric 10",
    ]


def test_a_route_that_has_changed_is_replaced() -> None:
    after = applied(IPV4, "eth0")
    dhcps = [line for line in IPV4.splitlines() if "default" in line]
    renewed = after.replace(dhcps[0], dhcps[0].replace("mtu 1400", "mtu 1300"))
    assert commands(renewed, "eth0") == [
        "replace default via 10.55.0.1 dev eth0 src 10.55.0.15 mtu 1300 metric 10"
    ]


def test_without_a_nic_ours_are_removed() -> None:
    after = applied(IPV6, "eth0")
    assert [words.split()[0] for words in commands(after, "")] == ["delete", "delete"]
    assert applied(after, "") == IPV6.strip()


def test_an_on_link_gateway_and_a_route_without_a_link_stay_as_they_are() -> None:
    found = commands(ODD, "eth1")
    assert "replace default via 192.0.2.1 dev eth1 onlink metric 10" in found
    assert (
        "replace unicast default via fd99::1 dev eth1 onlink pref medium proto 84 metric 10"
        in commands(ODD.replace("192.0.2", "0"), "eth1")
        or any("fd99::1" in one and "linkdown" not in one for one in found)
    )


def test_several_routes_to_one_destination_keep_their_order() -> None:
    found = [words for words in commands(ODD, "eth0") if "10.70.0.0/16" in words]
    assert [words.split()[3] for words in found] == ["10.55.0.1", "10.55.0.9"]
    assert [words.split()[-1] for words in found] == ["10", "11"]


def test_the_preference_of_a_router_decides_between_equal_metrics() -> None:
    text = "\n".join(
        f"default via fe80::{name} dev eth0 proto ra metric 1002 pref {pref}"
        for name, pref in (("1", "low"), ("2", "medium"), ("3", "high"))
    )
    found = preferred(read_routes(text), "eth0")
    assert [(route.gateway, route.metric) for route in found] == [
        ("fe80::3", 10),
        ("fe80::2", 11),
        ("fe80::1", 12),
    ]
    assert default_gateway(read_routes(text), "eth0") == "fe80::3"


@pytest.mark.parametrize("word", ["10.71.0.0/16", "10.72.0.0/16", "fe80::/64", "ff00::/8"])
def test_what_is_not_of_one_nic_or_of_the_link_alone_is_not_copied(word: str) -> None:
    text = f"{IPV6}{ODD}multicast ff00::/8 dev eth0 proto kernel metric 256"
    assert not any(f" {word} " in one for one in commands(text, "eth0"))


@pytest.mark.parametrize(
    "word", ["rt_offload", "rt_trap", "rt_offload_failed", "unresolved", "linkdown"]
)
def test_what_the_kernel_says_of_a_route_is_not_copied(word: str) -> None:
    """iproute2 prints these words (print_rt_flags), and does not take them."""
    line = "default via 10.0.0.1 dev eth0 proto dhcp metric 1002"
    assert commands(f"{line} {word}", "eth0") == commands(line, "eth0")


def test_a_route_by_a_nexthop_object_is_copied_by_its_gateway() -> None:
    text = (
        "unicast 10.4.0.0/16 nhid 7 via 10.0.0.9 dev eth0 proto boot scope global \n"
        "\tnh_info id 7 via 10.0.0.9 dev eth0 scope link proto unspec \n"
        "unicast 10.14.0.0/16 nhid 9 proto boot scope global \n"
        "\tnh_info id 9 group 7/8 scope global proto unspec \\\tnexthop via 10.0.0.9 dev eth0\n"
    )
    assert commands(text, "eth0") == ["replace 10.4.0.0/16 via 10.0.0.9 dev eth0 metric 10"]


def test_a_lock_that_ip_does_not_take_is_left_out() -> None:
    """iproute2 6.1: `argument "lock" is wrong: "rto_min" value is invalid`."""
    (made,) = commands("10.2.0.0/16 dev eth0 mtu lock 1400 rto_min lock 5s", "eth0")
    assert "mtu lock 1400 rto_min 5s" in made


def test_a_gateway_of_the_other_family_is_one() -> None:
    (route,) = read_routes("default via inet6 fe80::1 dev eth0 proto static metric 5")
    assert route.gateway == "fe80::1"


def test_a_network_that_advertises_any_number_of_routes_gets_a_part_of_them() -> None:
    line = "2001:db8:{:x}::/64 via fe80::1 dev eth0 proto ra metric 1002"
    lines = [line.format(number) for number in range(3000)]
    text = "\n".join([*lines, "default via fe80::2 dev eth0 proto ra metric 1002"])
    start = time.process_time()
    found = commands(text, "eth0")
    assert len(found) == ROUTES_COPIED_MAXIMUM
    assert any(" default " in one for one in found)
    ours = [
        f"{line.format(number)} x".replace("ra metric 1002", "84 metric 10")
        for number in range(3000)
    ]
    assert len(commands("\n".join([text, *ours]), "eth0")) > len(lines)
    assert time.process_time() - start < 5  # a comparison of all with all takes 30 s


def test_the_kernels_countdown_is_no_change() -> None:
    route = "default via fe80::3 dev eth0 proto ra metric 1002 expires {}sec mtu 1300 pref low"
    after = applied(route.format(30), "eth0")
    assert commands(after.replace("expires 30sec", "expires 29sec"), "eth0") == []
    assert "expires" not in commands(route.format(30), "eth0")[0]


def test_the_gateway_is_the_one_that_the_kernel_has() -> None:
    after = read_routes(applied(IPV4, "eth0"))
    assert default_gateway(after, "eth0") == "10.55.0.1"
    assert default_gateway(after, "eth1") == "10.56.0.1"
    assert default_gateway(after, "eth2") == ""
    before = Route.parse("default via 10.55.0.9 dev eth0 proto 84 metric 10")
    assert default_gateway([before, *after], "eth0") == "10.55.0.1"


def test_the_router_of_a_lease_is_one_of_its_family() -> None:
    view = View(routes=read_routes(IPV4 + IPV6))
    six = view.router(Lease("eth0", "ra", address="fd55::5"))
    assert (view.router(Lease("eth0", "dhcp", address="10.55.0.15")), six) == (
        "10.55.0.1",
        "fe80::509c:d5ff:fe7b:4923",
    )


def test_a_host_in_the_network_of_another_nic_gets_a_route_of_its_own() -> None:
    found = commands(IPV4, "eth0", "10.56.0.1")
    assert (
        "replace 10.56.0.1 via 10.55.0.1 dev eth0 src 10.55.0.15 mtu 1400 onlink metric 10" in found
    )
    assert "10.56.0.1" not in " ".join(commands(IPV4, "eth1", "10.56.0.1")[2:])


@pytest.mark.parametrize("host", ["10.55.0.1", "10.66.0.1", "192.0.2.9", "", "tink.example"])
def test_a_host_that_the_nic_leads_to_gets_none(host: str) -> None:
    assert len(commands(IPV4, "eth0", host)) == 3


def test_a_nic_that_leads_nowhere_gets_no_route_to_the_host() -> None:
    text = "10.56.0.0/24 dev eth1 proto dhcp metric 1003\n10.0.0.0/8 dev eth0 scope link"
    assert len(commands(text, "eth1", "10.1.1.1")) == 1


@pytest.mark.parametrize("line", ["unicast", "x metric y", "local"])
def test_nonsense_is_an_error_of_its_own(line: str) -> None:
    with pytest.raises(TransientError, match="unusable answer"):
        read_routes(line)


WORDS = st.lists(
    st.sampled_from(
        [
            *(
                "default",
                "10.1.0.0/16",
                "fd00::/8",
                "via",
                "10.0.0.1",
                "dev",
                "eth0",
                "eth1",
                "src",
            ),
            *("onlink", "metric", "5", "proto", "84", "mtu", "1400", "expires", "3sec", "nexthop"),
            *("linkdown", "unicast", "multicast", "\\"),
        ]
    ),
    min_size=1,
)


@given(st.lists(WORDS, max_size=5))
def test_whatever_is_printed_gives_commands_or_an_error(lines: list[list[str]]) -> None:
    text = "\n".join(" ".join(words) for words in lines)
    try:
        found = changes(read_routes(text), "eth0", "10.1.2.3")
    except TransientError:
        return
    for verb, *words in found:
        assert verb in ("replace", "delete")
        assert words[-4:-1] == ["proto", PROTOCOL, "metric"]
        assert int(words[-1]) >= METRIC or verb == "delete"
