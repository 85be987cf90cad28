"""The whole way with an engine in memory, the real client, and no time that passes."""

from __future__ import annotations

import base64
import gc
import json
import socket
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bootkit.boot import Boot
from bootkit.engine.docker import DockerEngine
from bootkit.engine.interface import EngineNotReady
from bootkit.plan.worker import ENGINE_LABEL, SPEC_LABEL
from bootkit.policy import WORKER_PASSWORD_AGE_SECONDS
from bootkit.watch.actions import ActionReporter
from bootkit.watch.connection import ConnectionMonitor
from tests.fakes.engine import Container, FakeEngine
from tests.fakes.metadata import FakeMetadata
from tinkie.errors import BadParameters, BootError, PermanentError, ShutdownRequested
from tinkie.fetch.fetcher import Fetcher
from tinkie.parameters.cmdline import KEPT_BYTES, Cmdline
from tinkie.running.redaction import MASK, REDACTOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping
    from pathlib import Path

    Events = list[MutableMapping[str, Any]]

IMAGE = "r.example/tink-worker:1"
CMDLINE = f"worker_id=w1 instance_id=i grpc_authority=10.0.0.1:42113 tink_worker_image={IMAGE}"
DONE = [{"status": "Pulling from tink-worker", "id": "1"}, {"status": "Download complete"}]
INSTANCE = "/2009-04-04/meta-data/instance-id"

TASKS = {
    "report actions": (ActionReporter, "report"),
    "watch the worker's connection": (ConnectionMonitor, "tick"),
}


@dataclass
class World:
    """A machine: command line, engine, metadata service; `meanwhile` happens in the pauses."""

    engine: FakeEngine
    cmdline: str = CMDLINE
    metadata: FakeMetadata = field(default_factory=FakeMetadata)
    meanwhile: list[Callable[[], object]] = field(default_factory=list)
    clock: float = 0.0
    clients: list[DockerEngine] = field(default_factory=list)
    ups: list[float] = field(default_factory=list)

    def pause(self, seconds: float) -> None:
        """Let time pass; what happens meanwhile happens in the middle of it."""
        self.clock += seconds
        if not self.meanwhile:
            raise ShutdownRequested("SIGTERM")
        self.meanwhile.pop(0)()

    def boot(self) -> Boot:
        self.clients.append(DockerEngine(self.engine.socket))
        return Boot(
            read_cmdline=lambda: Cmdline.parse(self.cmdline),
            engine=self.clients[-1],
            pause=self.pause,
            now=lambda: self.clock,
            make_fetcher=lambda _: Fetcher(transport=self.metadata.transport),
        )

    def is_up(self) -> None:
        """Take note of a worker that is watched."""
        self.ups.append(self.clock)

    def run(self, boot: Boot | None = None) -> None:
        """Run until the worker has ended or nothing more happens."""
        try:
            (boot or self.boot()).run(self.is_up)
        except ShutdownRequested:
            return


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    engine = FakeEngine(tmp_path / "docker.sock", pulls={IMAGE: DONE})
    world = World(engine)
    with engine.serving():
        yield world
        for client in world.clients:
            client.close()


def names(events: Events) -> list[str]:
    return [event["event"] for event in events if not event["event"].startswith("phase.")]


def test_that_the_worker_runs_is_noted_in_later_turns_too(world: World) -> None:
    world.meanwhile = [lambda: None] * 3
    world.run()
    assert len(world.ups) > 3


def test_a_machine_boots(world: World, events: Events) -> None:
    world.run()
    worker = world.engine.worker()
    assert worker.state == "running"
    assert worker.spec["Image"] == IMAGE
    host = worker.spec["HostConfig"]
    assert (host["NetworkMode"], host["Privileged"]) == ("host", True)
    assert host["Binds"] == [
        "/worker:/worker",
        "/var/run/docker.sock:/var/run/docker.sock",
        "/dev:/dev",
        "/host_root/run:/run",
        "/etc/resolv.conf:/etc/resolv.conf:ro",
    ]
    assert sorted(worker.spec["Env"]) == [
        "ID=w1",
        "TIMEOUT=0",
        "TINKERBELL_GRPC_AUTHORITY=10.0.0.1:42113",
        "WORKER_ID=w1",
        "container_uuid=i",
    ]
    assert names(events) == ["engine.ready", "image.pulling", "image.pulled", "worker.started"]
    assert [e["phase"] for e in events if e["event"] == "phase.started"] == [
        "parameters",
        "metadata",
        "plan",
        "engine",
        "pull",
        "start",
        "watch",
    ]


