from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

import pytest

from tink_docker import policy
from tink_docker.engine.networks import NetworkPlan
from tink_docker.engine.routes import Route
from tink_docker.repair.hidden_routes import HiddenRoutes
from tink_docker.repair.planned_restart import PlannedRestart
from tinkie.errors import TransientError
from tinkie.parameters.cmdline import Cmdline
from tinkie.parameters.table import read_parameters
from tinkie.policy import WORKER_REPORT_SECONDS
from tinkie.running.idle import Idle

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from tests.unit.tink_docker.conftest import Clock

    Events = list[MutableMapping[str, Any]]

WORKER = "tink-worker"


@dataclass
class Machine:
    """A machine whose NIC gets the network of the engine's bridge with its `lease`."""

    clock: Clock
    line: str = ""
    containers: list[str] = field(default_factory=list)
    rows: list[tuple[str, str]] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    error: Exception | None = None

    def __post_init__(self) -> None:
        self.rows = [("eth0", "0.0.0.0/0"), ("docker0", "198.18.0.0/24")]
        parameters = read_parameters(Cmdline.parse(self.line))
        self.hidden = HiddenRoutes(
            NetworkPlan.from_parameters(parameters),
            self.clock.now,
            lambda: [Route(interface, IPv4Network(network)) for interface, network in self.rows],
            list,
        )
        self.planned = PlannedRestart(
            (self.hidden,),
            Idle(self.running, self.clock.now),
            self.killed.append,
            lambda: False,
            self.clock.now,
        )

    def running(self) -> list[str]:
        if self.error:
            raise self.error
        return self.containers

    def lease(self) -> None:
        self.rows.append(("eth0", "198.18.0.0/24"))

    def move(self, network: str = "198.51.100.0/24") -> None:
        self.rows = [(name, net) for name, net in self.rows if name != "docker0"]
        self.rows.append(("docker0", network))

    def watch(self, seconds: float) -> str:
        """Return the reason for a restart within this time, or nothing."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            self.clock.wait(0.5)
            self.hidden.tick()
            if reason := self.planned.due():
                return reason
        return ""


@pytest.fixture
def machine(clock: Clock) -> Machine:
    return Machine(clock)


def test_nothing_is_hidden_by_default(machine: Machine, events: Events) -> None:
    assert machine.watch(60) == ""
    assert events == []


def test_without_containers_the_bridge_moves_at_once(machine: Machine, events: Events) -> None:
    machine.lease()
    reason = machine.watch(2)
    assert "docker0 moves from 198.18.0.0/24 to 198.51.100.0/24" in reason
    (event,) = events
    assert event["event"] == "route.hidden"
    assert event["error"] == ("docker0 (198.18.0.0/24) hides 198.18.0.0/24 (route of eth0)")
    assert "198.51.100.0/24" in event["next"]
    assert "engine_networks" in event["hint"]
    machine.move()
    assert machine.watch(60) == ""
    assert [event["event"] for event in events] == ["route.hidden", "route.visible"]
    assert machine.killed == []


def test_an_idle_worker_is_killed_after_it_had_time_to_report(machine: Machine) -> None:
    machine.containers = [WORKER]
    machine.lease()
    assert machine.watch(WORKER_REPORT_SECONDS) == ""
    assert machine.killed == []
    assert "moves" in machine.watch(2)
    assert machine.killed == [WORKER]


@pytest.mark.parametrize("containers", [["action"], [WORKER, "action"]])
def test_an_action_is_waited_for(machine: Machine, events: Events, containers: list[str]) -> None:
    machine.containers = containers
    machine.lease()
    assert machine.watch(3600) == ""
    assert (len(events), machine.killed) == (1, [])
    machine.containers = [WORKER]
    assert "moves" in machine.watch(WORKER_REPORT_SECONDS + 2)


def test_the_time_to_report_begins_after_the_last_action(machine: Machine) -> None:
    machine.containers = [WORKER]
    machine.lease()
    assert machine.watch(2) == ""
    machine.containers = [WORKER, "action"]
    assert machine.watch(10) == ""
    machine.containers = [WORKER]
    assert machine.watch(WORKER_REPORT_SECONDS) == ""
    assert "moves" in machine.watch(2)


def test_a_lease_that_goes_again_moves_nothing(machine: Machine, events: Events) -> None:
    machine.containers = [WORKER]
    machine.lease()
    assert machine.watch(2) == ""
    machine.rows.pop()
    assert machine.watch(60) == ""
    assert machine.killed == []
    assert [event["event"] for event in events] == ["route.hidden", "route.visible"]


def test_a_bridge_that_moved_meanwhile_is_not_moved_again(machine: Machine) -> None:
    machine.lease()
    assert machine.watch(2)
    machine.move()
    assert machine.hidden.reason() == ""
    assert machine.watch(10) == ""


def test_moves_in_vain_have_a_bound(machine: Machine, events: Events) -> None:
    machine.containers = [WORKER]
    machine.lease()
    reasons = [machine.watch(60) for _ in range(policy.NETWORK_MOVES_MAXIMUM)]
    assert all(reasons)
    assert machine.watch(3600) == ""
    assert len(machine.killed) == policy.NETWORK_MOVES_MAXIMUM
    assert [event["event"] for event in events] == ["route.hidden"] * 2
    assert "it stays hidden" in events[-1]["next"]
    machine.move()
    assert machine.watch(policy.NETWORK_MOVES_SECONDS + 1) == ""
    machine.move("198.18.0.0/24")
    assert "moves" in machine.watch(60)


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("engine_networks=198.18.0.0/24", ("eth0", "198.18.0.0/24")),  # obeyed
        ("", ("br-0123456789ab", "10.1.0.0/16")),  # of an action
    ],
)
def test_what_cannot_be_moved_is_reported(
    clock: Clock, events: Events, line: str, row: tuple[str, str]
) -> None:
    machine = Machine(clock, line)
    machine.rows += [row, ("eth1", "10.1.2.0/24")]
    assert machine.watch(60) == ""
    (event,) = events
    assert "it stays hidden" in event["next"]
    assert row[1] in event["error"]


def test_an_address_of_the_command_line_counts(clock: Clock, events: Events) -> None:
    machine = Machine(clock, "grpc_authority=198.18.0.9:42113")
    assert "198.18.0.9/32 (grpc_authority)" in machine.watch(2)
    assert len(events) == 1


def test_an_engine_that_does_not_answer_is_not_restarted_for_that(
    machine: Machine, events: Events
) -> None:
    machine.lease()
    machine.error = TransientError("asking dockerd")
    assert machine.watch(60) == ""
    assert {event["event"] for event in events} == {"route.hidden", "containers.unknown"}


def test_routes_that_cannot_be_read_restart_nothing(machine: Machine) -> None:
    def fail() -> list[Route]:
        raise PermissionError(13, "denied")

    machine.lease()
    machine.hidden.tick()
    machine.hidden.routes = fail
    machine.clock.wait(5)
    for look in (machine.hidden.tick, machine.planned.due):
        with pytest.raises(PermissionError):  # a task reports that
            look()


def test_a_route_that_follows_the_bridge_for_hours_moves_it_a_few_times_only(
    machine: Machine,
) -> None:
    machine.containers = [WORKER]
    networks, at = ["198.18.0.0/24", "198.51.100.0/24"], 0
    for turn in range(3 * int(policy.NETWORK_MOVES_SECONDS / 20)):
        machine.rows = [("eth0", "0.0.0.0/0"), ("docker0", networks[at])]
        if turn % 2:
            machine.rows.append(("eth0", networks[at]))
        at = 1 - at if machine.watch(10) else at
    assert len(machine.killed) == policy.NETWORK_MOVES_MAXIMUM


def test_a_route_that_comes_and_goes_moves_the_bridge_a_few_times_only(machine: Machine) -> None:
    machine.containers = [WORKER]
    networks = ["198.18.0.0/24", "198.51.100.0/24"]
    for turn in range(30):
        machine.rows = [("eth0", "0.0.0.0/0"), ("docker0", networks[turn % 2])]
        machine.rows.append(("eth0", networks[turn % 2]))
        machine.watch(20)
        machine.rows = [("eth0", "0.0.0.0/0"), ("docker0", networks[(turn + 1) % 2])]
        machine.watch(20)
    assert len(machine.killed) == policy.NETWORK_MOVES_MAXIMUM
    machine.watch(policy.NETWORK_MOVES_SECONDS)
    machine.rows.append(("eth0", networks[0]))
    assert "moves" in machine.watch(20)
