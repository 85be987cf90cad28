"""Errors of the engine that do not mean "there is no such thing" are raised."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bootkit.engine.docker import DockerEngine
from bootkit.engine.interface import EngineNotReady
from tests.fakes.canned_server import CannedServer, http
from tinkie.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DENIED = http(b'{"message": "denied: requested access to the resource is denied"}', 403)
VERSION = http(b'{"ApiVersion": "1.41", "Version": "26.1.5"}')


@pytest.fixture
def denying(tmp_path: Path) -> Iterator[DockerEngine]:
    """An engine that denies everything."""
    server = CannedServer(tmp_path / "docker.sock", {b"/version": VERSION, b"": DENIED})
    with server.serving(), closing(DockerEngine(server.path)) as engine:
        engine.connect()
        yield engine


@pytest.mark.parametrize(
    ("call", "attempt"),
    [
        (lambda engine: engine.has_image("r/w:1"), "look up image r/w:1"),
        (lambda engine: engine.remove("0123456789abcdef"), "remove container 0123456789ab"),
    ],
)
def test_an_engine_that_denies_is_an_error(
    denying: DockerEngine, call: Callable[[DockerEngine], object], attempt: str
) -> None:
    with pytest.raises(PermanentError, match=f"{attempt}: denied"):
        call(denying)


def test_a_call_without_a_connection_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineNotReady, match="not connected to"):
        DockerEngine(tmp_path / "docker.sock").containers()