def test_the_log_of_the_worker_is_bounded(world: World) -> None:
    world.run()
    log = world.engine.worker().spec["HostConfig"]["LogConfig"]
    assert log == {"Type": "json-file", "Config": {"max-size": "2m", "max-file": "2"}}


def test_an_engine_that_forwards_logs_keeps_its_own_bounds(world: World) -> None:
    world.engine.logging_driver = "syslog"
    world.run()
    assert "LogConfig" not in world.engine.worker().spec["HostConfig"]


def test_a_running_worker_is_adopted(world: World, events: Events) -> None:
    world.run()
    first = world.engine.worker()
    events.clear()
    world.run(world.boot())
    assert world.engine.worker() is first
    assert names(events) == ["engine.ready", "worker.adopted"]


@pytest.mark.parametrize("label", [SPEC_LABEL, ENGINE_LABEL])
def test_a_worker_of_another_spec_or_socket_is_replaced(world: World, label: str) -> None:
    world.run()
    first = world.engine.worker()
    first.spec["Labels"][label] = "another"
    world.run(world.boot())
    assert world.engine.worker() is not first
    assert first not in world.engine.containers


@pytest.mark.parametrize("state", ["created", "exited", "dead"])
def test_a_worker_that_does_not_run_is_replaced(world: World, state: str) -> None:
    old = world.engine.add("tink-worker", state=state)
    world.run()
    assert world.engine.worker().state == "running"
    assert world.engine.find(old.id) is None


def test_somebody_elses_worker_is_replaced(world: World) -> None:
    old = world.engine.add("tink-worker")
    world.run()
    assert world.engine.find(old.id) is None
    assert world.engine.worker().state == "running"


def test_a_renamed_worker_does_not_stay_beside_the_new_one(world: World) -> None:
    old = world.engine.add("renamed", Labels={SPEC_LABEL: "x"})
    world.run()
    assert world.engine.find(old.id) is None


def test_actions_of_the_old_worker_are_gone_before_the_new_one_starts(world: World) -> None:
    kept = ["registry", "boring_wozniak", "my-tinkerbell_x"]
    world.engine.add("action_stream", "/workflow")
    world.engine.add("tinkerbell_stream_1")
    world.engine.add("tinkerbell_stream_2", state="exited")
    world.engine.add("disk-wipe", "/workflow")
    world.engine.add("stream_image", "/workflow")
    world.engine.add("boring_wozniak", "/workflow", "/var/run/docker.sock")
    world.engine.add("registry")
    world.engine.add("my-tinkerbell_x")
    world.run()
    assert {one.name for one in world.engine.containers} == {*kept, "tink-worker"}
    requests = world.engine.requests
    last_removal = max(i for i, request in enumerate(requests) if request.startswith("DELETE"))
    assert last_removal < requests.index("POST /containers/create")


def test_the_old_worker_is_gone_before_its_actions(world: World) -> None:
    """It could start another one meanwhile."""
    worker = world.engine.add("tink-worker")
    action = world.engine.add("action_stream", "/workflow")
    world.run()
    removals = [one for one in world.engine.requests if one.startswith("DELETE")]
    assert [worker.id in removals[0], action.id in removals[1]] == [True, True]


def test_actions_of_an_adopted_worker_are_left_alone(world: World) -> None:
    world.run()
    action = world.engine.add("action_stream", "/workflow")
    world.run(world.boot())
    assert action in world.engine.containers


def test_actions_are_logged(world: World, events: Events) -> None:
    def run_actions() -> None:
        emit = world.engine.emit
        emit("start", "tinkerbell_stream_1")
        emit("die", "tinkerbell_stream_1", "0")
        emit("start", "tink-worker")
        emit("start", "stream_image")  # of tink-worker before v0.9.0
        emit("start", "action_wipe")
        emit("die", "action_wipe", "3")

    world.meanwhile = [run_actions, lambda: None]
    world.run()
    logged = [(e["event"], e["name"], e.get("error")) for e in events if "action." in e["event"]]
    assert logged == [
        ("action.started", "tinkerbell_stream_1", None),
        ("action.ended", "tinkerbell_stream_1", None),
        ("action.started", "stream_image", None),
        ("action.started", "action_wipe", None),
        ("action.failed", "action_wipe", "exit code 3"),
    ]


