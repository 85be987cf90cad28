"""Any answer on the engine's socket becomes our own error, or values of the promised types."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bootkit.engine.docker import DockerEngine
from bootkit.engine.interface import Container, ContainerEvent, Ended, EngineNotReady
from bootkit.image.progress import log_progress
from bootkit.plan.credentials import Credentials
from bootkit.plan.worker import WorkerSpec
from tests.fakes.canned_server import CannedServer, http
from tests.strategies import JSON, mutants, outcome
from tinkie.errors import BootError
from tinkie.parameters.image_reference import ImageReference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

VERSION = {"ApiVersion": "1.45", "Version": "26.1.5"}
ROW = {
    "Id": "0" * 64, "Names": ["/tink-worker"], "State": "running", "Image": "r/w:1",
    "Labels": {"a": "b"}, "Mounts": [{"Destination": "/dev"}],
}  # fmt: skip
STATE = {"Running": False, "Restarting": False, "ExitCode": 1, "Error": "x", "OOMKilled": True}
INSPECTED = {"Id": "0" * 64, "Config": {"Tty": False}, "State": STATE}
EVENT = {"Action": "die", "Actor": {"Attributes": {"name": "a", "image": "i", "exitCode": "0"}}}
PROGRESS = {"status": "Downloading", "id": "a", "progressDetail": {"current": 1, "total": 9}}
SPEC = WorkerSpec(
    "w", (ImageReference.parse("r/w:1"),), {"ID": "w"}, "r.example", Credentials("u", "p")
)
FRAME = b"\1\0\0\0\0\0\0\5hello"


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def answers_like(good: Any, *, end: bytes = b"") -> st.SearchStrategy[bytes]:
    """Return answers that are nearly `good`, or errors, or no HTTP at all."""
    nearly = mutants(good).map(lambda value: dumped(value) + end)
    bodies = nearly | st.binary(max_size=40) | st.just(b"[" * 9999 + end)
    status = st.sampled_from([200, 200, 200, 201, 204, 304, 404, 409, 500])
    return st.builds(http, bodies, status) | st.binary(max_size=40)


@pytest.fixture(scope="module")
def canned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CannedServer]:
    canned = CannedServer(tmp_path_factory.mktemp("engine") / "docker.sock")
    with canned.serving():
        yield canned


def result(
    canned: CannedServer, answers: dict[bytes, bytes], ask: Callable[[DockerEngine], Any]
) -> Any:
    """Return what `ask` returns for these answers, or None if it raises an error of ours."""
    canned.answers = {b"/version": http(dumped(VERSION))} | answers
    engine = DockerEngine(canned.path)
    engine.connect()
    with closing(engine):
        returned = outcome(lambda: ask(engine))
    return None if isinstance(returned, BootError) else returned


@given(answer=answers_like(VERSION))
@example(answer=http(b"[]"))
@example(answer=http(b'{"ApiVersion": "banana", "Version": 1}'))
@example(answer=http(b"[" * 9999))
def test_a_version_is_a_text_or_the_engine_is_not_ready(
    canned: CannedServer, answer: bytes
) -> None:
    canned.answers = {b"/version": answer}
    with closing(DockerEngine(canned.path)) as engine:
        assert isinstance(outcome(engine.connect), str | EngineNotReady)


@given(answer=answers_like([ROW]))
@example(answer=http(b"[5]"))
@example(answer=http(b'[{"Names": [5]}]'))
@example(answer=http(b'[{"Id": 5, "Labels": [1]}]'))
@example(answer=http(b'{"Id": 5}'))
def test_containers_are_containers(canned: CannedServer, answer: bytes) -> None:
    rows = result(canned, {b"/containers/json": answer}, DockerEngine.containers)
    for row in rows or ():
        assert isinstance(row, Container)
        texts = (row.id, row.name, row.image, *row.mounts)
        assert all(isinstance(text, str) for text in texts)
        assert isinstance(row.labels, dict)


@given(answer=answers_like(INSPECTED))
@example(answer=http(b'{"State": null}'))
@example(answer=http(b'{"State": {"Running": false, "Restarting": 0, "ExitCode": Infinity}}'))
def test_an_end_is_an_end(canned: CannedServer, answer: bytes) -> None:
    ended = result(canned, {b"/containers/x/json": answer}, lambda engine: engine.ended("x"))
    assert ended is None or (isinstance(ended, Ended) and isinstance(ended.exit_code, int))


@given(answer=answers_like(INSPECTED), log=st.binary(max_size=30).map(lambda data: FRAME + data))
@example(answer=http(dumped(INSPECTED)), log=FRAME + b"\1")
@example(answer=http(dumped(INSPECTED)), log=b"\1\0\0\0\0\1\0\0" + b"x" * 65536)
@example(answer=http(b"{}"), log=b"")
def test_lines_of_a_log_are_bounded_texts(canned: CannedServer, answer: bytes, log: bytes) -> None:
    answers = {b"/containers/x/json": answer, b"/containers/x/logs": http(log)}
    lines = result(canned, answers, lambda engine: engine.log_lines("x", 3))
    for line in lines or ():
        assert len(line) <= 2000
    assert len(lines or ()) <= 3


@given(answer=answers_like(EVENT, end=b"\n"))
@example(answer=http(b"5\n"))
@example(answer=http(b'{"Action": "die", "Actor": {"Attributes": {"exitCode": "x"}}}\n'))
@example(answer=http(b"[" * 9999 + b"\n"))
@example(answer=http(dumped(EVENT) + b"\n\n" + dumped(EVENT) + b"\n{"))
def test_events_are_events(canned: CannedServer, answer: bytes) -> None:
    events: list[ContainerEvent] = []

    def read(engine: DockerEngine) -> None:
        with closing(engine.events()) as stream:
            while True:  # until the canned server closes it
                events.extend(stream.take(5.0))

    assert result(canned, {b"/events": answer}, read) is None
    for event in events:
        assert isinstance(event, ContainerEvent)
        assert event.exit_code is None or isinstance(event.exit_code, int)


@given(answer=answers_like({"Id": "x"}))
@example(answer=http(b"{}"))
@example(answer=http(b"5", 500))
def test_an_image_is_there_or_not(canned: CannedServer, answer: bytes) -> None:
    there = result(canned, {b"/images/": answer}, lambda engine: engine.has_image("x"))
    assert there in (True, False, None)


@given(made=answers_like({"Id": "x", "Warnings": []}), info=answers_like({"LoggingDriver": "x"}))
@example(made=http(b"{}"), info=http(b"{}"))
@example(made=http(b'{"Id": "x"}'), info=http(b"[]"))
def test_a_worker_is_started_or_not(canned: CannedServer, made: bytes, info: bytes) -> None:
    answers = {b"/containers/create": made, b"/start": http(b"", 204), b"/info": info}
    started = result(canned, answers, lambda engine: engine.start_worker(SPEC, "r/w:1"))
    assert started is None or isinstance(started, str)


MESSAGES = st.lists(
    mutants(PROGRESS) | mutants({"error": "x", "errorDetail": {"message": "x"}}), max_size=4
)


@given(messages=MESSAGES, tail=st.binary(max_size=20))
@example(messages=[5], tail=b"")
@example(messages=[{"errorDetail": 5}], tail=b"")
@example(messages=[{"error": "<html>" * 9999}], tail=b"")
@example(messages=[PROGRESS | {"progressDetail": None, "id": ["a"]}], tail=b"")
@example(messages=[], tail=b"[" * 9999)
def test_a_pull_continues_or_fails_with_our_error(
    canned: CannedServer, messages: list[Any], tail: bytes
) -> None:
    stream = b"\r\n".join([*map(dumped, messages), tail])

    def pull(engine: DockerEngine) -> None:
        log_progress(engine.pull("r/w:1", None), time.monotonic)

    result(canned, {b"/images/create": http(stream)}, pull)


@given(st.lists(st.dictionaries(st.sampled_from(["id", "status", "progressDetail"]), JSON)))
@example([PROGRESS | {"progressDetail": 5}])
def test_progress_takes_any_object(messages: list[dict[str, Any]]) -> None:
    log_progress(messages, lambda: 0.0)


def test_a_page_of_html_is_truncated(canned: CannedServer) -> None:
    answers = {b"/images/create": http(dumped({"message": "<p>" * 9999}), 500)}
    engine = DockerEngine(canned.path)
    canned.answers = {b"/version": http(dumped(VERSION))} | answers
    engine.connect()
    with pytest.raises(BootError, match=r"pull r/w:1: <p>.*…") as caught:
        list(engine.pull("r/w:1", None))
    engine.close()
    assert len(str(caught.value)) == 2000


def test_the_path_of_the_socket_is_in_the_message(canned: CannedServer, tmp_path: Path) -> None:
    canned.answers = {b"/version": http(b"{}")}
    with pytest.raises(EngineNotReady, match=r"docker\.sock: KeyError\('ApiVersion'\)"):
        DockerEngine(canned.path).connect()
    with pytest.raises(EngineNotReady, match=str(tmp_path)):
        DockerEngine(tmp_path / "none").connect()
