from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from tink_docker.engine.socket import SOCKET_GROUP, Listener

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    opened = Listener.open(tmp_path / "run/docker.sock", os.getgid())
    yield opened
    opened.socket.close()


def test_the_socket_is_hidden_until_it_is_published(listener: Listener) -> None:
    assert not listener.path.exists()
    assert listener.address.is_socket()
    listener.publish()
    assert listener.address == listener.path
    assert [path.name for path in listener.path.parent.iterdir()] == ["docker.sock"]


def test_only_root_and_the_group_may_connect(listener: Listener) -> None:
    assert listener.address.stat().st_mode & 0o777 == 0o660


def test_the_socket_gets_the_group_of_bootkit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[Path, int, int]] = []
    monkeypatch.setattr(os, "chown", lambda *arguments: given.append(arguments))
    opened = Listener.open(tmp_path / "docker.sock")
    opened.socket.close()
    assert given == [(opened.address, -1, SOCKET_GROUP)]


def test_publishing_keeps_the_file_that_containers_bind(listener: Listener) -> None:
    before = listener.address.stat().st_ino
    listener.publish()
    listener.publish()
    assert listener.path.stat().st_ino == before


def test_a_leftover_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    for publish in (False, True, False):
        left = Listener.open(path, os.getgid())
        if publish:
            left.publish()
        left.socket.close()
    new = Listener.open(path, os.getgid())
    new.publish()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
    new.socket.close()


def test_clients_wait_in_the_queue_while_no_engine_runs(listener: Listener) -> None:
    listener.publish()
    clients = [socket.socket(socket.AF_UNIX) for _ in range(200)]
    for client in clients:
        client.settimeout(1)
        client.connect(str(listener.path))
    for client in clients:
        client.close()