def test_an_action_that_fails_with_its_worker_is_logged_before_it(
    world: World, events: Events
) -> None:
    def both_end() -> None:
        world.engine.emit("die", "action_wipe", "3")
        world.engine.end_worker(0)

    world.meanwhile = [lambda: None, both_end]
    world.run()
    logged = [e["event"] for e in events if e["event"] in ("action.failed", "worker.ended")]
    assert logged == ["action.failed", "worker.ended"]


@pytest.mark.parametrize("task", ["report actions", "watch the worker's connection"])
@pytest.mark.parametrize("bug", [UnicodeError("tb..example.com"), OverflowError("10**400")])
def test_whatever_a_task_raises_the_end_of_the_worker_is_seen(
    world: World, events: Events, monkeypatch: pytest.MonkeyPatch, task: str, bug: Exception
) -> None:
    owner, method = TASKS[task]

    def fail(_self: object) -> None:
        raise bug

    monkeypatch.setattr(owner, method, fail)
    world.meanwhile = [lambda: None, lambda: world.engine.end_worker(3)]
    world.run()
    assert "exit code 3" in next(e["error"] for e in events if e["event"] == "worker.ended")
    failed = next(e for e in events if e["event"] == "task.failed")
    assert (failed["task"], failed["error"]) == (task, f"{type(bug).__name__}: {bug}")


def test_the_last_lines_of_a_worker_are_kept(world: World, events: Events) -> None:
    text = "".join(f"line {number}\n" for number in range(60))
    world.meanwhile = [lambda: None, lambda: world.engine.end_worker(3, text)]
    world.run()
    lines = [event["text"] for event in events if event["event"] == "worker.log"]
    assert (len(lines), lines[0], lines[-1]) == (50, "line 10", "line 59")
    assert events[-2]["event"] == "worker.ended"
    assert events[-2]["error"] == "exit code 3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Error: no server\nUsage:\n  tink-worker [flags]\n\nFlags:\n  -h, --help\n\n",
            "Error: no server",
        ),
        ("one\ntwo\n\n \n", "two"),
        ("formatting\nUsage:\n mkfs\nError: no server\nUsage:\n  tink\n", "Error: no server"),
        ("formatting\nUsage:\n mkfs\nexited\n", "exited"),
        ("", None),
    ],
)
def test_the_last_line_of_a_worker_is_not_blank_and_not_its_usage(
    world: World, events: Events, text: str, expected: str | None
) -> None:
    world.meanwhile = [lambda: None, lambda: world.engine.end_worker(1, text)]
    world.run()
    ended = next(event for event in events if event["event"] == "worker.ended")
    assert ended.get("last_line") == expected


def test_a_worker_killed_for_memory_is_reported(world: World, events: Events) -> None:
    world.meanwhile = [lambda: world.engine.end_worker(137)]
    world.run()
    assert "out of memory" in next(e["error"] for e in events if e["event"] == "worker.ended")


def test_a_worker_that_somebody_removed_has_ended(world: World, events: Events) -> None:
    world.meanwhile = [world.engine.containers.clear]
    world.run()
    assert "was removed" in next(e["error"] for e in events if e["event"] == "worker.ended")


def test_bootkit_waits_for_an_engine_that_is_late(world: World, events: Events) -> None:
    world.engine.broken = 3
    world.meanwhile = [lambda: None] * 3
    world.run()
    assert world.engine.worker().state == "running"
    assert names(events)[:2] == ["engine.waiting", "engine.ready"]


def test_waiting_for_the_engine_is_logged_every_ten_seconds(
    world: World, events: Events, tmp_path: Path
) -> None:
    world.meanwhile = [lambda: None] * 350
    boot = world.boot()
    boot.engine = DockerEngine(tmp_path / "nothing.sock")
    world.run(boot)
    logged = names(events)
    assert 40 < world.clock < 60
    assert 4 <= logged.count("engine.waiting") <= 6
    assert "No such file" in next(e["reason"] for e in events if e["event"] == "engine.waiting")


