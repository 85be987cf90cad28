"""Reports of actions, whatever the clocks do: the one bootkit reads, and the one dockerd reads."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bootkit.engine.docker import DockerEngine
from bootkit.watch.actions import ActionReporter
from tests.fakes.engine import FakeEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping
    from pathlib import Path

    Events = list[MutableMapping[str, Any]]

NOON = 1_800_000_000.0


@dataclass
class Clock:
    """Shows `time`; `each_look` is how far it goes on with each look at it."""

    time: float = NOON
    each_look: float = 0.0

    def __call__(self) -> float:
        self.time += self.each_look
        return self.time


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeEngine]:
    fake = FakeEngine(tmp_path / "docker.sock", clock=Clock())
    with fake.serving():
        yield fake


@pytest.fixture
def reporter(fake: FakeEngine) -> Iterator[Callable[[Clock], ActionReporter]]:
    """Call it with the clock that bootkit reads."""
    with closing(DockerEngine(fake.socket)) as engine:
        engine.connect()
        yield lambda clock: ActionReporter(engine, clock, since=clock.time)


def reported(events: Events) -> list[tuple[str, str]]:
    return [(event["event"], event["name"]) for event in events if "action." in event["event"]]


def test_each_event_is_reported_once(
    fake: FakeEngine, reporter: Callable[[Clock], ActionReporter], events: Events
) -> None:
    clock = fake.clock = Clock()
    actions = reporter(clock)
    for number in range(3):
        clock.time += 0.5
        fake.emit("start", f"action_{number}")
        clock.time += 0.5
        actions.tick()
    assert reported(events) == [("action.started", f"action_{number}") for number in range(3)]
    assert fake.held == []


def test_after_the_clock_was_set_back_new_events_are_reported_and_old_ones_not_again(
    fake: FakeEngine, reporter: Callable[[Clock], ActionReporter], events: Events
) -> None:
    clock = fake.clock = Clock()
    actions = reporter(clock)
    clock.time += 1
    fake.emit("start", "action_before")
    clock.time += 1
    actions.tick()
    clock.time -= 3600
    actions.tick()
    clock.time += 1
    fake.emit("die", "action_after", "3")
    clock.time += 1
    actions.tick()
    assert reported(events) == [
        ("action.started", "action_before"),
        ("action.failed", "action_after"),
    ]
    assert fake.held == []


def test_a_clock_set_back_between_its_reading_and_the_engines_answer_loses_no_event(
    fake: FakeEngine, reporter: Callable[[Clock], ActionReporter], events: Events
) -> None:
    """The engine then holds its answer until its own clock has caught up."""
    clock = Clock()
    actions = reporter(clock)
    clock.time += 10
    behind = Clock(NOON + 1)
    fake.clock = behind
    fake.emit("start", "action_before")
    behind.each_look = 0.5
    actions.tick()
    behind.each_look = 0
    assert fake.held == [pytest.approx(9, abs=1)]
    assert behind.time >= NOON + 10
    clock.time = behind.time = NOON + 12
    fake.emit("die", "action_before", "0")
    clock.time = behind.time = NOON + 13
    actions.tick()
    assert reported(events) == [
        ("action.started", "action_before"),
        ("action.ended", "action_before"),
    ]
