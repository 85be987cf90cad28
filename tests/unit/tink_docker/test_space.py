from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tink_docker.policy import SPACE_FAST_POLL_SECONDS, SPACE_POLL_SECONDS
from tink_docker.space import SpaceMonitor, engines_largest, measure, who_takes_it
from tinkie.space import Space

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    Events = list[MutableMapping[str, Any]]

MIB = 1024 * 1024
SIZE = 1024 * MIB
CONFIGURATION = "containers/c2/config.v2.json"


def look(path: Path, *free: int, size: int = SIZE) -> SpaceMonitor:
    """Tick once for each number of MiB that are left."""
    spaces = iter([Space(count * MIB, size) for count in free])
    monitor = SpaceMonitor(lambda: next(spaces), path, lambda: "container action: /big (9.0 MB)")
    for _ in free:
        monitor.tick()
    return monitor


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "space.json"


def test_low_space_and_recovery_are_logged_once(path: Path, events: Events) -> None:
    look(path, 1000, 63, 40, 0, 65, 63, 127, 128, 900)
    low, back = events
    assert low["event"] == "space.low"
    assert low["error"] == "only 66.1 MB of 1073.7 MB free for images and containers"
    assert low["kind"] == "out-of-space"
    assert low["path"] == "/var/lib/docker"
    assert low["largest"] == "container action: /big (9.0 MB)"
    assert low["hint"]
    assert low["next"]
    assert (back["event"], back["free"], back["lowest"]) == (
        "space.recovered",
        "134.2 MB of 1073.7 MB",
        "0.0 MB",
    )


def test_each_shortage_is_logged(path: Path, events: Events) -> None:
    look(path, 10, 500, 10, 500)
    assert [event["event"] for event in events] == ["space.low", "space.recovered"] * 2


def test_a_small_machine_is_not_short_all_the_time(path: Path, events: Events) -> None:
    look(path, 60, 22, size=160 * MIB)
    assert events == []
    look(path, 19, size=160 * MIB)
    assert len(events) == 1


def test_the_free_space_is_written_for_bootkit(path: Path) -> None:
    look(path, 1000, 900)
    assert Space.read(path) == Space(900 * MIB, SIZE)


def test_nothing_is_written_while_nothing_happens(path: Path) -> None:
    monitor = look(path, 1000)
    path.unlink()
    monitor.measure = lambda: Space(1000 * MIB - 1, SIZE)
    monitor.tick()
    assert not path.exists()
    for free in (1000 * MIB - MIB // 2, 999 * MIB):  # slowly is noticed too
        monitor.measure = lambda free=free: Space(free, SIZE)  # type: ignore[misc]
        monitor.tick()
    assert path.exists()


def test_it_measures_more_often_while_something_writes(path: Path) -> None:
    assert look(path, 1000, 999).pace == SPACE_POLL_SECONDS
    assert look(path, 1000, 990).pace == SPACE_FAST_POLL_SECONDS
    assert look(path, 1000, 990, 989).pace == SPACE_POLL_SECONDS
    assert look(path, 0, 990).pace == SPACE_FAST_POLL_SECONDS


def test_errors_while_measuring_or_writing_stop_nothing(tmp_path: Path, events: Events) -> None:
    def fail() -> Space:
        raise PermissionError(13, "denied")

    SpaceMonitor(fail, tmp_path / "space.json").tick()
    (tmp_path / "file").touch()
    look(tmp_path / "file" / "space.json", 10)
    assert [event["event"] for event in events] == ["space.unknown", "space.low", "space.unknown"]


def test_memory_counts_as_space(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  9 kB\nMemAvailable:       4 kB\n")
    space = measure(tmp_path, meminfo)
    assert space.free == 4096
    assert space.size > space.free


def test_a_kernel_without_that_line_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\n")
    with pytest.raises(OSError, match="MemAvailable"):
        measure(tmp_path, tmp_path / "meminfo")


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    """An engine's folder with two containers, of which `action` has written 200 kB."""
    containers = {"c1": ("l1", "/tink-worker", 1), "c2": ("l2", "/action", 200)}
    for container, (layer, name, kilobytes) in containers.items():
        write(tmp_path / f"image/overlay2/layerdb/mounts/{container}/mount-id", layer.encode())
        config = json.dumps({"Name": name}).encode()
        write(tmp_path / f"containers/{container}/config.v2.json", config)
        write(tmp_path / f"overlay2/{layer}/diff/data/file", b"x" * 1000 * kilobytes)
    return tmp_path


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def largest(data_root: Path, *, kilobytes: int = 0, files: int = 0) -> str:
    used = SimpleNamespace(
        f_blocks=2**30,
        f_bfree=2**30 - kilobytes,
        f_frsize=1000,
        f_files=2**30,
        f_ffree=2**30 - files,
    )
    measured = cast("os.statvfs_result", used)
    return engines_largest(data_root, lambda _: measured, by_files=bool(files))


def test_the_container_that_fills_the_engines_space_is_named(data_root: Path) -> None:
    assert largest(data_root, kilobytes=300).startswith("container action: /data/file (0.2 MB")


def test_images_that_fill_it_are_named(data_root: Path) -> None:
    assert largest(data_root, kilobytes=900).startswith("images (0.7 MB")


def test_many_files_are_named(data_root: Path) -> None:
    for number in range(50):
        write(data_root / f"overlay2/l1/diff/many/{number}", b"")
    assert largest(data_root, files=60) == "container tink-worker: /many (0.0 MB in 51 files)"
    assert largest(data_root, files=900) == "images (845 files)"


def test_a_container_that_goes_meanwhile_has_no_name(data_root: Path) -> None:
    (data_root / CONFIGURATION).unlink()
    assert largest(data_root, kilobytes=300).startswith("container c2: /data/file")
    (data_root / "image/overlay2/layerdb/mounts/c2/mount-id").write_bytes(b"\xff")
    (data_root / "image/overlay2/layerdb/mounts/c1/mount-id").unlink()
    assert largest(data_root, kilobytes=300) == "images (0.3 MB)"


@pytest.mark.parametrize("name", ["image/overlay2/layerdb/mounts/c1/mount-id", CONFIGURATION])
def test_a_fifo_among_the_engines_files_hangs_nothing(data_root: Path, name: str) -> None:
    (data_root / name).unlink()
    os.mkfifo(data_root / name)
    assert largest(data_root, kilobytes=300).startswith("container ")


def test_a_full_engine_that_cannot_be_searched_is_logged_all_the_same(
    path: Path, events: Events
) -> None:
    def fail() -> str:
        raise PermissionError(13, "denied")

    monitor = SpaceMonitor(lambda: Space(0, SIZE), path, fail)
    monitor.tick()
    assert [event["event"] for event in events] == ["space.low"]
    assert events[0]["largest"] == "unknown: denied"


@pytest.mark.parametrize(("kilobytes", "is_short"), [(1, True), (2**40, False)])
def test_memory_that_is_short_is_told_from_the_file_system(
    data_root: Path, kilobytes: int, *, is_short: bool
) -> None:
    write(data_root / "meminfo", f"MemAvailable: {kilobytes} kB\n".encode())
    found = who_takes_it(data_root, data_root / "meminfo")
    assert found.startswith(("images (", "container "))
    assert (
        found.endswith("memory is short and not the file system: programs and other files take it")
        is is_short
    )