# The Docker library leaves a socket behind when it cannot connect.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_engine_that_goes_away_under_the_worker_is_no_end_of_it(world: World) -> None:
    boot = world.boot()

    def vanish() -> None:
        world.engine.socket.rename(world.engine.socket.with_suffix(".gone"))
        boot.engine._api.close()  # type: ignore[attr-defined]

    def come_back() -> None:
        world.engine.socket.with_suffix(".gone").rename(world.engine.socket)

    world.meanwhile = [vanish]
    with pytest.raises(EngineNotReady):
        boot.run(world.is_up)
    first = world.engine.find("tink-worker")
    come_back()
    world.run(boot)
    assert world.engine.worker() is first
    gc.collect()  # shows what the mark above is about here, and in no other test


@pytest.mark.parametrize("cut", [10, 60, 115])
def test_an_engine_that_dies_while_it_sends_events(world: World, cut: int) -> None:
    def die() -> None:
        for _ in range(3):
            world.engine.emit("start", "action_x")
        world.engine.cut = cut

    world.meanwhile = [die, lambda: None]
    world.run()
    assert world.engine.worker().state == "running"


class TestTokenService:
    """The registry of the worker's image names a token service without TLS."""

    WITH_PAIR = f"{CMDLINE} docker_registry=r.example registry_username=u registry_password=pass1"

    def boot(self, world: World, realm: str) -> Boot:
        headers = {"WWW-Authenticate": f'Bearer realm="{realm}"'}
        transport = httpx.MockTransport(lambda _: httpx.Response(401, headers=headers))
        boot = world.boot()
        boot.make_fetcher = lambda _: Fetcher(transport=transport)
        return boot

    def test_it_gets_no_password(self, world: World) -> None:
        world.cmdline = self.WITH_PAIR
        with pytest.raises(PermanentError, match=r"names auth\.example as its token service"):
            self.boot(world, "http://auth.example/token").run(world.is_up)
        assert world.engine.auth == []
        assert world.engine.containers == []

    def test_a_worker_whose_image_is_here_starts_without_the_password(
        self, world: World, events: Events
    ) -> None:
        world.cmdline = self.WITH_PAIR
        world.engine.images.add(IMAGE)
        world.run(self.boot(world, "http://auth.example/token"))
        environment = world.engine.worker().spec["Env"]
        assert "DOCKER_REGISTRY=r.example" in environment
        assert not [one for one in environment if one.startswith(("REGISTRY_", "pass1"))]
        assert world.engine.auth == []
        event = next(event for event in events if event["event"] == "worker.without_password")
        assert event["kind"] == "plain-http"
        assert "auth.example" in event["hint"]

    def test_the_worker_gets_it_when_the_token_service_has_tls(
        self, world: World, events: Events
    ) -> None:
        world.cmdline = self.WITH_PAIR.replace("grpc_authority=10.0.0.1:42113", "")
        world.engine.images.add(IMAGE)
        realms = ["http://auth.example/token"]

        def answer(_request: httpx.Request) -> httpx.Response:
            headers = {"WWW-Authenticate": f'Bearer realm="{realms[-1]}"'}
            return httpx.Response(401, headers=headers)

        fetcher = Fetcher(transport=httpx.MockTransport(answer), now=lambda: world.clock)
        boot = world.boot()
        boot.make_fetcher = lambda _: fetcher
        world.meanwhile = [lambda: realms.append("https://auth.example/token")]
        world.meanwhile += [lambda: None] * int(WORKER_PASSWORD_AGE_SECONDS + 9)
        world.run(boot)
        assert names(events)[-2:] == ["worker.password_changed", "worker.ended"]
        world.run(boot)
        assert "REGISTRY_PASSWORD=pass1" in world.engine.worker().spec["Env"]

    def test_a_listed_one_gets_it(self, world: World) -> None:
        world.cmdline = f"{self.WITH_PAIR} insecure_registries=auth.example"
        world.run(self.boot(world, "http://auth.example/token"))
        assert len(world.engine.auth) == 1
        assert "REGISTRY_PASSWORD=pass1" in world.engine.worker().spec["Env"]


