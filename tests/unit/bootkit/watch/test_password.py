"""A worker whose password changed is replaced, when nothing is lost by it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from bootkit.engine.docker import DockerEngine
from bootkit.plan.worker import WorkerSpec
from bootkit.policy import WORKER_PASSWORD_AGE_SECONDS
from bootkit.watch.password import PasswordMonitor
from tests.fakes.engine import Container, FakeEngine
from tinkie.errors import BootError, PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from pathlib import Path

    Events = list[MutableMapping[str, Any]]

OLD = {"REGISTRY_USERNAME": "u", "REGISTRY_PASSWORD": "old=1"}


@dataclass
class FakeAuth:
    version: int = 0

    def tick(self) -> None:
        """Another file comes when the test says so."""


@dataclass
class World:
    fake: FakeEngine
    engine: DockerEngine
    worker: Container
    auth: FakeAuth = field(default_factory=FakeAuth)
    environment: dict[str, str] = field(default_factory=lambda: dict(OLD))
    refusal: BootError | None = None
    looks: int = 0
    connected: bool = True
    clock: float = 0.0

    def wanted(self) -> tuple[WorkerSpec, BootError | None]:
        self.looks += 1
        environment = {} if self.refusal else self.environment
        return WorkerSpec("w", (), environment, "r.example"), self.refusal

    def monitor(self, *, is_adopted: bool = True) -> PasswordMonitor:
        return PasswordMonitor(
            self.engine,
            self.worker.id,
            self.auth,  # type: ignore[arg-type]
            wanted=self.wanted,
            is_connected=lambda: self.connected,
            now=lambda: self.clock,
            is_adopted=is_adopted,
        )

    def renew(self, password: str | None) -> None:
        self.environment = {} if password is None else OLD | {"REGISTRY_PASSWORD": password}
        self.auth.version += 1

    def tick(self, monitor: PasswordMonitor, seconds: int = 1) -> None:
        for _ in range(seconds):
            monitor.tick()
            self.clock += 1.0

    def is_there(self) -> bool:
        return self.worker in self.fake.containers


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    fake = FakeEngine(tmp_path / "docker.sock")
    worker = fake.add("tink-worker", Env=[f"{name}={text}" for name, text in OLD.items()])
    with fake.serving():
        engine = DockerEngine(fake.socket)
        engine.connect()
        yield World(fake, engine, worker)
        engine.close()


def test_an_idle_worker_is_replaced(world: World, events: Events) -> None:
    monitor = world.monitor()
    world.renew("new")
    world.tick(monitor, 3)
    assert world.is_there()
    world.tick(monitor)
    assert not world.is_there()
    assert [event["event"] for event in events] == ["worker.password_changed"]
    assert events[0]["registry"] == "r.example"
    assert "new" not in events[0].values()


@pytest.mark.parametrize("state", ["running", "restarting", "paused"])
@pytest.mark.parametrize("name", ["tinkerbell_wipe_1", "action_x", "of-an-action"])
def test_a_worker_beside_a_container_that_runs_is_not(world: World, state: str, name: str) -> None:
    monitor = world.monitor()
    action = world.fake.add(name, state=state)
    world.renew("new")
    world.tick(monitor, 60)
    assert world.is_there()
    world.fake.containers.remove(action)
    world.tick(monitor, 3)
    assert world.is_there(), "it may have to report that action"
    world.tick(monitor)
    assert not world.is_there()


def test_an_action_that_began_as_the_worker_was_ended_is_reported(
    world: World, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = DockerEngine.remove

    def remove_late(engine: DockerEngine, container: str) -> None:
        world.fake.add("action")
        remove(engine, container)

    monkeypatch.setattr(DockerEngine, "remove", remove_late)
    monitor = world.monitor()
    world.renew("new")
    world.tick(monitor, 4)
    assert not world.is_there()
    assert [event["event"] for event in events][1:] == ["worker.ended_in_action"]


@pytest.mark.parametrize("state", ["created", "exited", "dead"])
def test_a_container_that_does_not_run_keeps_no_worker(world: World, state: str) -> None:
    """tink-worker v0.12.2 leaves a container behind that it could not start."""
    monitor = world.monitor()
    world.fake.add("tinkerbell_wipe_1", state=state)
    world.renew("new")
    world.tick(monitor, 4)
    assert not world.is_there()


def test_a_worker_that_cannot_report_is_not(world: World) -> None:
    monitor = world.monitor()
    world.connected = False
    world.renew("new")
    world.tick(monitor, 60)
    assert world.is_there()
    world.connected = True
    world.tick(monitor, 4)
    assert not world.is_there()


@pytest.mark.parametrize("password", ["old=1", None])
def test_the_same_password_or_none_replaces_no_worker(world: World, password: str | None) -> None:
    monitor = world.monitor()
    world.renew(password)
    world.tick(monitor, 60)
    assert world.is_there()


def test_a_worker_is_compared_once_and_once_for_each_file(world: World) -> None:
    monitor = world.monitor()
    world.tick(monitor, 600)
    assert world.looks == 1
    world.renew("old=1")
    world.tick(monitor, 600)
    assert world.looks == 2


@pytest.mark.parametrize("version", [0, 1])
def test_a_worker_gets_a_password_that_was_withheld(
    world: World, events: Events, version: int
) -> None:
    """The registry's token service has TLS now; the file, if there is one, is the same."""
    world.auth.version, world.refusal = version, PermanentError("no TLS")
    world.worker.spec["Env"] = []
    monitor = world.monitor()
    world.tick(monitor, 600)
    assert world.is_there()
    assert 10 < world.looks < 160, "each time a registry is asked"
    assert not events
    world.refusal = None
    world.tick(monitor, 70)
    assert not world.is_there()
    assert [event["event"] for event in events] == ["worker.password_changed"]


def test_a_worker_that_has_the_password_keeps_it_while_it_is_refused(world: World) -> None:
    world.refusal = PermanentError("no TLS")
    monitor = world.monitor()
    world.tick(monitor, 600)
    world.refusal = None
    world.tick(monitor, 600)
    assert world.is_there()


def test_a_password_that_is_the_old_one_again_replaces_no_worker(world: World) -> None:
    monitor = world.monitor()
    action = world.fake.add("action_x")
    world.renew("new")
    world.tick(monitor, 5)
    world.renew("old=1")
    world.fake.containers.remove(action)
    world.tick(monitor, 60)
    assert world.is_there()


def test_an_engine_that_does_not_answer_is_asked_again(world: World) -> None:
    monitor = world.monitor()
    world.renew("new")
    world.fake.broken = 1
    with pytest.raises(Exception, match="broken"):
        monitor.tick()
    world.tick(monitor, 4)
    assert not world.is_there()


def test_without_an_answer_an_action_may_have_run(world: World) -> None:
    monitor = world.monitor()
    world.renew("new")
    world.tick(monitor, 3)
    world.fake.broken = 1
    with pytest.raises(Exception, match="broken"):
        monitor.tick()
    world.tick(monitor, 3)
    assert world.is_there()
    world.tick(monitor)
    assert not world.is_there()


def test_a_worker_is_not_replaced_again_and_again(world: World) -> None:
    """A server may give another password each minute."""
    monitor = world.monitor(is_adopted=False)
    world.renew("new")
    world.tick(monitor, int(WORKER_PASSWORD_AGE_SECONDS))
    assert world.is_there()
    world.tick(monitor, 5)
    assert not world.is_there()
