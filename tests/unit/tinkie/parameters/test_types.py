from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.strategies import TEXT
from tinkie.parameters.types import (
    BadElements,
    Host,
    HostPort,
    Mac,
    Secret,
    Url,
    list_of,
    parse_ipv4_network,
    parse_port,
)

LONG_LABEL = "a" * 63


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("tb.example", "tb.example"),
        ("TB.Example.", "TB.Example."),
        ("a_b-c.d", "a_b-c.d"),
        ("localhost", "localhost"),
        (f"{LONG_LABEL}.example", f"{LONG_LABEL}.example"),
        ("10.0.0.1", "10.0.0.1"),
        ("1a.2b", "1a.2b"),
        ("fd00::1", "fd00::1"),
        ("[fd00::1]", "fd00::1"),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
    ],
)
def test_hosts(text: str, host: str) -> None:
    assert Host.parse(text) == host


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "..", "tb..example", ".tb", "tb.example..", "-tb", "tb-", "a.-b", "a b", "a/b"),
        *(f"{LONG_LABEL}a.example", ".".join([LONG_LABEL] * 4), "é.example", "a\n", "a;b", "$(x)"),
        *("[tb]", "[1:2]", "1:2", "fd00::1::", "[fd00::1", "fe80::1%", "fe80::1%a b"),
        *(
            "fe80::1%0123456789abcdef",
            "fe80::1%eth0;x",
            "10.0.0.256",
            "10.0.0",
            "999",
            "10.0.0.1%x",
        ),
    ],
)
def test_what_is_not_a_host(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a host name or an address|the name of a NIC"):
        Host.parse(text, zone=True)


def test_a_zone_is_allowed_only_where_its_reader_takes_one() -> None:
    assert Host.parse("fe80::1%eth0.30", zone=True) == "fe80::1%eth0.30"
    assert str(HostPort.parse("[fe80::1%eth0]:1", zone=True)) == "[fe80::1%eth0]:1"
    for parse in (Host.parse, HostPort.parse):
        with pytest.raises(ValueError, match="zone"):
            parse("[fe80::1%eth0]:1" if parse == HostPort.parse else "fe80::1%eth0")


@given(TEXT)
@example("a" * 64)
def test_every_host_can_be_looked_up(text: str) -> None:
    try:
        host = Host.parse(text)
    except ValueError:
        return
    assert host.isascii()
    host.encode("idna")  # what a resolver makes of it first, which raises for bad labels
    assert Host.parse(host.in_url) == host


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("tb.example:1", "tb.example:1"),
        ("10.0.0.1:65535", "10.0.0.1:65535"),
        ("[fd00::1]:42113", "[fd00::1]:42113"),
    ],
)
def test_endpoints(text: str, written: str) -> None:
    assert str(HostPort.parse(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        *("", ":", "tb", "tb:", ":1", "tb:0", "tb:65536", "tb:+1", "tb:x", "tb:1:2", "fd00::1:1"),
        *("[fd00::1]", "[fd00::1]x:1", "[tb]:1", "http://tb:1", "tb:1/", "tb..x:1"),
    ],
)
def test_what_is_not_an_endpoint(text: str) -> None:
    with pytest.raises(ValueError, match="not"):
        HostPort.parse(text)


def test_an_endpoint_may_have_a_default_port() -> None:
    assert str(HostPort.parse("tb", default_port=5)) == "tb:5"
    assert str(HostPort.parse("[fd00::1]", default_port=5)) == "[fd00::1]:5"
    assert str(HostPort.parse("tb:6", default_port=5)) == "tb:6"
    with pytest.raises(ValueError, match="not host:port"):
        HostPort.parse("tb:", default_port=5)


@pytest.mark.parametrize("text", ["", "0", "65536", "+5", " 5", "5\n", "\u0665", "9" * 5000])
def test_what_is_not_a_port(text: str) -> None:
    with pytest.raises(ValueError, match="not a port number"):
        parse_port(text)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("http://tb.example/x?y#z", "tb.example:80"),
        ("https://user:pw@tb.example", "tb.example:443"),
        ("HTTP://[fd00::1]:8080/", "[fd00::1]:8080"),
    ],
)
def test_urls(text: str, endpoint: str) -> None:
    url = Url.parse(text)
    assert (url, str(url.endpoint)) == (text, endpoint)


