from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bootkit.shared.errors import TransientError
from tink_docker import api
from tink_docker.api import EngineVersion, Ping, running_containers
from tink_docker.listener import Listener

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PONG = (
    b"HTTP/1.1 200 OK\r\nApi-Version: 1.45\r\nServer: Docker/26.1.5+dfsg1 (linux)\r\n"
    b"Content-Length: 2\r\n\r\nOK"
)


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    opened = Listener.open(tmp_path / "docker.sock")
    yield opened
    opened.socket.close()


def answer(listener: Listener, data: bytes) -> bytes:
    """Serve the next question in the queue, as an engine would; return the question."""
    connection, _ = listener.socket.accept()
    with connection:
        question = connection.recv(4096)
        connection.sendall(data)
    return question


def test_the_question_waits_for_the_engine(listener: Listener) -> None:
    ping = Ping()
    assert ping.files == []
    assert ping.answer(listener.address) is None
    assert ping.answer(listener.address) is None
    assert len(ping.files) == 1
    assert answer(listener, PONG).startswith(b"GET /_ping HTTP/1.1\r\n")
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
    real = api._response

    def after_serving(connection: api._Connection, question: str) -> object:
        questions.append(answer(listener, data))
        return real(connection, question)

    monkeypatch.setattr(api, "_response", after_serving)
    return questions


def test_the_names_of_running_containers(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    containers = [{"Names": ["/tink-worker", "/x/y"]}, {"Names": [], "Id": "abc"}]
    body = json.dumps(containers).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    questions = serve(listener, monkeypatch, head + body)
    assert running_containers(listener.address) == ["tink-worker", "abc"]
    assert questions[0].startswith(b"GET /containers/json HTTP/1.1\r\n")


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{x"])
def test_an_answer_that_makes_no_sense(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    serve(listener, monkeypatch, data)
    with pytest.raises(TransientError, match="asking the engine"):
        running_containers(listener.address)


def test_no_answer_is_not_waited_for_long(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "ANSWER_SECONDS", 0.01)
    with pytest.raises(TransientError, match="timed out"):
        running_containers(listener.address)
