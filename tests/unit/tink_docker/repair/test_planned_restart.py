from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tink_docker.repair.planned_restart import PlannedRestart
from tinkie.errors import TransientError
from tinkie.policy import WORKER_REPORT_SECONDS
from tinkie.running.idle import Idle

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from tests.unit.tink_docker.conftest import Clock

WORKER = "tink-worker"


@dataclass
class FakeCause:
    text: str = ""
    restarts: int = 0

    def reason(self) -> str:
        return self.text

    def restarting(self) -> None:
        self.restarts += 1


@dataclass
class Machine:
    clock: Clock
    containers: list[str] = field(default_factory=lambda: [WORKER])
    killed: list[str] = field(default_factory=list)
    error: Exception | None = None
    after_kill: list[str] = field(default_factory=list)
    rebooting: bool = False
    first: FakeCause = field(default_factory=FakeCause)
    second: FakeCause = field(default_factory=FakeCause)

    def __post_init__(self) -> None:
        now = self.clock.now
        self.planned = PlannedRestart(
            (self.first, self.second),
            Idle(lambda: self.containers, now),
            self.kill,
            lambda: self.rebooting,
            now,
        )

    def kill(self, name: str) -> None:
        if self.error:
            raise self.error
        self.killed.append(name)
        self.containers = self.after_kill

    def watch(self, seconds: float) -> str:
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            if reason := self.planned.due():
                return reason
            self.clock.wait(0.25)
        return ""


def test_nothing_is_restarted_without_a_cause(clock: Clock) -> None:
    machine = Machine(clock)
    assert machine.watch(60) == ""
    assert machine.killed == []


def test_only_the_cause_that_is_obeyed_hears_of_it(clock: Clock) -> None:
    machine = Machine(clock, second=FakeCause("late certificates"))
    assert machine.watch(WORKER_REPORT_SECONDS) == ""
    assert machine.watch(2) == "late certificates"
    assert (machine.first.restarts, machine.second.restarts) == (0, 1)
    assert machine.killed == [WORKER]


def test_a_reboot_goes_first(clock: Clock) -> None:
    machine = Machine(clock, first=FakeCause("moves"), rebooting=True)
    assert machine.watch(60) == ""
    assert machine.killed == []


def test_a_worker_that_cannot_be_killed_restarts_nothing(clock: Clock) -> None:
    machine = Machine(clock, first=FakeCause("moves"), error=TransientError("no answer"))
    assert machine.watch(60) == ""
    assert machine.first.restarts == 0


def test_an_action_that_began_as_the_worker_was_ended_keeps_its_dockerd(
    clock: Clock, events: list[MutableMapping[str, Any]]
) -> None:
    machine = Machine(clock, first=FakeCause("moves"), after_kill=["action"])
    assert machine.watch(60) == ""
    assert machine.killed == [WORKER]
    assert [event["event"] for event in events] == ["worker.ended_in_action"]
    machine.containers = []
    assert machine.watch(2) == "moves"
    assert machine.first.restarts == 1
