from __future__ import annotations

import ipaddress
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tink_docker.engine import networks as module
from tink_docker.engine.networks import EngineNetworks, NetworkPlan, engines_routes, hidden_by
from tink_docker.engine.routes import Route
from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.table import read_parameters

if TYPE_CHECKING:
    from collections.abc import MutableMapping

FIRST = "198.18.0.0/24"


def plan(line: str = "") -> NetworkPlan:
    return NetworkPlan.from_parameters(read_parameters(Cmdline.parse(line)))


def chosen(*routes: str, line: str = "", servers: tuple[str, ...] = ()) -> EngineNetworks:
    ours = plan(line)
    found = [Route("eth0", IPv4Network(route)) for route in routes]
    return ours.choose(ours.destinations(found, map(IPv4Network, servers)))


@pytest.mark.parametrize(
    ("routes", "bridge"),
    [
        ((), FIRST),
        (("0.0.0.0/0", "10.0.0.0/8"), FIRST),
        (("0.0.0.0/1", "128.0.0.0/1"), FIRST),  # a default route in two halves
        ((FIRST,), "198.51.100.0/24"),
        (("198.18.0.0/15",), "198.51.100.0/24"),  # broader
        (("198.18.0.77/32",), "198.51.100.0/24"),  # a host in it
        (("198.18.0.128/25", "198.51.0.0/16"), "203.0.113.0/24"),
        (("198.0.0.0/8", "203.0.0.0/8", "192.0.0.0/8", "172.16.0.0/12"), "10.255.254.0/24"),
    ],
)
def test_the_bridge_hides_no_route(routes: tuple[str, ...], bridge: str) -> None:
    assert str(chosen(*routes).bridge) == bridge


def test_addresses_of_the_command_line_and_name_servers_count() -> None:
    assert str(chosen(line="grpc_authority=198.18.0.9:1").bridge) == "198.51.100.0/24"
    assert str(chosen(servers=("198.18.0.53",)).bridge) == "198.51.100.0/24"


def test_the_engines_own_networks_do_not_count() -> None:
    routes = [Route("docker0", IPv4Network(FIRST)), Route("br-0123456789ab", IPv4Network(FIRST))]
    assert plan().destinations(routes, []) == []
    assert engines_routes([*routes, Route("br0", IPv4Network(FIRST))]) == routes


def test_a_machine_on_which_everything_is_taken_gets_the_first() -> None:
    all_taken = [f"{octet}.0.0.0/8" for octet in range(1, 224)]
    networks = chosen(*all_taken)
    assert str(networks.bridge) == FIRST
    assert len(networks.pools) > 1  # dockerd looks at each before it uses one


def test_the_pools_hide_nothing_either() -> None:
    assert [str(pool) for pool in chosen("198.19.3.0/24", "10.0.0.0/8").pools] == ["172.29.0.0/16"]


def test_networks_that_are_given() -> None:
    networks = chosen("10.1.2.0/24", line="engine_networks=10.1.2.0/25,10.3.0.0/16,10.2.0.0/26")
    assert networks.as_json() == {
        "bip": "10.1.2.1/25",
        "default-address-pools": [
            {"base": "10.3.0.0/16", "size": 24},
            {"base": "10.2.0.0/26", "size": 26},
        ],
    }


def test_what_is_not_given_is_chosen() -> None:
    networks = chosen(line="engine_networks=198.19.5.0/24")
    assert str(networks.bridge) == "198.19.5.0/24"
    assert [str(pool) for pool in networks.pools] == ["172.29.0.0/16", "10.254.0.0/16"]


@pytest.mark.parametrize(
    ("line", "used", "host"),
    [
        ("grpc_authority=10.1.2.9:42113", "10.3.0.0/24", "10.1.2.9 (grpc_authority)"),
        ("docker_registry=10.1.2.9:5000 ntp=10.1.2.8", "10.3.0.0/24", "10.1.2.9 (docker_registry)"),
        ("syslog_host=10.3.0.9", "10.1.2.0/24", "10.3.0.9 (syslog_host)"),
        (
            "ipam=de-ad-be-ef-fe-ed::10.1.2.9:255.255.0.0:10.1.0.1",
            "10.3.0.0/24",
            "10.1.2.9 (ipam)",
        ),
    ],
)
def test_a_given_network_with_a_host_of_the_command_line_is_not_used(
    line: str, used: str, host: str
) -> None:
    made = plan(f"engine_networks=10.1.2.0/24,10.3.0.0/24 {line}")
    (other,) = {"10.1.2.0/24", "10.3.0.0/24"} - {used}
    assert list(map(str, made.given)) == [used]
    assert made.problems == {
        "engine_networks": f"{other} is not used, since it contains {host}",
    }


def test_if_no_given_network_can_be_used_all_are_chosen() -> None:
    networks = chosen(line="engine_networks=10.1.2.0/24 metadata_url=http://10.1.2.9/")
    assert networks == chosen()


@pytest.mark.parametrize(
    "line",
    [
        "NO_PROXY=10.1.2.1",  # the engine's own address there
        "NO_PROXY=10.0.0.0/8 insecure_registries=10.0.0.0/8",
        "ipam=de-ad-be-ef-fe-ed::10.9.9.9:255.0.0.0",  # a flat network: a part of it may be unused
        "grpc_authority=10.1.3.1:42113",
    ],
)
def test_a_given_network_is_used_beside_others(line: str) -> None:
    made = plan(f"engine_networks=10.1.2.0/24 {line}")
    assert (list(map(str, made.given)), made.problems) == (["10.1.2.0/24"], {})


def test_every_reason_against_a_given_network_is_reported() -> None:
    made = plan("engine_networks=10.1.2.0/24,x,10.3.0.0/24 syslog_host=10.1.2.9")
    reasons = made.problem.split("; ")
    assert reasons[0].startswith("element 2: not an IPv4 network")
    assert reasons[1:] == [
        "using the others (2)",
        "10.1.2.0/24 is not used, since it contains 10.1.2.9 (syslog_host)",
    ]


def test_the_engines_networks_are_apart() -> None:
    networks = chosen()
    assert not any(networks.bridge.overlaps(pool) for pool in networks.pools)


NETWORKS = st.builds(
    lambda address, prefix: str(ipaddress.IPv4Network((address, prefix), strict=False)),
    st.integers(0, 2**32 - 1) | st.integers(0xC6120000, 0xC613FFFF),
    st.integers(0, 32),
)


@given(st.lists(NETWORKS, max_size=6))
@example(["198.18.0.0/24", "198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/24"])
def test_whatever_the_routes_are_nothing_is_hidden(routes: list[str]) -> None:
    networks = chosen(*routes)
    found = plan().destinations([Route("eth0", IPv4Network(route)) for route in routes], [])
    assert not hidden_by(networks.bridge, found)


def test_routes_that_cannot_be_read_keep_no_engine_down(
    monkeypatch: pytest.MonkeyPatch, events: list[MutableMapping[str, object]]
) -> None:
    def fail() -> list[Route]:
        raise PermissionError(13, "denied")

    monkeypatch.setattr(module, "read_routes", fail)
    networks = plan("grpc_authority=198.18.0.9:1").choose_now()
    assert str(networks.bridge) == "198.51.100.0/24"
    assert [event["event"] for event in events] == ["routes.unknown"]
