"""Reports of actions: live events, whatever becomes of the stream that carries them."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from bootkit import policy
from bootkit.engine import events as stream_module
from bootkit.engine.docker import DockerEngine
from bootkit.engine.interface import ContainerEvent, EngineNotReady
from bootkit.watch import actions as module
from bootkit.watch.actions import ActionReporter
from tests.fakes.canned_server import CannedServer, http
from tests.fakes.engine import Event, FakeEngine
from tests.strategies import outcome
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from pathlib import Path

    Events = list[MutableMapping[str, Any]]


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeEngine]:
    fake = FakeEngine(tmp_path / "docker.sock")
    with fake.serving():
        yield fake


@pytest.fixture
def reporter(fake: FakeEngine) -> Iterator[ActionReporter]:
    with closing(DockerEngine(fake.socket)) as engine:
        engine.connect()
        with closing(ActionReporter(engine, FakeTime())) as reporter:
            yield reporter


class FakeTime:
    """Monotonic seconds; each look takes a tenth of one."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 0.1
        return self.seconds


def reported(events: Events) -> list[tuple[str, str]]:
    return [(event["event"], event["name"]) for event in events if "action." in event["event"]]


def report_for_ever(reporter: ActionReporter) -> None:
    while True:
        reporter.report()


def test_each_event_is_reported_once(
    fake: FakeEngine, reporter: ActionReporter, events: Events
) -> None:
    fake.emit("start", "action_before")
    reporter.report()
    for number in range(3):
        fake.emit("start", f"action_{number}")
        reporter.report()
        reporter.report()
    assert reported(events) == [("action.started", f"action_{number}") for number in range(3)]
    assert fake.events.subscriptions == 1


