from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tink_docker import policy
from tink_docker.repair.leftovers import stop_leftovers

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    Events = list[MutableMapping[str, Any]]

NOBODY = 4_000_000_000  # no process can have this number


def start(folder: Path, name: str) -> subprocess.Popen[bytes]:
    """Start a harmless process that has the name `name` in the kernel."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy("/bin/sleep", folder / name)
    process = subprocess.Popen([folder / name, "60"])
    named = Path(f"/proc/{process.pid}/comm")
    while named.read_text(encoding="utf-8").strip() != name:  # set at the end of its exec
        assert process.poll() is None
    return process


def descriptors() -> int:
    """Return how many descriptors this process has."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "docker.pid", tmp_path / "containerd.pid"


def test_nothing_left_is_fine(files: tuple[Path, Path], events: Events) -> None:
    stop_leftovers(*files)
    assert events == []


def test_a_fifo_in_place_of_a_pid_file_is_removed(files: tuple[Path, Path]) -> None:
    os.mkfifo(files[0])
    stop_leftovers(*files)
    assert not files[0].exists()


@pytest.mark.parametrize("content", [str(NOBODY), "9" * 30, "", "x", "-1", "0", "1"])
def test_files_without_a_running_process_are_removed(
    files: tuple[Path, Path], events: Events, content: str
) -> None:
    for path in files:
        path.write_text(content)
    stop_leftovers(*files)
    assert not any(path.exists() for path in files)
    assert events == []


@pytest.mark.usefixtures("children")
def test_another_program_with_that_pid_is_left_alone(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    stranger = start(tmp_path / "bin", "stranger")
    for path in files:
        path.write_text(str(stranger.pid))
    before = descriptors()
    stop_leftovers(*files)
    assert descriptors() == before
    assert not any(path.exists() for path in files)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait(timeout=10)


@pytest.mark.usefixtures("children")
def test_daemons_that_outlived_tink_docker_are_stopped(
    files: tuple[Path, Path], tmp_path: Path, events: Events
) -> None:
    left = [start(tmp_path / "bin", name) for name in ("dockerd", "containerd")]
    for path, process in zip(files, left, strict=True):
        path.write_text(f"{process.pid}\n")
    before = descriptors()
    stop_leftovers(*files)
    assert descriptors() == before
    assert [process.wait(timeout=10) for process in left] == [-signal.SIGTERM, -signal.SIGTERM]
    assert [event["program"] for event in events] == ["dockerd", "containerd"]


@pytest.mark.usefixtures("children")
def test_a_number_of_a_thread_is_no_process(files: tuple[Path, Path], events: Events) -> None:
    """Without the repair, pidfd_open raised OSError, and tink-docker ended at each start."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    for path in files:
        path.write_text(str(thread.native_id))
    stop_leftovers(*files)
    done.set()
    thread.join()
    assert not any(path.exists() for path in files)
    assert events == []


@pytest.mark.usefixtures("children")
def test_by_force_if_it_ignores_the_signal(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "LEFTOVER_STOP_SECONDS", 0.1)
    hangs = start(tmp_path / "bin", "dockerd")
    hangs.send_signal(signal.SIGSTOP)
    while "(stopped)" not in Path(f"/proc/{hangs.pid}/status").read_text(encoding="utf-8"):
        assert hangs.poll() is None
    files[0].write_text(str(hangs.pid))
    stop_leftovers(*files)
    assert hangs.wait(timeout=10) == -signal.SIGKILL


@pytest.mark.usefixtures("children")
def test_a_zombie_needs_no_signal(files: tuple[Path, Path], tmp_path: Path, events: Events) -> None:
    zombie = start(tmp_path / "bin", "dockerd")
    zombie.kill()
    files[0].write_text(str(zombie.pid))
    descriptor = os.pidfd_open(zombie.pid)
    select.select([descriptor], [], [], 5)
    os.close(descriptor)
    stop_leftovers(*files)
    assert events == []
    zombie.wait(timeout=10)
