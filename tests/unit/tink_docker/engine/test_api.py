from __future__ import annotations

import contextlib
import json
import os
import select
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fakes.canned_server import CannedServer, http
from tests.strategies import mutants, outcome
from tink_docker import policy
from tink_docker.engine import api
from tink_docker.engine.api import (
    EngineVersion,
    Ping,
    kill_container,
    load_images,
    running_containers,
)
from tink_docker.engine.socket import Listener
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, ShutdownRequested, TransientError
from tinkie.hints import Asked, hint_for

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PONG = (
    b"HTTP/1.1 200 OK\r\nApi-Version: 1.45\r\nServer: Docker/26.1.5+dfsg1 (linux)\r\n"
    b"Content-Length: 2\r\n\r\nOK"
)


CUT_OFF = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]"


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    opened = Listener.open(tmp_path / "docker.sock", os.getgid())
    yield opened
    opened.socket.close()


def select_files(seconds: float, files: Sequence[int]) -> None:
    select.select(files, [], [], seconds)


def answer(listener: Listener, data: bytes) -> bytes:
    """Serve the next question in the queue, as an engine would; return the question."""
    connection, _ = listener.socket.accept()
    with connection:
        question = connection.recv(4096)
        connection.sendall(data)
    return question


def test_the_ping_waits_for_the_engine(listener: Listener) -> None:
    ping = Ping()
    assert ping.files == []
    assert ping.answer(listener.address) is None
    assert ping.answer(listener.address) is None
    assert len(ping.files) == 1
    assert answer(listener, PONG).startswith(b"GET /_ping HTTP/1.0\r\n")
    assert ping.answer(listener.address) == EngineVersion("26.1.5+dfsg1", "1.45")
    ping.close()
    assert ping.files == []


