from __future__ import annotations

import os
from pathlib import Path

import pytest

from tink_docker.repair.lost_containers import LostContainers
from tinkie.errors import TransientError


def lost_containers(*answers: dict[str, int] | Exception) -> LostContainers:
    """Have the engine give one answer after the other; 1 to 9 are processes that are there."""
    left = list(answers)

    def processes() -> dict[str, int]:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return LostContainers(processes, lambda pid: pid < 10)


def test_containers_whose_processes_exist_are_fine() -> None:
    ours = lost_containers({"a": 1, "b": 2}, {"a": 1}, {})
    assert [ours.check() for _ in range(3)] == [""] * 3


def test_a_lost_container_is_found_by_the_second_check() -> None:
    ours = lost_containers({"a": 1, "b": 20}, {"a": 1, "b": 20}, {"a": 1, "b": 20})
    assert ours.check() == ""
    assert ours.check() == "dockerd lists containers as running that have ended: b"
    assert ours.check() == ""  # the next engine is looked at afresh


@pytest.mark.parametrize("second", [{"b": 21}, {}, {"b": 1}, TransientError("busy")])
def test_a_container_that_is_just_ending_is_not_lost(second: dict[str, int] | Exception) -> None:
    ours = lost_containers({"b": 20}, second)
    assert ours.check() == ours.check() == ""


def test_a_container_without_a_process_is_between_two_states() -> None:
    ours = lost_containers({"b": 0}, {"b": 0})
    assert ours.check() == ours.check() == ""


def test_real_processes_are_looked_for() -> None:
    last = int(Path("/proc/sys/kernel/pid_max").read_text(encoding="ascii"))
    ours = LostContainers(lambda: {"us": os.getpid(), "nobody": last + 1})
    assert ours.check() == ""
    assert ours.check().endswith("have ended: nobody")
