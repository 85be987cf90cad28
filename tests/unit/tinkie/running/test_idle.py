"""For how long no action has run."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tinkie.errors import BootError, TransientError
from tinkie.running.idle import Idle

WORKER = "tink-worker"


@dataclass
class Machine:
    running: list[str] = field(default_factory=list)
    error: BootError | None = None
    clock: float = 1000.0

    def look(self) -> list[str]:
        if self.error:
            raise self.error
        return self.running

    def idle(self) -> Idle:
        return Idle(self.look, lambda: self.clock)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_any_container_but_the_worker_is_an_action(machine: Machine) -> None:
    machine.running = [WORKER]
    idle = machine.idle()
    assert (idle.seconds(), idle.worker_runs) == (0, True)
    machine.clock += 5
    assert idle.seconds() == 5
    machine.running.append("helper")
    assert idle.seconds() is None
    machine.clock += 5
    machine.running.clear()
    assert (idle.seconds(), idle.worker_runs) == (0, False)


def test_without_an_answer_the_time_begins_anew(machine: Machine) -> None:
    idle = machine.idle()
    idle.seconds()
    machine.clock += 5
    machine.error = TransientError("no answer")
    with pytest.raises(TransientError):
        idle.seconds()
    machine.error = None
    assert idle.seconds() == 0


def test_the_time_can_begin_anew(machine: Machine) -> None:
    idle = machine.idle()
    idle.seconds()
    machine.clock += 5
    idle.forget()
    assert idle.seconds() == 0
