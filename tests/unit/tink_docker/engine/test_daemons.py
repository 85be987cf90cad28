from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tink_docker import policy
from tink_docker.engine.daemons import EngineDaemons
from tinkie.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from tests.unit.tink_docker.conftest import Clock

    Events = list[MutableMapping[str, Any]]


@dataclass
class FakeChild:
    """A program that ends after `life` seconds."""

    clock: Clock
    number: int
    life: float = float("inf")
    stopped: bool = False
    closed: bool = False
    began: float = field(init=False)
    status: str = "killed by SIGKILL"
    last_lines: list[str] = field(default_factory=lambda: ["bye"])

    def __post_init__(self) -> None:
        self.began = self.clock.now()

    @property
    def files(self) -> list[int]:
        assert not self.closed
        return [self.number]

    def ended(self) -> bool:
        return self.clock.now() - self.began >= self.life

    def read_output(self) -> None:
        assert not self.closed

    def stop(self, _wait: object) -> None:
        assert not self.closed
        self.stopped = self.closed = True

    def close(self) -> None:
        self.closed = True


@dataclass
class World:
    """dockerd runs on; containerds run for `lives` seconds each, the last one without end."""

    clock: Clock
    lives: list[float | Exception]
    serving_after: float = 1.0
    containerds: list[FakeChild] = field(default_factory=list)
    dockerds: list[FakeChild] = field(default_factory=list)

    def start_containerd(self) -> FakeChild:
        life = self.lives.pop(0) if self.lives else float("inf")
        if isinstance(life, Exception):
            raise life
        self.containerds.append(FakeChild(self.clock, 10 + len(self.containerds), life))
        return self.containerds[-1]

    def start_dockerd(self) -> FakeChild:
        self.dockerds.append(FakeChild(self.clock, 1))
        return self.dockerds[-1]

    def is_serving(self) -> bool:
        one = self.containerds[-1]
        return not one.ended() and self.clock.now() - one.began >= self.serving_after

    def start(self) -> EngineDaemons:
        return EngineDaemons.start(
            self.start_containerd,  # type: ignore[arg-type]
            self.start_dockerd,  # type: ignore[arg-type]
            self.is_serving,
            wait=self.clock.wait,
            now=self.clock.now,
        )

    def live(self, engine: EngineDaemons, seconds: float) -> None:
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            engine.look_after()
            self.clock.wait(0.5, engine.files)


def test_dockerd_starts_once_containerd_serves(clock: Clock) -> None:
    world = World(clock, [])
    engine = world.start()
    assert world.dockerds[0].began - world.containerds[0].began >= 1.0
    assert engine.files == [1, 10]


def test_the_error_about_a_containerd_that_does_not_serve_has_its_last_lines(clock: Clock) -> None:
    world = World(clock, [0.3])
    with pytest.raises(TransientError, match=r"killed by SIGKILL.*bye"):
        world.start()
    assert world.containerds[0].stopped
    assert world.dockerds == []


def test_a_containerd_that_never_serves_is_stopped(clock: Clock) -> None:
    world = World(clock, [], serving_after=1e9)
    with pytest.raises(TransientError):
        world.start()
    assert world.containerds[0].stopped


def test_a_containerd_that_dies_is_back_at_once_and_dockerd_lives_on(
    clock: Clock, events: Events
) -> None:
    world = World(clock, [100.0])
    engine = world.start()
    world.live(engine, 102)
    assert len(world.containerds) == 2
    assert world.containerds[1].began - world.containerds[0].began < 102
    assert not engine.ended()
    assert len(world.dockerds) == 1
    (ended,) = [event for event in events if event["event"] == "containerd.ended"]
    assert "killed by SIGKILL" in ended["error"]
    assert ended["last_lines"] == ["bye"]


def test_the_waits_between_restarts_of_containerd_grow(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_the_bound = replace(policy.CONTAINERD_RESTARTS, chance=lambda: 1.0)
    monkeypatch.setattr(policy, "CONTAINERD_RESTARTS", at_the_bound)
    world = World(clock, [2.0] * 40)
    world.live(world.start(), 120)
    starts = [one.began for one in world.containerds]
    apart = [int(later - earlier) for earlier, later in pairwise(starts)]  # we look each 0.5 s
    assert apart == sorted(apart)
    assert (apart[0], apart[-1]) == (2, 12)


def test_after_a_healthy_run_the_waits_begin_anew(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_the_bound = replace(policy.CONTAINERD_RESTARTS, chance=lambda: 1.0)
    monkeypatch.setattr(policy, "CONTAINERD_RESTARTS", at_the_bound)
    world = World(clock, [*[2.0] * 10, 70.0, 2.0])
    world.live(world.start(), 200)
    ends = [one.began + one.life for one in world.containerds]
    waits = [later.began - end for end, later in zip(ends, world.containerds[1:], strict=False)]
    assert waits[9] > 9, "after ten short runs"
    assert waits[10] < 1, "after one that was healthy"


def test_a_containerd_that_cannot_be_started_is_logged_and_tried_again(
    clock: Clock, events: Events
) -> None:
    world = World(clock, [5.0, PermanentError("no space")])
    engine = world.start()
    world.live(engine, 30)
    assert "containerd.failed" in [event["event"] for event in events]
    assert len(world.containerds) == 2
    engine.stop(clock.wait)
    assert world.containerds[1].stopped


def test_dockerd_is_stopped_even_while_containerd_is_gone(clock: Clock) -> None:
    world = World(clock, [1.5])
    engine = world.start()
    clock.wait(1)
    engine.look_after()
    engine.stop(clock.wait)
    assert world.dockerds[0].stopped
