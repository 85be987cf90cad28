from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from tink_docker.ca.late_trust import LateTrust
from tink_docker.engine import daemons as module
from tink_docker.engine.api import EngineVersion
from tink_docker.keeper import Keeper
from tink_docker.plan import SIGNS
from tink_docker.repair.lost_containers import LostContainers
from tink_docker.repair.missing_bridge import MissingBridge
from tink_docker.repair.networks import NetworkRecord
from tinkie.errors import PermanentError, ShutdownRequested, TransientError
from tinkie.running.run_record import RunRecord

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    from tests.unit.tink_docker.conftest import Clock
    from tink_docker.engine.child import Wait

    Events = list[MutableMapping[str, Any]]


@dataclass
class FakeEngine:
    """A dockerd that answers after `ready` seconds and ends after `life`."""

    clock: Clock
    ready: float = 1.0
    life: float = 600.0
    hangs_at: float = float("inf")
    stopped: int = 0
    began: float = field(init=False)
    status: str = "exit status 1"
    lines: list[str] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began = self.clock.now()

    @property
    def noticed(self) -> list[str]:
        """Return what the child keeps, also when other lines came after it."""
        return [line for line in self.lines if any(sign in line for sign in SIGNS)]

    @property
    def last_lines(self) -> list[str]:
        return self.lines[-1:]

    @property
    def age(self) -> float:
        return self.clock.now() - self.began

    def ended(self) -> bool:
        return self.age >= self.life

    def answers(self) -> bool:
        return self.ready <= self.age < self.hangs_at

    def look_after(self) -> None:
        pass

    def stop(self, _wait: object) -> None:
        self.stopped += 1


@dataclass
class FakeListener:
    address: str = "socket"
    published: bool = False

    def publish(self) -> None:
        self.published = True


@dataclass
class FakeCaFetcher:
    clock: Clock
    settles: float
    ticks: int = 0

    @property
    def settled(self) -> bool:
        return self.clock.now() >= self.settles

    def tick(self) -> None:
        self.ticks += 1


class FakeBroker:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.times: list[float] = []
        self.bug: Exception | None = None

    def tick(self) -> None:
        if self.bug:
            raise self.bug
        self.times.append(self.clock.now())


@dataclass
class FakeSpace:
    pace: float = 0.5
    ticks: int = 0
    bug: Exception | None = None

    def tick(self) -> None:
        if self.bug:
            raise self.bug
        self.ticks += 1


@dataclass
class FakeHiddenRoutes:
    bug: Exception | None = None

    def tick(self) -> None:
        if self.bug:
            raise self.bug


@dataclass
class FakePlannedRestart:
    """dockerd must be restarted at these times."""

    times: list[float]
    clock: Clock
    bug: Exception | None = None

    def due(self) -> str:
        if self.bug:
            raise self.bug
        if self.times and self.clock.now() >= self.times[0]:
            self.times.pop(0)
            return "docker0 moves"
        return ""


@dataclass
class World:
    keeper: Keeper
    engines: list[FakeEngine]
    broker: FakeBroker
    listener: FakeListener
    space: FakeSpace
    file_systems: FakeSpace
    hidden_routes: FakeHiddenRoutes
    planned_restart: FakePlannedRestart
    plans: list[dict[str, float] | Exception]
    containers: dict[str, int]
    last_lines: list[str]
    record: RunRecord


