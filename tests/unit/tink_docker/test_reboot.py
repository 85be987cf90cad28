from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tink_docker import reboot
from tink_docker.reboot import RebootBroker
from tinkie.errors import TransientError
from tinkie.running.idle import Idle

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    from tests.unit.tink_docker.conftest import Clock

    Events = list[MutableMapping[str, Any]]


class Machine:
    """Containers that run, and the times of requests to PID 1."""

    def __init__(self, clock: Clock, flag: Path) -> None:
        self.clock = clock
        self.containers: list[str] = ["tink-worker"]
        self.rebooted: list[float] = []
        self.flag = flag
        self.started = clock.now()
        self.broker = RebootBroker(Idle(self.running, clock.now), clock.now, self.reboot, flag)

    def running(self) -> list[str]:
        return self.containers

    def reboot(self) -> None:
        assert not self.flag.exists()
        self.rebooted.append(self.clock.now() - self.started)

    def live(self, seconds: float) -> None:
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            self.broker.tick()
            self.clock.wait(0.5)


@pytest.fixture
def machine(clock: Clock, tmp_path: Path) -> Machine:
    return Machine(clock, tmp_path / "reboot")


def names(events: Events) -> list[str]:
    return [event["event"] for event in events]


def test_nothing_happens_without_the_flag(machine: Machine, events: Events) -> None:
    machine.live(600)
    assert machine.rebooted == []
    assert events == []


def test_a_quiet_machine_reboots_after_a_moment_for_the_report(
    machine: Machine, events: Events
) -> None:
    machine.flag.touch()
    machine.live(30)
    assert machine.rebooted == [3.0]
    assert names(events) == ["reboot.requested", "reboot.started"]
    assert events[1]["reason"] == "no action is running"


def test_an_action_that_runs_is_waited_for(machine: Machine) -> None:
    machine.containers.append("action_reboot")
    machine.flag.touch()
    machine.live(10)
    assert machine.rebooted == []
    machine.containers.remove("action_reboot")
    machine.live(10)
    assert machine.rebooted == [13.0]


def test_an_action_that_starts_meanwhile_is_waited_for(machine: Machine) -> None:
    machine.flag.touch()
    machine.live(2)
    machine.containers.append("next")
    machine.live(2)
    machine.containers.remove("next")
    machine.live(10)
    assert machine.rebooted == [7.0]


def test_an_action_delays_the_reboot_by_thirty_seconds_at_most(
    machine: Machine, events: Events
) -> None:
    machine.containers.append("hangs")
    machine.flag.touch()
    machine.live(40)
    assert machine.rebooted == [30.0]
    assert events[-1]["reason"] == "actions still run after 30 s, or dockerd does not answer"


def test_an_engine_that_does_not_answer_is_waited_for_as_long(machine: Machine) -> None:
    def silent() -> list[str]:
        raise TransientError("no answer")

    machine.broker.idle.running = silent
    machine.flag.touch()
    machine.live(40)
    assert machine.rebooted == [30.0]


def test_a_flag_that_points_nowhere_is_one(machine: Machine) -> None:
    machine.flag.symlink_to("nowhere")
    machine.live(5)
    assert machine.rebooted == [3.0]


def test_a_machine_that_is_still_up_is_asked_again(machine: Machine) -> None:
    machine.flag.touch()
    machine.live(70)
    assert machine.rebooted == [3.0, 66.0]


def test_a_reboot_that_fails_is_logged_and_tried_again(machine: Machine, events: Events) -> None:
    def refuse() -> None:
        raise PermissionError(1, "Operation not permitted")

    machine.broker.reboot = refuse
    machine.flag.touch()
    machine.live(100)
    failed = [event for event in events if event["event"] == "reboot.failed"]
    assert len(failed) == 2
    assert failed[0]["error"] == "signalling PID 1: Operation not permitted"


def test_pid_1_is_asked_as_busybox_init_understands_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    reboot.ask_init(tmp_path / "shutdown-by")
    assert sent == [(1, 15)]


@pytest.mark.parametrize("planted", ["nothing", "link", "pipe"])
def test_the_reason_of_a_reboot_replaces_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str
) -> None:
    monkeypatch.setattr(os, "kill", lambda *_: None)
    path, other = tmp_path / "shutdown-by", tmp_path / "other"
    other.write_text("kept")
    if planted == "link":
        path.symlink_to(other)
    elif planted == "pipe":
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # or a writer would wait forever
    reboot.ask_init(path)
    if planted == "pipe":
        os.close(reader)
    assert path.is_file()
    assert not path.is_symlink()
    assert path.read_text() == "/worker/reboot\n"
    assert other.read_text() == "kept"


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_whatever_has_that_name_is_a_request(machine: Machine, kind: str, tmp_path: Path) -> None:
    if kind == "folder":
        machine.flag.mkdir()  # a volume `/worker/reboot:/x` makes one
    elif kind == "link":
        machine.flag.symlink_to(tmp_path / "missing")
    else:
        os.mkfifo(machine.flag)
    machine.broker.reboot = lambda: machine.rebooted.append(machine.clock.now())
    machine.live(20)
    assert len(machine.rebooted) == 1
