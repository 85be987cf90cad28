"""The client alone: removals, the socket's identity, and timeouts."""

from __future__ import annotations

import json
import socketserver
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from bootkit import policy
from bootkit.engine import docker as module
from bootkit.engine.docker import DockerEngine
from bootkit.engine.interface import EngineNotReady
from bootkit.engine.json import container_in
from tests.fakes.dropped_signal import drop_a_signal
from tests.fakes.engine import FakeEngine
from tests.fakes.thread import served
from tinkie.error_kinds import ErrorKind
from tinkie.errors import BootError, ShutdownRequested, TransientError
from tinkie.hints import Asked, hint_for
from tinkie.running.redaction import MASK, REDACTOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
VERSION = b'{"ApiVersion": "1.41", "Version": "26.1.5"}'
PROGRESS = b'{"status": "Downloading", "id": "a"}\r\n'
SERVER_SECONDS = 5.0  # how long the server stays silent, much longer than the client waits


@contextmanager
def connected(fake: FakeEngine) -> Iterator[DockerEngine]:
    with fake.serving(), closing(DockerEngine(fake.socket)) as engine:
        engine.connect()
        yield engine


def test_each_connect_closes_the_connections_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """bootkit connects in each of its runs; the descriptors would run out."""
    closed: list[object] = []
    with connected(FakeEngine(tmp_path / "docker.sock")) as engine:
        first = engine._api
        close = first.close
        monkeypatch.setattr(first, "close", lambda: closed.append(close()))
        engine.connect()
        assert len(closed) == 1
        assert engine._api is not first


@pytest.mark.parametrize(
    ("state", "running"),
    [
        *[(state, True) for state in ("running", "restarting", "paused")],
        *[(state, False) for state in ("created", "removing", "exited", "dead")],
    ],
)
def test_a_container_that_may_still_work_counts_as_running(state: str, *, running: bool) -> None:
    assert container_in({"Id": "1", "Names": ["/x"], "State": state}).running is running


@pytest.mark.parametrize("state", ["running", "exited"])
def test_a_container_is_removed_whatever_it_does_and_its_volumes_too(
    tmp_path: Path, state: str
) -> None:
    fake = FakeEngine(tmp_path / "docker.sock")
    with connected(fake) as engine:
        engine.remove(fake.add("x", state=state).id)
        engine.remove("gone")
    assert (fake.containers, fake.volumes) == ([], [])


def test_a_new_socket_under_the_same_name_has_another_identity(tmp_path: Path) -> None:
    fake = FakeEngine(tmp_path / "docker.sock")
    engine = DockerEngine(fake.socket)
    seen = set()
    for _ in range(2):
        with fake.serving():
            seen |= {engine.socket_identity(), engine.socket_identity()}
    assert len(seen) == 2


def test_a_missing_socket_means_not_ready(tmp_path: Path) -> None:
    with pytest.raises(EngineNotReady, match="No such file"):
        DockerEngine(tmp_path / "docker.sock").socket_identity()


class Silent(socketserver.ThreadingUnixStreamServer):
    """Send the given answers, then keep the connection and stay silent until the client closes."""

    daemon_threads = True
    answers: dict[bytes, bytes]

    def answer(self, request: bytes) -> bytes:
        return next((text for path, text in self.answers.items() if path in request), b"")


class Handler(socketserver.BaseRequestHandler):
    server: Silent

    def handle(self) -> None:
        self.request.settimeout(SERVER_SECONDS)
        while request := self.request.recv(65536):
            self.request.sendall(self.server.answer(request))


@contextmanager
def silent(path: Path, **answers: bytes) -> Iterator[DockerEngine]:
    server = Silent(str(path), Handler)
    server.answers = {f"/{name}".encode(): text for name, text in answers.items()}
    with closing(DockerEngine(path)) as engine, served(server):
        yield engine


def whole(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def begun(body: bytes) -> bytes:
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body)


def test_an_engine_that_accepts_connections_and_is_silent_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ENGINE_PING_SECONDS", 0.1)
    with silent(tmp_path / "s") as engine, pytest.raises(EngineNotReady, match="timed out"):
        engine.connect()


def test_an_engine_that_becomes_silent_later_is_a_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ENGINE_ANSWER_SECONDS", 0.1)
    with silent(tmp_path / "s", version=whole(VERSION)) as engine:
        engine.connect()
        with pytest.raises(TransientError, match="list containers: no answer in time") as caught:
            engine.containers()
    assert caught.value.kind is ErrorKind.TIMEOUT
    assert caught.value.hint == hint_for(ErrorKind.TIMEOUT, Asked.ENGINE)