def test_a_silent_stream_is_not_waited_for(
    reporter: ActionReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second that never comes: only `report_last` may wait."""
    monkeypatch.setattr(module, "LAST_EVENTS_SECONDS", None)
    for _ in range(100):
        reporter.report()


@pytest.mark.parametrize("cut", [0, 10, 60, 150])
def test_after_a_stream_that_ended_another_one_is_read(
    fake: FakeEngine, reporter: ActionReporter, events: Events, cut: int
) -> None:
    reporter.report()
    fake.cut = cut
    fake.emit("start", "action_lost")
    fake.cut = None
    with pytest.raises(EngineNotReady, match="read events: the engine closed the connection"):
        report_for_ever(reporter)
    reporter.report()
    fake.emit("die", "action_new", "3")
    reporter.report()
    assert reported(events)[-1] == ("action.failed", "action_new")
    assert fake.events.subscriptions == 2


def test_the_workers_own_end_is_the_last_event(
    fake: FakeEngine, reporter: ActionReporter, events: Events
) -> None:
    reporter.report()
    fake.emit("die", "action_wipe", "3")
    late = threading.Timer(0.05, fake.emit, ("die", "tink-worker", "0"))
    late.start()
    reporter.report_last()
    late.join()
    assert reported(events) == [("action.failed", "action_wipe")]


def test_the_workers_own_end_is_not_waited_for_twice(
    fake: FakeEngine, reporter: ActionReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    reporter.report()
    fake.emit("die", "tink-worker", "0")
    reporter.report()
    monkeypatch.setattr(module, "LAST_EVENTS_SECONDS", 1e6)
    reporter.report_last()


def test_an_event_after_the_workers_end_is_reported_too(
    fake: FakeEngine, reporter: ActionReporter, events: Events
) -> None:
    reporter.report()
    fake.emit("die", "tink-worker", "0")
    reporter.report()
    fake.emit("die", "action_wipe", "137")
    reporter.report_last()
    assert reported(events) == [("action.failed", "action_wipe")]


def test_the_last_events_are_not_waited_for_long(
    reporter: ActionReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LAST_EVENTS_SECONDS", 0.3)
    reporter.report_last()


class Endless:
    """A stream on which an action starts again and again, and no worker ends."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self, _seconds: float) -> list[ContainerEvent]:
        self.taken += 1
        assert self.taken < 1000
        return [ContainerEvent("action_wipe", "r/w")]

    def close(self) -> None:
        pass


def test_other_events_do_not_prolong_the_wait_for_the_last_one(fake: FakeEngine) -> None:
    stream = Endless()
    reporter = ActionReporter(DockerEngine(fake.socket), FakeTime(), _events=stream)
    reporter.report_last()
    assert 5 < stream.taken < 15  # LAST_EVENTS_SECONDS in FakeTime's steps


class Flood:
    """A socket on which data arrives without end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.reads = 0

    def settimeout(self, seconds: float) -> None:
        pass

    def recv(self, _size: int) -> bytes:
        self.reads += 1
        assert self.reads < 200
        return self.data


class Quiet:
    """A socket on which nothing arrives; notes how long it was waited for."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def settimeout(self, seconds: float) -> None:
        self.waited.append(seconds)

    def recv(self, _size: int) -> bytes:
        raise BlockingIOError


START = json.dumps(Event("start", "a").as_json()).encode() + b"\n"


class TestAnEngineThatMisbehaves:
    """What `events` and `take` make of it."""

    def taken(
        self, folder: Path, answer: bytes, seen: list[ContainerEvent] | None = None
    ) -> BootError:
        canned = CannedServer(folder / "s")
        canned.answers = {b"/version": http(b'{"ApiVersion": "1.41", "Version": "1"}')}
        canned.answers[b"/events"] = answer
        with canned.serving(), closing(DockerEngine(canned.path)) as engine:
            engine.connect()
            error = outcome(lambda: self.take_all(engine, [] if seen is None else seen))
        assert isinstance(error, BootError)
        return error

    def take_all(self, engine: DockerEngine, seen: list[ContainerEvent]) -> None:
        with closing(engine.events()) as stream:
            while True:
                seen += stream.take(5.0)

    def test_a_refusal_has_the_engines_text(self, tmp_path: Path) -> None:
        error = self.taken(tmp_path, http(b'{"message": "boom"}', 500))
        assert 'read events: HTTP status: 500 {"message": "boom"}' in str(error)
        assert error.kind is ErrorKind.SERVER_ERROR

    @pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n", b"\r\n\r\n", b"x y\r\n\r\n"])
    def test_no_http_is_an_engine_that_is_not_ready(self, tmp_path: Path, answer: bytes) -> None:
        assert isinstance(self.taken(tmp_path, answer), EngineNotReady)

    def test_an_event_that_cannot_be_understood_loses_no_other(self, tmp_path: Path) -> None:
        good, bad = Event("die", "a", "0"), Event("die", "b", "x")
        lines = "".join(json.dumps(one.as_json()) + "\n" for one in (good, bad, good)).encode()
        seen: list[ContainerEvent] = []
        self.taken(tmp_path, b"HTTP/1.0 200 OK\r\n\r\n" + lines, seen)
        assert [event.container for event in seen] == ["a", "a"]

    def test_an_event_is_bounded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stream_module, "EVENT_LINE_BYTES", 1000)
        assert "too long" in str(self.taken(tmp_path, b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 5000))

    def test_a_head_is_bounded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stream_module, "EVENT_LINE_BYTES", 1000)
        assert "no HTTP head" in str(self.taken(tmp_path, b"x" * 200_000))

    def test_a_head_without_end_is_given_up(self) -> None:
        flood = Flood(b"x" * policy.EVENT_READ_BYTES)
        with pytest.raises(ValueError, match="no HTTP head"):
            stream_module._body_of(flood)  # type: ignore[arg-type]
        assert flood.reads * policy.EVENT_READ_BYTES < 2 * policy.EVENT_LINE_BYTES

    def test_events_without_end_delay_nobody(self) -> None:
        flood = Flood(START)
        stream = stream_module.EventStream(flood)  # type: ignore[arg-type]
        assert len(stream.take(0.0)) == policy.EVENT_READS_MAXIMUM == flood.reads

    @pytest.mark.parametrize(("rest", "waited"), [(b"", [5.0]), (START, [0])])
    def test_an_event_that_came_with_the_head_is_not_delayed(
        self, rest: bytes, waited: list[float]
    ) -> None:
        quiet = Quiet()
        stream = stream_module.EventStream(quiet, rest)  # type: ignore[arg-type]
        assert len(stream.take(5.0)) == (1 if rest else 0)
        assert quiet.waited == waited

    def test_an_engine_that_hangs_is_a_timeout(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stream_module, "ENGINE_ANSWER_SECONDS", 0.1)
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(str(tmp_path / "s"))
            silent.listen()
            with pytest.raises(TransientError, match="read events: no answer in time") as caught:
                stream_module.EventStream.open(tmp_path / "s", "1.41")
        assert caught.value.kind is ErrorKind.TIMEOUT