@pytest.fixture
def world(clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    engines: list[FakeEngine] = []
    plans: list[dict[str, float] | Exception] = []

    class FakePing:
        files: tuple[int, ...] = ()

        def answer(self, _path: Path) -> EngineVersion | None:
            return EngineVersion("26.1.5", "1.45") if engines[-1].answers() else None

        def close(self) -> None:
            pass

    def start(_wait: object) -> FakeEngine:
        if not plans:
            raise ShutdownRequested("enough")
        plan = plans.pop(0)
        if isinstance(plan, Exception):
            raise plan
        engines.append(FakeEngine(clock, lines=last_lines, **plan))  # type: ignore[arg-type]
        return engines[-1]

    monkeypatch.setattr(module, "Ping", FakePing)
    broker, listener, space = FakeBroker(clock), FakeListener(), FakeSpace()
    hidden_routes, file_systems = FakeHiddenRoutes(), FakeSpace()
    planned_restart = FakePlannedRestart([], clock)
    containers: dict[str, int] = {}
    last_lines = ["no space"]
    lost_containers = LostContainers(lambda: containers, lambda pid: pid < 10)
    keeper = Keeper(
        listener,  # type: ignore[arg-type]
        start,  # type: ignore[arg-type]
        (),
        LateTrust(()),
        broker,  # type: ignore[arg-type]
        lost_containers,
        NetworkRecord(tmp_path / "local-kv.db"),
        MissingBridge(),
        hidden_routes,  # type: ignore[arg-type]
        planned_restart,  # type: ignore[arg-type]
        space,  # type: ignore[arg-type]
        file_systems,  # type: ignore[arg-type]
        clock.wait,
        clock.now,
    )
    record = RunRecord(tmp_path / "runs.json", clock.now)
    return World(
        keeper, engines, broker, listener, space, file_systems, hidden_routes, planned_restart,
        plans, containers, last_lines, record,
    )  # fmt: skip


def keep(world: World) -> None:
    with pytest.raises(ShutdownRequested):
        world.keeper.keep(world.record)


def named(events: Events, name: str) -> list[MutableMapping[str, Any]]:
    return [event for event in events if event["event"] == name]


@pytest.mark.parametrize(
    "part", ["broker", "space", "file_systems", "hidden_routes", "planned_restart"]
)
def test_whatever_a_check_raises_the_engine_runs_on(
    world: World, events: Events, part: str
) -> None:
    getattr(world, part).bug = OverflowError("10**400")
    world.plans.append({"life": 100})
    keep(world)
    assert len(named(events, "engine.ready")) == len(named(events, "engine.ended")) == 1
    failed = named(events, "task.failed")
    assert 8 < len(failed) < 60
    assert failed[0]["error"] == "OverflowError: 10**400"


def test_that_it_is_up_is_noted_in_later_turns_too(world: World) -> None:
    world.plans.append({"life": 100})
    noted: list[bool] = []
    world.keeper.run_once(lambda: noted.append(True))
    assert len(noted) > 10


def test_a_ready_engine_is_logged(world: World, events: Events) -> None:
    world.plans.append({"life": 100})
    keep(world)
    (ready,) = named(events, "engine.ready")
    assert (ready["version"], ready["api"]) == ("26.1.5", "1.45")
    assert world.listener.published


def test_it_is_started_again_and_its_last_lines_are_logged(world: World, events: Events) -> None:
    world.plans += [{"life": 100}, {"life": 100}]
    keep(world)
    assert len(named(events, "engine.ready")) == 2
    ended = named(events, "engine.ended")
    assert len(ended) == 2
    assert ended[0]["error"] == "dockerd ended by itself: exit status 1"
    assert ended[0]["last_lines"] == ["no space"]
    assert [engine.stopped for engine in world.engines] == [1, 1]


def test_waits_grow_until_it_lasts(world: World) -> None:
    world.plans += [{"life": 0.1}] * 10 + [{"life": 61}] + [{"life": 0.1}]
    keep(world)
    starts = [engine.began for engine in world.engines]
    lives = [0.5] * 10 + [61]
    gaps = [
        after - before - life
        for before, after, life in zip(starts, starts[1:], lives, strict=False)
    ]
    bounds = [min(2.0**number, 60.0) for number in range(10)] + [1.0]
    assert all(gap < bound + 0.5 for gap, bound in zip(gaps, bounds, strict=True))
    assert max(gaps) > 4, "no wait is longer than four seconds"


def test_the_flag_is_looked_for_each_second_whatever_happens(world: World) -> None:
    world.plans += [{"ready": 20, "life": 90}, {"life": 0.1}, PermanentError("no program")]
    keep(world)
    times = world.broker.times
    assert max(b - a for a, b in pairwise(times)) <= 1.0


def test_the_space_is_measured_at_its_own_pace(world: World, clock: Clock) -> None:
    world.space.pace = 0.05
    world.plans.append({"life": 100})
    keep(world)
    assert max(clock.waits) <= 0.05
    assert world.space.ticks == len(world.broker.times)


def test_an_engine_that_cannot_be_started_is_tried_again(world: World, events: Events) -> None:
    world.plans += [PermanentError("starting dockerd: no such file"), {"life": 100}]
    keep(world)
    (failed,) = named(events, "run.failed")
    assert "no such file" in failed["error"]
    assert len(named(events, "engine.ready")) == 1


def test_an_engine_that_ends_before_it_answers(world: World, events: Events) -> None:
    world.plans.append({"ready": 60, "life": 5})
    keep(world)
    assert named(events, "engine.ready") == []
    assert len(named(events, "engine.ended")) == 1


@pytest.mark.parametrize(
    ("plan", "seconds"), [({"ready": 1e9}, 180), ({"hangs_at": 300.0, "life": 1e9}, 120)]
)
def test_an_engine_that_does_not_answer_is_replaced(
    world: World, clock: Clock, events: Events, plan: dict[str, float], seconds: int
) -> None:
    world.plans += [plan, {"life": 100}]
    started = clock.now()
    keep(world)
    (failed,) = named(events, "run.failed")
    assert f"did not answer for {seconds} s" in failed["error"]
    assert "it is restarted" in failed["hint"]
    assert world.engines[0].stopped == 1
    assert world.engines[1].began - started < 300 + 120 + 40


def test_an_engine_that_answers_is_kept(world: World, events: Events) -> None:
    world.plans.append({"life": 400})
    keep(world)
    assert named(events, "run.failed") == []
    assert world.engines[0].age > 400


def test_the_socket_appears_when_the_ca_is_settled(
    world: World, clock: Clock, events: Events
) -> None:
    ca_fetcher = FakeCaFetcher(clock, settles=clock.now() + 8)
    world.keeper = replace(world.keeper, ca_fetchers=(ca_fetcher,))  # type: ignore[arg-type]
    seen: list[tuple[float, bool]] = []
    clock.then = lambda: seen.append((clock.now(), world.listener.published))
    world.plans.append({"life": 100})
    keep(world)
    assert not any(published for time, published in seen if time < ca_fetcher.settles)
    assert all(published for time, published in seen if time > ca_fetcher.settles + 0.5)
    assert ca_fetcher.ticks > 20
    assert len(named(events, "engine.ready")) == 1
    assert len(named(events, "socket.waiting")) == 1


def test_a_planned_restart_is_no_failure(world: World, clock: Clock, events: Events) -> None:
    world.planned_restart.times += [clock.now() + 10, clock.now() + 20]
    world.plans += [{"life": 600}, {"life": 600}, {"life": 100}]
    keep(world)
    restarts = named(events, "engine.restarting")
    assert [event["reason"] for event in restarts] == ["docker0 moves"] * 2
    assert named(events, "run.failed") == []
    assert [engine.stopped for engine in world.engines] == [1, 1, 1]
    assert len(named(events, "engine.ended")) == 1
    assert world.engines[1].began - world.engines[0].began < 13


def test_late_certificates_count_from_when_clients_could_use_the_engine(
    world: World, clock: Clock
) -> None:
    settles = clock.now() + 8
    fetcher = FakeCaFetcher(clock, settles=settles)
    world.keeper = replace(world.keeper, ca_fetchers=(fetcher,))  # type: ignore[arg-type]
    seen: list[float | None] = []
    clock.then = lambda: seen.append(world.keeper.late_trust.open_since)
    world.plans += [{"life": 15}, {"life": 100}]
    keep(world)
    opened = sorted({one for one in seen if one is not None})
    assert seen[0] is None
    assert opened == [pytest.approx(settles, abs=1), world.engines[1].began]


def test_a_signal_stops_the_engine(world: World, clock: Clock, events: Events) -> None:
    def stop() -> None:
        if world.engines[0].age > 5:
            raise ShutdownRequested("SIGTERM")

    clock.then = stop
    world.plans.append({})
    keep(world)
    assert world.engines[0].stopped == 1
    assert named(events, "engine.ended") == []


def test_an_error_of_ours_does_not_leave_an_engine_behind(world: World, clock: Clock) -> None:
    def fail() -> None:
        raise TypeError

    clock.then = fail
    world.plans.append({})
    with pytest.raises(TypeError):
        world.keeper.keep(world.record)
    assert world.engines[0].stopped == 1


def test_the_checks_go_on_while_the_engine_starts(
    world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Embedded images may load for minutes then."""

    def start(wait: Wait) -> FakeEngine:
        for _ in range(5):
            wait(60.0, [])
        raise ShutdownRequested("enough")

    monkeypatch.setattr(world.keeper, "start", start)
    began = clock.now()
    keep(world)
    assert [time - began for time in world.broker.times] == [0, 60, 120, 180, 240]
    assert world.space.ticks == 5
    assert clock.waits == [60.0] * 5


def test_a_wait_after_crashes_looks_at_the_flag_and_requests_nothing(
    world: World, clock: Clock, events: Events
) -> None:
    """The request for the CA certificate may be what the earlier process died of."""
    ca_fetcher = FakeCaFetcher(clock, settles=0)
    world.keeper = replace(world.keeper, ca_fetchers=(ca_fetcher,))  # type: ignore[arg-type]
    world.record.write(9)
    started = clock.now()
    ticks: list[tuple[int, int]] = []
    clock.then = lambda: ticks.append((len(world.broker.times), ca_fetcher.ticks))
    world.plans.append({"life": 5})
    keep(world)
    (delayed,) = named(events, "run.delayed")
    wait = float(delayed["next"].split()[2])
    before = [ca for flag, ca in ticks[: int(wait)] if flag]
    assert before == [0] * int(wait)
    assert wait > 0
    assert world.engines[0].began - started == pytest.approx(wait, abs=0.1)
    assert ca_fetcher.ticks > 5


def test_each_transient_error_is_logged(world: World, events: Events) -> None:
    world.plans += [TransientError("x"), TransientError("y")]
    keep(world)
    assert [event["error"] for event in named(events, "run.failed")] == ["x", "y"]


def test_an_engine_with_a_lost_container_is_started_again(world: World, events: Events) -> None:
    world.plans += [{"life": 500}, {"life": 1}]
    world.containers["tinkerbell_wipe"] = 99
    keep(world)
    (failed,) = named(events, "run.failed")
    assert "have ended: tinkerbell_wipe" in failed["error"]
    assert world.engines[0].age < 200
    assert world.engines[0].stopped


def test_an_engine_that_lacks_its_network_is_noticed(world: World, events: Events) -> None:
    world.plans += [{"life": 500}]
    world.last_lines[:] = ["could not create bridge network for id 1fe8", "more"]
    keep(world)
    assert len(named(events, "engine.ready")) == len(named(events, "networks.incomplete")) == 1
    assert "without its bridge" in world.keeper.missing_bridge.reason()


def test_networks_that_no_engine_starts_with_are_reset(world: World, events: Events) -> None:
    world.plans += [{"life": 0.5}, {"life": 0.5}, {"life": 100}]
    world.last_lines[:] = ["Error initializing network controller: same bridge name", "more"]
    keep(world)
    assert len(named(events, "networks.reset")) == 1
    assert len(named(events, "engine.ready")) == 1
