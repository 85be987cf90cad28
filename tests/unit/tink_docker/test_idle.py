from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tink_docker.idle import Idle
from tinkie.errors import TransientError

if TYPE_CHECKING:
    from tests.unit.tink_docker.conftest import Clock

WORKER = "tink-worker"


def test_any_container_but_the_worker_is_an_action(clock: Clock) -> None:
    containers = [WORKER]
    idle = Idle(lambda: containers, clock.now)
    assert (idle.seconds(), idle.worker_runs) == (0, True)
    clock.wait(5)
    assert idle.seconds() == 5
    containers.append("helper")
    assert idle.seconds() is None
    clock.wait(5)
    containers[:] = []
    assert (idle.seconds(), idle.worker_runs) == (0, False)


def test_without_an_answer_the_time_begins_anew(clock: Clock) -> None:
    answers: list[Exception | None] = [None, TransientError("no answer"), None]

    def running() -> list[str]:
        if error := answers.pop(0):
            raise error
        return []

    idle = Idle(running, clock.now)
    idle.seconds()
    clock.wait(5)
    with pytest.raises(TransientError):
        idle.seconds()
    assert idle.seconds() == 0
