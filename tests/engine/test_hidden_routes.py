"""The engine's bridge hides no host of the machine: one that is there before it, one that comes."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network

import pytest

from release.errors import ReportedError
from sandbox.network import Namespace, namespace
from sandbox.waiting import wait_for
from tests.engine.conftest import StartMachine
from tests.engine.machine import READY_SECONDS, Machine
from tests.engine.world import WORKFLOW_SECONDS, World

FIRST, SECOND = IPv4Network("198.18.0.0/24"), IPv4Network("198.51.100.0/24")
NIC, NIC_ADDRESS = "nic1", "198.18.0.5"
HOST_ADDRESS = "198.18.0.1"  # the bridge's own, if it is in the first network
HOST_SECONDS = 2.0


class Host:
    """A host that accepts connections, in a network namespace of its own."""

    def __init__(self, home: Namespace) -> None:
        self.home = home
        with home.inside():
            self.server = socket.socket()
            self.server.bind(("0.0.0.0", 0))  # its address may come later
            self.server.listen()

    @contextmanager
    def connected(self, machine: Namespace) -> Iterator[None]:
        """Give the machines of a world a NIC in the host's network until the end of the block."""
        machine.add_cable(NIC, self.home, "port1")
        try:
            self.home.use("port1", HOST_ADDRESS)
            machine.use(NIC, NIC_ADDRESS)
            yield
        finally:
            machine.delete_device(NIC)

    def reached_from(self, machine: Namespace) -> bool:
        """Return whether a machine reaches it."""
        with machine.inside(), socket.socket() as client:
            client.settimeout(HOST_SECONDS)
            address = (HOST_ADDRESS, self.server.getsockname()[1])
            return client.connect_ex(address) == 0


@pytest.fixture
def host() -> Iterator[Host]:
    with namespace(f"host-{os.getpid()}") as home:
        made = Host(home)
        yield made
        made.server.close()


def test_a_machine_in_the_bridges_network_keeps_its_host(
    world: World, start_machine: StartMachine, host: Host
) -> None:
    with host.connected(world.network), start_machine() as machine:
        machine.wait_for_worker()
        assert host.reached_from(world.network)
        assert _bridge(machine) in SECOND
        world.prove(machine.identity, "beside-its-host")
        # Before dockerd starts, the bridge may be that of an earlier machine in this namespace.
        ready = machine.wait_for_event(machine.tink_docker, "engine.ready")
        hidden = machine.events(machine.tink_docker, "route.hidden")
        assert [event for event in hidden if event["uptime"] > ready["uptime"]] == []


def test_the_networks_that_a_parameter_gives_are_used(
    world: World, start_machine: StartMachine
) -> None:
    with start_machine(engine_networks="10.77.1.0/25,10.77.2.0/26") as machine:
        machine.wait_for_worker()
        assert _bridge(machine) == IPv4Address("10.77.1.1")
        machine.engine("network", "create", "own")
        shown = machine.engine("network", "inspect", "own", "--format", "{{json .IPAM.Config}}")
        assert "10.77.2.0/26" in shown
        world.prove(machine.identity, "given-networks")


def test_a_host_that_comes_later_is_reached_as_soon_as_no_action_runs(
    world: World, machine: Machine, host: Host
) -> None:
    before = machine.wait_for_worker()
    assert _bridge(machine) in FIRST
    action = machine.start_lasting_action("meanwhile", "ping -c1 -W2 198.18.0.1")
    with host.connected(world.network):
        hidden = machine.wait_for_event(machine.tink_docker, "route.hidden")
        assert hidden["error"] == f"docker0 ({FIRST}) hides {FIRST} (route of {NIC})"
        assert f"moves from {FIRST} to {SECOND} when no action runs" in hidden["next"]
        assert not host.reached_from(world.network)
        machine.end_lasting_action("meanwhile")
        assert action.end(WORKFLOW_SECONDS).state == "SUCCESS"
        machine.wait_for_event(machine.tink_docker, "route.visible")
        assert host.reached_from(world.network)
        machine.wait_for_worker(other_than=before)
        wait_for("the bridge", lambda: _bridge(machine) in SECOND, seconds=READY_SECONDS)
        world.prove(machine.identity, "after-the-move")
    assert len(machine.events(machine.tink_docker, "route.hidden")) == 1


def test_without_a_container_the_bridge_moves_at_once(
    world: World, start_machine: StartMachine, host: Host
) -> None:
    with start_machine(tink_worker_image=f"{world.registry.host}/none:none") as machine:
        machine.wait_for_event(machine.tink_docker, "engine.ready")
        wait_for("the engine", lambda: _bridge(machine), seconds=READY_SECONDS)
        with host.connected(world.network):
            machine.wait_for_event(machine.tink_docker, "route.visible")
            assert host.reached_from(world.network)


def _bridge(machine: Machine) -> IPv4Address | None:
    """Return the bridge's address; None while dockerd restarts."""
    path = "{{(index .IPAM.Config 0).Gateway}}"
    try:
        return IPv4Address(machine.engine("network", "inspect", "bridge", "--format", path).strip())
    except ReportedError:
        return None
