"""What dhcpcd has of its leases: typed values, whatever a server sends."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from network.files import resolv_conf, time_sources
from network.leases import DhcpcdEvent, Lease, current_leases, read_event, read_leases
from network.policy import LEASE_VALUES_MAXIMUM

RECORDED = (Path(__file__).parent / "recorded/dhcpcd.txt").read_text()
MESSAGES = [text.strip().replace("\n", "\0").encode() + b"\0" for text in RECORDED.split("\n\n")]


def message(protocol: str = "dhcp", **variables: str) -> bytes:
    start = {"interface": "eth0", "protocol": protocol, "if_up": "true", "reason": "BOUND"}
    return "".join(f"{name}={value}\0" for name, value in {**start, **variables}.items()).encode()


def lease(protocol: str = "dhcp", **variables: str) -> Lease:
    (found,) = read_leases([message(protocol, **variables)])
    return found


def test_recorded_messages_are_read() -> None:
    assert read_leases(MESSAGES) == [
        Lease(
            "eth0",
            "dhcp",
            address="10.55.0.15",
            server="10.55.0.1",
            hostname="lease-name",
            name_servers=("10.55.0.1",),
            search=("example.com",),
            time_servers=("10.55.0.1",),
        ),
        Lease("eth0", "ra", address="fd55::f043:e2ff:fe11:9db8"),
        Lease("eth0", "dhcp6", address="fd55::1a7", time_servers=("fd55::1",)),
        Lease(
            "eth1",
            "dhcp",
            address="10.56.0.13",
            server="10.56.0.1",
            hostname="lease-name",
            search=("example.com",),
            time_servers=("10.55.0.1",),
        ),
    ]


def test_the_reason_of_an_event_is_read() -> None:
    assert read_event(MESSAGES[0]) == DhcpcdEvent("eth0", "link", "CARRIER")
    assert read_event(message(reason="EXPIRE6")) == DhcpcdEvent("eth0", "dhcp", "EXPIRE6")
    assert read_event(message(reason="a b")) is None
    assert read_event(b"reason=BOUND\0") is None


def test_a_search_list_comes_before_the_domain() -> None:
    assert lease(new_domain_search="a.example b.example", new_domain_name="c").search == (
        "a.example",
        "b.example",
    )


def test_the_options_of_router_advertisements_are_used_until_they_are_taken_back() -> None:
    variables = {
        "nd1_rdnss1_servers": "fd00::53 fe80::53",
        "nd1_rdnss1_lifetime": "600",
        "nd1_rdnss2_servers": "fd00::99",
        "nd1_rdnss2_lifetime": "0",
        "nd2_dnssl1_search": "six.example",
        "nd2_dnssl1_lifetime": "600",
        "nd1_addr1": "fd00::5/64",
    }
    found = lease("ra", **variables)
    assert found.name_servers == ("fd00::53", "fe80::53%eth0")
    assert found.search == ("six.example",)
    assert found.address == "fd00::5"


@pytest.mark.parametrize(
    "variables",
    [
        {"if_up": "false"},
        {"protocol": "link"},
        {"protocol": "none"},
        {"interface": ""},
        {"interface": "../x"},
        {"interface": ".."},
        {"interface": "a b"},
        {"interface": "0123456789abcdef"},
    ],
)
def test_other_messages_are_no_leases(variables: dict[str, str]) -> None:
    assert read_leases([message(**variables)]) == []


def test_a_lease_stays_while_the_kernel_has_its_address_and_dhcpcd_says_nothing() -> None:
    before = [Lease("eth0", "dhcp", address="10.0.0.5"), Lease("eth1", "ra", address="fd00::5")]
    assert current_leases([], before, lambda _: True) == before
    assert current_leases([], before, lambda one: one.interface == "eth1") == before[1:]
    taken_back = message("ra", interface="eth1", if_up="false")
    assert current_leases([taken_back], before, lambda _: True) == before[:1]
    renewed = current_leases([message(new_ip_address="10.0.0.6")], before, lambda _: True)
    assert [one.address for one in renewed] == ["10.0.0.6", "fd00::5"]


HOSTILE = [
    "x\nnd1_dnssl1_search=evil.example",
    "-e a\\noptions rotate",
    "a;reboot",
    "$(reboot)",
    "*",
    "a\tb",
    "\u00e9.example",
    "fd00::53%eth0\nnameserver",
    "10.0.0.1\nnameserver",
    "999.1.1.1",
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_server_goes_anywhere_as_it_is(text: str) -> None:
    found = lease(
        new_domain_name_servers=f"{text} 10.0.0.53",
        new_domain_search=f"{text} good.example",
        new_ntp_servers=f"{text} 10.0.0.123",
        new_host_name=text,
        new_ip_address=text,
        new_root_path=text,
    )
    words = resolv_conf([found]).split("\n")
    assert words[0].startswith("search ")
    assert all(line.startswith(("search ", "nameserver ")) for line in words if line)
    assert not {"options", "evil.example"} & set(resolv_conf([found]).split())
    check(found)


def check(found: Lease) -> None:
    for line in resolv_conf([found]).splitlines():
        assert line.isascii()
        assert line.isprintable()
        assert line.split()[0] in ("search", "nameserver")
        assert line.startswith("search") or len(line.split()) == 2
    for name, text in time_sources([found]).items():
        assert "/" not in name
        for line in text.splitlines():
            assert line.isascii()
            assert line.split()[0::2] == ["server", "iburst"]
    assert found.hostname.isascii()
    assert not set(found.hostname + found.address + found.server) & set(" \n\t;$`'\"\\/")


def test_of_thousands_of_servers_only_some_are_used() -> None:
    many = " ".join(f"10.0.{at // 256}.{at % 256}" for at in range(5000))
    assert len(lease(new_domain_name_servers=many).name_servers) == LEASE_VALUES_MAXIMUM


NAMES = st.sampled_from(
    [
        *("new_domain_name_servers", "new_domain_search", "new_domain_name", "new_host_name"),
        *("new_ntp_servers", "new_ip_address", "new_dhcp6_name_servers", "new_dhcp6_domain_search"),
        *("nd1_rdnss1_servers", "nd1_dnssl1_search", "nd1_addr1", "new_dhcp6_ia_na1_ia_addr1"),
        *("interface", "protocol", "if_up"),
    ]
)


@given(
    st.sampled_from(["dhcp", "dhcp6", "ra"]),
    st.dictionaries(NAMES, st.binary(max_size=60)),
    st.binary(max_size=40),
)
@example("dhcp", {"new_domain_search": b"a\nb"}, b"")
def test_any_bytes_give_leases_whose_values_have_their_types(
    protocol: str, variables: dict[str, bytes], rest: bytes
) -> None:
    start = {"interface": b"eth0", "protocol": protocol.encode(), "if_up": b"true"}
    pairs = {**start, **variables}.items()
    data = b"".join(name.encode() + b"=" + value + b"\0" for name, value in pairs) + rest
    for found in read_leases([data]):
        check(found)
    read_event(data)