@pytest.mark.parametrize(
    "text",
    [
        *("http://[pw]/", "http://u:pw@h\u2100/", "http://[::1", "http://u:pw/@h", "ftp://u:pw@h"),
        *(
            "pw",
            "http://",
            "http:///pw",
            "http://h:pw",
            "http://h:0",
            "http://pw..x",
            "http://h /",
            "http://[::1]x:80/",
            "http://[v1.a]/",
        ),
    ],
)
def test_what_is_not_a_url_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="not a") as caught:
        Url.parse(text)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://h/100%/a%2Fb?c=%zz#%", "http://h/100%25/a%2Fb?c=%25zz#%25"),
        ("http://u:50%@h/a@b", "http://u:50%25@h/a@b"),
        (r"http://CORP\u:a@b@h:1/h:1", "http://CORP%5Cu:a%40b@h:1/h:1"),
        ("http://[fe80::1%eth0]/%", "http://[fe80::1%eth0]/%25"),
    ],
)
def test_a_url_is_as_go_reads_it(text: str, url: str) -> None:
    assert Url.parse(text) == url
    assert Url.parse(url) == url


def test_a_base_url_may_lack_its_scheme() -> None:
    assert Url.parse_base("tb:8080/x") == "http://tb:8080/x"
    assert Url.parse_base("https://tb") == "https://tb"


INFINIBAND = ":".join(f"{octet:02x}" for octet in range(20))


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        ("02:00:00:00:00:AB", "02:00:00:00:00:ab"),
        ("02-00-00-00-00-ab", "02:00:00:00:00:ab"),
        ("0200.0000.00ab", "02:00:00:00:00:ab"),
        ("0200000000ab", "02:00:00:00:00:ab"),
        ("01-02-00-00-00-00-ab", "02:00:00:00:00:ab"),
        (INFINIBAND, INFINIBAND),
        (INFINIBAND.replace(":", ""), INFINIBAND),
        (f"20-{INFINIBAND.replace(':', '-')}", INFINIBAND),
    ],
)
def test_hardware_addresses(text: str, mac: str) -> None:
    assert Mac.parse(text) == mac


@pytest.mark.parametrize(
    "text",
    [
        *("", "eth0", "02:00:00:00:00", "02:00:00:00:00:0", "02:00:00:00:00:0g", "020000:000001"),
        *("02:00:00:00:00:01:02", "20-02-00-00-00-00-01", f"01-{INFINIBAND.replace(':', '-')}"),
        *(INFINIBAND[3:], "0:2:0:0:0:1", "02:0000:00:00:01", "\u0660" * 12),
    ],
)
def test_what_is_not_a_hardware_address(text: str) -> None:
    with pytest.raises(ValueError, match="not a hardware address"):
        Mac.parse(text)


def test_a_list_names_its_bad_elements_by_position_and_keeps_the_others() -> None:
    with pytest.raises(BadElements) as caught:
        list_of(Host.parse)("a,,-b, c ,d e")
    assert caught.value.good == ("a", "c")
    assert str(caught.value) == (
        "element 3: not a host name or an address; element 5: not a host name or an address; "
        "using the others (2)"
    )


def test_a_list_without_a_good_element_says_nothing_of_others() -> None:
    with pytest.raises(BadElements, match=r"^element 1: not a host name or an address$") as caught:
        list_of(Host.parse)("-")
    assert caught.value.good == ()


@given(st.text())
def test_a_secret_does_not_show_itself(text: str) -> None:
    secret = Secret(text)
    assert secret.reveal() == text
    assert repr(secret) == str(secret) == f"{secret}" == repr(Secret("other"))
    assert secret == Secret(text)
    assert hash(secret) == hash(Secret(text))
    assert secret != text


def test_an_ipv4_network() -> None:
    assert str(parse_ipv4_network("10.1.2.0/24")) == "10.1.2.0/24"
    assert parse_ipv4_network("240.0.0.0/8").num_addresses == 2**24
    assert parse_ipv4_network("10.1.2.8/29").num_addresses == 8


@pytest.mark.parametrize(
    "text",
    [
        *("10.1.2.0", "10.1.2.1/24", "10.1.2.0/255.255.255.0", "10.1.2/24", "x/24", "10.1.2.0/33"),
        *("0.0.0.0/0", "10.0.0.0/7", "10.1.2.8/30", "10.1.2.3/32", "fd00::/64", "010.1.2.0/24"),
        *("127.0.0.0/24", "169.254.1.0/24", "224.0.0.0/8", "239.1.0.0/16", "0.0.0.0/8", ""),
    ],
)
def test_what_is_not_a_network_for_an_engine(text: str) -> None:
    with pytest.raises(ValueError, match=r"network|prefix length"):
        parse_ipv4_network(text)