@pytest.mark.parametrize("start", [b"", begun(PROGRESS)])
@pytest.mark.parametrize(("ping", "blamed"), [(b"", Asked.ENGINE), (b"OK", Asked.REGISTRY)])
def test_a_pull_that_stalls_is_a_timeout_of_the_engine_or_of_the_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: bytes, ping: bytes, blamed: Asked
) -> None:
    monkeypatch.setattr(module, "PULL_SILENCE_SECONDS", 0.1)
    answers = {"version": whole(VERSION), "images": start, "_ping": ping and whole(ping)}
    with silent(tmp_path / "s", **answers) as engine:
        engine.connect()
        monkeypatch.setattr(module, "ENGINE_PING_SECONDS", SERVER_SECONDS if ping else 0.1)
        with pytest.raises(TransientError, match="pull r/w:1: no answer in time") as caught:
            list(engine.pull("r/w:1", None))
    assert caught.value.kind is ErrorKind.TIMEOUT
    assert caught.value.hint == hint_for(ErrorKind.TIMEOUT, blamed)


def refusing(path: Path, **answers: tuple[int, str]) -> AbstractContextManager[DockerEngine]:
    """Return an engine that answers these requests with a status and a message."""
    return silent(
        path,
        version=whole(VERSION),
        **{
            name: b"HTTP/1.1 %d x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (status, len(body), body)
            for name, (status, text) in answers.items()
            for body in [json.dumps({"message": text}).encode()]
        },
    )


REFUSED = 'Get "https://eof/v2/": dial tcp 10.0.0.1:443: connect: connection refused'
PROXY = 'Get "https://r/v2/": Proxy Authentication Required'
NOT_SIGNED = "unknown: The image is not signed in Notary."


@pytest.mark.parametrize(
    ("text", "kind", "asked"),
    [
        (REFUSED, ErrorKind.REFUSED, Asked.REGISTRY),
        (PROXY, ErrorKind.PROXY_REFUSED, Asked.PROXY),
        (NOT_SIGNED, ErrorKind.POLICY, Asked.REGISTRY),
        ("dial unix /x.sock: connect: no such file", ErrorKind.ENGINE_NOT_READY, Asked.ENGINE),
    ],
)
def test_a_refused_pull_is_about_the_registry_unless_it_says_otherwise(
    tmp_path: Path, text: str, kind: ErrorKind, asked: Asked
) -> None:
    line = whole(json.dumps({"error": text}).encode())
    for engine in (
        refusing(tmp_path / "status", images=(500, text)),
        silent(tmp_path / "line", version=whole(VERSION), images=line),
    ):
        with engine as connected_one:
            connected_one.connect()
            with pytest.raises(BootError) as caught:
                list(connected_one.pull("r/w:1", None))
        assert (caught.value.kind, caught.value.asked) == (kind, asked)
        assert caught.value.hint == hint_for(kind, asked)


def test_an_engine_that_fails_is_not_the_registry(tmp_path: Path) -> None:
    text = "failed to create task for container: context deadline exceeded"
    with refusing(tmp_path / "s", containers=(500, text)) as engine:
        engine.connect()
        with pytest.raises(TransientError) as caught:
            engine.containers()
    assert caught.value.hint == hint_for(ErrorKind.TIMEOUT, Asked.ENGINE)


@pytest.mark.usefixtures("signals")
def test_a_request_to_stop_that_python_dropped_ends_a_silent_pull(tmp_path: Path) -> None:
    with silent(tmp_path / "s", version=whole(VERSION), images=begun(PROGRESS)) as engine:
        engine.connect()
        with closing(engine.pull("r/w:1", None)) as messages:
            assert next(messages)["id"] == "a"
            drop_a_signal()
            with pytest.raises(ShutdownRequested, match="SIGTERM"):
                next(messages)


def test_every_wait_for_the_engine_has_an_end() -> None:
    assert 0 < policy.ENGINE_PING_SECONDS < policy.ENGINE_ANSWER_SECONDS <= 60
    assert policy.ENGINE_ANSWER_SECONDS < policy.PULL_SILENCE_SECONDS <= 600


def test_half_a_secret_at_the_cut_of_a_log_line_is_masked(tmp_path: Path) -> None:
    secret = "geheim-wörter-1234"
    REDACTOR.hide(secret)
    fake = FakeEngine(tmp_path / "docker.sock")
    worker = fake.add("tink-worker")
    ends = range(policy.WORKER_LOG_LINE_BYTES - len(secret.encode()), policy.WORKER_LOG_LINE_BYTES)
    worker.log = "".join(f"{'x' * end}{secret}xxx\n" for end in ends)
    with connected(fake) as engine:
        lines = engine.log_lines(worker.id, len(ends))
    assert len(lines) == len(ends)
    left = {REDACTOR.text(f"{line}; restarting").strip("x") for line in lines}
    assert left <= {f"{part}…; restarting" for part in ("", MASK, "g", "ge", "geh")}