class TestRegistryAuthUrl:
    """A file server and a registry that takes the password which the file has now."""

    URL = "https://files.example/auth.json"
    CMDLINE = f"{CMDLINE} docker_registry=r.example registry_auth_url={URL}"

    @pytest.fixture(autouse=True)
    def _servers(self, world: World) -> None:
        self.password, self.accepted, self.status = "pass-1", "pass-1", 200
        self.asked: list[str] = []
        world.cmdline = self.CMDLINE
        world.engine.registry = self.pull

    def pull(self, _image: str, auth: str) -> list[dict[str, Any]]:
        found = json.loads(base64.urlsafe_b64decode(auth))
        ok = found.get("password", found.get("identitytoken")) == self.accepted
        return DONE if ok else [{"error": "unauthorized: authentication required"}]

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.host)
        if request.url.host == "r.example":
            return httpx.Response(401, headers={"WWW-Authenticate": "Basic"})
        content = {"auths": {"https://r.example/v1/": self.entry()}}
        return httpx.Response(self.status, json=content)

    def entry(self) -> dict[str, str]:
        return {"username": "robot", "password": self.password}

    def boot(self, world: World) -> Boot:
        boot = world.boot()
        transport = httpx.MockTransport(self.answer)
        boot.make_fetcher = lambda _: Fetcher(transport=transport)
        return boot

    def environment(self, world: World) -> dict[str, str]:
        pairs = (one.partition("=") for one in world.engine.worker().spec["Env"])
        return {name: value for name, _, value in pairs if name.startswith("REGISTRY_")}

    def test_its_password_pulls_the_image_and_is_the_workers(
        self, world: World, events: Events
    ) -> None:
        world.run(self.boot(world))
        pair = {"REGISTRY_USERNAME": "robot", "REGISTRY_PASSWORD": "pass-1"}
        assert self.environment(world) == pair
        assert self.asked == ["files.example", "r.example"]
        assert names(events)[:3] == ["engine.ready", "registry_auth.fetched", "image.pulling"]
        assert "pass-1" not in str(events)

    def test_the_command_lines_password_wins_for_docker_registry(self, world: World) -> None:
        self.accepted = "given"
        world.cmdline += " registry_username=me registry_password=given"
        world.run(self.boot(world))
        pair = {"REGISTRY_USERNAME": "me", "REGISTRY_PASSWORD": "given"}
        assert self.environment(world) == pair

    def test_a_worker_without_docker_registry_gets_none(self, world: World) -> None:
        world.cmdline = world.cmdline.replace("docker_registry=r.example", "")
        world.run(self.boot(world))
        assert self.environment(world) == {}

    def test_an_image_that_is_here_starts_without_the_file(
        self, world: World, events: Events
    ) -> None:
        self.status = 503
        world.engine.images.add(IMAGE)
        world.run(self.boot(world))
        assert self.environment(world) == {}
        failed = next(one for one in events if one["event"] == "image.pull_failed")
        assert "registry_auth_url could not be used" in failed["hint"]

    def test_a_denied_pull_fetches_a_new_password(self, world: World, events: Events) -> None:
        boot = self.boot(world)
        world.run(boot)
        world.engine.end_worker(1)
        self.password = self.accepted = "pass-2"
        world.run(boot)
        assert self.environment(world)["REGISTRY_PASSWORD"] == "pass-2"
        assert "image.password_renewed" in names(events)

    def test_a_running_worker_is_replaced_when_its_password_changes(
        self, world: World, events: Events
    ) -> None:
        world.cmdline = world.cmdline.replace("grpc_authority=10.0.0.1:42113", "")
        boot = self.boot(world)
        world.run(boot)
        first = world.engine.worker()
        self.password = self.accepted = "pass-2"
        world.clock += 3600
        world.meanwhile = [lambda: None] * 9
        world.run(boot)
        assert first not in world.engine.containers
        assert names(events)[-2:] == ["worker.password_changed", "worker.ended"]
        world.meanwhile = []
        world.run(boot)
        assert self.environment(world)["REGISTRY_PASSWORD"] == "pass-2"

    def test_the_password_makes_no_other_worker(self, world: World) -> None:
        world.run(self.boot(world))
        first = world.engine.worker()
        world.run(self.boot(world))
        assert world.engine.worker() is first

    def test_an_adopted_worker_with_an_old_password_is_replaced(self, world: World) -> None:
        world.cmdline = world.cmdline.replace("grpc_authority=10.0.0.1:42113", "")
        world.run(self.boot(world))
        first = world.engine.worker()
        self.password = "pass-2"
        world.meanwhile = [lambda: None] * 9
        world.run(self.boot(world))
        assert first not in world.engine.containers

    def test_the_password_of_an_adopted_worker_is_masked_although_the_file_has_another(
        self, world: World
    ) -> None:
        world.run(self.boot(world))
        for status, password in ((200, "pass-2"), (503, "")):
            self.status, self.password = status, password
            REDACTOR.reset()  # bootkit starts anew
            world.run(self.boot(world))
            assert REDACTOR.text("denied: robot:pass-1") == f"denied: robot:{MASK}"

    def test_the_password_of_a_worker_is_masked_while_the_file_changes_and_changes(
        self, world: World
    ) -> None:
        def change(number: int) -> None:
            self.password = f"pass-{number}"
            world.clock += 100_000

        world.cmdline = world.cmdline.replace("grpc_authority=10.0.0.1:42113", "")
        world.meanwhile = [partial(world.engine.add, "action_x", state="running")]
        world.meanwhile += [partial(change, number) for number in range(2, 9)]
        boot = self.boot(world)
        world.run(boot)
        assert boot.auth.version == 8
        shown = [REDACTOR.text(f"denied: pass-{number}") for number in range(1, 9)]
        assert shown[0] == shown[-1] == f"denied: {MASK}"
        assert shown[1] == "denied: pass-2"

    def test_an_adopted_worker_without_a_password_is_reported_once(
        self, world: World, events: Events, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """When it starts, and not for each new version of the file."""
        world.cmdline = world.cmdline.replace("grpc_authority=10.0.0.1:42113", "")
        monkeypatch.setattr(self, "entry", lambda: {"identitytoken": self.password})
        world.engine.images.add(IMAGE)
        world.run(self.boot(world))
        first = world.engine.worker()

        def renew() -> None:
            self.password += "x"
            world.clock += 3600

        world.meanwhile = [renew, renew, lambda: None]
        world.run(self.boot(world))
        assert world.engine.worker() is first
        assert names(events).count("registry_auth.fetched") > 2
        assert names(events).count("worker.without_password") == 1

    def test_an_identity_token_pulls_and_is_nothing_for_the_worker(
        self, world: World, events: Events, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(self, "entry", lambda: {"identitytoken": "token-1"})
        monkeypatch.setattr(
            self, "pull", lambda _image, auth: DONE if "identitytoken" in decoded(auth) else []
        )
        world.engine.registry = self.pull
        world.run(self.boot(world))
        assert self.environment(world) == {}
        assert decoded(world.engine.auth[0])["identitytoken"] == "token-1"
        (event,) = [one for one in events if one["event"] == "worker.without_password"]
        assert "identity token for r.example" in event["error"]


def decoded(auth: str) -> dict[str, Any]:
    found = json.loads(base64.urlsafe_b64decode(auth))
    assert isinstance(found, dict)
    return found


class TestMetadata:
    CMDLINE = CMDLINE.replace("instance_id=i", "")

    def test_it_is_not_requested_if_everything_is_known(self, world: World) -> None:
        world.run()
        assert world.metadata.asked == []

    def test_the_worker_starts_without_optional_metadata(
        self, world: World, events: Events
    ) -> None:
        world.cmdline = self.CMDLINE
        world.run()
        assert "container_uuid=i-1" not in world.engine.worker().spec["Env"]
        assert names(events)[0] == "metadata.missing"
        assert world.metadata.seconds == [pytest.approx(2.0, abs=1)]

    def test_a_late_answer_replaces_no_running_worker(self, world: World, events: Events) -> None:
        world.cmdline = self.CMDLINE
        answers: dict[str, bytes | int | Exception] = {INSTANCE: 503}
        world.metadata = FakeMetadata(answers)
        boot = world.boot()

        def heal() -> None:
            answers[INSTANCE] = b"i-1"

        world.meanwhile = [lambda: None, heal, *[lambda: None] * 10]
        world.run(boot)
        first = world.engine.worker()
        assert "machine.found" in names(events)
        assert max(world.metadata.seconds) <= 2.0, "the worker is watched meanwhile"
        world.run(boot)
        assert world.engine.worker() is first
        world.meanwhile = [lambda: world.engine.end_worker(0)]
        world.run(boot)
        world.run(boot)
        assert "container_uuid=i-1" in world.engine.worker().spec["Env"]

    def test_it_is_needed_if_nothing_else_has_the_id(self, world: World) -> None:
        world.cmdline = self.CMDLINE.replace("worker_id=w1", "")
        world.metadata = FakeMetadata({INSTANCE: 503})
        with pytest.raises(BootError, match="503"):
            world.boot().run(world.is_up)
        assert world.engine.containers == []
        assert world.metadata.seconds == [pytest.approx(10.0, abs=1)]

    def test_the_worker_gets_its_id(self, world: World, events: Events) -> None:
        world.cmdline = self.CMDLINE.replace("worker_id=w1", "")
        world.metadata = FakeMetadata({INSTANCE: b"i-1"})
        world.run()
        assert "ID=i-1" in world.engine.worker().spec["Env"]
        started = next(event for event in events if event["event"] == "worker.started")
        assert started["worker_id"] == "i-1"

    def test_metadata_of_an_unknown_machine_is_requested_again(self, world: World) -> None:
        world.cmdline = self.CMDLINE.replace("worker_id=w1", "")
        answers: dict[str, bytes | int | Exception] = {INSTANCE: b""}
        world.metadata = FakeMetadata(answers)
        boot = world.boot()
        with pytest.raises(PermanentError, match="has no id"):
            boot.run(world.is_up)
        answers[INSTANCE] = b"i-1"
        world.run(boot)
        assert world.engine.worker().state == "running"


class TestParameters:
    def test_bad_ones_stop_the_worker_and_are_told_at_once(self, world: World) -> None:
        world.cmdline = "worker_id=w grpc_authority=: tinkerbell_tls=y"
        with pytest.raises(BadParameters) as caught:
            world.boot().run(world.is_up)
        assert set(caught.value.problems) == {
            "grpc_authority",
            "tinkerbell_tls",
            "tink_worker_image",
        }
        assert "grpc_authority: not host:port; " in str(caught.value)
        assert world.engine.requests == []

    @pytest.mark.parametrize(
        "bad",
        [
            "metadata_url=x",
            "tinkerbell=http://",
            "docker_registry=https://r.example",
            "grpc_cert_url=10.0.0.1/cert",
            "HTTP_PROXY=ftp://p",
            "HTTPS_PROXY=http://p:port",
        ],
    )
    def test_an_invalid_optional_one_is_reported(
        self, world: World, events: Events, bad: str
    ) -> None:
        world.cmdline = f"{CMDLINE} {bad}"
        world.run()
        assert world.engine.worker().state == "running"
        name, _, value = bad.partition("=")
        assert [e["parameter"] for e in events if e["event"] == "parameter.ignored"] == [name]
        assert not any(
            variable.endswith(f"={value}") for variable in world.engine.worker().spec["Env"]
        )

    def test_a_truncated_command_line_is_reported_before_missing_parameters(
        self, world: World, events: Events
    ) -> None:
        boot = world.boot()
        boot.read_cmdline = lambda: Cmdline((("worker_id", "w"),), size=KEPT_BYTES)
        with pytest.raises(BadParameters):
            world.run(boot)
        (event,) = [event for event in events if event["event"] == "cmdline.truncated"]
        assert event["log_level"] == "warning"
        assert "the last parameters may be missing" in event["error"]

    def test_a_missing_server_is_reported(self, world: World, events: Events) -> None:
        world.cmdline = f"worker_id=w tink_worker_image={IMAGE}"
        world.run()
        assert "parameter.incomplete" in names(events)


def test_a_signal_ends_the_program_and_not_the_worker(world: World) -> None:
    with pytest.raises(ShutdownRequested):
        world.boot().run(world.is_up)
    assert world.engine.worker().state == "running"


def test_no_test_reaches_the_network() -> None:
    with socket.socket() as one, pytest.raises(BaseException, match="a unit test may not"):
        one.connect(("127.0.0.1", 1))


def test_the_fake_engine_has_one_container_a_name(world: World) -> None:
    world.engine.containers.append(Container("1", "a"))
    with pytest.raises(FileExistsError):
        world.engine.add("a")