@pytest.mark.parametrize(
    "data", [b"", b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", b"nonsense\r\n\r\n"]
)
def test_it_is_asked_again_if_the_engine_dies_or_is_in_trouble(
    listener: Listener, data: bytes
) -> None:
    ping = Ping()
    assert ping.answer(listener.address) is None
    answer(listener, data)
    assert ping.answer(listener.address) is None
    assert ping.files == []
    assert ping.answer(listener.address) is None
    answer(listener, PONG)
    assert ping.answer(listener.address) is not None
    ping.close()


def test_without_a_socket_there_is_no_answer(tmp_path: Path) -> None:
    assert Ping().answer(tmp_path / "docker.sock") is None


def test_an_engine_that_hides_its_version_is_one(listener: Listener) -> None:
    ping = Ping()
    ping.answer(listener.address)
    answer(listener, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
    assert ping.answer(listener.address) == EngineVersion("", "")
    ping.close()


def serve(listener: Listener, monkeypatch: pytest.MonkeyPatch, data: bytes) -> list[bytes]:
    """Answer between the question and the reading of the answer, without a thread."""
    questions: list[bytes] = []
    real = api._receive

    def after_serving(connection: api._Connection, question: str) -> object:
        questions.append(answer(listener, data))
        return real(connection, question)

    monkeypatch.setattr(api, "_receive", after_serving)
    return questions


def test_the_names_of_running_containers(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    containers = [{"Names": ["/tink-worker", "/x/y"]}, {"Names": [], "Id": "abc"}]
    body = json.dumps(containers).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    questions = serve(listener, monkeypatch, head + body)
    assert running_containers(listener.address) == ["tink-worker", "abc"]
    assert questions[0].startswith(b"GET /containers/json HTTP/1.0\r\n")


def test_a_container_is_killed(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = serve(listener, monkeypatch, b"HTTP/1.1 204 No Content\r\n\r\n")
    kill_container(listener.address, "tink-worker")
    assert questions[0].startswith(b"POST /containers/tink-worker/kill HTTP/1.0\r\n")


def test_a_container_that_is_not_killed_is_an_error(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(listener, monkeypatch, b"HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(TransientError, match="409 Conflict"):
        kill_container(listener.address, "tink-worker")


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{x", CUT_OFF])
def test_an_answer_that_makes_no_sense(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    serve(listener, monkeypatch, data)
    with pytest.raises(TransientError, match="asking dockerd"):
        running_containers(listener.address)


def test_no_answer_is_not_waited_for_long(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "DOCKERD_ANSWER_SECONDS", 0.01)
    with pytest.raises(TransientError, match="timed out") as caught:
        running_containers(listener.address)
    assert caught.value.hint == hint_for(ErrorKind.TIMEOUT, Asked.ENGINE)


@pytest.fixture(scope="module")
def canned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CannedServer]:
    canned = CannedServer(tmp_path_factory.mktemp("engine") / "docker.sock")
    with canned.serving():
        yield canned


LIST = [{"Names": ["/tink-worker"], "Id": "0" * 64}, {"Names": None, "Id": "1" * 64}]
ANSWERS = (
    st.builds(http, mutants(LIST).map(lambda value: json.dumps(value).encode()))
    | st.builds(http, st.binary(max_size=20), st.sampled_from([200, 204, 304, 404, 500]))
    | st.builds(lambda data: b"HTTP/1.1 200 OK\r\n" + data, st.binary(max_size=30))
    | st.binary(max_size=30)
)
HUGE = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n[]"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@given(answer=ANSWERS)
@example(answer=http(b"5"))
@example(answer=http(b"[5]"))
@example(answer=http(b'[{"Names": 5}]'))
@example(answer=http(b"[" * 9999))
@example(answer=HUGE)
@example(answer=CHUNKED + b"-5\r\n[]\r\n0\r\n\r\n")
@example(answer=CHUNKED + b"x\r\n")
def test_any_answer_gives_names_or_an_error(canned: CannedServer, answer: bytes) -> None:
    canned.answers = {b"/containers/json": answer}
    names = outcome(lambda: running_containers(canned.path))
    if isinstance(names, BootError):
        assert "asking dockerd" in str(names)
    else:
        assert all(isinstance(name, str) for name in names)


@given(answer=ANSWERS)
@example(answer=HUGE)
@example(answer=http(b"OK"))
@example(answer=b"HTTP/1.1 200 OK\r\nServer: Docker/\xff\x1b[31m\r\n\r\n")
def test_any_pong_is_an_engine_or_none(canned: CannedServer, answer: bytes) -> None:
    canned.answers = {b"/_ping": answer}
    ping = Ping()
    for _ in range(3):
        version = ping.answer(canned.path)
        assert version is None or isinstance(version.api, str)
        if ping.files:
            select.select(ping.files, [], [], 5.0)
    ping.close()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (http(b'{"stream":"Loaded image: r/w:1\\n"}\n'), None),
        (http(b""), None),
        (http(b'{"errorDetail":{"message":"no space"},"error":"no space"}\n'), "no space"),
        (http(b"{}", 500), "500"),
        (http(b"[5]"), "loading w.tar"),
        (http(b"<html>"), "loading w.tar"),
        (b"", "/images/load"),
    ],
)
def test_an_archive_is_loaded_or_an_error_is_raised(
    canned: CannedServer, tmp_path: Path, answer: bytes, message: str | None
) -> None:
    archive = tmp_path / "w.tar"
    archive.write_bytes(b"a" * 1000)
    canned.answers = {b"POST /images/load": answer}
    found = outcome(lambda: load_images(canned.path, archive, select_files, time.monotonic))
    if message is None:
        assert found is None
    else:
        assert isinstance(found, BootError)
        assert message in str(found)


class Loader:
    """A dockerd that reads and answers only while the client waits; each wait takes a second."""

    def __init__(self, listener: Listener, archive: Path) -> None:
        self.listener, self.archive = listener, archive
        self.clock = 0.0
        self.waits: list[float] = []
        self.read, self.read_at = 0, 0.0
        self.reads_from, self.unpacks = 0.0, 1e9  # seconds; the time from the whole archive on
        self.connection: socket.socket | None = None

    def load(self) -> None:
        load_images(self.listener.address, self.archive, self.wait, lambda: self.clock)

    def wait(self, seconds: float, _files: Sequence[int]) -> None:
        self.waits.append(seconds)
        self.clock += 1
        if self.connection is None:
            self.connection, _ = self.listener.socket.accept()
            self.connection.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while self.clock >= self.reads_from:
                self.read += len(self.connection.recv(1 << 20))
                self.read_at = self.clock
        if self.read > 4 << 20:
            self.unpacks -= 1
        if self.unpacks == 0:
            self.connection.settimeout(None)
            self.connection.sendall(http(b'{"stream":"Loaded image: r/w:1"}'))


@pytest.fixture
def loader(listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loader]:
    """A dockerd, and an archive that no socket's buffer takes whole."""
    monkeypatch.setattr(policy, "EMBEDDED_POLL_SECONDS", 0.01)
    archive = tmp_path / "w.tar"
    archive.write_bytes(b"a" * (4 << 20))
    loader = Loader(listener, archive)
    yield loader
    if loader.connection:
        loader.connection.close()


def test_others_work_while_an_archive_loads(loader: Loader) -> None:
    """The reboot flag is one of them: it is looked at whatever dockerd does."""
    loader.reads_from, loader.unpacks = 50.0, 90
    loader.load()
    assert loader.read > 4 << 20
    assert loader.waits[:49] == [0.0] * 49
    assert loader.waits[-80:] == [0.01] * 80


@pytest.mark.parametrize("reads_from", [0.0, 1e9])
def test_a_dockerd_that_stalls_a_load_is_given_up(loader: Loader, reads_from: float) -> None:
    loader.reads_from = reads_from
    with pytest.raises(TransientError, match=r"loading w\.tar: TimeoutError"):
        loader.load()
    silence = loader.clock - loader.read_at
    assert silence == pytest.approx(policy.DOCKERD_LOAD_SILENCE_SECONDS, abs=2)
    assert (loader.read > 4 << 20) == (reads_from == 0.0)


def test_a_dockerd_that_does_not_read_the_end_of_an_archive(
    listener: Listener, tmp_path: Path
) -> None:
    """Nor does its answer in HTTP/1.0 say how long it is."""
    archive = tmp_path / "w.tar"
    archive.write_bytes(b"a" * 10_000)

    def wait(_seconds: float, _files: Sequence[int]) -> None:
        connection, _ = listener.socket.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b'HTTP/1.0 200 OK\r\n\r\n{"error":"no space"}\n')

    with pytest.raises(TransientError, match=r"loading w\.tar: no space"):
        load_images(listener.address, archive, wait, time.monotonic)


def test_a_signal_ends_a_load(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(_seconds: float, _files: object) -> None:
        raise ShutdownRequested("SIGTERM")

    monkeypatch.setattr(loader, "wait", wait)
    with pytest.raises(ShutdownRequested):
        loader.load()
