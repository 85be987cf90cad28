"""The engine's own containerd: its files, and whether it serves."""

from __future__ import annotations

import socket
import tomllib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tink_docker.engine import containerd
from tink_docker.engine.child import Child
from tinkie.errors import PermanentError

if TYPE_CHECKING:
    from pathlib import Path

PID = 4711
REAL_START = Child.start


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the engine's own, and a program that does not really start."""

    def start(name: str, arguments: list[str]) -> Any:
        assert (name, arguments[0]) == ("containerd", "containerd")
        assert (tmp_path / "containerd.toml").exists(), "started before its configuration is there"
        return SimpleNamespace(process=SimpleNamespace(pid=PID), arguments=arguments)

    monkeypatch.setattr(Child, "start", start)
    for name in ("CONFIG_PATH", "PID_PATH", "ADDRESS"):
        monkeypatch.setattr(containerd, name, tmp_path / getattr(containerd, name).name)
    return tmp_path


def test_it_starts_with_its_configuration_and_has_a_pid_file(state: Path) -> None:
    child: Any = containerd.start_containerd()
    assert child.arguments == ["containerd", "--config", str(state / "containerd.toml")]
    assert (state / "containerd.pid").read_text() == str(PID)
    config = tomllib.loads((state / "containerd.toml").read_text())
    assert config["timeouts"]["io.containerd.timeout.shim.load"] == "60s"
    assert config["grpc"]["address"].endswith("/containerd/containerd.sock")


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (state / "file").touch()
    monkeypatch.setattr(containerd, "CONFIG_PATH", state / "file" / "containerd.toml")
    with pytest.raises(PermanentError, match=f"writing to {containerd.STATE}"):
        containerd.start_containerd()


@pytest.mark.usefixtures("children")
def test_without_its_pid_file_it_does_not_run(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would stop it, and the next one would manage the same containers."""
    started: list[Child] = []

    def start(name: str, _arguments: list[str]) -> Child:
        started.append(REAL_START(name, ["sleep", "60"]))
        return started[-1]

    monkeypatch.setattr(Child, "start", start)
    (state / "file").touch()
    monkeypatch.setattr(containerd, "PID_PATH", state / "file" / "containerd.pid")
    with pytest.raises(PermanentError, match=f"writing to {containerd.STATE}"):
        containerd.start_containerd()
    assert started[0].status == "killed by SIGKILL"


def test_it_serves_once_it_listens(state: Path) -> None:
    assert not containerd.is_serving()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(state / "containerd.sock"))
        assert not containerd.is_serving()
        listener.listen()
        assert containerd.is_serving()
