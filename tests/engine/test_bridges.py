"""Networks of actions: the engine's rules in nftables, which is not what iptables made of them."""

import socket
from collections.abc import Iterator

import pytest

from tests.engine.conftest import StartMachine
from tests.engine.machine import Machine
from tests.engine.world import ACTIONS_IMAGE

PORT = 8099
NETWORK = "of-actions"
# A rule `meta iifkind != "bridge"` would match no NIC of hardware, which has no kind.
DROPPED = [
    "type filter hook forward priority filter; policy drop;",
    'meta iifkind "bridge" accept',
    'meta oifkind "bridge" accept',
]
# Answers each connection; without a terminal, nc ends when the other side does.
SERVER = "while :; do echo answered | nc -l -p 7; done"


@pytest.fixture(scope="module")
def options() -> list[str]:
    return ["--rm", "--entrypoint", "/bin/sh"]


@pytest.fixture
def box(start_machine: StartMachine) -> Iterator[Machine]:
    """A machine with the actions' image."""
    with start_machine() as made:
        made.wait_for_worker()
        made.world.prove(made.identity, f"image-of-{made.identity.name}")
        yield made


def test_actions_reach_each_other_the_network_and_are_reached(
    box: Machine, options: list[str]
) -> None:
    engine, image = box.engine, box.world.image(ACTIONS_IMAGE)
    host, registry = box.world.network.address, 443
    engine("network", "create", "--ipv6", NETWORK)
    published = ["--publish", f"{PORT}:7"]
    engine(
        "run", "--detach", *options, "--network", NETWORK, "--name", "server", *published,
        image, "-c", SERVER,
    )  # fmt: skip
    by_name = "nc -w 5 server 7 </dev/null; ping -6 -c 1 -w 5 server | grep -o '1 packets received'"
    beside = engine("run", *options, "--network", NETWORK, image, "-c", by_name)
    assert beside.splitlines() == ["answered", "1 packets received"]
    for network in ("bridge", NETWORK):
        out = f"nc -w 5 {host} {registry} </dev/null && echo reached"
        assert engine("run", *options, "--network", network, image, "-c", out) == "reached"
    with box.world.network.inside():
        connection = socket.create_connection((host, PORT), timeout=5)
    with connection:
        assert connection.recv(100) == b"answered\n"


def test_the_machine_is_no_router(box: Machine) -> None:
    """Forwarding is on for bridges, and all else that is forwarded is dropped."""
    assert _rules(box) == DROPPED
    # As if a dockerd had died between the two, which was the one that enabled forwarding.
    _nft(box, "delete", "table", "ip", "no-router")
    box.kill_dockerd()
    box.wait_for_event(box.tink_docker, "engine.ready", count=2)
    assert _rules(box) == DROPPED


def _rules(box: Machine) -> list[str]:
    lines = _nft(box, "list", "chain", "ip", "no-router", "filter-FORWARD").splitlines()
    return [line.strip() for line in lines if line.startswith("\t\t")]


def _nft(box: Machine, *words: str) -> str:
    return box.world.docker("exec", box.tink_docker, "nft", *words)
